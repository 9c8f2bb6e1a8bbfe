package streamtest_test

import (
	"context"
	"iter"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// told is a store that says what a test has it say.
type told struct {
	foldstream.Store
	defs   []foldstream.Task
	events []foldstream.Event
	counts foldstream.Counts
}

func (s told) Pool(string) foldstream.Pool { return s }

func (s told) Create(context.Context, ...foldstream.Task) ([]foldstream.Created, error) {
	return nil, nil
}

func (s told) Fetch(context.Context, foldstream.Filter) (foldstream.Lease, error) { return nil, nil }

func (s told) Stat(context.Context) (foldstream.Counts, error) { return s.counts, nil }

func (s told) Definitions(context.Context, string) iter.Seq2[foldstream.Task, error] {
	return each(s.defs)
}

func (s told) Defined(context.Context, string) iter.Seq2[foldstream.TaskID, error] { return nil }

func (s told) Events(context.Context, foldstream.EventFilter, foldstream.Cursor) iter.Seq2[foldstream.Event, error] {
	return each(s.events)
}

// failing yields an error alone.
func failing[T any](err error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		yield(none, err)
	}
}

func each[T any](all []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// script reads events of two tasks a and b, numbered from 1, as "a:claim, a:result, b:claim/1", where /1 is the event that it
// follows; without it, it follows the task's last one.
func script(text string) (events []foldstream.Event) {
	last := map[string]foldstream.Cursor{}
	for i, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ' ' }) {
		who, what, _ := strings.Cut(word, ":")
		what, after, forged := strings.Cut(what, "/")
		e, known := steps[what]
		if !known {
			panic("no step " + what)
		}
		e.Seq, e.Task, e.Expected = foldstream.Cursor(i+1), named[who].ID, last[who]
		if forged {
			e.Expected = foldstream.Cursor(after[0] - '0')
		}
		last[who] = e.Seq
		events = append(events, e)
	}
	return events
}

var (
	named = map[string]foldstream.Task{"a": streamtest.Task(1), "b": streamtest.Task(2)}
	steps = map[string]foldstream.Event{
		"claim":    {Kind: foldstream.EventClaim, Status: foldstream.Running},
		"overtake": {Kind: foldstream.EventClaim, Status: foldstream.Running},
		"part":     {Kind: foldstream.EventPart, Status: foldstream.PartDone},
		"result":   {Kind: foldstream.EventResult, Status: foldstream.Done},
		"back":     {Kind: foldstream.EventEnd, Status: foldstream.Waiting},
		"fail":     {Kind: foldstream.EventEnd, Status: foldstream.Dead},
		"remove":   {Kind: foldstream.EventEnd, Status: foldstream.Removed},
		"cancel":   {Kind: foldstream.EventEnd, Status: foldstream.Withdrawn},
		"undone":   {Kind: foldstream.EventResult, Status: foldstream.Running},
	}
)

func TestConserved(t *testing.T) {
	one := foldstream.Counts{foldstream.Done: 1}
	for name, c := range map[string]struct {
		events string
		counts foldstream.Counts
		fault  string // in the error; "" is no error
	}{
		"one result":          {"a:claim, a:result", one, ""},
		"stages and returns":  {"a:claim, a:back, a:claim, a:part, a:claim, a:overtake, a:result", one, ""},
		"failed":              {"a:claim, a:fail", foldstream.Counts{foldstream.Dead: 1}, ""},
		"reset":               {"a:claim, a:back, a:claim, a:result", one, ""},
		"cancelled":           {"a:cancel", foldstream.Counts{foldstream.Withdrawn: 1}, ""},
		"cancelled at work":   {"a:claim, a:cancel, a:remove", foldstream.Counts{foldstream.Removed: 1}, ""},
		"cancelled, retried":  {"a:claim, a:cancel, a:back, a:claim, a:result", one, ""},
		"failed, retried":     {"a:claim, a:fail, a:back, a:claim, a:result", one, ""},
		"a new life, told":    {"a:claim, a:result, a:remove, a:back, a:claim, a:result", one, ""},
		"removed, a new life": {"a:claim, a:result, a:remove, a:claim, a:result", one, ""},
		"never worked":        {"", one, "not finished"},
		"left running":        {"a:claim", one, "not finished"},
		"two results":         {"a:claim, a:result, a:result", one, "comes after it was done"},
		"worked on":           {"a:claim, a:result, a:claim", one, "comes after it was done"},
		"done, retried":       {"a:claim, a:result, a:back, a:claim, a:result", one, "comes after it was done"},
		"done, cancelled":     {"a:claim, a:result, a:cancel", foldstream.Counts{foldstream.Withdrawn: 1}, "comes after it was done"},
		"cancelled, worked":   {"a:claim, a:cancel, a:result", one, "comes after it was cancelled"},
		"failed, claimed":     {"a:claim, a:fail, a:claim, a:result", one, "comes after it was failed"},
		"removed twice":       {"a:remove, a:remove", foldstream.Counts{foldstream.Removed: 1}, "comes after it was removed"},
		"a fork":              {"a:claim, a:overtake, a:result/1", one, "the one before it is 2"},
		"a lost start":        {"a:result/7", one, "the one before it is 0"},
		"an unknown task":     {"a:claim, a:result, b:claim, b:result", one, "has no definition"},
		"a result, not done":  {"a:claim, a:undone, a:fail", foldstream.Counts{foldstream.Dead: 1}, "with 1 results"},
		"stat disagrees":      {"a:claim, a:result", foldstream.Counts{foldstream.Dead: 1}, "stat says"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := told{mem.New(mem.Options{}), []foldstream.Task{named["a"]}, script(c.events), c.counts}
				conserved(t, s, c.fault)
			})
		})
	}
	t.Run("defined twice", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := told{defs: []foldstream.Task{named["a"], named["a"]}, events: script("a:claim, a:result"), counts: one}
			conserved(t, s, "defined twice")
		})
	})
}

func conserved(t *testing.T, s foldstream.Store, fault string) {
	t.Helper()
	err := streamtest.Conserved(t.Context(), s, "pool")
	switch {
	case fault == "" && err != nil:
		t.Error(err)
	case fault != "" && (!foldstream.Is(err, foldstream.NotConserved) || !strings.Contains(err.Error(), fault)):
		t.Errorf("got %v, want an error of kind not conserved with %q", err, fault)
	}
}
