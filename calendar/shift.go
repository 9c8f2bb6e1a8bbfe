package calendar

import "github.com/foldstream/foldstream"

// Mode is how a segment moves when it is shifted.
type Mode string

// The modes, in Qlib's words.
const (
	Expanding Mode = "expanding" // the end moves, the start stays
	Sliding   Mode = "sliding"   // both ends move
)

// Shift aligns s and moves it by step sessions, Qlib's TimeAdjuster.shift. Open ends stay open; an end that would pass the
// last session becomes open. A negative step moves back.
// Errors: Invalid: ErrOutOfCalendar where the start, or a step back the end, would leave the calendar or s is not on it;
// ErrEmptySegment where s holds no session before or after the move; an unknown mode.
func (c *Calendar) Shift(s foldstream.Segment, step int, mode Mode) (foldstream.Segment, error) {
	if mode != Expanding && mode != Sliding {
		return foldstream.Segment{}, fail("mode %q: it is %q or %q", string(mode), string(Expanding), string(Sliding))
	}
	sp, err := c.spanOf(s)
	if err != nil {
		return foldstream.Segment{}, err
	}
	// A step longer than the calendar leaves it in any case; the bound keeps the sums from overflowing.
	n := len(c.sessions)
	by := max(-n, min(step, n))
	if mode == Sliding && !sp.openStart {
		sp.start += by
	}
	if !sp.openEnd {
		sp.end += by
	}
	switch {
	case sp.start < 0 || sp.start >= n || sp.end < 0:
		return foldstream.Segment{}, fail("segment %s to %s moved by %d sessions is %w, which is %s to %s",
			show(s.Start), show(s.End), step, ErrOutOfCalendar, c.First(), c.Last())
	case sp.start > sp.end:
		return foldstream.Segment{}, fail("%w: %s to %s, %s by %d sessions, ends before its start",
			ErrEmptySegment, show(s.Start), show(s.End), string(mode), step)
	}
	sp.openEnd = sp.openEnd || sp.end >= n
	return sp.segment(c), nil
}

// Truncate aligns s and cuts it so that it ends at least that many sessions before testStart's: its last possible day has
// the index Index(testStart, Start) − sessions. It is Qlib's TimeAdjuster.truncate, but aligns the end back and counts the
// first session, index 0, as part of the calendar. An open start stays open; an open end is cut.
// Errors: Invalid: sessions negative; ErrOpen where testStart is open; ErrOutOfCalendar where testStart or the cut is not on
// the calendar; ErrEmptySegment where s is wholly after the cut.
func (c *Calendar) Truncate(s foldstream.Segment, testStart foldstream.Time, sessions int) (foldstream.Segment, error) {
	if sessions < 0 {
		return foldstream.Segment{}, fail("truncation by %d sessions would move the cut past the test start", sessions)
	}
	test, err := c.Index(testStart, Start)
	if err != nil {
		return foldstream.Segment{}, err
	}
	sp, err := c.spanOf(s)
	if err != nil {
		return foldstream.Segment{}, err
	}
	cut := test - sessions
	switch {
	case cut < 0:
		return foldstream.Segment{}, fail("%d sessions before %s is %w, whose first session is %s",
			sessions, testStart, ErrOutOfCalendar, c.First())
	case sp.start > cut:
		return foldstream.Segment{}, fail("%w: %s to %s starts after the cut at %s, %d sessions before %s",
			ErrEmptySegment, show(s.Start), show(s.End), c.sessions[cut], sessions, testStart)
	}
	sp.end, sp.openEnd = min(sp.end, cut), false
	return sp.segment(c), nil
}

// Interval returns how many sessions a is after b, negative where it is before, Qlib's TimeAdjuster.cal_interval. A date
// that is no session counts as the next session; it must lie between the first and the last session.
// Errors: Invalid: ErrOpen, ErrOutOfCalendar.
func (c *Calendar) Interval(a, b foldstream.Time) (int, error) {
	i, err := c.inside(a)
	if err != nil {
		return 0, err
	}
	j, err := c.inside(b)
	if err != nil {
		return 0, err
	}
	return i - j, nil
}

// inside is Index(t, Start) for a date with a session on both sides.
func (c *Calendar) inside(t foldstream.Time) (int, error) {
	if _, err := c.Index(t, End); err != nil {
		return 0, err
	}
	return c.Index(t, Start)
}

// show spells an end of a segment in a message.
func show(t foldstream.Time) string {
	if t.IsOpen() {
		return "open"
	}
	return t.String()
}
