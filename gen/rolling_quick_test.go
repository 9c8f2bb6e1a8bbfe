package gen_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// properties are what every rolling keeps. Each returns how g breaks it in w, nil where it does not or g makes nothing there.
var properties = map[string]func(w world, g generate) error{
	"no task leaks where the truncation follows the reach": neverLeaks,
	"test windows tile the period":                         tiles,
	"segments keep their lengths and distances":            keepsLengths,
	"segments lie inside the template's":                   staysInside,
	"the handler follows the window":                       followsWindow,
	"equal input gives equal output":                       deterministic,
	"nothing is shared and nothing changed":                shares,
}

func TestRollingProperties(t *testing.T) {
	for name, property := range properties {
		t.Run(name, func(t *testing.T) {
			worldsThatRoll(t)
			rapid.Check(t, func(t *rapid.T) {
				if err := property(worlds.Draw(t, "world"), rolled); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// TestRollingErrors: what cannot be rolled is bad input or a leak, never a bug.
func TestRollingErrors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		_, err := rolled(worlds.Draw(t, "world"))
		if err != nil && foldstream.KindOf(err) != foldstream.Invalid && foldstream.KindOf(err) != foldstream.Leak {
			t.Fatal(err)
		}
	})
}

func neverLeaks(w world, g generate) error {
	w.rolling.RollFit, w.rolling.TruncReach = true, true
	out, _ := g(w)
	for i, t := range out {
		if leak := w.leaks(t); leak != "" {
			return fmt.Errorf("window %d: %s", i, leak)
		}
		if _, err := gen.Certify(t, w.rolling.Calendar, foldstream.Refuse); err != nil {
			return fmt.Errorf("window %d does not leak, but: %w", i, err)
		}
	}
	return nil
}

// tiles: the days of all test windows, one after the other, are the days of the period without gap or overlap.
func tiles(w world, g generate) error {
	out, err := g(w)
	if err != nil {
		return nil
	}
	first, last := w.index(w.template.Segments["test"].Start), w.last()
	next := first
	for i, t := range out {
		days := w.in(t.Segments["test"])
		if t.Segments["test"].Start != w.days[next] || len(days) == 0 {
			return fmt.Errorf("window %d starts at %s, want %s", i, t.Segments["test"].Start, w.days[next])
		}
		if t.Window != (foldstream.Window{Index: i, Of: len(out)}) {
			return fmt.Errorf("window %d calls itself %v", i, t.Window)
		}
		next = days[len(days)-1] + 1
		if short := len(days) < w.rolling.Step; short && i < len(out)-1 {
			return fmt.Errorf("window %d of %d is %d days long", i, len(out), len(days))
		}
	}
	return endsRight(w, next-1, last, (last-first+1)/w.rolling.Step)
}

// endsRight judges where the last window ends, by the treatment of the last short one.
func endsRight(w world, end, last, full int) error {
	first := w.index(w.template.Segments["test"].Start)
	want := last // clip and merge
	switch w.rolling.Last {
	case "", gen.Keep:
		n := full
		if (last-first+1)%w.rolling.Step != 0 {
			n++
		}
		want = min(first+n*w.rolling.Step, len(w.days)) - 1
	case gen.Drop:
		want = first + full*w.rolling.Step - 1
	}
	if end != want {
		return fmt.Errorf("the last window ends on day %d, want %d (%q, the period ends on %d)", end, want, w.rolling.Last, last)
	}
	return nil
}

// keepsLengths: all segments but an expanding train have the same number of days in every window; the train ends
// equally far before each test.
func keepsLengths(w world, g generate) error {
	out, _ := g(w)
	expanding := w.rolling.Type != calendar.Sliding
	for i := 1; i < len(out); i++ {
		for _, name := range []string{"train", "valid"} {
			before, now := w.in(out[i-1].Segments[name]), w.in(out[i].Segments[name])
			if len(before) == 0 {
				continue
			}
			grown := len(now) - len(before)
			moved := now[len(now)-1] - before[len(before)-1]
			want := 0
			if expanding && name == "train" {
				want = w.rolling.Step
			}
			if _, there := out[i].Segments[name]; there && (grown != want || moved != w.rolling.Step) {
				return fmt.Errorf("window %d: %s grew by %d days, want %d, and its end moved by %d", i, name, grown, want, moved)
			}
		}
	}
	return nil
}

// staysInside: the first window's segments hold days of the template's only, all ends are days, and only truncation or a train
// length of its own takes any away.
func staysInside(w world, g generate) error {
	out, err := g(w)
	if err != nil || len(out) == 0 {
		return nil
	}
	for _, name := range []string{"train", "valid"} {
		want, got := w.in(w.template.Segments[name]), w.in(out[0].Segments[name])
		s, there := out[0].Segments[name]
		if !there {
			continue
		}
		if w.days[w.index(s.Start)] != s.Start || w.days[w.index(s.End)] != s.End {
			return fmt.Errorf("%s from %s to %s does not lie on sessions", name, s.Start, s.End)
		}
		if n := w.rolling.TrainSessions; n > 0 && name == "train" {
			if len(got) != n {
				return fmt.Errorf("train has %d days, want %d", len(got), n)
			}
			want = append([]int{got[0]}, want...)
		}
		if got[0] != want[0] || got[len(got)-1] > want[len(want)-1] {
			return fmt.Errorf("%s is days %d to %d, the template's %d to %d", name, got[0], got[len(got)-1], want[0], want[len(want)-1])
		}
		if w.rolling.Trunc == nil && !w.rolling.TruncReach && got[len(got)-1] != want[len(want)-1] {
			return fmt.Errorf("%s was cut, and nobody asked for it", name)
		}
	}
	return nil
}

func followsWindow(w world, g generate) error {
	out, _ := g(w)
	for i, t := range out {
		h, was := t.Handler(), w.template.Handler()
		fit := [2]any{h["fit_start_time"], h["fit_end_time"]}
		train, test := t.Segments["train"], t.Segments["test"].End
		wantFit := [2]any{was["fit_start_time"], was["fit_end_time"]}
		if w.rolling.RollFit {
			wantFit = [2]any{train.Start.String(), train.End.String()}
		}
		wantEnd := was["end_time"]
		switch {
		case w.rolling.KeepHandlerEnd:
		case test.IsOpen():
			wantEnd = nil
		case wantEnd.(string) < test.String():
			wantEnd = test.String()
		}
		if fit != wantFit || h["end_time"] != wantEnd {
			return fmt.Errorf("window %d: the handler fits %v, want %v, and ends at %v, want %v", i, fit, wantFit, h["end_time"], wantEnd)
		}
	}
	return nil
}

func deterministic(w world, g generate) error {
	a, errA := g(w)
	b, errB := g(w)
	if fmt.Sprint(errA) != fmt.Sprint(errB) {
		return fmt.Errorf("%w, then %w", errA, errB)
	}
	if d := cmp.Diff(a, b, cmp.Comparer(func(x, y foldstream.Time) bool { return x == y })); d != "" {
		return errors.New(d)
	}
	return nil
}

// shares: after a careless user overwrote one task, the template and the other tasks are as they were.
func shares(w world, g generate) error {
	was := w.template.Clone()
	out, _ := g(w)
	clean, _ := g(w)
	for i := range out {
		spoil(out[i])
		if !reflect.DeepEqual(was, w.template) {
			return fmt.Errorf("the template changes with task %d", i)
		}
		if i+1 < len(out) && !reflect.DeepEqual(out[i+1], clean[i+1]) {
			return fmt.Errorf("task %d changes with task %d", i+1, i)
		}
	}
	return nil
}

func spoil(t foldstream.Template) {
	t.Handler()["end_time"] = "spoiled"
	t.Task["model"].(map[string]any)["class"] = "spoiled"
	t.Segments["test"] = foldstream.Segment{}
	for i := range t.Key {
		t.Key[i] = foldstream.Choice{}
	}
}
