package foldstream_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
)

func TestSeriesBytes(t *testing.T) {
	at := time.Date(2026, 3, 1, 10, 0, 0, 1_999_999, time.FixedZone("", 3600))
	s := foldstream.Series{
		{Metric: "loss", Step: 1, Value: 0.1, At: at},
		{Metric: `a "b", c`, Step: -2, Value: math.NaN()},
		{Metric: "two\r\nlines", Step: 1 << 60, Value: math.Inf(-1)},
		{Metric: "loss", Step: 2, Value: 1e300},
	}
	const want = "metric,step,value,time\nloss,1,0.1,2026-03-01T09:00:00.001Z\n" +
		"\"a \"\"b\"\", c\",-2,NaN,\n\"two\nlines\",1152921504606846976,-Inf,\nloss,2,1e+300,\n"
	data, err := s.MarshalBinary()
	if err != nil || string(data) != want {
		t.Errorf("%v:\n%s", err, data)
	}
	s[0].At, s[2].Metric = at.UTC().Truncate(time.Millisecond), "two\nlines"
	var back foldstream.Series
	if err := back.UnmarshalBinary(data); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, back, cmpopts.EquateNaNs()); diff != "" {
		t.Error(diff)
	}
}

// Whatever was told is read again as it was.
func TestSeriesReadsWhatItWrote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.SliceOf(rapid.Custom(func(t *rapid.T) foldstream.Point {
			p := foldstream.Point{
				Metric: rapid.StringMatching(`[^\r]*`).Draw(t, "metric"), Step: rapid.Int64().Draw(t, "step"), Value: rapid.Float64().Draw(t, "value"),
			}
			if ms := rapid.Int64Range(0, 4e12).Draw(t, "ms"); ms > 0 {
				p.At = time.UnixMilli(ms).UTC()
			}
			return p
		})).Draw(t, "series")
		data, err := foldstream.Series(s).MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var back foldstream.Series
		if err := back.UnmarshalBinary(data); err != nil {
			t.Fatalf("%v:\n%s", err, data)
		}
		if diff := cmp.Diff(foldstream.Series(s), back, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
			t.Error(diff)
		}
	})
}

func TestSeriesRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"metric,step,value\n":                  "line 1",
		"metric,step,value,when\n":             "line 1",
		"metric,step,value,time\na,1,2\n":      "line 2",
		"metric,step,value,time\na,1.5,2,\n":   "line 2",
		"metric,step,value,time\na,1,two,\n":   "line 2",
		"metric,step,value,time\na,1,2,noon\n": "line 2",
		"metric,step,value,time\n\"a,1,2,\n":   "line 2",
		"\x01\x02":                             "line 1",
	} {
		var s foldstream.Series
		if err := s.UnmarshalBinary([]byte(text)); !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
	if s, err := foldstream.ReadSeries(strings.NewReader("")); err != nil || s != nil {
		t.Errorf("nothing: %v, %v", s, err)
	}
	broken := errors.New("the wire broke")
	if _, err := foldstream.ReadSeries(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

func FuzzSeries(f *testing.F) {
	f.Add([]byte("metric,step,value,time\nloss,1,0.1,2026-03-01T09:00:00.001Z\n\"a,\n\",2,NaN,\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		var s foldstream.Series
		if err := s.UnmarshalBinary(data); err != nil {
			if !foldstream.Is(err, foldstream.Invalid) {
				t.Errorf("%v is of no kind", err)
			}
			return
		}
		again, err := s.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var back foldstream.Series
		if err := back.UnmarshalBinary(again); err != nil || len(back) != len(s) {
			t.Errorf("%d points came back as %d: %v", len(s), len(back), err)
		}
	})
}

func TestSeriesOf(t *testing.T) {
	s := foldstream.Series{{Metric: "b", Step: 3, Value: 1}, {Metric: "a", Step: 1}, {Metric: "b", Step: 1, Value: 2}, {Metric: "b", Step: 3, Value: 4}}
	if diff := cmp.Diff([]string{"a", "b"}, s.Names()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]foldstream.Point{{Metric: "b", Step: 1, Value: 2}, {Metric: "b", Step: 3, Value: 4}}, s.Of("b")); diff != "" {
		t.Error(diff)
	}
	if got := s.Of("c"); len(got) != 0 {
		t.Error(got)
	}
}
