package online_test

import (
	"errors"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
)

// By whatever sessions a strategy comes to a session, and whichever models cannot be trained, it comes to the same bytes.
func TestQuick_DayByDayIsAtOnce(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		begin := rapid.IntRange(37, 50).Draw(r, "begin")
		end := rapid.IntRange(begin, begin+20).Draw(r, "end") // two or three windows
		bad := rapid.SliceOfN(rapid.IntRange(0, 1<<8), 0, 6).Draw(r, "failing")
		fails := func(t foldstream.Task) bool {
			place := t.Window.Index * 2
			if t.Key.Get("alpha") == "2" {
				place++
			}
			return t.Task["predict"] == nil && t.Window.Index > 0 && slices.Contains(bad, place)
		}
		reach := func(stops []int) string {
			w := newWorld(t)
			w.fails = fails
			w.begin(begin)
			for _, session := range append(stops, end) {
				w.to(session)
			}
			return w.stored()
		}
		var all []int
		for s := begin; s < end; s++ {
			all = append(all, s)
		}
		daily, atOnce := reach(all), reach(nil)
		if daily != atOnce {
			r.Errorf("day by day it is another state than at once")
		}
		some := slices.DeleteFunc(slices.Clone(all), func(int) bool { return rapid.Bool().Draw(r, "skipped") })
		if reach(some) != daily {
			r.Errorf("by the sessions %v it is another state than day by day", some)
		}
	})
}

// A process that dies after, or before, any of its writes leaves what the next one completes, to the same bytes.
func TestRoutineDiesAnywhere(t *testing.T) {
	undisturbed := newWorld(t)
	undisturbed.begin(45)
	undisturbed.to(55)
	want := undisturbed.stored()
	for _, after := range []bool{false, true} {
		n := 1
		for ; ; n++ {
			w := newWorld(t)
			f := &fragile{Store: w.mem, left: n, after: after}
			w.store = f
			if w.survives(f) {
				break
			}
			w.store = w.mem
			w.begin(45)
			w.to(55)
			if w.stored() != want {
				t.Fatalf("dead at write %d (after it: %v), it came to another state", n, after)
			}
			if signals := w.said(); signals.Len() != 3*26 {
				t.Fatalf("dead at write %d: %v", n, signals)
			}
		}
		if n < 8 {
			t.Errorf("only %d writes were broken", n-1)
		}
	}
}

// survives does the routines of some sessions until a write fails.
func (w *world) survives(f *fragile) bool {
	w.t.Helper()
	ctx := w.t.Context()
	if err := beginIn(ctx, w); err != nil {
		return !errors.Is(err, errDead)
	}
	for _, session := range []int{45, 46, 50, 55} {
		for {
			p, err := w.step(session)
			if errors.Is(err, errDead) {
				return false
			}
			ok(w.t, err)
			if p.Done {
				break
			}
			w.work()
		}
	}
	return f.left > 0
}
