package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/foldstream/foldstream/collect"
)

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
func histogramView(g collect.Group, name string) *figure {
	values := numbersOf(g.Daily.Column("ic"))
	if len(values) == 0 {
		return nil
	}
	b, ok := binsOf(values)
	if !ok {
		return nil
	}
	x := scale{b.edge(0), b.edge(len(b.counts)), 0, barShare}
	y := scale{0, float64(slices.Max(b.counts)) * 1.06, barsHeight, 0}
	f := &figure{drawing: drawing{Name: "histogram", Title: "Daily IC of the " + name, Height: barsHeight}, Note: spread(values)}
	f.Desc = f.Note
	ticks := gridLines(y, 3, func(v float64) string { return number(v, 0) })
	f.lines(ticks, barShare)
	f.zero(barsHeight, barShare)
	for i, n := range b.counts {
		if n > 0 {
			f.Boxes = append(f.Boxes, b.box(i, x, y))
		}
	}
	f.names(ticks, barShare, 6, 4, "")
	marks, decimals := numberTicks(x.lo, x.hi, 6)
	for i, v := range marks {
		marks[i] = x.at(v)
		f.below([]tick{{At: marks[i], Label: number(v, decimals)}})
	}
	return f
}

func (b bins) box(i int, x, y scale) box {
	from, to := b.edge(i), b.edge(i+1)
	title := fmt.Sprintf("%s to %s: %s", number(from, b.decimals), number(to, b.decimals), plural(b.counts[i], "session"))
	one := bar(x.at(from), max(0.1, x.at(to)-x.at(from)-0.3), float64(b.counts[i]), y, title)
	if from+to < 0 {
		one.Class = "neg"
	}
	return one
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
