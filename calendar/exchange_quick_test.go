package calendar_test

import (
	"slices"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"pgregory.net/rapid"
)

// keptIn is New York's holidays done the dumb way, from 1998 on: every question about a day looks at the days around it.
func keptIn(day time.Time) bool {
	year, month, n := day.Date()
	week := (n-1)/7 + 1 // which such weekday of the month it is
	switch d := day.Weekday(); {
	case month == time.January && d == time.Monday && week == 3, month == time.February && d == time.Monday && week == 3,
		month == time.September && d == time.Monday && week == 1, month == time.November && d == time.Thursday && week == 4:
		return true
	case month == time.May && d == time.Monday && day.AddDate(0, 0, 7).Month() == time.June:
		return true
	case day.AddDate(0, 0, 2).Equal(gauss(year)):
		return true
	}
	fixed := func(t time.Time) bool {
		_, m, n := t.Date()
		return m == time.January && n == 1 || m == time.July && n == 4 || m == time.December && n == 25 ||
			m == time.June && n == 19 && t.Year() >= 2022
	}
	before, after := day.AddDate(0, 0, -1), day.AddDate(0, 0, 1)
	return fixed(day) || day.Weekday() == time.Monday && fixed(before) ||
		day.Weekday() == time.Friday && fixed(after) && after.Month() != time.January
}

// gauss is Easter Sunday by Gauss's rule, with the exceptions that Lichtenberg wrote into it.
func gauss(year int) time.Time {
	k := year / 100
	m := 15 + (3*k+3)/4 - (8*k+13)/25
	s := 2 - (3*k+3)/4
	a := year % 19
	d := (19*a + m) % 30
	r := (d + a/11) / 29
	og := 21 + d - r
	sz := 7 - (year+year/4+s)%7
	oe := 7 - (og-sz)%7
	return time.Date(year, time.March, og+oe, 0, 0, 0, 0, time.UTC)
}

func TestQuickNewYork(t *testing.T) {
	e := exchange(t, "XNYS")
	special := []string{"2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14", "2004-06-11", "2007-01-02", "2012-10-29", "2012-10-30", "2018-12-05", "2025-01-09"}
	rapid.Check(t, func(t *rapid.T) {
		first := time.Date(1998, 1, 1+rapid.IntRange(0, 37_000).Draw(t, "first day"), 0, 0, 0, 0, time.UTC)
		last := first.AddDate(0, 0, rapid.IntRange(0, 200).Draw(t, "days"))
		var want []foldstream.Time
		for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
			if d := day.Weekday(); d != time.Saturday && d != time.Sunday && !keptIn(day) && !slices.Contains(special, day.Format(time.DateOnly)) {
				want = append(want, foldstream.TimeOf(day))
			}
		}
		c, err := e.Calendar(foldstream.Segment{Start: foldstream.TimeOf(first), End: foldstream.TimeOf(last)})
		if len(want) == 0 {
			same(t, 0, err, 0, calendar.ErrEmptySegment)
			return
		}
		if err != nil || !slices.Equal(c.Sessions(), want) {
			t.Fatalf("from %s to %s: %v, %v; want %v", first, last, c.Sessions(), err, want)
		}
	})
}

// A part of an exchange's calendar is the slice of the whole, and every weekday of it is a session or a closure.
func TestQuickExchangeParts(t *testing.T) {
	for _, e := range calendar.Exchanges() {
		whole, err := e.Calendar(foldstream.Segment{Start: e.First, End: e.Last})
		if err != nil {
			t.Fatal(err)
		}
		days := int(e.Last.Std().Sub(e.First.Std()).Hours() / 24)
		rapid.Check(t, func(t *rapid.T) {
			from := rapid.IntRange(0, days).Draw(t, "from")
			to := rapid.IntRange(from, min(days, from+500)).Draw(t, "to")
			s := foldstream.Segment{Start: foldstream.TimeOf(e.First.Std().AddDate(0, 0, from)), End: foldstream.TimeOf(e.First.Std().AddDate(0, 0, to))}
			want, err := whole.Slice(s)
			if err != nil {
				t.Fatal(err)
			}
			weekdays := 0
			for day := s.Start.Std(); !day.After(s.End.Std()); day = day.AddDate(0, 0, 1) {
				if d := day.Weekday(); d != time.Saturday && d != time.Sunday {
					weekdays++
				}
			}
			if n := len(e.Closures(s)); len(want)+n != weekdays {
				t.Fatalf("%d sessions and %d closures on %d weekdays", len(want), n, weekdays)
			}
			for _, c := range e.EarlyCloses(s) {
				if !slices.Contains(want, c.Day) {
					t.Fatalf("%s ends early and is no session", c.Day)
				}
			}
			c, err := e.Calendar(s)
			if len(want) == 0 {
				same(t, 0, err, 0, calendar.ErrEmptySegment)
			} else if err != nil || !slices.Equal(c.Sessions(), want) {
				t.Fatalf("got %v, %v; want %v", c, err, want)
			}
		})
	}
}
