package calendar

import (
	"slices"

	"github.com/foldstream/foldstream"
)

// Slice returns the sessions of s, both ends included, on the whole list; an open end goes to the list's edge. No session
// in s is an empty list, not an error: Qlib's calendar(start, end). Take Current first to slice history alone.
// Errors: Invalid (ErrEmptySegment) where s is reversed.
func (c *Calendar) Slice(s foldstream.Segment) ([]foldstream.Time, error) {
	if s.Reversed() {
		return nil, fail("%w: it starts at %s, after its end %s", ErrEmptySegment, s.Start, s.End)
	}
	from, to := 0, len(c.sessions)
	if !s.Start.IsOpen() {
		from, _ = slices.BinarySearchFunc(c.sessions, s.Start, foldstream.Time.Compare)
	}
	if !s.End.IsOpen() {
		i, found := slices.BinarySearchFunc(c.sessions, s.End, foldstream.Time.Compare)
		if to = i; found {
			to++
		}
	}
	return slices.Clone(c.sessions[from:max(from, to)]), nil
}

// ClipEnd returns the end that data can have: Now where end is open or later than Now, else end as it is, not aligned.
// Qlib's transform_end_date (utils/__init__.py).
func (c *Calendar) ClipEnd(end foldstream.Time) foldstream.Time {
	if end.IsOpen() || end.After(c.Now()) {
		return c.Now()
	}
	return end
}

// Rounding says what ByShift does with a date that is no session.
type Rounding string

// The roundings, in Qlib's words.
const (
	Exact Rounding = ""      // it is an error
	Left  Rounding = "left"  // the last session before it
	Right Rounding = "right" // the first session after it
)

// ByShift returns the session n sessions after t's, before it where n is negative, on the whole list: Qlib's
// get_date_by_shift (utils/__init__.py). With clip, a shift that leaves the calendar ends at its edge.
// Errors: Invalid: an unknown rounding; ErrOpen; ErrOutOfCalendar where t has no session, or the shift leaves the calendar
// without clip.
func (c *Calendar) ByShift(t foldstream.Time, n int, round Rounding, clip bool) (foldstream.Time, error) {
	i, err := c.round(t, round)
	if err != nil {
		return foldstream.Time{}, err
	}
	// A shift longer than the calendar leaves it in any case; the bound keeps the sum from overflowing.
	i += max(-len(c.sessions), min(n, len(c.sessions)))
	if clip {
		i = max(0, min(i, len(c.sessions)-1))
	}
	if i < 0 || i >= len(c.sessions) {
		return foldstream.Time{}, fail("%s moved by %d sessions is %w, which is %s to %s", t, n, ErrOutOfCalendar, c.First(), c.Last())
	}
	return c.sessions[i], nil
}

// round is the index of t's session under a rounding.
func (c *Calendar) round(t foldstream.Time, round Rounding) (int, error) {
	switch round {
	case Left:
		return c.Index(t, End)
	case Right:
		return c.Index(t, Start)
	case Exact:
		i, err := c.Index(t, Start)
		if err == nil && c.sessions[i] != t {
			return 0, fail("%s is %w: it is no session and no rounding was asked for", t, ErrOutOfCalendar)
		}
		return i, err
	}
	return 0, fail("rounding %q: it is %q, %q or none", string(round), string(Left), string(Right))
}
