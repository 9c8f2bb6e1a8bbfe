package report

import (
	"math"
	"slices"
	"testing"
	"time"
)

func TestNumbers(t *testing.T) {
	for _, tc := range []struct{ got, want string }{
		{number(0.03125, 4), "0.0312"},
		{number(-0.5, 2), "−0.50"},
		{number(-0.0004, 3), "0.000"},
		{number(math.NaN(), 2), "–"},
		{number(math.Inf(-1), 2), "–"},
		{number(-2e20, 2), "−2.0e+20"},
		{percent(0.1234, 1), "12.3%"},
		{percent(math.NaN(), 1), "–"},
		{signed(0.5), "+50%"},
		{signed(0.001), "0%"},
		{signed(-0.5), "−50%"},
		{signed(math.NaN()), "–"},
		{count(0), "0"},
		{count(999), "999"},
		{count(1234567), "1,234,567"},
		{count(-1234), "-1,234"},
		{plural(1, "task"), "1 task"},
		{plural(2000, "task"), "2,000 tasks"},
		{pos(12.50, 2), "12.5"},
		{pos(100, 1), "100"},
		{pos(-0.01, 1), "0"},
		{clean("a\x00b\tc\nd\xff"), "a\uFFFDb c\nd\uFFFD"},
		{cut("åäö", 2), "åä…"},
		{cut("åäö", 3), "åäö"},
	} {
		if tc.got != tc.want {
			t.Errorf("got %q, want %q", tc.got, tc.want)
		}
	}
}

func TestNumberTicks(t *testing.T) {
	for _, tc := range []struct {
		lo, hi   float64
		n        int
		want     []float64
		decimals int
	}{
		{-0.3, 1.4, 6, []float64{0, 0.5, 1}, 1},
		{0, 1, 5, []float64{0, 0.2, 0.4, 0.6, 0.8, 1}, 1},
		{-24, 0, 3, []float64{-20, -10, 0}, 0},
		{0, 0.03, 4, []float64{0, 0.01, 0.02, 0.03}, 2},
		{1, 1, 4, nil, 0},
		{math.Inf(-1), 1, 4, nil, 0},
	} {
		got, decimals := numberTicks(tc.lo, tc.hi, tc.n)
		if decimals != tc.decimals || !slices.EqualFunc(got, tc.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-12 }) {
			t.Errorf("numberTicks(%v, %v, %d) = %v with %d decimals, want %v with %d", tc.lo, tc.hi, tc.n, got, decimals, tc.want, tc.decimals)
		}
	}
}

func TestTimeTicks(t *testing.T) {
	at := func(s string) time.Time {
		u, err := time.Parse("2006-01-02 15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return u
	}
	for _, tc := range []struct {
		lo, hi string
		want   []string
	}{
		{"1996-01-02 00:00", "2000-12-29 00:00", []string{"1996", "1997", "1998", "1999", "2000"}},
		{"1996-11-20 00:00", "1999-02-01 00:00", []string{"Jan 1997", "Jul 1997", "Jan 1998", "Jul 1998", "Jan 1999"}},
		{"1903-06-01 00:00", "2000-06-01 00:00", []string{"1910", "1920", "1930", "1940", "1950", "1960", "1970", "1980", "1990", "2000"}},
		{"2021-03-03 00:00", "2021-04-20 00:00", []string{"8 Mar", "15 Mar", "22 Mar", "29 Mar", "5 Apr", "12 Apr", "19 Apr"}},
		{"2021-03-03 09:30", "2021-03-03 15:00", []string{"10:00", "11:00", "12:00", "13:00", "14:00", "15:00"}},
	} {
		var got []string
		lo, hi := at(tc.lo), at(tc.hi)
		for _, tick := range timeTicks(lo, hi, scale{seconds(lo), seconds(hi), 0, 100}) {
			got = append(got, tick.Label)
		}
		if !slices.Equal(got, tc.want) {
			t.Errorf("%s to %s: %q, want %q", tc.lo, tc.hi, got, tc.want)
		}
	}
}

// A thinned line keeps its ends, its extremes, its order and its gaps.
func TestThin(t *testing.T) {
	ys := make([]float64, 5000)
	for i := range ys {
		ys[i] = math.Sin(float64(i) / 40)
	}
	ys[1234], ys[4321] = 9, -9
	for i := 2000; i < 2100; i++ {
		ys[i] = math.NaN()
	}
	at := thin(ys, 600)
	if len(at) > 600 || !slices.IsSorted(at) || at[0] != 0 || at[len(at)-1] != 4999 {
		t.Errorf("%d points from %d to %d", len(at), at[0], at[len(at)-1])
	}
	if !slices.Contains(at, 1234) || !slices.Contains(at, 4321) {
		t.Error("an extreme is gone")
	}
	if !slices.ContainsFunc(at, func(i int) bool { return math.IsNaN(ys[i]) }) {
		t.Error("the gap is closed")
	}
	if got := (curve{Points: []point{{0, 1}, {.1, math.NaN()}, {.2, 2}, {.3, 2.25}}}).Path(); got != "M0 1M2 2L3 2.2" {
		t.Errorf("path with a gap: %s", got)
	}
}
