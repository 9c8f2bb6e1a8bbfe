package test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

// runTimeAdjuster mirrors workflow/task/utils.py:TimeAdjuster.
func runTimeAdjuster(v *vector) (any, error) {
	c, err := adjusterCalendar(v)
	if err != nil {
		return nil, err
	}
	run, ok := map[string]func(*calendar.Calendar, *vector) (any, error){
		"get": runGet, "max": runMax, "len": runLen, "align_idx": runAlignIndex, "align_time": runAlignTime,
		"align_seg": runAlignSegment, "cal_interval": runInterval, "truncate": runTruncate, "shift": runShift,
		"set_end_time": runSetEndTime,
	}[v.Op]
	if !ok {
		return nil, fmt.Errorf("no runner for the op %q", v.Op)
	}
	return run(c, v)
}

// adjusterCalendar is the list that the adjuster was built on.
func adjusterCalendar(v *vector) (*calendar.Calendar, error) {
	c, err := v.calendar()
	if err != nil {
		return nil, err
	}
	if v.TAFuture != nil && !*v.TAFuture {
		c = c.Current()
	}
	if v.TAEndTime == "" || v.TAEndTime == "None" {
		return c, nil
	}
	end, err := foldstream.ParseTime(v.TAEndTime)
	if err != nil {
		return nil, err
	}
	return c.Until(end)
}

// runGet: an index past the end is an open end in the original, on purpose; we say so by ErrOutOfCalendar.
func runGet(c *calendar.Calendar, v *vector) (any, error) {
	var i *int
	if err := v.into("idx", &i); err != nil || i == nil {
		return nil, err
	}
	if *i >= c.Len() {
		return nil, nil
	}
	return c.At(*i)
}

func runMax(c *calendar.Calendar, _ *vector) (any, error) { return c.Last(), nil }

func runLen(c *calendar.Calendar, _ *vector) (any, error) { return c.Len(), nil }

func runAlignIndex(c *calendar.Calendar, v *vector) (any, error) {
	t, side, err := alignArgs(v)
	if err != nil || t.IsOpen() {
		return nil, err
	}
	return c.Index(t, side)
}

func runAlignTime(c *calendar.Calendar, v *vector) (any, error) {
	t, side, err := alignArgs(v)
	if err != nil || t.IsOpen() {
		return nil, err
	}
	return c.Align(t, side)
}

func alignArgs(v *vector) (foldstream.Time, calendar.Side, error) {
	t, err := timeArg(v, "time_point")
	side, known := map[any]calendar.Side{nil: calendar.Start, "start": calendar.Start, "end": calendar.End}[v.arg("tp_type")]
	if err == nil && !known {
		err = fmt.Errorf("no side %v", v.arg("tp_type"))
	}
	return t, side, err
}

func runAlignSegment(c *calendar.Calendar, v *vector) (any, error) {
	return alignNested(c, v.Args["segment"])
}

// alignNested aligns a pair, or the pairs of a map of any depth.
func alignNested(c *calendar.Calendar, data json.RawMessage) (any, error) {
	var nested map[string]json.RawMessage
	if json.Unmarshal(data, &nested) != nil || nested == nil {
		s, err := segmentOf(data)
		if err != nil {
			return nil, err
		}
		return c.AlignSegment(s)
	}
	aligned := map[string]any{}
	for name, part := range nested {
		s, err := alignNested(c, part)
		if err != nil {
			return nil, err
		}
		aligned[name] = s
	}
	return aligned, nil
}

func runInterval(c *calendar.Calendar, v *vector) (any, error) {
	a, err := timeArg(v, "a")
	if err != nil {
		return nil, err
	}
	b, err := timeArg(v, "b")
	if err != nil {
		return nil, err
	}
	return c.Interval(a, b)
}

func runTruncate(c *calendar.Calendar, v *vector) (any, error) {
	s, err := segmentOf(v.Args["segment"])
	if err != nil {
		return nil, err
	}
	test, err := timeArg(v, "test_start")
	if err != nil {
		return nil, err
	}
	var days int
	if err := v.into("days", &days); err != nil {
		return nil, err
	}
	return c.Truncate(s, test, days)
}

func runShift(c *calendar.Calendar, v *vector) (any, error) {
	s, err := segmentOf(v.Args["segment"])
	if err != nil {
		return nil, err
	}
	var step int
	if err := v.into("step", &step); err != nil {
		return nil, err
	}
	mode := calendar.Sliding // the original's default
	if err := v.into("rtype", &mode); err != nil {
		return nil, err
	}
	return c.Shift(s, step, mode)
}

func runSetEndTime(c *calendar.Calendar, v *vector) (any, error) {
	end, err := timeArg(v, "end_time")
	if err != nil {
		return nil, err
	}
	if c, err = c.Until(end); err != nil {
		return nil, err
	}
	return []any{c.Len(), c.Last(), nil}, nil
}

// runCalendarProvider mirrors data/data.py:CalendarProvider.calendar.
func runCalendarProvider(v *vector) (any, error) {
	c, err := v.calendar()
	if err != nil {
		return nil, err
	}
	if v.arg("future") != true {
		c = c.Current()
	}
	var s foldstream.Segment
	if s.Start, err = sliceArg(v, "start_time"); err != nil {
		return nil, err
	}
	if s.End, err = sliceArg(v, "end_time"); err != nil {
		return nil, err
	}
	days, err := c.Slice(s)
	if err != nil {
		return nil, err
	}
	if len(days) == 0 {
		return map[string]any{"len": 0, "first": nil, "last": nil}, nil
	}
	return map[string]any{"len": len(days), "first": days[0], "last": days[len(days)-1]}, nil
}

// sliceArg reads an end of a slice, where the original takes the text "None" for an open one.
func sliceArg(v *vector, name string) (foldstream.Time, error) {
	if v.arg(name) == "None" {
		return foldstream.Time{}, nil
	}
	return timeArg(v, name)
}

// timeArg reads a time; null and absent are open. The original reads full dates in every spelling that Python knows, we
// in the ISO ones: the others are rewritten here.
func timeArg(v *vector, name string) (foldstream.Time, error) {
	var t foldstream.Time
	if text, ok := v.arg(name).(string); ok {
		for _, layout := range []string{"2006-1-2", "2006/1/2", "Jan 2 2006"} {
			if std, err := time.Parse(layout, text); err == nil {
				return foldstream.TimeOf(std), nil
			}
		}
	}
	err := v.into(name, &t)
	if err == nil && v.arg(name) == "" {
		return t, foldstream.Errorf(foldstream.Invalid, "time", "an empty text is no date")
	}
	return t, err
}

// segmentOf reads a pair.
func segmentOf(data json.RawMessage) (foldstream.Segment, error) {
	var s foldstream.Segment
	err := json.Unmarshal(data, &s)
	return s, err
}

// runUtils looks the helper up in the table utils.
func runUtils(v *vector) (any, error) {
	run, ok := utils[v.Op]
	if !ok {
		return nil, fmt.Errorf("no runner for the op %q", v.Op)
	}
	return run(v)
}

// runClipEnd mirrors utils/__init__.py:transform_end_date, which writes -1 for an open end too, and hands an end that it
// keeps back as it was spelled.
func runClipEnd(v *vector) (any, error) {
	c, err := v.calendar()
	if err != nil {
		return nil, err
	}
	given := v.arg("end_date")
	if given == nil || given == "-1" || given == json.Number("-1") {
		return c.ClipEnd(foldstream.Time{}), nil
	}
	end, err := timeArg(v, "end_date")
	if err != nil {
		return nil, err
	}
	if clipped := c.ClipEnd(end); clipped != end {
		return clipped, nil
	}
	return given, nil
}

// runByShift mirrors utils/__init__.py:get_date_by_shift.
func runByShift(v *vector) (any, error) {
	c, err := v.calendar()
	if err != nil {
		return nil, err
	}
	if v.arg("future") != true {
		c = c.Current()
	}
	t, err := timeArg(v, "trading_date")
	if err != nil {
		return nil, err
	}
	var n int
	if err := v.into("shift", &n); err != nil {
		return nil, err
	}
	clip := true // the original's default
	if err := v.into("clip_shift", &clip); err != nil {
		return nil, err
	}
	var round calendar.Rounding
	if err := v.into("align", &round); err != nil {
		return nil, err
	}
	return c.ByShift(t, n, round, clip)
}
