package cli

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
)

// recorderEnv is a recorder as an expression sees it. Its words are those of the listings.
type recorderEnv struct {
	ID         string                  `expr:"id"`
	Experiment string                  `expr:"experiment"`
	Name       string                  `expr:"name"`
	Task       bool                    `expr:"task"`
	Status     string                  `expr:"status"`
	Params     map[string]any          `expr:"params"`  // nested; what is not there is nil and compares as nothing
	Metrics    map[string]any          `expr:"metrics"` // what is not there compares as nothing
	Tags       map[string]string       `expr:"tags"`
	Note       string                  `expr:"note"`
	Artifacts  []string                `expr:"artifacts"` // their names
	Error      string                  `expr:"error"`
	Worker     string                  `expr:"worker"`
	Code       string                  `expr:"code"`
	Created    time.Time               `expr:"created"`
	Started    time.Time               `expr:"started"`
	Ended      time.Time               `expr:"ended"`
	Took       time.Duration           `expr:"took"`
	Age        time.Duration           `expr:"age"` // since it was created
	Pool       string                  `expr:"pool"`
	Stage      string                  `expr:"stage"`
	Attempt    int                     `expr:"attempt"`
	Key        map[string]string       `expr:"key"`
	Window     int                     `expr:"window"` // from 0, as in JSON
	Segments   map[string]whereSegment `expr:"segments"`
	Horizon    int                     `expr:"horizon"`
	Seed       any                     `expr:"seed"` // a number or nil
	Runs       string                  `expr:"runs"`
}

func recorderEnvOf(r record.Recorder, now time.Time) recorderEnv {
	e := recorderEnv{
		ID: r.ID, Experiment: r.Experiment, Name: r.Name, Task: r.Task, Status: string(r.Status), Params: r.Params, Metrics: map[string]any{},
		Tags: r.Tags, Note: r.Note, Error: r.Error, Worker: r.Worker, Code: r.Code, Created: r.Created, Started: r.Started, Ended: r.Ended,
		Took: r.Duration, Age: now.Sub(r.Created), Pool: r.Pool, Stage: r.Stage, Attempt: r.Attempt, Key: keyMap(r.Key), Window: r.Window.Index,
		Segments: whereSegments(r.Segments), Horizon: r.Horizon, Runs: r.Runs,
	}
	for name, v := range r.Metrics {
		e.Metrics[name] = v
	}
	for _, a := range r.Artifacts {
		e.Artifacts = append(e.Artifacts, a.Name)
	}
	if r.Seed != nil {
		e.Seed = int(*r.Seed)
	}
	return e
}

// The languages of expressions about recorders: a condition, and what to put them in order by.
var (
	aboutRecorders = language{flag: "--where", env: recorderEnv{}, patch: func() ast.Visitor { return missing{} }}
	recorderOrder  = language{flag: "--order", env: recorderEnv{}, value: true, patch: func() ast.Visitor { return missing{} }}
)

// missing makes what a recorder does not have compare as nothing: no metric is over or under one that is not there, and what is inside a
// parameter that is not there is not there either.
type missing struct{}

// Visit looks at one node, its children before it.
func (missing) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.MemberNode:
		switch rootOf(n) {
		case "metrics":
			ast.Patch(node, &ast.BinaryNode{Operator: "??", Left: n, Right: &ast.FloatNode{Value: math.NaN()}})
		case "params":
			n.Optional = true
			ast.Patch(node, &ast.ChainNode{Node: n})
		}
	case *ast.BinaryNode:
		if slices.Contains([]string{"<", "<=", ">", ">="}, n.Operator) {
			unlessMissing(node, n.Left)
			unlessMissing(node, n.Right)
		}
	}
}

// rootOf returns the name that a member is reached from, "" where it is none.
func rootOf(n ast.Node) string {
	switch n := n.(type) {
	case *ast.MemberNode:
		return rootOf(n.Node)
	case *ast.ChainNode:
		return rootOf(n.Node)
	case *ast.IdentifierNode:
		return n.Value
	}
	return ""
}

// unlessMissing makes a comparison false where this side of it is a parameter that is not there.
func unlessMissing(node *ast.Node, side ast.Node) {
	if rootOf(side) != "params" {
		return
	}
	ast.Patch(node, &ast.ConditionalNode{
		Cond: &ast.BinaryNode{Operator: "==", Left: side, Right: &ast.NilNode{}}, Exp1: &ast.BoolNode{Value: false}, Exp2: *node,
	})
}

// keeps makes an expression a filter of recorders; nil of the empty one. Errors: Invalid, with line and column.
func keeps(text string) (func(record.Recorder) (bool, error), error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	program, err := aboutRecorders.compile(text)
	if err != nil {
		return nil, err
	}
	return func(r record.Recorder) (bool, error) {
		v, err := aboutRecorders.run(program, text, recorderEnvOf(r, time.Now()))
		if err != nil {
			return false, foldstream.Errorf(foldstream.Invalid, "", "recorder %s: %w", r.ID, err)
		}
		yes, _ := v.(bool) // AsBool sees to it
		return yes, nil
	}, nil
}

// ordered sets in a query that its list is in the order of an expression's values; those that have none stand last. Errors: Invalid, with line
// and column.
func ordered(q *record.Query, text string, down bool) error {
	program, err := recorderOrder.compile(text)
	if err != nil {
		return err
	}
	keep, by, now := q.Keep, map[string]any{}, time.Now()
	value := func(r record.Recorder) (any, error) {
		v, err := recorderOrder.run(program, text, recorderEnvOf(r, now))
		if err != nil {
			return nil, foldstream.Errorf(foldstream.Invalid, "", "recorder %s: %w", r.ID, err)
		}
		by[r.ID] = sortable(v)
		return v, nil
	}
	q.Keep = func(r record.Recorder) (bool, error) {
		if keep != nil {
			if yes, err := keep(r); err != nil || !yes {
				return yes, err
			}
		}
		_, err := value(r)
		return err == nil, err
	}
	of := func(r record.Recorder) any {
		if _, known := by[r.ID]; !known { // where the list goes on behind one that is not in it
			if _, err := value(r); err != nil {
				by[r.ID] = nil
			}
		}
		return by[r.ID]
	}
	q.Less = func(a, b record.Recorder) bool { return before(of(a), of(b), down) }
	return nil
}

// sortable returns a value as before compares it: a float64, a text, or nil for what has no order.
func sortable(v any) any {
	switch v := v.(type) {
	case string:
		return v
	case bool:
		if v {
			return 1.0
		}
		return 0.0
	case time.Time:
		if v.IsZero() {
			return nil
		}
		return float64(v.UnixMilli())
	case time.Duration:
		return v.Seconds()
	case int:
		return float64(v)
	case int64:
		return float64(v)
	case float64:
		if !math.IsNaN(v) {
			return v
		}
	}
	return nil
}

// before orders numbers, then texts; what has no order stands last in either direction.
func before(a, b any, down bool) bool {
	if a == nil || b == nil {
		return a != nil
	}
	x, isX := a.(float64)
	y, isY := b.(float64)
	if isX != isY {
		return isX
	}
	c := cmp.Compare(x, y)
	if !isX {
		c = strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
	}
	return c < 0 && !down || c > 0 && down
}
