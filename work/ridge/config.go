package ridge

import (
	"fmt"
	"math"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/metric"
)

// config is what a task says to this worker, checked.
type config struct {
	data        foldstream.Data
	alpha       float64
	horizon     int
	demean      bool
	looks       lookBacks
	loaded, fit foldstream.Segment
	train, test foldstream.Segment
	portfolio   metric.Portfolio // its TopK is 0 where there is none
}

// configure reads a task. Errors: Invalid, naming the field and value.
func configure(t foldstream.Task) (config, error) {
	r := reader{}
	h, model := t.Handler(), r.child("", t.Task, "model")
	kwargs := r.child("model.", model, "kwargs")
	c := config{
		data:    r.prices(t),
		horizon: max(t.Horizon, 1),
		train:   r.segment(t.Segments, "train"),
		test:    r.segment(t.Segments, "test"),
		alpha:   r.number("model.kwargs.", kwargs, "alpha", 1, 0),
		demean:  r.flag("handler.", h, "demean_label"),
		looks: lookBacks{
			momentum:   r.lengths(h, "momentum", []int{20, 60, 120}, 1),
			reversal:   r.lengths(h, "reversal", []int{1, 5}, 1),
			volatility: r.lengths(h, "volatility", []int{20, 60}, 2),
		},
	}
	c.loaded = foldstream.Segment{Start: r.time(h, "start_time", t.Segments, foldstream.Time{}), End: r.time(h, "end_time", t.Segments, foldstream.Time{})}
	c.fit = foldstream.Segment{Start: r.time(h, "fit_start_time", t.Segments, c.train.Start), End: r.time(h, "fit_end_time", t.Segments, c.train.End)}
	if p := r.child("", t.Task, "portfolio"); p != nil {
		c.portfolio.TopK, c.portfolio.NDrop = r.whole("portfolio.", p, "top_k", 0, 1), r.whole("portfolio.", p, "n_drop", 0, 0)
		c.portfolio.BuyCost = r.number("portfolio.", p, "cost", 0, 0)
		c.portfolio.SellCost = c.portfolio.BuyCost
	}
	switch {
	case c.test.Start.IsOpen():
		r.fail("the test segment has an open start")
	case len(c.looks.momentum)+len(c.looks.reversal)+len(c.looks.volatility) == 0:
		r.fail("handler: momentum, reversal and volatility are all empty: no features")
	}
	return c, r.err
}

// reader reads the loosely typed parts of a task; it keeps its first error.
type reader struct{ err error }

// fail keeps the first error: what goes wrong later mostly follows from it.
func (r *reader) fail(format string, args ...any) {
	if r.err == nil {
		r.err = foldstream.Errorf(foldstream.Invalid, "ridge", format, args...)
	}
}

// prices returns the price file among the task's data.
func (r *reader) prices(t foldstream.Task) foldstream.Data {
	i := slices.IndexFunc(t.Data, func(d foldstream.Data) bool { return d.Name == "prices" })
	if i < 0 {
		r.fail(`the task has no data named "prices"`)
		return foldstream.Data{}
	}
	return t.Data[i]
}

// segment reads a segment that must be there.
func (r *reader) segment(s foldstream.Segments, name string) foldstream.Segment {
	seg, ok := s[name]
	if !ok {
		r.fail("the task has no segment %q", name)
	}
	return seg
}

// child reads a map; nil where it is absent.
func (r *reader) child(path string, m map[string]any, name string) map[string]any {
	v, there := m[name]
	c, ok := v.(map[string]any)
	if there && !ok && v != nil {
		r.fail("%s%s: %v is not a map", path, name, v)
	}
	return c
}

// flag reads a truth value; false where it is absent.
func (r *reader) flag(path string, m map[string]any, name string) bool {
	v, there := m[name]
	b, ok := v.(bool)
	if there && !ok {
		r.fail("%s%s: %v is neither true nor false", path, name, v)
	}
	return b
}

// number reads a number of at least low. NaN, which no file can hold, stands for what is no number at all.
func (r *reader) number(path string, m map[string]any, name string, absent, low float64) float64 {
	v, there := m[name]
	n := absent
	switch v := v.(type) {
	case int64:
		n = float64(v)
	case float64:
		n = v
	default:
		if there {
			n = math.NaN()
		}
	}
	if !(n >= low) {
		r.fail("%s%s: %v is not a number of at least %v", path, name, v, low)
	}
	return n
}

// whole reads a whole number of at least low.
func (r *reader) whole(path string, m map[string]any, name string, absent, low float64) int {
	n := r.number(path, m, name, absent, low)
	if n != math.Trunc(n) {
		r.fail("%s%s: %v is not a whole number", path, name, n)
	}
	return int(n)
}

// lengths reads a list of whole numbers, each at least low.
func (r *reader) lengths(m map[string]any, name string, absent []int, low int64) []int {
	v, there := m[name]
	if !there {
		return absent
	}
	list, ok := v.([]any)
	var all []int
	for _, e := range list {
		n, whole := e.(int64)
		ok = ok && whole && n >= low && n <= math.MaxInt32
		all = append(all, int(n))
	}
	if !ok {
		r.fail("handler.%s: %v is not a list of whole numbers of at least %d", name, v, low)
	}
	return all
}

// time reads one of the handler's times. A placeholder of Qlib's for the end of a segment is filled in here.
func (r *reader) time(m map[string]any, name string, s foldstream.Segments, absent foldstream.Time) foldstream.Time {
	v, _ := m[name].(string)
	if v == "" {
		if m[name] != nil {
			r.fail("handler.%s: %v is not a date", name, m[name])
		}
		return absent
	}
	for _, segment := range s.Names() {
		for i, end := range []foldstream.Time{s[segment].Start, s[segment].End} {
			if v == fmt.Sprintf("<dataset.kwargs.segments.%s.%d>", segment, i) {
				return end
			}
		}
	}
	t, err := foldstream.ParseTime(v)
	if err != nil {
		r.fail("handler.%s: %w", name, err)
	}
	return t
}
