package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

const (
	barsHeight = 130
	barShare   = 91 // percent of the width; the rest is for the numbers beside
)

// windowBars draws a value of g in each window. It is nil where all are the same.
func windowBars(name, title string, values []float64, windows []collect.Window, text func(float64) string) *figure {
	lo, hi := 0.0, 0.0
	for _, v := range values {
		if drawable(v) {
			lo, hi = min(lo, v), max(hi, v)
		}
	}
	if lo == hi {
		return nil
	}
	y := scale{lo - 0.06*(hi-lo), hi + 0.06*(hi-lo), barsHeight, 0}
	if lo == 0 {
		y.lo = 0
	}
	f := &figure{drawing: drawing{Name: name, Title: title, Desc: title + ".", Height: barsHeight}}
	ticks := decimalLines(y, 4)
	f.lines(ticks, barShare)
	wide := barShare / float64(len(windows))
	for i, v := range values {
		if drawable(v) {
			title := fmt.Sprintf("window %d, %s: %s", windows[i].Index+1, period(windows[i].Test), text(v))
			f.Boxes = append(f.Boxes, bar(float64(i)*wide+wide*.12, wide*.76, v, y, title))
		}
	}
	f.zero(y.at(0), barShare)
	f.names(ticks, barShare, 6, 4, "")
	f.below(windowTicks(windows))
	return f
}

// windowICView shows the mean daily IC of g in each window.
func windowICView(g collect.Group, name string, c collect.Collection) *figure {
	windows := longest(c)
	values := make([]float64, len(windows))
	positive, defined := 0, 0
	for i, w := range windows {
		values[i] = mean(g.Daily.Column("ic"), within(g.Daily.Times, w.Test))
		if !math.IsNaN(values[i]) {
			defined++
		}
		if values[i] > 0 {
			positive++
		}
	}
	f := windowBars("ic", "Mean IC of the "+name+" by window", values, windows, func(v float64) string { return "IC " + number(v, 4) })
	if f != nil {
		f.Note = fmt.Sprintf("Positive in %d of %s.", positive, plural(defined, "window"))
	}
	return f
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

// within returns the places of the times that a segment has.
func within(times []foldstream.Time, s foldstream.Segment) (at []int) {
	for i, t := range times {
		if !t.Before(s.Start) && (s.End.IsOpen() || !t.After(s.End)) {
			at = append(at, i)
		}
	}
	return at
}

// mean is that of the numbers at the places; NaN where there is none.
func mean(values []float64, at []int) float64 {
	sum, n := 0.0, 0
	for _, i := range at {
		if i < len(values) && drawable(values[i]) {
			sum, n = sum+values[i], n+1
		}
	}
	return sum / float64(n)
}

// windowTicks writes the year under the first window of each year, the later ones only where there is room.
func windowTicks(windows []collect.Window) []tick {
	var out []tick
	last, year := -1.0, 0
	for i, w := range windows {
		at := barShare * float64(i) / float64(len(windows))
		if y := w.Test.Start.Std().Year(); y != year && !w.Test.Start.IsOpen() && (last < 0 || at-last >= 12) {
			out = append(out, tick{At: at, Label: fmt.Sprint(y)})
			last, year = at, y
		}
	}
	return out
}

func bar(x, width, v float64, y scale, title string) box {
	top, bottom := y.at(max(v, 0)), y.at(min(v, 0))
	b := box{X: x, Y: top, Width: width, Height: bottom - top, Class: "bar", Title: title}
	if v < 0 {
		b.Class = "neg"
	}
	return b
}

func decimalLines(y scale, n int) []tick {
	_, decimals := numberTicks(min(y.lo, y.hi), max(y.lo, y.hi), n)
	return gridLines(y, n, func(v float64) string { return number(v, decimals) })
}

// numbersOf are the values that a picture can hold.
func numbersOf(values []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(values), func(v float64) bool { return !drawable(v) })
}
