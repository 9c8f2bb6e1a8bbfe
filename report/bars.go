package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

const barsHeight = 130

// barsChart is bars over or under a zero line: x in percent of the width, y in pixels.
type barsChart struct {
	Title, Label, Note string
	Height             int
	Grid               []tick
	Zero               string
	Bars               []rectangle
	Ticks              []tick
}

// windowICView shows the mean daily IC of g in each window.
func windowICView(g collect.Group, name string, c collect.Collection) *barsChart {
	windows := longest(c)
	ic := g.Daily.Column("ic")
	means := make([]float64, len(windows))
	lo, hi, positive, defined := 0.0, 0.0, 0, 0
	for i, w := range windows {
		means[i] = meanWithin(g.Daily.Times, ic, w.Test)
		if !math.IsNaN(means[i]) {
			lo, hi, defined = min(lo, means[i]), max(hi, means[i]), defined+1
			if means[i] > 0 {
				positive++
			}
		}
	}
	if lo == hi {
		return nil
	}
	y := scale{lo - 0.06*(hi-lo), hi + 0.06*(hi-lo), barsHeight, 0}
	chart := &barsChart{
		Title: "Mean IC of the " + lowerFirst(name) + " by window", Label: "Mean daily information coefficient in each window",
		Note:   fmt.Sprintf("Positive in %d of %s.", positive, plural(defined, "window")),
		Height: barsHeight, Grid: decimalLines(y, 4), Zero: pos(y.at(0), 1), Ticks: windowTicks(windows),
	}
	wide := plotShare / float64(len(windows))
	for i, m := range means {
		if !math.IsNaN(m) {
			title := fmt.Sprintf("window %d, %s: IC %s", windows[i].Index+1, period(windows[i].Test), number(m, 4))
			chart.Bars = append(chart.Bars, bar(float64(i)*wide+wide*.12, wide*.76, m, y, title))
		}
	}
	return chart
}

// longest are the windows of the group that has the most.
func longest(c collect.Collection) (out []collect.Window) {
	for _, g := range c.Groups {
		if len(g.Windows) > len(out) {
			out = g.Windows
		}
	}
	return out
}

func meanWithin(times []foldstream.Time, values []float64, s foldstream.Segment) float64 {
	sum, n := 0.0, 0
	for i, v := range values {
		if drawable(v) && !times[i].Before(s.Start) && (s.End.IsOpen() || !times[i].After(s.End)) {
			sum, n = sum+v, n+1
		}
	}
	return sum / float64(n)
}

// windowTicks writes the year under the first window of each year, the later ones only where there is room.
func windowTicks(windows []collect.Window) []tick {
	var out []tick
	last, year := -1.0, 0
	for i, w := range windows {
		at := plotShare * float64(i) / float64(len(windows))
		if y := w.Test.Start.Std().Year(); y != year && !w.Test.Start.IsOpen() && (last < 0 || at-last >= 12) {
			out = append(out, tick{At: pos(at, 2), Label: fmt.Sprint(y)})
			last, year = at, y
		}
	}
	return out
}

func bar(x, width, v float64, y scale, title string) rectangle {
	top, bottom := y.at(max(v, 0)), y.at(min(v, 0))
	r := rectangle{X: pos(x, 2), Y: pos(top, 1), Width: pos(width, 2), Height: pos(bottom-top, 1), Class: "bar", Title: title}
	if v < 0 {
		r.Class = "bar neg"
	}
	return r
}

func decimalLines(y scale, n int) []tick {
	_, decimals := numberTicks(min(y.lo, y.hi), max(y.lo, y.hi), n)
	return gridLines(y, n, func(v float64) string { return number(v, decimals) })
}

// bins are counts of values between round edges: the i-th from (first+i)·step to the next.
type bins struct {
	first, step float64
	decimals    int
	counts      []int
}

// maxBins is more than roundStep gives for values whose distances floating point can hold.
const maxBins = 100

// binsOf counts values, of which there must be one; false where their range is a point or too small to divide.
func binsOf(values []float64) (bins, bool) {
	lo, hi := slices.Min(values), slices.Max(values)
	_, decimals := numberTicks(lo, hi, 32)
	b := bins{step: roundStep(lo, hi, 32), decimals: decimals}
	b.first = math.Floor(lo / b.step)
	n := math.Floor(hi/b.step) - b.first + 1
	if !(n >= 1 && n <= maxBins) { // NaN where the step is 0
		return bins{}, false
	}
	b.counts = make([]int, int(n))
	for _, v := range values {
		b.counts[int(math.Floor(v/b.step)-b.first)]++
	}
	return b, true
}

func (b bins) edge(i int) float64 { return (b.first + float64(i)) * b.step }

// histogramView shows how the daily IC of g is spread.
func histogramView(g collect.Group, name string) *barsChart {
	values := slices.DeleteFunc(slices.Clone(g.Daily.Column("ic")), func(v float64) bool { return !drawable(v) })
	if len(values) == 0 {
		return nil
	}
	b, ok := binsOf(values)
	if !ok {
		return nil
	}
	x := scale{b.edge(0), b.edge(len(b.counts)), 0, plotShare}
	y := scale{0, float64(slices.Max(b.counts)) * 1.06, barsHeight, 0}
	chart := &barsChart{
		Title: "Daily IC of the " + lowerFirst(name), Label: "Histogram of the daily information coefficient", Note: spread(values),
		Height: barsHeight, Zero: pos(barsHeight, 1), Grid: gridLines(y, 3, func(v float64) string { return number(v, 0) }),
	}
	for i, n := range b.counts {
		if n == 0 {
			continue
		}
		from, to := b.edge(i), b.edge(i+1)
		title := fmt.Sprintf("%s to %s: %s", number(from, b.decimals), number(to, b.decimals), plural(n, "session"))
		r := bar(x.at(from), max(0.1, x.at(to)-x.at(from)-0.3), float64(n), y, title)
		if from+to < 0 {
			r.Class = "bar neg"
		}
		chart.Bars = append(chart.Bars, r)
	}
	marks, decimals := numberTicks(x.lo, x.hi, 6)
	for _, v := range marks {
		chart.Ticks = append(chart.Ticks, tick{At: pos(x.at(v), 2), Label: number(v, decimals)})
	}
	return chart
}

// spread says in words how daily values lie.
func spread(values []float64) string {
	sum, positive := 0.0, 0
	for _, v := range values {
		sum += v
		if v > 0 {
			positive++
		}
	}
	n := float64(len(values))
	return fmt.Sprintf("%s; mean %s, positive on %s of them.", plural(len(values), "session"), number(sum/n, 3), percent(float64(positive)/n, 0))
}
