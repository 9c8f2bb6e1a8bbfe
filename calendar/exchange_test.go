package calendar_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

func exchange(t *testing.T, code string) calendar.Exchange {
	t.Helper()
	e, err := calendar.ExchangeOf(code)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// span reads "2020-01-02 2020-12-31".
func span(t *testing.T, text string) foldstream.Segment {
	t.Helper()
	start, end, _ := strings.Cut(text, " ")
	return foldstream.Segment{Start: at(start), End: at(end)}
}

func sessions(t *testing.T, code, text string) *calendar.Calendar {
	t.Helper()
	c, err := exchange(t, code).Calendar(span(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The real sessions of ten years, as the dates of a price file.
func TestNewYorkIsTheExamplesCalendar(t *testing.T) {
	f, err := os.Open("../examples/dow30/prices.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	want, err := calendar.ReadCSV(f, "date")
	if err != nil {
		t.Fatal(err)
	}
	got := sessions(t, "XNYS", "1990-12-31 2001-01-02")
	if got.Len() != 2529 || got.Version() != want.Version() || got.HasFuture() {
		t.Errorf("%d sessions of version %.8s, want %d of %.8s", got.Len(), got.Version(), want.Len(), want.Version())
	}
}

// The numbers are of other people's lists of the same exchanges:
//
//	import hashlib, exchange_calendars as xc  # 4.13.2
//	def digest(days): return hashlib.sha256("".join(f"{d:%Y-%m-%d}\n" for d in days).encode()).hexdigest()
//	for code, start, end in ("XNYS", "1971-01-01", "2030-12-31"), ("XSHG", "2007-01-01", "2026-12-31"):
//		days = xc.get_calendar(code, start=start, end=end).sessions
//		print(len(days), digest(days))
//	days = xc.get_calendar("XNYS", start="1993-01-01", end="2030-12-31").early_closes
//	print(len(days), digest(days))
func TestExchangesAgainstOtherLists(t *testing.T) {
	for _, c := range []struct {
		code, span, version string
		days                int
	}{
		{"XNYS", "1971-01-01 2030-12-31", "d2b0343ea5ad52fe2110f851207851d3bb09dc7541d20d2bd670507b9a6ac3e0", 15122},
		{"XSHG", "2007-01-01 2026-12-31", "6fa0216d58e069500f32050a524f7d1022d224e84c6b703d0872b4c489d8ffba", 4860},
	} {
		if got := sessions(t, c.code, c.span); got.Len() != c.days || got.Version() != c.version {
			t.Errorf("%s: %d sessions of version %s", c.code, got.Len(), got.Version())
		}
	}
	var text strings.Builder
	short := exchange(t, "XNYS").EarlyCloses(span(t, "1993-01-01 2030-12-31"))
	for _, c := range short {
		fmt.Fprintln(&text, c.Day)
	}
	if got := fmt.Sprintf("%x", sha256.Sum256([]byte(text.String()))); len(short) != 84 || got != "948116a372ae77f1d432ec041811df575c01e62db21f9e1363a8b7fc512e6a81" {
		t.Errorf("%d early closes of digest %s", len(short), got)
	}
}

// Days that no rule gives, and the last and first days of the rules that changed.
func TestNewYorkHistory(t *testing.T) {
	e := exchange(t, "XNYS")
	why := map[foldstream.Time]string{}
	all := foldstream.Segment{Start: e.First, End: e.Last}
	for _, c := range e.Closures(all) {
		if _, twice := why[c.Day]; twice {
			t.Errorf("%s is closed twice", c.Day)
		}
		why[c.Day] = c.Why
	}
	for day, want := range map[string]string{
		"1972-12-28": "funeral of President Truman", "1977-07-14": "blackout in New York City", "1985-09-27": "Hurricane Gloria",
		"1994-04-27": "funeral of President Nixon", "2001-09-11": "attacks of September 11", "2001-09-14": "attacks of September 11",
		"2004-06-11": "funeral of President Reagan", "2007-01-02": "mourning for President Ford", "2012-10-29": "Hurricane Sandy",
		"2012-10-30": "Hurricane Sandy", "2018-12-05": "mourning for President George H. W. Bush", "2025-01-09": "mourning for President Carter",
		"1980-11-04": "Election Day", "1984-11-06": "", // dropped in 1984
		"1997-01-20": "", "1998-01-19": "Martin Luther King Jr. Day",
		"2021-06-18": "", "2022-06-20": "Juneteenth (observed)", "2027-06-18": "Juneteenth (observed)",
		"1993-12-31": "", "1994-01-03": "", "2021-12-31": "", "2022-01-03": "", // a New Year's Day on a Saturday is not kept
		"2023-01-02": "New Year's Day (observed)", "2020-07-03": "Independence Day (observed)", "2021-07-05": "Independence Day (observed)",
		"1993-12-24": "Christmas Day (observed)", "2022-12-26": "Christmas Day (observed)", "2001-09-10": "", "2001-09-17": "",
	} {
		if got := why[at(day)]; got != want {
			t.Errorf("%s: %q, want %q", day, got, want)
		}
	}
}

// The announcement of December 2025.
func TestNewYorkAnnounced(t *testing.T) {
	want := strings.Fields(`2026-01-01 2026-01-19 2026-02-16 2026-04-03 2026-05-25 2026-06-19 2026-07-03 2026-09-07 2026-11-26 2026-12-25
		2027-01-01 2027-01-18 2027-02-15 2027-03-26 2027-05-31 2027-06-18 2027-07-05 2027-09-06 2027-11-25 2027-12-24
		2028-01-17 2028-02-21 2028-04-14 2028-05-29 2028-06-19 2028-07-04 2028-09-04 2028-11-23 2028-12-25`)
	e := exchange(t, "XNYS")
	var got []string
	for _, c := range e.Closures(foldstream.Segment{Start: at("2026-01-01")}) { // an open end is where the announcements end
		got = append(got, c.Day.String())
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	if e.Projected(at("2028-12-31")) || !e.Projected(at("2029-01-01")) {
		t.Errorf("announced to %s", e.Announced)
	}
}

// Days off that no announcement of the year before had, and weekends that the country worked on.
func TestShanghaiHistory(t *testing.T) {
	c := sessions(t, "XSHG", "2007-01-01 2026-12-31")
	for day, session := range map[string]bool{
		"2015-09-03": false, "2015-09-02": true, // 70 years after the war
		"2020-01-31": false, "2020-02-03": true, // made longer
		"2019-05-02": false, "2019-05-05": false, // made longer; the Sunday was worked for it
		"2024-02-09": false, "2024-02-08": true, // the eve of the Spring Festival
		"2014-01-30": true,  // the eve, and open
		"2024-02-18": false, // a Sunday that was worked
		"2007-12-31": false, "2018-12-31": false, "2026-12-31": true,
	} {
		i, err := c.Index(at(day), calendar.End)
		if got, _ := c.At(i); err != nil || (got == at(day)) != session {
			t.Errorf("%s: the session at or before it is %s, %v", day, got, err)
		}
	}
}

func TestExchangeErrors(t *testing.T) {
	if _, err := calendar.ExchangeOf("NYSE"); !foldstream.Is(err, foldstream.Invalid) ||
		err.Error() != `calendar: exchange "NYSE" is not known; there is XNYS and XSHG` {
		t.Errorf("got %v", err)
	}
	for _, c := range []struct {
		code, span, want string
		cause            error
	}{
		{"XSHG", "2020-01-01 2027-03-01", "calendar: XSHG: 2027-03-01 is out of the calendar, whose closures are known from 2007-01-01 to 2026-12-31; nothing is projected: bring a calendar of your own", calendar.ErrOutOfCalendar},
		{"XNYS", "1970-12-31 1980-01-01", "calendar: XNYS: 1970-12-31 is out of the calendar, whose closures are known from 1971-01-01 to 2028-12-31 and projected to 2099-12-31", calendar.ErrOutOfCalendar},
		{"XNYS", "2020-01-02 2020-01-01", "calendar: XNYS: empty segment: it starts at 2020-01-02, after its end 2020-01-01", calendar.ErrEmptySegment},
		{"XNYS", "2020-01-04 2020-01-05", "calendar: XNYS: empty segment: no session from 2020-01-04 to 2020-01-05", calendar.ErrEmptySegment},
		{"XNYS", "2020-01-02T09:30:00 2020-02-01", "calendar: XNYS: 2020-01-02T09:30:00 is a time of day; sessions are dates", nil},
	} {
		_, err := exchange(t, c.code).Calendar(span(t, c.span))
		if !foldstream.Is(err, foldstream.Invalid) || err.Error() != c.want || c.cause != nil && !errors.Is(err, c.cause) {
			t.Errorf("%s: got %v", c.span, err)
		}
		if got := exchange(t, c.code).Closures(span(t, c.span)); got != nil && !errors.Is(c.cause, calendar.ErrEmptySegment) {
			t.Errorf("%s has closures: %v", c.span, got)
		}
	}
	if got := exchange(t, "XSHG").EarlyCloses(foldstream.Segment{}); got != nil {
		t.Errorf("early closes of Shanghai: %v", got)
	}
}
