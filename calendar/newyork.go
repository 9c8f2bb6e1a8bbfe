package calendar

import (
	"time"

	"github.com/foldstream/foldstream"
)

// newYork is the New York Stock Exchange by its rules since 1971, when Washington's Birthday and Memorial Day went to
// Mondays. Sources:
//
//   - The holidays and how they move: NYSE Rule 7.2 (formerly Rule 51): a holiday on a Saturday closes the Friday before, unless
//     that ends a month's or a year's accounts, one on a Sunday closes the Monday after.
//   - What has changed: Martin Luther King Day is kept since 1998; Election Day, last kept in 1980, was dropped in 1984;
//     Juneteenth is kept since 2022 (thecorporatecounsel.net of 5 October 2021).
//   - Announced up to 2028: NYSE Group, "2026, 2027 and 2028 Holiday and Early Closings Calendar", 23 December 2025, and those of
//     2020, 2021 and 2024 before it, all at mondovisione.com.
//   - The special closures: the exchange's list of closings since 1885. Two transcriptions of it, the Python packages
//     exchange_calendars 4.13 and pandas_market_calendars 5.5, were compared day by day from 1971 to 2030: no difference to this.
func newYork() Exchange {
	return Exchange{
		Code: "XNYS", Name: "New York Stock Exchange",
		First: foldstream.DateOf(1971, 1, 1), Announced: foldstream.DateOf(2028, 12, 31), Last: foldstream.DateOf(2099, 12, 31),
		closed: newYorkClosed, short: newYorkShort,
	}
}

func newYorkClosed(year int) []Closure {
	days := []Closure{
		{nth(year, time.February, time.Monday, 3), "Washington's Birthday"},
		{foldstream.TimeOf(easter(year).AddDate(0, 0, -2)), "Good Friday"},
		{last(year, time.May, time.Monday), "Memorial Day"},
		observed(year, time.July, 4, "Independence Day"),
		{nth(year, time.September, time.Monday, 1), "Labor Day"},
		{nth(year, time.November, time.Thursday, 4), "Thanksgiving Day"},
		observed(year, time.December, 25, "Christmas Day"),
	}
	if date(year, time.January, 1).Weekday() != time.Saturday { // the Friday before ends the year's accounts
		days = append(days, observed(year, time.January, 1, "New Year's Day"))
	}
	if year >= 1998 {
		days = append(days, Closure{nth(year, time.January, time.Monday, 3), "Martin Luther King Jr. Day"})
	}
	if year >= 2022 {
		days = append(days, observed(year, time.June, 19, "Juneteenth"))
	}
	return append(days, newYorkSpecial(year)...)
}

// newYorkSpecial is the days that no rule gives.
func newYorkSpecial(year int) []Closure {
	switch year {
	case 1972:
		return []Closure{on(1972, 11, 7, "Election Day"), on(1972, 12, 28, "funeral of President Truman")}
	case 1973:
		return []Closure{on(1973, 1, 25, "funeral of President Johnson")}
	case 1976:
		return []Closure{on(1976, 11, 2, "Election Day")}
	case 1977:
		return []Closure{on(1977, 7, 14, "blackout in New York City")}
	case 1980:
		return []Closure{on(1980, 11, 4, "Election Day")}
	case 1985:
		return []Closure{on(1985, 9, 27, "Hurricane Gloria")}
	case 1994:
		return []Closure{on(1994, 4, 27, "funeral of President Nixon")}
	case 2001:
		const why = "attacks of September 11"
		return []Closure{on(2001, 9, 11, why), on(2001, 9, 12, why), on(2001, 9, 13, why), on(2001, 9, 14, why)}
	case 2004:
		return []Closure{on(2004, 6, 11, "funeral of President Reagan")}
	case 2007:
		return []Closure{on(2007, 1, 2, "mourning for President Ford")}
	case 2012:
		return []Closure{on(2012, 10, 29, "Hurricane Sandy"), on(2012, 10, 30, "Hurricane Sandy")}
	case 2018:
		return []Closure{on(2018, 12, 5, "mourning for President George H. W. Bush")}
	case 2025:
		return []Closure{on(2025, 1, 9, "mourning for President Carter")}
	}
	return nil
}

// newYorkShort is the planned closes at 13:00 since 1993; those of an afternoon's snow or panic are not in it. They are read off
// the lists that the packages above have, and those announced off the announcements; 31 December 1999 off the board's
// decision of June 1999 (mondovisione.com).
func newYorkShort(year int) []Closure {
	if year < 1993 {
		return nil
	}
	days := []Closure{{foldstream.TimeOf(nth(year, time.November, time.Thursday, 4).Std().AddDate(0, 0, 1)), "day after Thanksgiving"}}
	if d := date(year, time.December, 24).Weekday(); year >= 1996 && d >= time.Monday && d <= time.Thursday {
		days = append(days, on(year, time.December, 24, "Christmas Eve"))
	}
	switch d := date(year, time.July, 4).Weekday(); {
	case year < 1995:
	case d == time.Thursday && year < 2013:
		days = append(days, on(year, time.July, 5, "day after Independence Day"))
	case d >= time.Tuesday && d <= time.Friday:
		days = append(days, on(year, time.July, 3, "day before Independence Day"))
	}
	switch year {
	case 1997, 2003:
		days = append(days, on(year, time.December, 26, "day after Christmas"))
	case 1999:
		days = append(days, on(year, time.December, 31, "eve of the year 2000"))
	}
	return days
}

// observed is a holiday of a fixed date, moved off the weekend.
func observed(year int, month time.Month, day int, why string) Closure {
	d := date(year, month, day)
	switch d.Weekday() {
	case time.Saturday:
		return Closure{foldstream.TimeOf(d.AddDate(0, 0, -1)), why + " (observed)"}
	case time.Sunday:
		return Closure{foldstream.TimeOf(d.AddDate(0, 0, 1)), why + " (observed)"}
	}
	return on(year, month, day, why)
}

func date(year int, month time.Month, day int) time.Time {
	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// nth returns the n-th such weekday of a month.
func nth(year int, month time.Month, d time.Weekday, n int) foldstream.Time {
	first := date(year, month, 1)
	return foldstream.TimeOf(first.AddDate(0, 0, (int(d-first.Weekday())+7)%7+7*(n-1)))
}

// last returns the last such weekday of a month.
func last(year int, month time.Month, d time.Weekday) foldstream.Time {
	end := date(year, month+1, 0)
	return foldstream.TimeOf(end.AddDate(0, 0, -(int(end.Weekday()-d)+7)%7))
}

// easter returns Easter Sunday of the Gregorian calendar, by the rule of Meeus, Jones and Butcher (J. Meeus, Astronomical
// Algorithms, chapter 8).
func easter(year int) time.Time {
	a, b, c := year%19, year/100, year%100
	d, e := b/4, b%4
	g := (8*b + 13) / 25
	h := (19*a + b - d - g + 15) % 30
	i, k := c/4, c%4
	l := (32 + 2*e + 2*i - h - k) % 7
	m := (a + 11*h + 19*l) / 433
	n := h + l - 7*m + 90
	month := n / 25
	return date(year, time.Month(month), (h+l-7*m+33*month+19)%32)
}
