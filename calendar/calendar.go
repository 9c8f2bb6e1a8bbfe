package calendar

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/foldstream/foldstream"
)

// The causes that a caller may want to tell apart, with errors.Is. Each comes inside a foldstream.Error of kind Invalid.
var (
	// ErrOutOfCalendar says that a date, an index or a shifted segment has no session to stand on.
	ErrOutOfCalendar = errors.New("out of the calendar")
	// ErrEmptySegment says that no session is left in a segment: it is reversed, inside a holiday, or wholly cut off.
	ErrEmptySegment = errors.New("empty segment")
	// ErrOpen says that a closed date was needed and an open end was given.
	ErrOpen = errors.New("open end")
)

// Calendar is an immutable, ascending, duplicate-free list of sessions, which are dates or intraday stamps, with a mark of
// how many of them are history. The whole list is what Qlib calls the future calendar; the part up to the mark is the
// current one. A Calendar has at least one session; only New and the readers make one. Safe for concurrent use.
type Calendar struct {
	sessions []foldstream.Time
	current  int  // how many sessions are history, at least 1
	future   bool // somebody said where history ends: the rest, even if empty, is known future
	version  string
}

// New makes a calendar of sessions, all of them current. It copies the list.
// Errors: Invalid where the list is empty, holds an open time, repeats a session or does not ascend.
func New(sessions []foldstream.Time) (*Calendar, error) {
	if len(sessions) == 0 {
		return nil, fail("no sessions: a calendar has at least one")
	}
	for i, t := range sessions {
		if err := follows(sessions[:i], t); err != nil {
			return nil, fail("session %d: %w", i, err)
		}
	}
	return build(slices.Clone(sessions), len(sessions), false), nil
}

// build trusts its arguments. sessions is not copied.
func build(sessions []foldstream.Time, current int, future bool) *Calendar {
	c := &Calendar{sessions: sessions, current: min(current, len(sessions)), future: future}
	sum := sha256.Sum256(c.Text())
	c.version = hex.EncodeToString(sum[:])
	return c
}

// follows checks that t may stand after the sessions before it.
func follows(before []foldstream.Time, t foldstream.Time) error {
	if t.IsOpen() {
		return ErrOpen
	}
	if len(before) == 0 {
		return nil
	}
	last := before[len(before)-1]
	switch c := t.Compare(last); {
	case c == 0:
		return errors.New(t.String() + " is there twice")
	case c < 0:
		return errors.New(t.String() + " comes after " + last.String() + ": sessions must ascend")
	}
	return nil
}

// fail makes the room's errors: all of them are about bad input.
func fail(format string, args ...any) error {
	return foldstream.Errorf(foldstream.Invalid, "calendar", format, args...)
}

// in names the place of an error of ours, keeping its kind and cause.
func in(place string, err error) error {
	cause := err
	if e, ok := errors.AsType[*foldstream.Error](err); ok && e.Op == "calendar" {
		cause = e.Err
	}
	return foldstream.Errorf(foldstream.KindOf(err), "calendar", "%s: %w", place, cause)
}

// WithNow returns the same calendar with its history ending at the last session at or before now; the sessions after it
// are the known future. Errors: Invalid (ErrOutOfCalendar) where now is before the first session, ErrOpen where it is open.
func (c *Calendar) WithNow(now foldstream.Time) (*Calendar, error) {
	i, err := c.Index(now, End)
	if err != nil {
		return nil, err
	}
	d := *c
	d.current, d.future = i+1, true
	return &d, nil
}

// Until returns the calendar cut after the last session at or before end, Qlib's TimeAdjuster(end_time=...). An open end
// cuts nothing. The cut calendar has a version of its own; history ends with it at the latest.
// Errors: Invalid (ErrOutOfCalendar) where no session is left.
func (c *Calendar) Until(end foldstream.Time) (*Calendar, error) {
	if end.IsOpen() {
		return c, nil
	}
	i, err := c.Index(end, End)
	if err != nil {
		return nil, err
	}
	return build(c.sessions[:i+1:i+1], c.current, c.future), nil
}

// Current returns the history alone, as a calendar of its own with its own version: Qlib's calendar(future=False).
func (c *Calendar) Current() *Calendar {
	if c.current == len(c.sessions) && !c.future {
		return c
	}
	return build(c.sessions[:c.current:c.current], c.current, false)
}

// Now returns the last session of history.
func (c *Calendar) Now() foldstream.Time { return c.sessions[c.current-1] }

// HasFuture reports whether it is known which sessions come after Now, even if none do: WithNow was called, or Qlib's
// future file was there. Where it is false, the list ends with what was history when it was written.
func (c *Calendar) HasFuture() bool { return c.future }

// Version returns the lower-case hex SHA-256 of Text: equal lists of sessions have equal versions, wherever Now is.
func (c *Calendar) Version() string { return c.version }

// Text returns the canonical text: one session a line, in foldstream.Time's spelling, each line ended by "\n". Parse reads
// it back to a calendar of the same version.
func (c *Calendar) Text() []byte {
	var b bytes.Buffer
	for _, t := range c.sessions {
		b.WriteString(t.String())
		b.WriteByte('\n')
	}
	return b.Bytes()
}

// Len returns how many sessions the whole list has.
func (c *Calendar) Len() int { return len(c.sessions) }

// First returns the first session.
func (c *Calendar) First() foldstream.Time { return c.sessions[0] }

// Last returns the last session of the whole list, Qlib's TimeAdjuster.max.
func (c *Calendar) Last() foldstream.Time { return c.sessions[len(c.sessions)-1] }

// Daily reports whether every session is a date.
func (c *Calendar) Daily() bool {
	return !slices.ContainsFunc(c.sessions, func(t foldstream.Time) bool { return !t.IsDate() })
}

// Sessions returns all sessions, the coming ones too, in order. The caller may keep and change it.
func (c *Calendar) Sessions() []foldstream.Time { return slices.Clone(c.sessions) }

// At returns session i, from 0. A negative index does not count from the end.
// Errors: Invalid (ErrOutOfCalendar) where i is not below Len.
func (c *Calendar) At(i int) (foldstream.Time, error) {
	if i < 0 || i >= len(c.sessions) {
		return foldstream.Time{}, fail("session %d: %w, which has %d sessions", i, ErrOutOfCalendar, len(c.sessions))
	}
	return c.sessions[i], nil
}
