package test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/frame"
)

// The notes of collect.json that say what to return, and are decided.
const (
	noteSameStart    = "equal first days: the later mapping entry wins (stable sort), an accident of the order recorders are listed in; define a rule (e.g. newest run)"
	noteNullWins     = "a null in the later frame overrides a good value of the earlier one; decide and document"
	noteOneScore     = "one instrument a day: sample std is undefined, every value is null; say so"
	noteNoSpread     = "zero deviation gives null for that model (0/0) and the other model alone decides; say so"
	noteOneRowADay   = "a table with one row a day standardises to null everywhere"
	noteTwoRowsOneID = "duplicate rows are refused by the join"
)

// refused is a decision for a named error.
func refused(*vector) (any, error) { return nil, errNamed }

// loose is a table as the vectors have it: a pandas frame or series with its index.
type loose struct {
	Kind       string   `json:"kind"`
	IndexNames []string `json:"index_names"`
	Index      [][]any  `json:"index"`
	Columns    []string `json:"columns"`
	Data       [][]any  `json:"data"`
	Name       *string  `json:"name"`
}

// frame reads the table as our own reader of tables does: by the names of its columns, the levels of the index among them. The
// column of a series has its name.
func (l loose) frame() (foldstream.Frame, error) {
	var t frame.Table
	for j, name := range l.IndexNames {
		c := frame.Column{Name: name, Texts: make([]string, len(l.Index))}
		for i, row := range l.Index {
			c.Texts[i] = fmt.Sprint(row[j])
		}
		t.Columns = append(t.Columns, c)
	}
	names := l.Columns
	if l.Kind == "series" {
		names = []string{*l.Name}
	}
	for j, name := range names {
		c := frame.Column{Name: name, Numbers: make([]float64, len(l.Data))}
		for i, row := range l.Data {
			if c.Numbers[i] = math.NaN(); row[j] != nil {
				c.Numbers[i] = row[j].(float64)
			}
		}
		t.Columns = append(t.Columns, c)
	}
	return t.Frame()
}

// shape is what a table has besides a frame: it goes from the tables of a case to those that come of it.
type shape struct {
	kind     string
	levels   []string // the rows are in their order
	averaged bool     // a mean over several tables is a series without a name
}

// table writes a frame in a shape; a series has a name, be it null, and no columns.
func (s shape) table(f foldstream.Frame) any {
	l := loose{Kind: s.kind, IndexNames: s.levels, Index: [][]any{}, Columns: []string{}, Data: [][]any{}}
	if s.averaged {
		l.Kind = "series"
	}
	for _, c := range f.Columns {
		if l.Kind == "frame" {
			l.Columns = append(l.Columns, c.Name)
		} else if !s.averaged {
			l.Name = &c.Name
		}
	}
	order := make([]int, f.Len())
	for i := range order {
		order[i] = i
	}
	if s.levels[0] == frame.InstrumentColumn {
		slices.SortStableFunc(order, func(i, j int) int { return strings.Compare(f.Instruments[i], f.Instruments[j]) })
	}
	for _, i := range order {
		key := map[string]any{frame.TimeColumn: f.Times[i]}
		if f.Instruments != nil {
			key[frame.InstrumentColumn] = f.Instruments[i]
		}
		var index, data []any
		for _, level := range s.levels {
			index = append(index, key[level])
		}
		for _, c := range f.Columns {
			if data = append(data, nil); !math.IsNaN(c.Values[i]) {
				data[len(data)-1] = c.Values[i]
			}
		}
		l.Index, l.Data = append(l.Index, index), append(l.Data, data)
	}
	if l.Kind == "series" {
		return l
	}
	return struct {
		loose
		Name any `json:"name,omitempty"`
	}{loose: l}
}

// spec is a processor as the vectors name it, or a list of them.
type spec struct {
	Type string          `json:"type"`
	By   string          `json:"by"`
	Ens  json.RawMessage `json:"ens"`
}

// trees reads and writes trees of one kind of leaf, and makes processors of them.
type trees[V any] struct {
	leaf     func(data json.RawMessage) (V, error)
	show     func(v V) any
	ensemble func(kind string) collect.Processor[V] // nil where it is none
}

// runCollect mirrors workflow/task/collect.py and model/ens. Leaves are tables, or any value where a case has some that are none.
func runCollect(v *vector) (any, error) {
	s, all, err := shapeOf(v)
	if err != nil {
		return nil, err
	}
	if all {
		return runTrees(v, trees[foldstream.Frame]{readFrame, func(f foldstream.Frame) any { return s.table(f) }, ensembleOf})
	}
	read := func(data json.RawMessage) (value any, err error) { return value, json.Unmarshal(data, &value) }
	return runTrees(v, trees[any]{read, func(v any) any { return v }, func(string) collect.Processor[any] { return collect.Chain[any]{} }})
}

// shapeOf returns the shape of the case's tables and whether all its leaves are such.
func shapeOf(v *vector) (s shape, all bool, err error) {
	text, err := json.Marshal(v.Args)
	if err != nil {
		return s, false, err
	}
	s.averaged = bytes.Contains(text, []byte(`"average_ensemble"`))
	for _, key := range []string{`"datetime","instrument"`, `"instrument","datetime"`, `"datetime"`} {
		if bytes.Contains(text, []byte(`"index_names":[`+key+`]`)) {
			if err := json.Unmarshal([]byte("["+key+"]"), &s.levels); err != nil {
				return s, false, err
			}
		}
	}
	if s.kind = "frame"; bytes.Contains(text, []byte(`"kind":"series"`)) {
		s.kind = "series"
	}
	scalars := v.Op == "single_key" || v.Op == "group_only" || !bytes.Contains(text, []byte(`"kind":`)) && !bytes.Contains(text, []byte(`_group"`)) &&
		!bytes.Contains(text, []byte(`_ensemble"`)) && v.Op != "recorder_collect"
	return s, !scalars, nil
}

func readFrame(data json.RawMessage) (foldstream.Frame, error) {
	var l loose
	if err := json.Unmarshal(data, &l); err != nil {
		return foldstream.Frame{}, err
	}
	return l.frame()
}

func ensembleOf(kind string) collect.Processor[foldstream.Frame] {
	switch kind {
	case "rolling_ensemble":
		return collect.RollingEnsemble()
	case "average_ensemble":
		return collect.AverageEnsemble("")
	}
	return nil
}

func runTrees[V any](v *vector, k trees[V]) (any, error) {
	var t collect.Tree[V]
	var err error
	switch v.Op {
	case "ensemble":
		t, err = k.process(v, "input", v.Args["ensemble"])
	case "single_key":
		t, err = k.tree(v.Args["input"])
		if err == nil {
			t, err = collect.SingleKey[V]{Outermost: string(v.Args["recursion"]) == "false"}.Process(t)
		}
	case "group", "group_only":
		t, err = k.process(v, "input", v.Args["group"])
	case "process_collect":
		t, err = k.collected(v.Args["collected"], v.Args["process_list"])
	case "merge_collect":
		t, err = k.merge(v)
	case "recorder_collect":
		return runRecorders(v)
	}
	if err != nil {
		return nil, err
	}
	return k.plain(t), nil
}

// process puts an argument through one processor.
func (k trees[V]) process(v *vector, arg string, one json.RawMessage) (collect.Tree[V], error) {
	t, err := k.tree(v.Args[arg])
	if err != nil {
		return t, err
	}
	chain, err := k.chain(one)
	if err != nil {
		return t, err
	}
	return chain.Process(t)
}

func (k trees[V]) collected(tree, processors json.RawMessage) (collect.Tree[V], error) {
	c, err := k.collector(tree, processors)
	if err != nil {
		return collect.Tree[V]{}, err
	}
	return c.Collect(context.Background())
}

func (k trees[V]) collector(tree, processors json.RawMessage) (c collect.Collected[V], err error) {
	if c.Tree, err = k.tree(tree); err == nil {
		c.Then, err = k.chain(processors)
	}
	return c, err
}

func (k trees[V]) merge(v *vector) (collect.Tree[V], error) {
	var inner map[string]struct {
		Collected json.RawMessage
		Process   json.RawMessage `json:"process_list"`
	}
	if err := v.into("collectors", &inner); err != nil {
		return collect.Tree[V]{}, err
	}
	m := collect.MergeCollector[V]{Collectors: map[string]collect.Collector[V]{}, Label: mergeLabel(v.arg("merge_func"))}
	for name, c := range inner {
		collector, err := k.collector(c.Collected, c.Process)
		if err != nil {
			return collect.Tree[V]{}, err
		}
		m.Collectors[name] = collector
	}
	var err error
	if m.Then, err = k.chain(v.Args["process_list"]); err != nil {
		return collect.Tree[V]{}, err
	}
	return m.Collect(context.Background())
}

func mergeLabel(name any) func(string, collect.Label) (collect.Label, error) {
	return map[any]func(string, collect.Label) (collect.Label, error){
		"underscore": func(c string, a collect.Label) (collect.Label, error) {
			text, _ := a.Value()
			return collect.Text(c + "_" + text), nil
		},
		"collector_only": func(c string, _ collect.Label) (collect.Label, error) { return collect.Text(c), nil },
		"key_only":       func(_ string, a collect.Label) (collect.Label, error) { return a, nil },
	}[name]
}

// chain reads processors; one alone is a list of one.
func (k trees[V]) chain(data json.RawMessage) (collect.Chain[V], error) {
	var specs []spec
	if len(data) > 0 && data[0] == '{' {
		data = slices.Concat(json.RawMessage("["), data, json.RawMessage("]"))
	}
	if len(data) == 0 {
		return nil, nil
	}
	if err := json.Unmarshal(data, &specs); err != nil {
		return nil, err
	}
	var chain collect.Chain[V]
	for _, s := range specs {
		p, err := k.processor(s)
		if err != nil {
			return nil, err
		}
		chain = append(chain, p)
	}
	return chain, nil
}

func (k trees[V]) processor(s spec) (collect.Processor[V], error) {
	switch s.Type {
	case "single_key":
		return collect.SingleKey[V]{}, nil
	case "not_callable":
		return nil, nil
	case "rolling_group":
		each, err := k.each(s.Ens)
		return collect.RollingGroup(each), err
	case "group":
		each, err := k.each(s.Ens)
		g := collect.GroupBy[V]{Each: each}
		if s.By == "first" {
			g.Split = splitFirst
		}
		return g, err
	}
	return k.ensemble(s.Type), nil
}

// each reads the ensemble of a group: absent is the rolling one, null is none.
func (k trees[V]) each(data json.RawMessage) (collect.Processor[V], error) {
	s := spec{Type: "rolling_ensemble"}
	if string(data) == "null" {
		return nil, nil
	}
	if data != nil {
		if err := json.Unmarshal(data, &s); err != nil {
			return nil, err
		}
	}
	return k.ensemble(s.Type), nil
}

// splitFirst groups by the first part of a tuple.
func splitFirst(l collect.Label) (group, member collect.Label, err error) {
	parts, _ := l.Parts()
	return parts[0], collect.Tuple(parts[1:]...), nil
}

// tree reads nested maps; what is no map, or a table, is a leaf.
func (k trees[V]) tree(data json.RawMessage) (t collect.Tree[V], err error) {
	var m map[string]json.RawMessage
	if json.Unmarshal(data, &m) != nil || m == nil || m["kind"] != nil {
		leaf, err := k.leaf(data)
		return collect.Leaf(leaf), err
	}
	add := func(l collect.Label, data json.RawMessage) {
		if err == nil {
			var u collect.Tree[V]
			if u, err = k.tree(data); err == nil {
				err = t.Add(l, u)
			}
		}
	}
	if m["__pairs__"] == nil {
		for name, data := range m {
			add(collect.Text(name), data)
		}
		return t, err
	}
	var pairs [][2]json.RawMessage
	if err := json.Unmarshal(m["__pairs__"], &pairs); err != nil {
		return t, err
	}
	for _, p := range pairs {
		add(labelOf(p[0]), p[1])
	}
	return t, err
}

// labelOf reads a key: a text, a tuple, null.
func labelOf(data json.RawMessage) collect.Label {
	var text *string
	if json.Unmarshal(data, &text) == nil {
		if text == nil {
			return collect.Label{}
		}
		return collect.Text(*text)
	}
	var raw []json.RawMessage
	_ = json.Unmarshal(data, &raw) // the vectors have no other key
	var parts []collect.Label
	for _, r := range raw {
		parts = append(parts, labelOf(r))
	}
	return collect.Tuple(parts...)
}

// plain writes a tree as the vectors have it.
func (k trees[V]) plain(t collect.Tree[V]) any {
	if v, ok := t.Leaf(); ok {
		return k.show(v)
	}
	named, pairs := map[string]any{}, [][2]any{}
	for l, u := range t.All() {
		if text, ok := l.Value(); ok {
			named[text] = k.plain(u)
		}
		pairs = append(pairs, [2]any{l, k.plain(u)})
	}
	if len(named) == len(pairs) {
		return named
	}
	return map[string]any{"__pairs__": pairs}
}

// recorded is a recorder of the vectors; its artifacts are tables, or the task it ran.
type recorded struct {
	ID        string
	Status    string
	Artifacts map[string]json.RawMessage
}

// recordings are the recorders of a case: a place where frames are, other than our store.
type recordings []recorded

var _ collect.Recorders = recordings{}

func (all recordings) List(context.Context, string) iter.Seq2[collect.Recorder, error] {
	return func(yield func(collect.Recorder, error) bool) {
		for _, r := range all {
			var task struct {
				Model   struct{ Class string }
				Dataset struct {
					Kwargs struct{ Segments map[string]foldstream.Segment }
				}
			}
			err := json.Unmarshal(r.Artifacts["task"], &task)
			out := collect.Recorder{ID: r.ID, Status: statusOf(r.Status), Key: foldstream.Key{{Name: "model", Value: task.Model.Class}},
				Test: task.Dataset.Kwargs.Segments["test"]}
			if !yield(out.WithHandle(r), err) || err != nil {
				return
			}
		}
	}
}

func (recordings) Frame(_ context.Context, r collect.Recorder, name string) (foldstream.Frame, error) {
	data, there := r.Handle().(recorded).Artifacts[name]
	if !there {
		return foldstream.Frame{}, foldstream.Errorf(foldstream.NotFound, "recorder", "%s has no %q", r.ID, name)
	}
	return readFrame(data)
}

func (recordings) Open(_ context.Context, r collect.Recorder, name string) (io.ReadCloser, error) {
	return io.NopCloser(bytes.NewReader(r.Handle().(recorded).Artifacts[name])), nil
}

func statusOf(qlib string) foldstream.Status {
	return map[string]foldstream.Status{"FINISHED": foldstream.Done, "FAILED": foldstream.Dead, "RUNNING": foldstream.Running}[qlib]
}

// runRecorders mirrors workflow/task/collect.py:RecorderCollector.
func runRecorders(v *vector) (any, error) {
	s, _, err := shapeOf(v)
	if err != nil {
		return nil, err
	}
	k := trees[foldstream.Frame]{readFrame, func(f foldstream.Frame) any { return s.table(f) }, ensembleOf}
	c := collect.RecorderCollector{Frames: map[string]string{"pred": "pred.pkl"}, MustExist: string(v.Args["only_exist"]) == "false"}
	var all recordings
	if err := v.into("recorders", &all); err != nil {
		return nil, err
	}
	c.Recorders = all
	if err := v.into("artifacts_path", &c.Frames); err != nil {
		return nil, err
	}
	if c.Then, err = k.chain(v.Args["process_list"]); err != nil {
		return nil, err
	}
	c.Status, c.Only = statusesOf(v), onlyOf(v.arg("artifacts_key"))
	if filter, ok := v.arg("rec_filter").(map[string]any); ok {
		c.Keep = func(r collect.Recorder) (bool, error) { return r.Key.Get("model") == filter["model_class"], nil }
	}
	c.Label = map[any]func(collect.Recorder) (collect.Label, error){"model_test": byModel,
		"constant": func(collect.Recorder) (collect.Label, error) { return collect.Text("same"), nil }}[v.arg("rec_key")]
	if slices.Contains(c.Only, "__raw") {
		return rawRecorders(c)
	}
	t, err := c.Collect(context.Background())
	if err != nil {
		return nil, err
	}
	return k.plain(t), nil
}

// byModel is the usual key of rolling: the model's class and the test period.
func byModel(r collect.Recorder) (collect.Label, error) {
	return collect.Tuple(collect.Text(r.Key.Get("model")), collect.Tuple(collect.Text(r.Test.Start.String()), collect.Text(r.Test.End.String()))), nil
}

// rawRecorders are the recorders themselves, which no artifact stands for here: they are told by Select.
func rawRecorders(c collect.RecorderCollector) (any, error) {
	raw := map[string]any{}
	for r, err := range c.Select(context.Background()) {
		if err != nil {
			return nil, err
		}
		raw[r.ID] = map[string]any{"__recorder__": r.ID}
	}
	return map[string]any{"__raw": raw}, nil
}

// statusesOf reads the statuses: absent is the default, null is all.
func statusesOf(v *vector) []foldstream.Status {
	if !v.has("status") {
		return nil
	}
	list, ok := v.arg("status").([]any)
	if !ok {
		return collect.AnyStatus()
	}
	var all []foldstream.Status
	for _, s := range list {
		all = append(all, statusOf(s.(string)))
	}
	return all
}

// onlyOf reads one artifact or a list of them.
func onlyOf(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, s := range v {
			all = append(all, s.(string))
		}
		return all
	}
	return nil
}
