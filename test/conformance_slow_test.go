package test

import (
	"fmt"

	"github.com/foldstream/foldstream"
)

// The notes of time_adjuster.json that say what to return.
const (
	noteIndexZero = "an end that would land on index 0 trips the assertion even when the segment starts on the very first " +
		"calendar day; only a negative index is really out of range"
	noteOpenEnd    = "an open end is a TypeError here; treat open start as the calendar start and cut an open end at the limit"
	noteEndForward = "the END of the segment is start-aligned too, so a Saturday end moves forward to the next session; align ends backwards"
	noteList       = "a list is refused, only a tuple is accepted; a re-implementation has one pair type"
	noteSaturday   = "both ends are start-aligned, so a Saturday equals the following Monday; handler-end comparisons should align the handler end backwards"
)

// slowIndex counts through the days: the index of the first day at or after t, of the last at or before it, len and -1
// where there is none.
func slowIndex(days []foldstream.Time, t foldstream.Time, end bool) int {
	before, through := 0, 0
	for _, d := range days {
		if d.Before(t) {
			before++
		}
		if !d.After(t) {
			through++
		}
	}
	if end {
		return through - 1
	}
	return before
}

// slowTruncate works a truncation out by counting.
func slowTruncate(v *vector) (any, error) {
	days := v.set.days[v.Calendar]
	s, err := segmentOf(v.Args["segment"])
	if err != nil {
		return nil, err
	}
	test, err := timeArg(v, "test_start")
	if err != nil {
		return nil, err
	}
	var n int
	if err := v.into("days", &n); err != nil {
		return nil, err
	}
	last := slowIndex(days, test, false) - n
	if !s.End.IsOpen() {
		last = min(last, slowIndex(days, s.End, true))
	}
	s.End = days[last]
	if s.Start.IsOpen() {
		return s, nil
	}
	s.Start = days[slowIndex(days, s.Start, false)]
	if s.Start.After(s.End) {
		return nil, errNamed
	}
	return s, nil
}

// slowPair works out the truncation or the sliding shift of a pair that was written as a list.
func slowPair(v *vector) (any, error) {
	if v.Op == "truncate" {
		return slowTruncate(v)
	}
	days := v.set.days[v.Calendar]
	s, err := segmentOf(v.Args["segment"])
	if err != nil {
		return nil, err
	}
	var step int
	if err := v.into("step", &step); err != nil {
		return nil, err
	}
	if mode := v.arg("rtype"); mode != "sliding" {
		return nil, fmt.Errorf("mode %v is not worked out here", mode)
	}
	return foldstream.Segment{Start: days[slowIndex(days, s.Start, false)+step], End: days[slowIndex(days, s.End, true)+step]}, nil
}

// slowInterval counts from the first day at or after b to that of a.
func slowInterval(v *vector) (any, error) {
	days := v.set.days[v.Calendar]
	a, err := timeArg(v, "a")
	if err != nil {
		return nil, err
	}
	b, err := timeArg(v, "b")
	if err != nil {
		return nil, err
	}
	return slowIndex(days, a, false) - slowIndex(days, b, false), nil
}

// leavesCalendar tells whether one of a case's times starts after the last session.
func leavesCalendar(names ...string) func(v *vector) bool {
	return func(v *vector) bool {
		for _, name := range names {
			t, err := timeArg(v, name)
			days := v.set.days[v.Calendar]
			if err == nil && v.arg("tp_type") != "end" && slowIndex(days, t, false) == len(days) {
				return true
			}
		}
		return false
	}
}
