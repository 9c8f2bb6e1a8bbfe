package gen_test

import (
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

// mutants are rollings with one thing wrong, and the property that must see it.
var mutants = []struct {
	name, property string
	generate       generate
}{
	{"truncation one session short", "no task leaks where the truncation follows the reach", func(w world) ([]foldstream.Template, error) {
		n := w.template.Reach.Sessions
		w.rolling.Trunc, w.rolling.TruncReach = &n, false
		return rolled(w)
	}},
	{"no truncation", "no task leaks where the truncation follows the reach", func(w world) ([]foldstream.Template, error) {
		w.rolling.Trunc, w.rolling.TruncReach = nil, false
		return rolled(w)
	}},
	{"the fit window stays", "the handler follows the window", func(w world) ([]foldstream.Template, error) {
		w.rolling.RollFit = false
		return rolled(w)
	}},
	{"step one session long", "test windows tile the period", func(w world) ([]foldstream.Template, error) {
		w.rolling.Step++
		return relength(w, -1)
	}},
	{"step one session short", "test windows tile the period", func(w world) ([]foldstream.Template, error) {
		w.rolling.Step = max(1, w.rolling.Step-1)
		return relength(w, 1)
	}},
	{"train moves one session less", "segments keep their lengths and distances", func(w world) ([]foldstream.Template, error) {
		out, err := rolled(w)
		for i, t := range out {
			move(w, t, "train", -i)
		}
		return out, err
	}},
	{"expanding slides", "segments keep their lengths and distances", func(w world) ([]foldstream.Template, error) {
		w.rolling.Type = calendar.Sliding
		return rolled(w)
	}},
	{"test start aligned back", "test windows tile the period", func(w world) ([]foldstream.Template, error) {
		w.template = w.template.Clone()
		test := w.template.Segments["test"]
		if i := w.index(test.Start); i > 0 && i < len(w.days) && w.days[i] != test.Start {
			test.Start = w.days[i-1]
		}
		w.template.Segments["test"] = test
		return rolled(w)
	}},
	{"train end aligned forward", "segments lie inside the template's", func(w world) ([]foldstream.Template, error) {
		w.template = w.template.Clone()
		train := w.template.Segments["train"]
		if i := w.index(train.End); i < len(w.days) {
			train.End = w.days[i]
		}
		w.template.Segments["train"] = train
		return rolled(w)
	}},
	{"nothing aligned", "segments lie inside the template's", func(w world) ([]foldstream.Template, error) {
		out, err := rolled(w)
		for _, t := range out {
			t.Segments["train"] = w.template.Segments["train"]
		}
		return out, err
	}},
	{"the period's end is forgotten", "test windows tile the period", func(w world) ([]foldstream.Template, error) {
		w.template = w.template.Clone()
		w.template.Segments["test"] = foldstream.Segment{Start: w.template.Segments["test"].Start}
		return rolled(w)
	}},
	{"today is forgotten", "test windows tile the period", func(w world) ([]foldstream.Template, error) {
		cal, err := w.rolling.Calendar.WithNow(w.days[len(w.days)-1])
		if err != nil {
			return nil, err
		}
		w.rolling.Calendar = cal
		return rolled(w)
	}},
	{"one window lost", "test windows tile the period", func(w world) ([]foldstream.Template, error) {
		out, err := rolled(w)
		if len(out) > 2 {
			out = append(out[:1], out[2:]...)
		}
		return out, err
	}},
	{"not deterministic", "equal input gives equal output", func() generate {
		calls := 0
		return func(w world) ([]foldstream.Template, error) {
			calls++
			out, err := rolled(w)
			for i := range out {
				out[i].Horizon = calls
			}
			return out, err
		}
	}()},
	{"tasks share their handler", "nothing is shared and nothing changed", func(w world) ([]foldstream.Template, error) {
		out, err := rolled(w)
		for i := range out {
			out[i].Task = out[0].Task
		}
		return out, err
	}},
	{"the template is changed", "nothing is shared and nothing changed", func(w world) ([]foldstream.Template, error) {
		out, err := rolled(w)
		for i := range out {
			out[i].Task = w.template.Task
		}
		return out, err
	}},
}

// TestMutantsAreCaught: each mutant breaks its property in some world, in which the true generator does not.
func TestMutantsAreCaught(t *testing.T) {
	list := worldsThatRoll(t)
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			property := properties[m.property]
			for _, w := range list {
				if err := property(w, rolled); err != nil {
					t.Fatalf("the true generator: %v", err)
				}
				if property(w, m.generate) != nil {
					return
				}
			}
			t.Errorf("not caught in %d worlds", len(list))
		})
	}
}

// relength makes each test window but an open one longer by n days.
func relength(w world, n int) ([]foldstream.Template, error) {
	out, err := rolled(w)
	for _, t := range out {
		test := t.Segments["test"]
		if end := w.index(test.End) + n; !test.End.IsOpen() && end < len(w.days) && end >= w.index(test.Start) {
			test.End = w.days[end]
			t.Segments["test"] = test
		}
	}
	return out, err
}

// move shifts a segment by n days where the calendar allows it.
func move(w world, t foldstream.Template, name string, n int) {
	s := t.Segments[name]
	if start := w.index(s.Start) + n; start >= 0 {
		t.Segments[name] = foldstream.Segment{Start: w.days[start], End: w.days[w.index(s.End)+n]}
	}
}
