package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// Exchange is an exchange whose closed days are known here. Its sessions are the weekdays from First to Last that are not
// closed; a weekend is never a session, also where a country works on it to make up for a holiday. Only Exchanges and
// ExchangeOf make one.
type Exchange struct {
	Code      string          // ISO 10383, as XNYS
	Name      string          // as people say it
	First     foldstream.Time // the first day that is known
	Announced foldstream.Time // the last day whose closures the exchange has announced
	Last      foldstream.Time // the last day that can be had: what is after Announced is projected by the rules of today

	closed func(year int) []Closure // of one year, in any order
	short  func(year int) []Closure // the same for days that end early; nil where none are known
}

// Closure is a weekday without a session, or one that ends early, and why.
type Closure struct {
	Day foldstream.Time
	Why string
}

// Exchanges returns the exchanges that are known, in order of their codes.
func Exchanges() []Exchange { return []Exchange{newYork(), shanghai()} }

// ExchangeOf returns the exchange of a code, in upper case. Errors: Invalid, naming those that are known.
func ExchangeOf(code string) (Exchange, error) {
	var codes []string
	for _, e := range Exchanges() {
		if e.Code == code {
			return e, nil
		}
		codes = append(codes, e.Code)
	}
	return Exchange{}, fail("exchange %q is not known; there is %s", code, strings.Join(codes, " and "))
}

// Calendar returns the sessions of s, all of them current; its version is that of the same list from anywhere else. An open
// start is First, an open end Announced. Errors: Invalid: ErrOutOfCalendar where s leaves First to Last, a time of day,
// ErrEmptySegment where s is reversed or has no session.
func (e Exchange) Calendar(s foldstream.Segment) (*Calendar, error) {
	s, err := e.within(s)
	if err != nil {
		return nil, err
	}
	closed := e.Closures(s)
	var sessions []foldstream.Time
	for day := s.Start.Std(); !day.After(s.End.Std()); day = day.AddDate(0, 0, 1) {
		t := foldstream.TimeOf(day)
		if _, off := slices.BinarySearchFunc(closed, t, compareDay); weekday(day) && !off {
			sessions = append(sessions, t)
		}
	}
	if len(sessions) == 0 {
		return nil, fail("%s: %w: no session from %s to %s", e.Code, ErrEmptySegment, s.Start, s.End)
	}
	return build(sessions, len(sessions), false), nil
}

// Projected reports whether t is after what the exchange has announced: a rule may have changed by then, and nobody knows
// whose funeral closes the exchange.
func (e Exchange) Projected(t foldstream.Time) bool { return t.After(e.Announced) }

// Closures returns the weekdays of s without a session, in order, s being what Calendar takes; nil where it is not.
func (e Exchange) Closures(s foldstream.Segment) []Closure { return e.list(s, e.closed) }

// EarlyCloses returns the sessions of s that are known to have been shortened by plan, in order; nil where none are known.
// They are sessions like any other: this is for people to see.
func (e Exchange) EarlyCloses(s foldstream.Segment) []Closure { return e.list(s, e.short) }

func (e Exchange) list(s foldstream.Segment, of func(year int) []Closure) []Closure {
	s, err := e.within(s)
	if err != nil || of == nil {
		return nil
	}
	var all []Closure
	for year := s.Start.Std().Year(); year <= s.End.Std().Year(); year++ {
		all = append(all, of(year)...)
	}
	all = slices.DeleteFunc(all, func(c Closure) bool { return c.Day.Before(s.Start) || c.Day.After(s.End) })
	slices.SortFunc(all, func(a, b Closure) int { return a.Day.Compare(b.Day) })
	return all
}

func compareDay(c Closure, t foldstream.Time) int { return c.Day.Compare(t) }

// within closes the open ends of s and sees that the exchange is known on all of it.
func (e Exchange) within(s foldstream.Segment) (foldstream.Segment, error) {
	if s.Start.IsOpen() {
		s.Start = e.First
	}
	if s.End.IsOpen() {
		s.End = e.Announced
	}
	for _, end := range []foldstream.Time{s.Start, s.End} {
		switch {
		case !end.IsDate():
			return s, fail("%s: %s is a time of day; sessions are dates", e.Code, end)
		case end.Before(e.First) || end.After(e.Last):
			return s, fail("%s: %s is %w, %s", e.Code, end, ErrOutOfCalendar, e.known())
		}
	}
	if s.Reversed() {
		return s, fail("%s: %w: it starts at %s, after its end %s", e.Code, ErrEmptySegment, s.Start, s.End)
	}
	return s, nil
}

// known says in words which days are known.
func (e Exchange) known() string {
	text := fmt.Sprintf("whose closures are known from %s to %s", e.First, e.Announced)
	if e.Last.After(e.Announced) {
		return fmt.Sprintf("%s and projected to %s", text, e.Last)
	}
	return text + "; nothing is projected: bring a calendar of your own"
}

func weekday(day time.Time) bool {
	return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
}

// on is a closure of a day.
func on(year int, month time.Month, day int, why string) Closure {
	return Closure{foldstream.DateOf(year, month, day), why}
}
