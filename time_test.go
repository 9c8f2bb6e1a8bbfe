package foldstream_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
)

func TestParseTime(t *testing.T) {
	for in, want := range map[string]string{
		"2020-01-02":              "2020-01-02",
		"20200102":                "2020-01-02",
		"2020-01-02T00:00:00":     "2020-01-02",
		"2020-01-02 00:00":        "2020-01-02",
		"2020-01-02 09:31":        "2020-01-02T09:31:00",
		"2020-01-02T09:31:05.250": "2020-01-02T09:31:05.25",
	} {
		got, err := foldstream.ParseTime(in)
		if err != nil || got.String() != want {
			t.Errorf("%q: got %q, %v; want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"", "NaT", "nan", "None", "2020-13-01", "2020-02-30", "2020-01-02Z", "2020-01-02T00:00:00Z", "2020-01-02T09:30:00+08:00", "2020-01-02 09:30:00 UTC", "02/01/2020", "1577923200", "0001-01-01", " 2020-01-02"} {
		if got, err := foldstream.ParseTime(in); !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%q: got %v, %v; want an error of kind invalid", in, got, err)
		}
	}
}

func TestTimesAreComparable(t *testing.T) {
	parsed, err := foldstream.ParseTime("2020-01-02T00:00:00")
	if err != nil {
		t.Fatal(err)
	}
	zone := time.FixedZone("east", 8*3600)
	if d := foldstream.DateOf(2020, 1, 2); d != parsed || d != foldstream.TimeOf(time.Date(2020, 1, 2, 0, 0, 0, 0, zone)) {
		t.Error("one date, made in three ways, is not one value")
	}
}

func TestOpenTimeIsNull(t *testing.T) {
	seg := foldstream.Segment{Start: foldstream.DateOf(2020, 1, 2)}
	b, err := json.Marshal(seg)
	if err != nil || string(b) != `["2020-01-02",null]` {
		t.Fatalf("%s, %v", b, err)
	}
	var back foldstream.Segment
	if err := json.Unmarshal(b, &back); err != nil || back != seg {
		t.Errorf("%v, %v", back, err)
	}
	for _, bad := range []string{`["2020-01-02"]`, `[1,2]`, `"2020-01-02"`, `["",1]`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s was read as %v", bad, back)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	f.Add("2020-01-02T09:31:05.25")
	f.Fuzz(func(t *testing.T, s string) {
		got, err := foldstream.ParseTime(s)
		if err != nil {
			return
		}
		again, err := foldstream.ParseTime(got.String())
		if err != nil || again != got || got.IsOpen() {
			t.Errorf("%q → %q → %v, %v", s, got, again, err)
		}
	})
}
