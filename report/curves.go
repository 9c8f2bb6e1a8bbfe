package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// The curves' own coordinates: thousandths of the plot's width and pixels of its height. A plot is as wide as its place allows;
// what is not a line stands at percentages of the whole width, so that type keeps its size on a phone.
const (
	plotWidth   = 1000
	plotShare   = 91 // percent of the width; the rest is for the values at the lines' ends
	curveHeight = 300
	fallHeight  = 96
	maxPoints   = 600   // of one curve
	allPoints   = 24000 // of all curves of a page together
)

const leadID = "ensemble"

func curveID(i int) string { return fmt.Sprintf("c%d", i+1) }

// curvesChart is the cumulative curves of all configurations and the ensemble over a common axis of time.
type curvesChart struct {
	Title, Label string
	Note         string // how the values are made
	Tint         string // the name of the choice that the colours show
	Legend       []swatch
	Height       int
	Grid         []tick // horizontal lines
	Zero         string
	Ticks        []tick // of time, below
	Curves       []curve
	Ends         []tick // values at the lines' ends
	Lead         bool   // the last curve is the ensemble

	time scale // seconds → percent of the width
}

type curve struct {
	ID, Class, Path, Title string
}

func curvesView(c collect.Collection, t tint) *curvesChart {
	groups := slices.Clone(c.Groups)
	if c.Ensemble != nil {
		groups = append(groups, *c.Ensemble)
	}
	times, values, ok := extents(groups)
	if !ok {
		return nil
	}
	pad := 0.04 * (values.hi - values.lo)
	values = scale{values.lo - pad, values.hi + pad, curveHeight, 0}
	chart := &curvesChart{
		Tint: t.name, Legend: t.legend(), Height: curveHeight, Lead: c.Ensemble != nil, Zero: pos(values.at(0), 1),
		time: scale{times.lo, times.hi, 0, plotShare},
	}
	text := chart.name(c.Groups)
	chart.Grid = slices.DeleteFunc(gridLines(values, 6, text), func(t tick) bool { return t.At == chart.Zero })
	chart.Ticks = timeTicks(std(times.lo), std(times.hi), chart.time)
	x := scale{times.lo, times.hi, 0, plotWidth}
	budget := min(maxPoints, max(24, allPoints/len(groups)))
	for i, g := range groups {
		view := curve{ID: curveID(i), Class: t.class(g.Key), Path: line(g.Daily.Times, series(g), x, values, budget), Title: keyText(g.Key)}
		if i == len(c.Groups) {
			view.ID, view.Class, view.Title = leadID, "lead", "Ensemble"
		}
		if end, ok := lastOf(series(g)); ok {
			view.Title += ": " + text(end)
		}
		chart.Curves = append(chart.Curves, view)
	}
	chart.Ends = endLabels(groups, chart.Lead, values, text)
	return chart
}

// name titles the chart by what its lines are, and returns how their values are written.
func (c *curvesChart) name(groups []collect.Group) func(float64) string {
	if slices.ContainsFunc(groups, func(g collect.Group) bool { return g.Daily.Column("cumulative") != nil }) {
		c.Title, c.Label = "Cumulative return after costs", "Cumulative return of each configuration over time"
		c.Note = "Daily returns are summed, not compounded."
		return signed
	}
	c.Title, c.Label = "Cumulative daily IC", "Running sum of the daily information coefficient of each configuration"
	return func(v float64) string { return number(v, 1) }
}

// extents returns the ranges of time and of value of all series, zero included; false where there is no point.
func extents(groups []collect.Group) (times, values scale, ok bool) {
	times = scale{lo: math.Inf(1), hi: math.Inf(-1)}
	for _, g := range groups {
		for i, v := range series(g) {
			if !drawable(v) {
				continue
			}
			at := seconds(g.Daily.Times[i].Std())
			times.lo, times.hi = min(times.lo, at), max(times.hi, at)
			values.lo, values.hi = min(values.lo, v), max(values.hi, v)
		}
	}
	return times, values, times.lo <= times.hi
}

func gridLines(y scale, n int, text func(float64) string) []tick {
	values, _ := numberTicks(min(y.lo, y.hi), max(y.lo, y.hi), n)
	out := make([]tick, len(values))
	for i, v := range values {
		out[i] = tick{At: pos(y.at(v), 1), Label: text(v)}
	}
	return out
}

// line is a series as path data, thinned to about n points.
func line(times []foldstream.Time, values []float64, x, y scale, n int) string {
	at := thin(values, n)
	xs, ys := make([]float64, len(at)), make([]float64, len(at))
	for i, j := range at {
		xs[i], ys[i] = x.at(seconds(times[j].Std())), y.at(values[j])
		if !drawable(values[j]) {
			ys[i] = math.NaN()
		}
	}
	return path(xs, ys)
}

// endLabels writes the last value of the lead, which is the last group, and where there is room the highest and the lowest of
// all, and zero.
func endLabels(groups []collect.Group, lead bool, y scale, text func(float64) string) []tick {
	var ends []float64
	for _, g := range groups {
		if v, ok := lastOf(series(g)); ok && drawable(v) {
			ends = append(ends, v)
		}
	}
	if len(ends) == 0 {
		return nil
	}
	var out []tick
	var taken []float64
	wanted := []float64{slices.Max(ends), slices.Min(ends), 0}
	if lead {
		wanted = append(ends[len(ends)-1:], wanted...)
	}
	for _, v := range wanted {
		at := y.at(v)
		if !slices.ContainsFunc(taken, func(o float64) bool { return math.Abs(o-at) < 14 }) {
			out, taken = append(out, tick{At: pos(at+4, 1), Label: text(v)}), append(taken, at)
		}
	}
	return out
}

// areaChart is the fall from the highest value so far, under the curves and on their axis of time.
type areaChart struct {
	Title  string
	Height int
	Grid   []tick
	Path   string
	Ticks  []tick
	Worst  string // the deepest point
}

func drawdownView(g collect.Group, name string, over *curvesChart) *areaChart {
	falls := g.Daily.Column("drawdown")
	worst := -1
	for i, v := range falls {
		if drawable(v) && (worst < 0 || v < falls[worst]) {
			worst = i
		}
	}
	if worst < 0 || over == nil || falls[worst] >= 0 {
		return nil
	}
	y := scale{0, falls[worst] * 1.08, 1, fallHeight}
	x := scale{over.time.lo, over.time.hi, 0, plotWidth}
	flat := make([]float64, len(falls))
	for i, v := range falls {
		if drawable(v) {
			flat[i] = v
		}
	}
	times := g.Daily.Times
	first, last := pos(x.at(seconds(times[0].Std())), 1), pos(x.at(seconds(times[len(times)-1].Std())), 1)
	return &areaChart{
		Title:  "Drawdown of the " + lowerFirst(name),
		Height: fallHeight,
		Grid:   gridLines(scale{falls[worst] * 1.08, -1e-9, fallHeight, 1}, 3, func(v float64) string { return percent(v, 0) }),
		Path:   line(times, flat, x, y, maxPoints) + "L" + last + " 1L" + first + " 1Z",
		Ticks:  over.Ticks,
		Worst:  percent(falls[worst], 1) + " on " + times[worst].String(),
	}
}

func lowerFirst(name string) string {
	if name == "Ensemble" {
		return "ensemble"
	}
	return name
}

// spark is a group's series as a line of the height of a word.
func spark(g collect.Group) string {
	times, values, ok := extents([]collect.Group{g})
	if !ok {
		return ""
	}
	return line(g.Daily.Times, series(g), scale{times.lo, times.hi, 0, 84}, scale{values.lo, values.hi, 17, 1}, 48)
}
