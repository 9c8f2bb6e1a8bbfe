package cli

import (
	"errors"
	"reflect"
	"regexp"
	"strings"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/vm"

	"github.com/foldstream/foldstream"
)

// whereEnv is a task as an expression sees it. Its words are those of the listings.
type whereEnv struct {
	ID         string                  `expr:"id"`
	Pool       string                  `expr:"pool"`
	Experiment string                  `expr:"experiment"`
	Status     string                  `expr:"status"`
	Priority   any                     `expr:"priority"` // a number or nil; nil is below all numbers
	Tags       map[string]string       `expr:"tags"`
	Key        map[string]string       `expr:"key"`
	Keys       []string                `expr:"keys"` // its scarce things; also the function that lists a map's keys
	Template   map[string]any          `expr:"template"`
	Segments   map[string]whereSegment `expr:"segments"`
	Window     int                     `expr:"window"` // from 0, as in JSON
	Horizon    int                     `expr:"horizon"`
	Seed       any                     `expr:"seed"` // a number or nil
	Runs       string                  `expr:"runs"` // the registered worker that runs it: "ridge"
	Worker     string                  `expr:"worker"`
	Stage      string                  `expr:"stage"`
	Attempt    int                     `expr:"attempt"`
	Crashes    int                     `expr:"crashes"`
	Error      string                  `expr:"error"`
	Created    time.Time               `expr:"created"`
	Updated    time.Time               `expr:"updated"`
	Age        time.Duration           `expr:"age"` // since it was created
}

// whereSegment is a period by the canonical texts of its ends, which compare as the times do; "" is open.
type whereSegment struct {
	Start string `expr:"start"`
	End   string `expr:"end"`
}

func whereOf(pool string, t foldstream.TaskState, now time.Time) whereEnv {
	e := whereEnv{
		ID: string(t.ID), Pool: pool, Experiment: t.Experiment, Status: string(t.Status), Tags: t.Tags, Keys: t.Keys,
		Key: keyMap(t.Key), Template: t.Task.Task, Segments: whereSegments(t.Segments),
		Window: t.Window.Index, Horizon: t.Horizon, Runs: t.Task.Worker, Worker: t.Worker, Stage: t.Stage,
		Attempt: t.Attempt, Crashes: t.Crashes, Error: t.Error, Created: t.Created, Updated: t.Updated, Age: now.Sub(t.Created),
	}
	if t.Priority != nil {
		e.Priority = *t.Priority
	}
	if t.Seed != nil {
		e.Seed = int(*t.Seed)
	}
	return e
}

func whereSegments(segments foldstream.Segments) map[string]whereSegment {
	w := make(map[string]whereSegment, len(segments))
	for name, s := range segments {
		w[name] = whereSegment{s.Start.String(), s.End.String()}
	}
	return w
}

// The bounds of an expression. The language it is in has neither loops in loops nor text that grows by itself (see
// whereGuard), so that what it costs is bounded by its length and the task's.
const (
	whereText   = 4096
	whereNodes  = 1000
	whereMemory = 100_000
)

// whereFunctions are the functions an expression may call: those whose answer is no longer than what they are given.
var whereFunctions = []string{
	"all", "any", "none", "one", "count", "len", "keys", "values", "first", "last", "hasPrefix", "hasSuffix", "indexOf",
	"lower", "upper", "trim", "int", "float", "abs", "min", "max", "round", "date", "duration", "now",
}

// language is the words and the rules of one kind of expressions.
type language struct {
	flag  string // that takes them
	env   any    // a struct with all words
	value bool   // any value will do, not only true and false
	patch func() ast.Visitor
}

// aboutTasks is the language of expressions about tasks.
var aboutTasks = language{flag: "--where", env: whereEnv{}}

// where decides whether a task is meant. Errors: Invalid (the expression does not apply to this task).
type where func(pool string, t foldstream.TaskState) (bool, error)

// compileWhere makes an expression a filter. The empty one lets every task through. Errors: Invalid, with line and column.
func compileWhere(text string) (where, error) {
	if strings.TrimSpace(text) == "" {
		return func(string, foldstream.TaskState) (bool, error) { return true, nil }, nil
	}
	program, err := aboutTasks.compile(text)
	if err != nil {
		return nil, err
	}
	return func(pool string, t foldstream.TaskState) (bool, error) {
		v, err := aboutTasks.run(program, text, whereOf(pool, t, time.Now()))
		if err != nil {
			return false, foldstream.Errorf(foldstream.Invalid, "", "task %s: %w", t.ID, err)
		}
		yes, _ := v.(bool) // AsBool sees to it
		return yes, nil
	}, nil
}

// compile reads an expression. Errors: Invalid, with line and column.
func (l language) compile(text string) (*vm.Program, error) {
	if len(text) > whereText {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "%s: an expression has at most %d bytes, this one has %d", l.flag, whereText, len(text))
	}
	guard := &whereGuard{}
	options := []expr.Option{expr.Env(l.env), expr.MaxNodes(whereNodes), expr.Patch(guard), expr.DisableAllBuiltins()}
	if l.patch != nil {
		options = append(options, expr.Patch(l.patch()))
	}
	if !l.value {
		options = append(options, expr.AsBool())
	}
	for _, name := range whereFunctions {
		options = append(options, expr.EnableBuiltin(name))
	}
	program, err := expr.Compile(text, options...)
	if err == nil {
		err = guard.err
	}
	if err != nil {
		return nil, l.fault(text, err)
	}
	return program, nil
}

// run evaluates an expression. Errors: Invalid.
func (l language) run(program *vm.Program, text string, env any) (any, error) {
	machine := vm.VM{MemoryBudget: whereMemory}
	v, err := machine.Run(program, env)
	if err != nil {
		return nil, l.fault(text, err)
	}
	return v, nil
}

var unknownName = regexp.MustCompile(`^unknown name (\w+)$`)

// fault says in one line what is wrong with an expression, where, and what may be meant.
func (l language) fault(text string, err error) error {
	message, at := err.Error(), ""
	if fault, ok := errors.AsType[*file.Error](err); ok {
		message = fault.Message
		if fault.Line > 0 {
			at = " at column " + columnOf(fault)
		}
		if m := unknownName.FindStringSubmatch(message); m != nil {
			message += hint(m[1], l.words())
		}
		if strings.Contains(message, "cannot fetch") {
			message += "; write ?. for what not every one has"
		}
		if strings.HasPrefix(message, "invalid operation: bool(") {
			message = "it is neither true nor false"
		}
	}
	return foldstream.Errorf(foldstream.Invalid, "", "%s %q%s: %s", l.flag, text, at, message)
}

// words returns the names an expression may use.
func (l language) words() []string {
	env := reflect.TypeOf(l.env)
	words := make([]string, 0, env.NumField())
	for f := range env.Fields() {
		words = append(words, f.Tag.Get("expr"))
	}
	return append(words, whereFunctions...)
}
