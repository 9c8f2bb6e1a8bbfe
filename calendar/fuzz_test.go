package calendar_test

import (
	"bytes"
	"testing"
	"testing/fstest"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"2020-01-02\n2020-01-03\n", "20200102", "2020-09-24 09:30:00\r\n2020-09-24 09:31:00\r\n", "\ufeff2020-01-02\n\n\n", "0001-01-01", "", "x\n",
		"2020-01-03\n2020-01-02", "2020-01-02T00:00:00.5\n2020-01-02T00:00:00.50000000001"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := calendar.Parse(bytes.NewReader(data))
		checkRead(t, c, err)
	})
}

func FuzzReadCSV(f *testing.F) {
	for _, seed := range []string{"date,a\n2020-01-02,1\n2020-01-03,2\n", "a,date\n1,2020-01-02\n", "date\n\"2020-01-02\n\"\n", "date,date\n", "date\n2020-01-02\n2020-01-02", "date,a\n2020-01-02\n",
		"\"da\nte\"\n"} {
		f.Add([]byte(seed), "date")
	}
	f.Fuzz(func(t *testing.T, data []byte, column string) {
		c, err := calendar.ReadCSV(bytes.NewReader(data), column)
		checkRead(t, c, err)
	})
}

// checkRead wants an error of kind Invalid, or a good calendar that its text gives back.
func checkRead(t *testing.T, c *calendar.Calendar, err error) {
	t.Helper()
	if err != nil {
		if !foldstream.Is(err, foldstream.Invalid) {
			t.Fatalf("kind %s: %v", foldstream.KindOf(err), err)
		}
		return
	}
	all, err := c.Slice(foldstream.Segment{})
	if err != nil || len(all) != c.Len() {
		t.Fatalf("%d sessions of %d, %v", len(all), c.Len(), err)
	}
	again, err := calendar.New(all)
	if err != nil {
		t.Fatalf("read a list that New refuses: %v", err)
	}
	parsed, err := calendar.Parse(bytes.NewReader(c.Text()))
	if err != nil || parsed.Version() != c.Version() || again.Version() != c.Version() {
		t.Fatalf("the text gives back %v, %v", parsed, err)
	}
}

// FuzzReadQlib: a folder of Qlib's data is a calendar or refused, and its history is its own.
func FuzzReadQlib(f *testing.F) {
	f.Add([]byte("2020-01-02\n2020-01-03\n"), []byte("2020-01-02\n2020-01-03\n2020-01-06\n"), "day")
	f.Add([]byte("2020-01-02\n"), []byte("2020-01-03\n"), "1min")
	f.Add([]byte("2020-01-02\n"), []byte(nil), "../day")
	f.Fuzz(func(t *testing.T, history, future []byte, freq string) {
		files := fstest.MapFS{"calendars/day.txt": {Data: history}, "calendars/1min.txt": {Data: history}, "day.txt": {Data: history}}
		if future != nil {
			files["calendars/day_future.txt"] = &fstest.MapFile{Data: future}
		}
		c, err := calendar.ReadQlib(files, freq)
		if err != nil {
			if kind := foldstream.KindOf(err); kind != foldstream.Invalid && kind != foldstream.NotFound && kind != foldstream.Unavailable {
				t.Fatalf("kind %s: %v", kind, err)
			}
			return
		}
		past, err := calendar.Parse(bytes.NewReader(history))
		if err != nil || c.Now() != past.Last() || freq != "day" && freq != "1min" {
			t.Fatalf("frequency %q: history ends %v, now is %v: %v", freq, past, c.Now(), err)
		}
	})
}

// FuzzExchange: any days of an exchange are a calendar of weekdays in them without its closures, or refused.
func FuzzExchange(f *testing.F) {
	f.Add("XNYS", "2001-09-01", "2001-09-30")
	f.Add("XSHG", "", "")
	f.Add("XNYS", "1900-01-01", "9999-12-31")
	f.Add("XNYS", "2020-01-02T09:30", "2019-01-02")
	f.Fuzz(func(t *testing.T, code, from, to string) {
		e, err := calendar.ExchangeOf(code)
		if err != nil {
			if !foldstream.Is(err, foldstream.Invalid) {
				t.Fatal(err)
			}
			return
		}
		var s foldstream.Segment
		if s.Start.UnmarshalText([]byte(from)) != nil || s.End.UnmarshalText([]byte(to)) != nil {
			return
		}
		c, err := e.Calendar(s)
		if err != nil {
			if !foldstream.Is(err, foldstream.Invalid) {
				t.Fatal(err)
			}
			return
		}
		checkRead(t, c, nil)
		for _, off := range e.Closures(s) {
			if c.First().After(off.Day) || c.Last().Before(off.Day) {
				continue
			}
			if at, err := c.Align(off.Day, calendar.Start); err == nil && at == off.Day {
				t.Errorf("%s is closed for %s, and a session", off.Day, off.Why)
			}
		}
	})
}
