package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
)

const (
	windowsGutter = 3.6 // percent of the width that the windows' labels take
	maxTimelines  = 12  // of a figure
)

// windowsView draws timelines: a bar for each segment of each window over a common axis of time.
func windowsView(plan []Timeline) *figure {
	f := &figure{drawing: drawing{Name: "windows", Title: "Windows", Desc: "Training, validation and test periods of each rolling window."}}
	if n := len(plan) - maxTimelines; n > 0 {
		f.Note = fmt.Sprintf("And %s with other test periods.", plural(n, "kind"))
		plan = plan[:maxTimelines]
	}
	f.Legend = segmentNames(plan)
	lo, hi, ok := extent(plan)
	x := scale{lo, hi, windowsGutter, 100}
	y := 2.0
	for _, t := range plan {
		f.Labels = append(f.Labels, label{Class: "halo strong large", Text: clean(t.Title), Y: y + 11})
		y += 18
		for _, n := range t.Notes {
			f.Labels = append(f.Labels, label{Class: "halo", Text: clean(n), Y: y + 9})
			y += 16
		}
		y = f.timeline(t, x, y) + 12
	}
	f.Height = y - 4
	if ok {
		f.months(timeTicks(std(lo), std(hi), x))
	}
	return f
}

// months draws lines down at ticks of time, and writes them below; a label that has no room to its right stands to the left.
func (f *figure) months(ticks []tick) {
	for _, t := range ticks {
		f.Rules = append(f.Rules, rule{"grid", t.At, t.At, 0, f.Height})
		l := label{Text: t.Label, X: t.At, DX: 3, Y: f.Height + 13}
		if t.At > 93 {
			l.Anchor, l.DX = "end", -3
		}
		f.Labels = append(f.Labels, l)
	}
}

// timeline draws the windows of one timeline from y on, and returns where they end.
func (f *figure) timeline(t Timeline, x scale, y float64) float64 {
	high := max(2, min(11, 260/float64(max(1, len(t.Windows)))))
	every := 1 // label
	if high < 9.5 {
		every = 5 * int(math.Ceil(12/high/5))
	}
	for i, w := range t.Windows {
		if (i+1)%every == 0 {
			f.Labels = append(f.Labels, label{Class: "halo", Text: clean(w.Label), Y: y + high/2 + 3})
		}
		for _, s := range w.Spans {
			f.Boxes = append(f.Boxes, spanBox(s, w.Label, x, y, high))
		}
		y += high
	}
	return y
}

func spanBox(s Span, window string, x scale, y, high float64) box {
	a, b := x.from, x.to
	if !s.Start.IsOpen() {
		a = x.at(seconds(s.Start.Std()))
	}
	if !s.End.IsOpen() {
		b = x.at(seconds(dayEnd(s.End)))
	}
	one := box{X: a, Y: y, Width: max(0, b-a), Height: high - min(2, high/4), Class: "span " + segmentClass(s.Name)}
	one.Title = clean(fmt.Sprintf("window %s, %s: %s", window, s.Name, period(s.Segment)))
	if s.Name == spanGap {
		a, b = x.at(seconds(dayEnd(s.Start))), x.at(seconds(s.End.Std()))
		one.X, one.Width = a, max(0.15, b-a)
		one.Y, one.Height = y+one.Height/3, one.Height/3
		one.Title = clean(fmt.Sprintf("window %s: gap from %s to %s, neither of them in it", window, s.Start, s.End))
	}
	return one
}

// dayEnd is where a segment that includes t ends: a date lasts a day.
func dayEnd(t foldstream.Time) time.Time {
	if t.IsDate() {
		return t.Std().AddDate(0, 0, 1)
	}
	return t.Std()
}

func std(sec float64) time.Time { return time.Unix(int64(sec), 0).UTC() }

// extent returns the first and the last closed end of all spans; false where there is none.
func extent(plan []Timeline) (lo, hi float64, ok bool) {
	lo, hi = math.Inf(1), math.Inf(-1)
	for _, t := range plan {
		for _, w := range t.Windows {
			for _, s := range w.Spans {
				if !s.Start.IsOpen() {
					lo, hi = min(lo, seconds(s.Start.Std())), max(hi, seconds(s.Start.Std()))
				}
				if !s.End.IsOpen() {
					lo, hi = min(lo, seconds(s.End.Std())), max(hi, seconds(dayEnd(s.End)))
				}
			}
		}
	}
	if lo > hi {
		return 0, 0, false
	}
	return lo, hi, true
}

// segmentNames is the legend of timelines.
func segmentNames(plan []Timeline) []swatch {
	seen := map[string]bool{}
	var names []string
	for _, t := range plan {
		for _, w := range t.Windows {
			for _, s := range w.Spans {
				if !seen[s.Name] {
					seen[s.Name] = true
					names = append(names, s.Name)
				}
			}
		}
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(rank(a), rank(b)) })
	out := make([]swatch, len(names))
	for i, name := range names {
		out[i] = swatch{Class: segmentClass(name), Label: clean(name), Box: true}
	}
	return out
}

func segmentClass(name string) string {
	if rank(name) < len(known) {
		return name
	}
	return "other"
}
