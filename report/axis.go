package report

import (
	"math"
	"strconv"
	"time"
)

// scale maps a range of values onto a range of places, linearly. A range of values that is one point maps to the middle.
type scale struct {
	lo, hi   float64
	from, to float64
}

func (s scale) at(v float64) float64 {
	if s.hi == s.lo {
		return (s.from + s.to) / 2
	}
	return s.from + (v-s.lo)/(s.hi-s.lo)*(s.to-s.from)
}

// drawable reports whether v is a number that a picture can hold.
func drawable(v float64) bool { return math.Abs(v) < 1e100 }

// tick is a labelled place on an axis; At is a percentage of the width or a height in pixels.
type tick struct {
	At    float64
	Label string
}

// roundStep returns the least of 1, 2 and 5 times a power of ten that goes at most n times into the range; 0 where it has no length
// that floating point can divide.
func roundStep(lo, hi float64, n int) float64 {
	if !(hi > lo) || math.IsInf(hi-lo, 0) {
		return 0
	}
	exponent := int(math.Floor(math.Log10((hi - lo) / float64(n))))
	for _, m := range []string{"1", "2", "5"} {
		step, _ := strconv.ParseFloat(m+"e"+strconv.Itoa(exponent), 64)
		if (hi-lo)/step <= float64(n) {
			return step
		}
	}
	step, _ := strconv.ParseFloat("1e"+strconv.Itoa(exponent+1), 64)
	return step
}

// numberTicks returns round values inside [lo, hi], about n of them, and how many decimals tell them apart.
func numberTicks(lo, hi float64, n int) (values []float64, decimals int) {
	step := roundStep(lo, hi, n)
	if step == 0 {
		return nil, 0
	}
	first := math.Ceil(lo / step)
	for i := range n + 2 {
		if v := (first + float64(i)) * step; v <= hi {
			values = append(values, v)
		}
	}
	return values, max(0, int(-math.Floor(math.Log10(step)+1e-9)))
}

// calendarSteps are the distances between ticks of time, the finest first, each with the layout of its labels.
var calendarSteps = []struct {
	years, months, days int
	clock               time.Duration
	layout              string
}{
	{clock: time.Minute, layout: "15:04"}, {clock: 5 * time.Minute, layout: "15:04"}, {clock: 15 * time.Minute, layout: "15:04"},
	{clock: time.Hour, layout: "15:04"}, {clock: 6 * time.Hour, layout: "2 Jan 15:04"},
	{days: 1, layout: "2 Jan"}, {days: 7, layout: "2 Jan"}, {months: 1, layout: "Jan 2006"}, {months: 3, layout: "Jan 2006"},
	{months: 6, layout: "Jan 2006"}, {years: 1, layout: "2006"}, {years: 2, layout: "2006"}, {years: 5, layout: "2006"},
	{years: 10, layout: "2006"}, {years: 25, layout: "2006"}, {years: 100, layout: "2006"}, {years: 1000, layout: "2006"},
}

// timeTicks returns the finest ticks between lo and hi whose labels leave each other room, placed by x. A year or a month that
// lo is inside of has its tick at lo where most of it is to come.
func timeTicks(lo, hi time.Time, x scale) []tick {
	for _, s := range calendarSteps {
		room := 72.0 // characters that fit side by side, also on a phone
		span := s.clock.Seconds() + 86400*(float64(s.days)+30.4*float64(s.months)+365.2*float64(s.years))
		if (seconds(hi)-seconds(lo))/span*float64(len(s.layout)+3) > room {
			continue
		}
		var out []tick
		for t := firstTick(lo, s.years, s.months, s.days, s.clock); !t.After(hi); t = t.AddDate(s.years, s.months, s.days).Add(s.clock) {
			at := seconds(t)
			if s.years+s.months > 0 && at < seconds(lo) && seconds(lo)-at < 0.4*span && t.Format(s.layout) == lo.Format(s.layout) {
				at = seconds(lo)
			}
			if at >= seconds(lo) {
				out = append(out, tick{x.at(at), t.Format(s.layout)})
			}
		}
		return out
	}
	return nil
}

// firstTick returns a round time at or before t.
func firstTick(t time.Time, years, months, days int, clock time.Duration) time.Time {
	y, m, d := t.Date()
	switch {
	case years > 0:
		return time.Date(y-y%years, 1, 1, 0, 0, 0, 0, time.UTC)
	case months > 0:
		return time.Date(y, m-(m-1)%time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	case days > 0:
		return time.Date(y, m, d-(int(t.Weekday())+6)%7*(days/7), 0, 0, 0, 0, time.UTC)
	}
	return t.Truncate(clock)
}

func seconds(t time.Time) float64 { return float64(t.Unix()) }

// thin returns the places of at most about n points that keep the look of a line: of every stretch its lowest and its highest
// point, and both ends.
func thin(ys []float64, n int) []int {
	if len(ys) <= n {
		return seq(len(ys))
	}
	stretches := max(1, n/2-1)
	out := []int{0}
	for s := range stretches {
		a, b := 1+s*(len(ys)-2)/stretches, 1+(s+1)*(len(ys)-2)/stretches
		lo, hi := a, a
		for i := a; i < b; i++ {
			if ys[i] < ys[lo] || math.IsNaN(ys[lo]) {
				lo = i
			}
			if ys[i] > ys[hi] || math.IsNaN(ys[hi]) {
				hi = i
			}
		}
		out = append(out, min(lo, hi))
		if lo != hi {
			out = append(out, max(lo, hi))
		}
	}
	return append(out, len(ys)-1)
}

func seq(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}
