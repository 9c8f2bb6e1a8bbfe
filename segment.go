package foldstream

import (
	"encoding/json"
	"maps"
	"slices"
)

// Segment is a period of a calendar, both ends included. A zero end is open: the segment goes as far as the calendar.
type Segment struct {
	Start, End Time
}

// Reversed reports whether both ends are closed and the start is after the end.
func (s Segment) Reversed() bool { return !s.Start.IsOpen() && !s.End.IsOpen() && s.Start.After(s.End) }

// Span returns the places of those of the times, which must be sorted, that are in s: from up to, but not including, to.
func (s Segment) Span(times []Time) (from, to int) {
	from, _ = slices.BinarySearchFunc(times, s.Start, Time.Compare)
	if s.End.IsOpen() {
		return from, len(times)
	}
	to, there := slices.BinarySearchFunc(times, s.End, Time.Compare)
	if there {
		to++
	}
	return from, max(from, to)
}

// MarshalJSON writes the pair [start, end] with null for an open end, as Qlib's task dict has it.
func (s Segment) MarshalJSON() ([]byte, error) { return json.Marshal([2]Time{s.Start, s.End}) }

// UnmarshalJSON reads the pair [start, end].
func (s *Segment) UnmarshalJSON(data []byte) error {
	var pair []Time
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return Errorf(Invalid, "segment", "a segment is a pair [start, end], not %d values", len(pair))
	}
	*s = Segment{pair[0], pair[1]}
	return nil
}

// Segments are the named periods of a task: train, valid, test, and any other name the user gives.
type Segments map[string]Segment

// Names returns the segments' names in order of their text.
func (s Segments) Names() []string { return slices.Sorted(maps.Keys(s)) }

// Clone returns a copy that shares nothing with s.
func (s Segments) Clone() Segments { return maps.Clone(s) }
