package calendar_test

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"pgregory.net/rapid"
)

// twin is the calendar done the dumb way: every question walks the whole list.
type twin []foldstream.Time

func (w twin) index(t foldstream.Time, side calendar.Side) (int, error) {
	if t.IsOpen() {
		return 0, calendar.ErrOpen
	}
	at := -1
	for i, d := range w {
		if side == calendar.Start && at < 0 && !d.Before(t) || side == calendar.End && !d.After(t) {
			at = i
		}
	}
	if at < 0 {
		return 0, calendar.ErrOutOfCalendar
	}
	return at, nil
}

// days lists the indices of the sessions in s.
func (w twin) days(s foldstream.Segment) []int {
	var days []int
	for i, d := range w {
		if (s.Start.IsOpen() || !d.Before(s.Start)) && (s.End.IsOpen() || !d.After(s.End)) {
			days = append(days, i)
		}
	}
	return days
}

// bounds are the first and the last index of s.
func (w twin) bounds(s foldstream.Segment) (first, last int, err error) {
	if s.Reversed() {
		return 0, 0, calendar.ErrEmptySegment
	}
	if _, err := w.index(s.Start, calendar.Start); !s.Start.IsOpen() && err != nil {
		return 0, 0, err
	}
	if _, err := w.index(s.End, calendar.End); !s.End.IsOpen() && err != nil {
		return 0, 0, err
	}
	days := w.days(s)
	if len(days) == 0 {
		return 0, 0, calendar.ErrEmptySegment
	}
	return days[0], days[len(days)-1], nil
}

// pair writes indices as a segment with the open ends of s.
func (w twin) pair(first, last int, s foldstream.Segment) foldstream.Segment {
	p := foldstream.Segment{}
	if !s.Start.IsOpen() {
		p.Start = w[first]
	}
	if !s.End.IsOpen() && last < len(w) {
		p.End = w[last]
	}
	return p
}

func (w twin) align(s foldstream.Segment) (foldstream.Segment, error) {
	first, last, err := w.bounds(s)
	if err != nil {
		return foldstream.Segment{}, err
	}
	return w.pair(first, last, s), nil
}

func (w twin) shift(s foldstream.Segment, step int, mode calendar.Mode) (foldstream.Segment, error) {
	first, last, err := w.bounds(s)
	if err != nil {
		return foldstream.Segment{}, err
	}
	for range max(step, -step) {
		one := cmp.Compare(step, 0)
		if mode == calendar.Sliding && !s.Start.IsOpen() {
			first += one
		}
		if !s.End.IsOpen() {
			last += one
		}
	}
	switch {
	case first < 0 || first >= len(w) || last < 0:
		return foldstream.Segment{}, calendar.ErrOutOfCalendar
	case first > last:
		return foldstream.Segment{}, calendar.ErrEmptySegment
	}
	return w.pair(first, last, s), nil
}

func (w twin) truncate(s foldstream.Segment, test foldstream.Time, n int) (foldstream.Segment, error) {
	cut, err := w.index(test, calendar.Start)
	if err != nil {
		return foldstream.Segment{}, err
	}
	first, last, err := w.bounds(s)
	if err != nil {
		return foldstream.Segment{}, err
	}
	if cut -= n; cut < 0 {
		return foldstream.Segment{}, calendar.ErrOutOfCalendar
	}
	for last > cut {
		last--
	}
	if first > last {
		return foldstream.Segment{}, calendar.ErrEmptySegment
	}
	p := w.pair(first, last, s)
	p.End = w[last]
	return p, nil
}

// epoch is the day that generated times count from.
var epoch = foldstream.DateOf(2020, 1, 1).Std()

// drawTime draws a time around the calendars that drawCalendar draws; open now and then where that is asked for.
func drawTime(t *rapid.T, name string, open bool) foldstream.Time {
	if open && rapid.IntRange(0, 9).Draw(t, name+" open") == 0 {
		return foldstream.Time{}
	}
	return halfDay(rapid.IntRange(-5, 105).Draw(t, name))
}

// halfDay is midnight of a day where n is even, noon where it is odd.
func halfDay(n int) foldstream.Time {
	return foldstream.TimeOf(epoch.Add(time.Duration(n) * 12 * time.Hour))
}

func drawSegment(t *rapid.T) foldstream.Segment {
	return foldstream.Segment{Start: drawTime(t, "start", true), End: drawTime(t, "end", true)}
}

// drawCalendar draws up to 40 sessions among 100 half days, daily or intraday.
func drawCalendar(t *rapid.T) (*calendar.Calendar, twin) {
	step := rapid.IntRange(1, 2).Draw(t, "step")
	at := rapid.SliceOfNDistinct(rapid.IntRange(0, 50), 1, 40, rapid.ID).Draw(t, "sessions")
	slices.Sort(at)
	var w twin
	for _, i := range at {
		w = append(w, halfDay(i*step))
	}
	c, err := calendar.New(w)
	if err != nil {
		t.Fatal(err)
	}
	return c, w
}

// same fails where two answers differ, or two errors' causes; ours must be of kind Invalid.
func same[T comparable](t *rapid.T, got T, err error, want T, cause error) {
	t.Helper()
	if cause != nil {
		if !errors.Is(err, cause) || !foldstream.Is(err, foldstream.Invalid) {
			t.Fatalf("got %v, %v; want the error %v", got, err, cause)
		}
		return
	}
	if err != nil || got != want {
		t.Fatalf("got %v, %v; want %v", got, err, want)
	}
}

func TestQuickIndex(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, w := drawCalendar(t)
		at, side := drawTime(t, "time", true), rapid.SampledFrom([]calendar.Side{calendar.Start, calendar.End}).Draw(t, "side")
		i, err := c.Index(at, side)
		want, cause := w.index(at, side)
		same(t, i, err, want, cause)
	})
}

func TestQuickAlignSegment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, w := drawCalendar(t)
		s := drawSegment(t)
		got, err := c.AlignSegment(s)
		want, cause := w.align(s)
		same(t, got, err, want, cause)
		if err == nil {
			again, err := c.AlignSegment(got)
			same(t, again, err, got, nil)
		}
	})
}

func TestQuickShift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, w := drawCalendar(t)
		s, step := drawSegment(t), rapid.IntRange(-60, 60).Draw(t, "step")
		mode := rapid.SampledFrom([]calendar.Mode{calendar.Expanding, calendar.Sliding}).Draw(t, "mode")
		got, err := c.Shift(s, step, mode)
		want, cause := w.shift(s, step, mode)
		same(t, got, err, want, cause)
	})
}

// A slide that stays on the calendar is undone by the slide back.
func TestQuickShiftBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, _ := drawCalendar(t)
		s, step := drawSegment(t), rapid.IntRange(-60, 60).Draw(t, "step")
		there, err := c.Shift(s, step, calendar.Sliding)
		if err != nil || there.End.IsOpen() || there.Start.IsOpen() {
			return
		}
		want, err := c.AlignSegment(s)
		if err != nil {
			t.Fatal(err)
		}
		back, err := c.Shift(there, -step, calendar.Sliding)
		same(t, back, err, want, nil)
	})
}

func TestQuickTruncate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, w := drawCalendar(t)
		s, test, n := drawSegment(t), drawTime(t, "test", true), rapid.IntRange(0, 50).Draw(t, "sessions")
		got, err := c.Truncate(s, test, n)
		want, cause := w.truncate(s, test, n)
		same(t, got, err, want, cause)
		if err != nil {
			return
		}
		end, _ := w.index(got.End, calendar.End)
		if cut, _ := w.index(test, calendar.Start); cut-end < n {
			t.Fatalf("the end %s is %d sessions before the test, want %d", got.End, cut-end, n)
		}
	})
}

// An interval is what the indices of two dates' sessions differ by.
func TestQuickInterval(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, w := drawCalendar(t)
		a, b := drawTime(t, "a", true), drawTime(t, "b", true)
		got, err := c.Interval(a, b)
		i, cause := w.inside(a)
		j, cause2 := w.inside(b)
		same(t, got, err, i-j, cmp.Or(cause, cause2))
	})
}

// inside is the index of the first session at or after t, where one is at or before it, too.
func (w twin) inside(t foldstream.Time) (int, error) {
	if _, err := w.index(t, calendar.End); err != nil {
		return 0, err
	}
	return w.index(t, calendar.Start)
}

func TestQuickSlice(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, w := drawCalendar(t)
		s := drawSegment(t)
		got, err := c.Slice(s)
		if s.Reversed() {
			same(t, len(got), err, 0, calendar.ErrEmptySegment)
			return
		}
		var want []foldstream.Time
		for _, i := range w.days(s) {
			want = append(want, w[i])
		}
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("got %v, %v; want %v", got, err, want)
		}
	})
}

func TestQuickByShift(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, w := drawCalendar(t)
		at, n := drawTime(t, "time", false), rapid.IntRange(-60, 60).Draw(t, "n")
		clip := rapid.Bool().Draw(t, "clip")
		round := rapid.SampledFrom([]calendar.Rounding{calendar.Exact, calendar.Left, calendar.Right}).Draw(t, "round")
		got, err := c.ByShift(at, n, round, clip)
		want, cause := w.byShift(at, n, round, clip)
		same(t, got, err, want, cause)
	})
}

func (w twin) byShift(at foldstream.Time, n int, round calendar.Rounding, clip bool) (foldstream.Time, error) {
	side := calendar.Start
	if round == calendar.Left {
		side = calendar.End
	}
	i, err := w.index(at, side)
	if err == nil && round == calendar.Exact && !slices.Contains(w, at) {
		err = calendar.ErrOutOfCalendar
	}
	for range max(n, -n) {
		next := i + cmp.Compare(n, 0)
		if clip && (next < 0 || next >= len(w)) {
			break
		}
		i = next
	}
	if err == nil && (i < 0 || i >= len(w)) {
		err = calendar.ErrOutOfCalendar
	}
	if err != nil {
		return foldstream.Time{}, err
	}
	return w[i], nil
}

// Cutting at a time, marking it as now and taking history, and slicing up to it give the same list.
func TestQuickCuts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, w := drawCalendar(t)
		now := drawTime(t, "now", false)
		marked, err := c.WithNow(now)
		cut, err2 := c.Until(now)
		if now.Before(w[0]) {
			same(t, 0, err, 0, calendar.ErrOutOfCalendar)
			same(t, 0, err2, 0, calendar.ErrOutOfCalendar)
			return
		}
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		days, err := c.Slice(foldstream.Segment{End: now})
		if err != nil {
			t.Fatal(err)
		}
		built, err := calendar.New(days)
		if err != nil {
			t.Fatal(err)
		}
		if marked.Version() != c.Version() || marked.Now() != cut.Last() || marked.ClipEnd(w[len(w)-1]) != cut.Last() {
			t.Fatalf("now %s, cut %s", marked.Now(), cut.Last())
		}
		if marked.Current().Version() != cut.Version() || built.Version() != cut.Version() {
			t.Fatal("three cuts, three versions")
		}
		if (cut.Version() == c.Version()) != (cut.Len() == c.Len()) {
			t.Fatal("a version does not tell the lists apart")
		}
	})
}

// What Text writes, Parse reads, as text and as a column.
func TestQuickText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, _ := drawCalendar(t)
		parsed, err := calendar.Parse(bytes.NewReader(c.Text()))
		if err != nil || parsed.Version() != c.Version() {
			t.Fatalf("read back as %v, %v", parsed, err)
		}
		column, err := calendar.ReadCSV(bytes.NewReader(append([]byte("date\n"), c.Text()...)), "date")
		if err != nil || column.Version() != c.Version() {
			t.Fatalf("read back as %v, %v", column, err)
		}
	})
}
