package streamtest

import (
	"flag"
	"strconv"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"
)

// ModelSize is how much RunModel tries. The flags -rapid.checks and -rapid.steps, where given, go before it.
type ModelSize struct {
	Checks int // sequences of operations, each on a fresh store
	Steps  int // operations in a sequence, on average
}

// RunModel drives an Administered store with random operations and crashes beside a simple model of a task's life, and wants both
// to say the same after each of them: of every task its status and its place in life, of the pool its counts. In the end all
// tasks are worked off, and nothing is lost or doubled.
func RunModel(t *testing.T, open Open, size ModelSize) {
	sized(t, size)
	rapid.Check(timeless{t}, Model(t, open))
}

// Model is the property that RunModel checks.
func Model(t *testing.T, open Open) func(*rapid.T) {
	open = administered(open)
	return func(rt *rapid.T) {
		h := open(t, Options{Lease: lease})
		if h.Second == nil {
			h.Second = h.Store
		}
		m := newMachine(t.Context(), h)
		rt.Repeat(m.actions())
		must(rt, m.finish())
	}
}

// RunModelBubble is RunModel in faked time, as RunBubble.
func RunModelBubble(t *testing.T, open Open, size ModelSize) {
	synctest.Test(t, func(t *testing.T) { RunModel(t, open, size) })
}

// timeless is a test that does not tell its deadline, which nobody may ask for in a bubble.
type timeless struct{ rapid.TB }

// sized sets rapid's flags that the caller of the test did not set, until the test ends.
func sized(t *testing.T, size ModelSize) {
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range map[string]string{
		"rapid.checks": strconv.Itoa(size.Checks), "rapid.steps": strconv.Itoa(size.Steps), "rapid.nofailfile": "true",
	} {
		if f := flag.Lookup(name); !given[name] {
			old := f.Value.String()
			must(t, f.Value.Set(value))
			t.Cleanup(func() { must(t, f.Value.Set(old)) })
		}
	}
}

func must(t interface{ Fatal(args ...any) }, err error) {
	if err != nil {
		t.Fatal(err)
	}
}
