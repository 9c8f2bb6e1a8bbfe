package report

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

const (
	curveShare  = 86 // percent of the width; the rest is for the values at the lines' ends
	curveHeight = 300
	fallHeight  = 150
	maxPoints   = 500   // of one curve
	allPoints   = 24000 // of all curves of a figure together
	maxCurves   = 400   // of a figure
	bandFrom    = 40    // with more curves than so many, a band shows where most are
)

// lines is the series of all configurations and of the ensemble, and how they are to be drawn.
type lines struct {
	groups []collect.Group // the ensemble is the last
	lead   bool            // there is one
	alone  bool            // there is one line
	best   int             // the configuration whose sum ends highest; −1 is none
	tint   tint
	kind   string // of the sums: "return" or "IC"
}

func linesOf(c collect.Collection, t tint) lines {
	l := lines{groups: slices.Clone(c.Groups), lead: c.Ensemble != nil, best: -1, tint: t, kind: "IC"}
	if l.lead {
		l.groups = append(l.groups, *c.Ensemble)
	}
	l.alone = len(l.groups) == 1
	if slices.ContainsFunc(c.Groups, func(g collect.Group) bool { return g.Daily.Column("cumulative") != nil }) {
		l.kind = "return"
	}
	top := math.Inf(-1)
	for i, g := range c.Groups {
		if end, ok := lastOf(series(g)); ok && drawable(end) && end > top {
			l.best, top = i, end
		}
	}
	return l
}

// text writes a value of the sums.
func (l lines) text(v float64) string {
	if l.kind == "return" {
		return signed(v)
	}
	return number(v, 1)
}

// sums are the cumulative curves; nil where there is no point.
func (l lines) sums() *figure {
	f := &figure{drawing: drawing{Name: "curves", Title: "Cumulative return after costs", Height: curveHeight}, Note: "Daily returns are summed, not compounded."}
	if l.kind == "IC" {
		f.Title, f.Note = "Cumulative daily IC", ""
	}
	if !l.draw(f, "c", series, l.text, 6) {
		return nil
	}
	return f
}

// falls are the curves of how far each sum is below its highest value so far; nil where there is none.
func (l lines) falls() *figure {
	f := &figure{drawing: drawing{Name: "drawdown", Title: "Drawdown", Height: fallHeight}}
	if !l.draw(f, "f", fallsOf, func(v float64) string { return percent(v, 0) }, 4) {
		return nil
	}
	if g := l.groups[len(l.groups)-1]; l.lead || l.alone {
		f.Note = strings.TrimSpace("Deepest " + deepest(g) + ". " + f.Note)
	}
	f.Fade = min(f.Fade+1, len(fades)-1) // they are closer together than the sums
	return f
}

func fallsOf(g collect.Group) []float64 { return g.Daily.Column("drawdown") }

// deepest tells the lowest point of a group's drawdown.
func deepest(g collect.Group) string {
	falls, worst := fallsOf(g), -1
	for i, v := range falls {
		if drawable(v) && (worst < 0 || v < falls[worst]) {
			worst = i
		}
	}
	if worst < 0 {
		return missing
	}
	return percent(falls[worst], 1) + " on " + g.Daily.Times[worst].String()
}

// draw fills a figure with the curves of a series, the pale ones first. It reports whether there is a point.
func (l lines) draw(f *figure, prefix string, of func(collect.Group) []float64, text func(float64) string, grid int) bool {
	data := make([][]float64, len(l.groups))
	for i, g := range l.groups {
		data[i] = of(g)
	}
	times, values, ok := extents(l.groups, data)
	if !ok || prefix == "f" && values.lo >= 0 {
		return false
	}
	pad := 0.04 * (values.hi - values.lo)
	y := scale{values.lo - pad, values.hi + pad, f.Height, 0}
	if values.hi == 0 {
		y.hi = 0
	}
	x := scale{times.lo, times.hi, 0, curveShare}
	ticks := gridLines(y, grid, text)
	f.lines(ticks, curveShare)
	f.zero(y.at(0), curveShare)
	f.below(timeTicks(std(times.lo), std(times.hi), x))
	l.curves(f, prefix, data, text, x, y)
	f.names(slices.DeleteFunc(ticks, func(t tick) bool { return t.At < 8 }), 0, 0, -3, "halo")
	f.Labels = append(f.Labels, l.ends(data, y, text)...)
	f.Desc = l.describe(data, text)
	if order := l.order(); len(order) < len(l.groups) {
		f.Note = strings.TrimSpace(f.Note + fmt.Sprintf(" %s of %s are drawn.", count(len(order)), plural(len(l.groups), "line")))
	}
	f.Legend = l.legend()
	return true
}

func (l lines) curves(f *figure, prefix string, data [][]float64, text func(float64) string, x, y scale) {
	n := len(l.groups)
	f.Fade = fadeOf(n)
	budget := min(maxPoints, max(24, allPoints/min(n, maxCurves)))
	if n > bandFrom {
		f.Curves = append(f.Curves, band(l.groups, data, x, y))
	}
	for _, i := range l.order() {
		g, values := l.groups[i], data[i]
		if i == l.best || l.isLead(i) {
			budget = maxPoints // these are drawn last
		}
		one := curve{ID: fmt.Sprint(prefix, i+1), Class: "curve " + l.tint.class(g.Key), Title: keyText(g.Key), Points: points(g.Daily.Times, values, x, y, budget)}
		switch {
		case l.isLead(i):
			one.ID, one.Class, one.Title = prefix+"0", "curve lead", "Ensemble"
		case l.alone:
			one.Class = "curve lead"
		case i == l.best:
			one.Class += " best"
		}
		if prefix == "f" && (l.alone || l.isLead(i)) {
			f.Curves = append(f.Curves, area(one, y))
		}
		if end, ok := lastOf(values); ok && prefix == "c" {
			one.Title += ": " + text(end)
		} else if ok {
			one.Title += ": deepest " + deepest(g)
		}
		if len(one.Points) > 0 {
			f.Curves = append(f.Curves, one)
		}
	}
}

func (l lines) isLead(i int) bool { return l.lead && i == len(l.groups)-1 }

// order is which curves are drawn, over each other: where there are too many, every so many of them; the best and the ensemble last.
func (l lines) order() (order []int) {
	n := len(l.groups)
	every := (n + maxCurves - 1) / maxCurves
	for i := range n {
		if i%every == 0 && i != l.best && !l.isLead(i) {
			order = append(order, i)
		}
	}
	if l.best >= 0 {
		order = append(order, l.best)
	}
	if l.lead {
		order = append(order, n-1)
	}
	return order
}

// area is what a curve encloses with zero.
func area(c curve, y scale) curve {
	points := slices.DeleteFunc(slices.Clone(c.Points), func(p point) bool { return math.IsNaN(p.Y) })
	if n := len(points); n > 0 {
		points = append(points, point{points[n-1].X, y.at(0)}, point{points[0].X, y.at(0)})
	}
	return curve{Class: "curve area", Points: points, Closed: true}
}

// extents returns the ranges of time and of value of all series, zero included; false where there is no point.
func extents(groups []collect.Group, data [][]float64) (times, values scale, ok bool) {
	times = scale{lo: math.Inf(1), hi: math.Inf(-1)}
	for k, g := range groups {
		for i, v := range data[k] {
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
		out[i] = tick{At: y.at(v), Label: text(v)}
	}
	return out
}

// points places a series, thinned to about n points.
func points(times []foldstream.Time, values []float64, x, y scale, n int) []point {
	out := make([]point, 0, min(n, len(values)))
	for _, i := range thin(values, n) {
		p := point{x.at(seconds(times[i].Std())), y.at(values[i])}
		if !drawable(values[i]) {
			p.Y = math.NaN()
		}
		out = append(out, p)
	}
	return out
}
