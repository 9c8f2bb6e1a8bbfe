package foldstream

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Template is what a user writes and what generators turn into more of: Qlib's task dict with its segments lifted out,
// and our envelope. A Template is a value: generators clone it and never change the one they were given.
type Template struct {
	// Task is Qlib's task dict (model, dataset, record, …) less dataset.kwargs.segments. Its values are nil, bool, int64,
	// float64, string, []any and map[string]any, nothing else. Times in dataset.kwargs.handler.kwargs are canonical text.
	Task     map[string]any
	Segments Segments
	Horizon  int      // how many sessions the label spans; 0 where no generator set one
	Seed     *int64   // nil where none is set
	Stages   []string // steps in order; nil is one step
	Worker   string   // the registered worker that runs it: "ridge", "exec", …
	Calendar string   // version of the calendar that the segments are on: a content hash

	// What follows is not part of a task's identity.
	Key    Key         // what the generators chose, in the order they chose it
	Window Window      // which of the rolling windows this is; zero where nothing rolls
	Reach  Reach       // how far the label looks ahead; zero is unknown
	Leak   Certificate // what the leak check said; zero is unchecked
}

// Reach is how many sessions after its own a label reads. The zero Reach is unknown, which a strict check takes for a leak.
type Reach struct {
	Sessions int
	Known    bool
}

// Ahead returns the known reach of n sessions.
func Ahead(n int) Reach { return Reach{Sessions: n, Known: true} }

// String returns the number of sessions, or "unknown".
func (r Reach) String() string {
	if !r.Known {
		return "unknown"
	}
	return fmt.Sprint(r.Sessions)
}

// Window is a place in a rolling sequence: the Index-th, from 0, of Of windows. The zero Window is outside any sequence.
type Window struct {
	Index, Of int
}

// Key names a configuration: the choices of the generators, in order. Tasks of one configuration differ in window alone.
type Key []Choice

// Choice is one choice of a generator: the name of what it varies and the text of the value it took.
type Choice struct {
	Name, Value string
}

// With returns a copy of k with one more choice; an earlier choice of the same name is replaced in its place.
func (k Key) With(name, value string) Key {
	c := slices.Clone(k)
	for i := range c {
		if c[i].Name == name {
			c[i].Value = value
			return c
		}
	}
	return append(c, Choice{name, value})
}

// Get returns the value chosen for name, "" where none was.
func (k Key) Get(name string) string {
	for _, c := range k {
		if c.Name == name {
			return c.Value
		}
	}
	return ""
}

// Compare is the order of keys: choice by choice, the name as text, then the value, by number where both are numbers and as text
// where not. Keys compare equal only if they are.
func (k Key) Compare(l Key) int {
	return slices.CompareFunc(k, l, func(x, y Choice) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), compareTexts(x.Value, y.Value))
	})
}

// compareTexts puts numbers before other texts, so that the order is one even among a mixture.
func compareTexts(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	switch {
	case errX == nil && errY == nil:
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
	case errX == nil:
		return -1
	case errY == nil:
		return 1
	}
	return cmp.Compare(a, b)
}

// String returns "name=value,name=value"; a comma, an equals sign or a backslash inside is escaped with a backslash. Keys
// with the same choices in the same order have the same text and no others do.
func (k Key) String() string {
	parts := make([]string, len(k))
	for i, c := range k {
		parts[i] = keyEscape.Replace(c.Name) + "=" + keyEscape.Replace(c.Value)
	}
	return strings.Join(parts, ",")
}

var keyEscape = strings.NewReplacer(`\`, `\\`, `,`, `\,`, `=`, `\=`)

// Policy says what happens to a task that leaks.
type Policy string

// The policies. The zero Policy is Refuse.
const (
	Refuse Policy = "refuse" // a leak, or an unknown reach, is an error
	Warn   Policy = "warn"   // it is recorded on the certificate, and the collection is marked uncertified
)

// Certificate is the written answer to "can this task's training see its test period?". The zero Certificate is unchecked.
type Certificate struct {
	Policy    Policy
	Calendar  string   // version of the calendar the check was made on
	Reach     Reach    // as it was when the check was made
	Gap       int      // index(test start) − (index(last of train and valid ends) + reach): positive is safe
	Certified bool     // the task provably does not leak
	Faults    []string // why it is not certified, in words
	Notes     []string // what is worth knowing and no leak: train labels that reach into valid
}

// Clone returns a deep copy of t.
func (t Template) Clone() Template {
	c := t
	c.Task, _ = cloneValue(t.Task).(map[string]any)
	c.Segments = t.Segments.Clone()
	c.Stages = slices.Clone(t.Stages)
	c.Key = slices.Clone(t.Key)
	c.Leak.Faults = slices.Clone(t.Leak.Faults)
	c.Leak.Notes = slices.Clone(t.Leak.Notes)
	if t.Seed != nil {
		seed := *t.Seed
		c.Seed = &seed
	}
	return c
}

func cloneValue(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if v == nil {
			return v
		}
		c := make(map[string]any, len(v))
		for k, e := range v {
			c[k] = cloneValue(e)
		}
		return c
	case []any:
		c := make([]any, len(v))
		for i, e := range v {
			c[i] = cloneValue(e)
		}
		return c
	}
	return v
}
