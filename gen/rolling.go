package gen

import (
	"fmt"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

// The names that Qlib gives to segments.
const (
	trainName = "train"
	validName = "valid"
	testName  = "test"
)

// Last says what becomes of the last test window where fewer than a step of sessions are left for it.
type Last string

// The treatments of the last short window. The zero Last is Keep.
const (
	Keep  Last = "keep"  // it is a full step long all the same, past the period's end, or open where the calendar ends; as Qlib
	Clip  Last = "clip"  // it ends with the period
	Merge Last = "merge" // the window before it is made longer by it
	Drop  Last = "drop"  // there is no such window
)

// Rolling makes one template for each test window: the first starts with the template's test segment, each following one a
// step later, up to the end of the template's test segment or to the calendar's Now, whichever is earlier. All segments
// move with the test; under Expanding the train segment keeps its start. It is Qlib's RollingGen with its handler_mod hook
// (workflow/task/gen.py). The zero options are Qlib's.
type Rolling struct {
	Calendar *calendar.Calendar
	Step     int           // sessions of a test window; 0 is 40
	Type     calendar.Mode // "" is Expanding
	TestKey  string        // the name of the test segment; "" is "test"
	TrainKey string        // the name of the train segment; "" is "train"

	// Trunc cuts the segments that start before the test so that they end this many sessions before it. nil is off; 0 is not:
	// they then end at the latest on the first test day.
	Trunc *int
	// TruncReach cuts them so far that no label reads the test: the label's reach and one. An unknown reach is a Leak.
	TruncReach bool

	Last Last // "" is Keep

	// RollFit makes handler.kwargs.fit_start_time and fit_end_time those of each window's train segment. Qlib never moves them.
	RollFit bool
	// TrainSessions makes the first train segment this many sessions long, counted back from its end; 0 leaves it.
	TrainSessions int
	// KeepHandlerEnd leaves handler.kwargs.end_time alone; else it is moved to the test end where that is later.
	KeepHandlerEnd bool

	// Name is the value of the choice "rolling" in the key; "" is the type, with TrainSessions where they are set. Give names
	// to alternatives that differ in something else, as the step.
	Name string
}

var _ foldstream.Generator = Rolling{}

// Generate returns one template for each window, in order of time. It sets Calendar, Window and the choice "rolling".
//
// Errors: Invalid: no calendar or another than the template's; a negative step, truncation or train length; an unknown type
// or Last; no test segment, one without a start, or one with no session up to Now; no train segment where it is to be
// changed; an open train end that nothing cuts; segments off the calendar or empty; RollFit without handler arguments; not
// one full window, unless it is clipped. Leak: the train segment reaches the test start and nothing cuts it; TruncReach with
// an unknown reach.
func (r Rolling) Generate(t foldstream.Template) ([]foldstream.Template, error) {
	out, err := r.generate(t)
	if err != nil {
		return nil, foldstream.E(foldstream.KindOf(err), "rolling", err)
	}
	return out, nil
}

func (r Rolling) generate(t foldstream.Template) ([]foldstream.Template, error) {
	r, t, err := r.ready(t)
	if err != nil {
		return nil, err
	}
	p, err := r.period(t)
	if err != nil {
		return nil, err
	}
	first, err := r.first(t, p)
	if err != nil {
		return nil, err
	}
	windows, err := r.follow(first, p)
	if err != nil {
		return nil, err
	}
	if windows, err = r.finish(append([]foldstream.Segments{first}, windows...), p); err != nil {
		return nil, err
	}
	return r.emit(t, windows, foldstream.Window{Of: len(windows)})
}

// Following returns the windows after t's own whose test starts at or before until, an open until being the calendar's Now:
// how a rolling goes on when new sessions came. t is a template that Generate made, or any with a test segment as long as the
// windows shall be. t may be on an older calendar, as it is when sessions were added; what follows is on r's. None is an empty
// list. Last and the truncations have no part in it: the segments keep their distances. It is Qlib's
// RollingGen.gen_following_tasks.
//
// Errors: Invalid: as Generate; also a segment, other than the test's, that leaves the calendar.
func (r Rolling) Following(t foldstream.Template, until foldstream.Time) ([]foldstream.Template, error) {
	out, err := r.following(t, until)
	if err != nil {
		return nil, foldstream.E(foldstream.KindOf(err), "rolling", err)
	}
	return out, nil
}

func (r Rolling) following(t foldstream.Template, until foldstream.Time) ([]foldstream.Template, error) {
	t.Calendar = ""
	r, t, err := r.ready(t)
	if err != nil {
		return nil, err
	}
	test := t.Segments[r.TestKey]
	p := period{}
	if p.start, err = r.Calendar.Index(test.Start, calendar.Start); err != nil {
		return nil, fmt.Errorf("start of segment %s: %w", r.TestKey, err)
	}
	if until.IsOpen() {
		until = r.Calendar.Now()
	}
	if until.Before(test.Start) {
		return []foldstream.Template{}, nil
	}
	if p.end, err = r.Calendar.Index(until, calendar.End); err != nil {
		return nil, err
	}
	windows, err := r.follow(t.Segments, p)
	if err != nil {
		return nil, err
	}
	next := t.Window.Index + 1
	return r.emit(t, windows, foldstream.Window{Index: next, Of: next + len(windows)})
}

// ready returns r with its defaults and a clone of t on its calendar, or says why they do not go together.
func (r Rolling) ready(t foldstream.Template) (Rolling, foldstream.Template, error) {
	r.Step = orElse(r.Step, 40)
	r.Type = orElse(r.Type, calendar.Expanding)
	r.TestKey = orElse(r.TestKey, testName)
	r.TrainKey = orElse(r.TrainKey, trainName)
	r.Last = orElse(r.Last, Keep)
	t = t.Clone()
	if err := r.valid(); err != nil {
		return r, t, err
	}
	if err := on(&t, r.Calendar, ""); err != nil {
		return r, t, err
	}
	if _, err := segment(t, r.TestKey, ""); err != nil {
		return r, t, err
	}
	if r.Type == calendar.Expanding || r.RollFit || r.TrainSessions > 0 {
		if _, err := segment(t, r.TrainKey, ""); err != nil {
			return r, t, err
		}
	}
	if r.RollFit && t.Handler() == nil {
		return r, t, invalid("the fit window cannot roll: the template has no mapping dataset.kwargs.handler.kwargs")
	}
	return r, t, nil
}

// valid checks the options.
func (r Rolling) valid() error {
	switch {
	case r.Step < 1:
		return invalid("step %d: a window has at least 1 session", r.Step)
	case r.Type != calendar.Expanding && r.Type != calendar.Sliding:
		return invalid("type %q: it is %q or %q", r.Type, calendar.Expanding, calendar.Sliding)
	case r.Trunc != nil && *r.Trunc < 0:
		return invalid("truncation %d: it cannot be negative", *r.Trunc)
	case r.TrainSessions < 0:
		return invalid("train sessions %d: they cannot be negative", r.TrainSessions)
	}
	switch r.Last {
	case Keep, Clip, Merge, Drop:
		return nil
	}
	return invalid("last %q: it is %q, %q, %q or %q", r.Last, Keep, Clip, Merge, Drop)
}

// invalid is an error without an op of its own, for functions whose caller names it.
func invalid(format string, args ...any) error {
	return foldstream.Errorf(foldstream.Invalid, "", format, args...)
}

func orElse[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}
