package calendar

import (
	"slices"

	"github.com/foldstream/foldstream"
)

// Side says to which side a date that is no session moves.
type Side uint8

// The sides of a segment: its start moves forward, its end moves back.
const (
	Start Side = iota // the first session at or after the date
	End               // the last session at or before the date
)

// Index returns the position of t's session, Qlib's TimeAdjuster.align_idx.
// Errors: Invalid: ErrOpen where t is open, ErrOutOfCalendar where there is no session on that side.
func (c *Calendar) Index(t foldstream.Time, side Side) (int, error) {
	if t.IsOpen() {
		return 0, fail("a date is needed: %w", ErrOpen)
	}
	i, found := slices.BinarySearchFunc(c.sessions, t, foldstream.Time.Compare)
	if side == End && !found {
		i--
	}
	if i < 0 || i == len(c.sessions) {
		return 0, c.out(t, side)
	}
	return i, nil
}

// out is the error of a date without a session on its side.
func (c *Calendar) out(t foldstream.Time, side Side) error {
	if side == End {
		return fail("%s is %w: no session at or before it, the first is %s", t, ErrOutOfCalendar, c.First())
	}
	return fail("%s is %w: no session at or after it, the last is %s", t, ErrOutOfCalendar, c.Last())
}

// Align returns t's session, Qlib's TimeAdjuster.align_time. Errors: as Index.
func (c *Calendar) Align(t foldstream.Time, side Side) (foldstream.Time, error) {
	i, err := c.Index(t, side)
	if err != nil {
		return foldstream.Time{}, err
	}
	return c.sessions[i], nil
}

// AlignSegment moves the start forward and the end back to sessions, Qlib's TimeAdjuster.align_seg of a pair. Open ends
// stay open. Errors: Invalid: ErrOutOfCalendar where an end has no session, ErrEmptySegment where s is reversed or holds
// none.
func (c *Calendar) AlignSegment(s foldstream.Segment) (foldstream.Segment, error) {
	sp, err := c.spanOf(s)
	if err != nil {
		return foldstream.Segment{}, err
	}
	return sp.segment(c), nil
}

// AlignSegments aligns each segment. Errors: as AlignSegment, naming the segment; the first by name.
func (c *Calendar) AlignSegments(segments foldstream.Segments) (foldstream.Segments, error) {
	aligned := make(foldstream.Segments, len(segments))
	for _, name := range segments.Names() {
		s, err := c.AlignSegment(segments[name])
		if err != nil {
			return nil, in("segment "+name, err)
		}
		aligned[name] = s
	}
	return aligned, nil
}

// span is a segment as indices, both included. An open end holds the calendar's edge.
type span struct {
	start, end         int
	openStart, openEnd bool
}

// spanOf aligns s.
func (c *Calendar) spanOf(s foldstream.Segment) (span, error) {
	sp := span{end: len(c.sessions) - 1, openStart: s.Start.IsOpen(), openEnd: s.End.IsOpen()}
	if s.Reversed() {
		return sp, fail("%w: it starts at %s, after its end %s", ErrEmptySegment, s.Start, s.End)
	}
	var err error
	if !sp.openStart {
		if sp.start, err = c.Index(s.Start, Start); err != nil {
			return sp, err
		}
	}
	if !sp.openEnd {
		if sp.end, err = c.Index(s.End, End); err != nil {
			return sp, err
		}
	}
	if sp.start > sp.end {
		return sp, fail("%w: no session from %s to %s", ErrEmptySegment, s.Start, s.End)
	}
	return sp, nil
}

// segment turns indices inside the calendar back to sessions.
func (sp span) segment(c *Calendar) foldstream.Segment {
	var s foldstream.Segment
	if !sp.openStart {
		s.Start = c.sessions[sp.start]
	}
	if !sp.openEnd {
		s.End = c.sessions[sp.end]
	}
	return s
}
