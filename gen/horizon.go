package gen

import (
	"fmt"
	"strconv"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

// Horizon makes one template for each label horizon, in the order given, with all segments aligned to sessions and all that
// start before the test cut off horizon + Leak sessions before it. It is Qlib's MultiHorizonGenBase
// (workflow/task/gen.py) with the label rule of contrib/rolling/base.py.
//
// A segment that lies wholly after the cut keeps one session, that of the cut, as in Qlib.
type Horizon struct {
	Calendar *calendar.Calendar
	Horizons []int // sessions the label spans, 0 or more; nil: [5]
	Leak     *int  // sessions to cut off beyond the horizon; nil: 2, which is exact for the default label

	// Set writes a horizon into a template that is a clone and has its Horizon h and its Reach h+1 already; it may change both.
	// nil: SetLabel. Qlib: set_horizon.
	Set func(t *foldstream.Template, h int) error
}

var _ foldstream.Generator = Horizon{}

// Generate returns one template for each horizon. It sets the choice "horizon".
// Errors: Invalid: no calendar or another than the template's, a negative horizon or leak, no test segment or one without
// a start, segments off the calendar, a cut before the calendar, two segments wholly after the cut; those of Set.
func (g Horizon) Generate(t foldstream.Template) ([]foldstream.Template, error) {
	if g.Horizons == nil {
		g.Horizons = []int{5}
	}
	if g.Set == nil {
		g.Set = SetLabel
	}
	out := make([]foldstream.Template, len(g.Horizons))
	for i, h := range g.Horizons {
		c, err := g.one(t.Clone(), h)
		if err != nil {
			return nil, foldstream.E(foldstream.KindOf(err), "horizon", fmt.Errorf("horizon %d: %w", h, err))
		}
		out[i] = c
	}
	return out, nil
}

// one writes horizon h into t.
func (g Horizon) one(t foldstream.Template, h int) (foldstream.Template, error) {
	leak := 2
	if g.Leak != nil {
		leak = *g.Leak
	}
	if h < 0 || leak < 0 {
		return t, foldstream.Errorf(foldstream.Invalid, "", "neither the horizon nor the leak %d can be negative", leak)
	}
	if err := on(&t, g.Calendar, ""); err != nil {
		return t, err
	}
	test, err := segment(t, testName, "")
	if err != nil {
		return t, err
	}
	t.Horizon, t.Reach, t.Leak = h, foldstream.Ahead(h+1), foldstream.Certificate{}
	t.Key = t.Key.With("horizon", strconv.Itoa(h))
	if err := g.Set(&t, h); err != nil {
		return t, err
	}
	if t.Segments, err = g.Calendar.AlignSegments(t.Segments); err != nil {
		return t, err
	}
	return t, g.cut(t.Segments, test.Start, h+leak)
}

// cut truncates the segments and lets one of them be wholly after the cut.
func (g Horizon) cut(segments foldstream.Segments, testStart foldstream.Time, n int) error {
	start, err := g.Calendar.Index(testStart, calendar.Start)
	if err != nil {
		return foldstream.E(foldstream.Invalid, "start of the test segment", err)
	}
	cut, err := g.Calendar.At(start - n)
	if err != nil {
		return foldstream.E(foldstream.Invalid, fmt.Sprintf("%d sessions before the test start", n), err)
	}
	late := ""
	for _, name := range segments.Names() {
		if s := segments[name]; !s.Start.After(cut) || !s.Start.Before(testStart) {
			continue
		}
		if late != "" {
			return invalid("segments %s and %s lie wholly after the cut at %s, %d sessions before the test", late, name, cut, n)
		}
		late, segments[name] = name, foldstream.Segment{Start: cut, End: cut}
	}
	return truncate(g.Calendar, segments, testStart, n)
}

// SetLabel writes Qlib's label of a horizon, the return from the next session to h sessions after it, into
// dataset.kwargs.handler.kwargs.label: ["Ref($close, -{h+1}) / Ref($close, -1) - 1"]. A template whose handler is no
// mapping is left as it is: its worker reads Template.Horizon.
func SetLabel(t *foldstream.Template, h int) error {
	dataset, _ := t.Task["dataset"].(map[string]any)
	kwargs, _ := dataset["kwargs"].(map[string]any)
	handler, ok := kwargs["handler"].(map[string]any)
	if !ok {
		return nil
	}
	args, ok := handler["kwargs"].(map[string]any)
	if !ok {
		args = map[string]any{}
		handler["kwargs"] = args
	}
	args["label"] = []any{fmt.Sprintf("Ref($close, -%d) / Ref($close, -1) - 1", h+1)}
	return nil
}

// truncate cuts the segments that start before the test start so that they end n sessions before it. Those that start with
// the test or after it are for evaluation and stay. Errors: Invalid, naming the segment.
func truncate(cal *calendar.Calendar, segments foldstream.Segments, testStart foldstream.Time, n int) error {
	start, err := cal.Align(testStart, calendar.Start)
	if err != nil {
		return foldstream.E(foldstream.Invalid, "start of the test segment", err)
	}
	for _, name := range segments.Names() {
		s := segments[name]
		if !s.Start.Before(start) { // an open start is before everything
			continue
		}
		if segments[name], err = cal.Truncate(s, start, n); err != nil {
			return foldstream.E(foldstream.Invalid, "segment "+name, err)
		}
	}
	return nil
}
