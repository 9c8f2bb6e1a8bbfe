package test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

const manyWindows = 5000

// many submits an experiment of one configuration with many windows of a day, and works all but the last so many.
func many(t *testing.T, store foldstream.Store, open int) {
	t.Helper()
	var members []foldstream.Expectation
	var tasks []foldstream.Task
	for w := range manyWindows {
		day := foldstream.DateOf(2000, 1, 1+w)
		m := foldstream.Expectation{Window: foldstream.Window{Index: w, Of: manyWindows}, Test: foldstream.Segment{Start: day, End: day}, Task: idOf(w)}
		members = append(members, m)
		tasks = append(tasks, foldstream.Task{ID: m.Task, Template: foldstream.Template{Segments: foldstream.Segments{"test": m.Test}}})
	}
	if err := record.PutExperiment(t.Context(), store, foldstream.Experiment{Name: "x", Pool: "x"}, members); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Pool("x").Create(t.Context(), tasks...); err != nil {
		t.Fatal(err)
	}
	commitAll(t, store, "x", manyWindows-open, 0)
}

// idOf is an id that is a number in letters.
func idOf(n int) foldstream.TaskID {
	id := []byte(fmt.Sprintf("%026d", 0))
	for i := range id {
		id[i] = 'a'
	}
	for at := 10; n > 0; at, n = at+1, n/26 {
		id[at] = byte('a' + n%26)
	}
	return foldstream.TaskID(id)
}

// A configuration of thousands of windows is stored though no bucket holds a value of its size, and closed like any other.
func TestAggregatorManyWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{})
		stop := aggregate(t, store, "one")
		many(t, store, 1)
		pass(5 * time.Second)
		c, err := collect.Load(t.Context(), store, "x")
		if err != nil || c.Settled || c.Groups[0].Coverage.Present != manyWindows-1 {
			t.Fatalf("half way: %+v, %v", c.Coverage, err)
		}
		commitAll(t, store, "x", 1, 0)
		settled(t, store, "x")
		stop()
		if c, err = collect.Load(t.Context(), store, "x"); err != nil || !c.Coverage.Complete() || len(c.Groups[0].Windows) != manyWindows || c.Groups[0].Windows[7].Metrics["loss"] == 0 {
			t.Fatalf("%+v, %v", c.Coverage, err)
		}
		data, before := stored(t, store, "x")
		for key, value := range data {
			if len(value) > 512<<10 {
				t.Errorf("%q has %d bytes", key, len(value))
			}
		}
		g := &gate{Store: store}
		stop = aggregate(t, g, "idle")
		pass(time.Minute)
		stop()
		if _, after := stored(t, store, "x"); fmt.Sprint(before) != fmt.Sprint(after) || g.reads() != 0 {
			t.Errorf("written again: %v, before %v; %d reads of events", after, before, g.reads())
		}
		if r := rebuild(t, store, false); len(r.Differ) != 0 {
			t.Errorf("a rebuild differs: %+v", r)
		}
	})
}
