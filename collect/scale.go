package collect

import (
	"cmp"
	"math"
	"slices"

	"github.com/foldstream/foldstream"
)

// zScores returns the z-scores of values within each time of f, which must be sorted.
func zScores(f foldstream.Frame, values []float64) []float64 {
	out := nans(f.Len())
	sections(f, func(from, to int) { zSection(out[from:to], values[from:to]) })
	return out
}

func zSection(out, values []float64) {
	n, sum, low, high := 0, 0.0, math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) {
			n++
			sum += v
			low, high = min(low, v), max(high, v)
		}
	}
	if n < 2 || low == high {
		return
	}
	mean, squares := sum/float64(n), 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			squares += (v - mean) * (v - mean)
		}
	}
	deviation := math.Sqrt(squares / float64(n-1))
	for i, v := range values {
		out[i] = (v - mean) / deviation
	}
}

// rankScores returns the ranks of values within each time of f, which must be sorted, as parts of their number.
func rankScores(f foldstream.Frame, values []float64) []float64 {
	out := nans(f.Len())
	var order []int
	sections(f, func(from, to int) { order = rankSection(out[from:to], values[from:to], order[:0]) })
	return out
}

// rankSection ranks the values of one time; order is room to sort in, which it returns for the next.
func rankSection(out, values []float64, order []int) []int {
	for i, v := range values {
		if !math.IsNaN(v) {
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(i, j int) int { return cmp.Compare(values[i], values[j]) })
	for from := 0; from < len(order); {
		to := from + 1
		for to < len(order) && values[order[to]] == values[order[from]] {
			to++
		}
		for _, i := range order[from:to] { // the ranks from+1 to to, of which this is the mean
			out[i] = float64(from+1+to) / 2 / float64(len(order))
		}
		from = to
	}
	return order
}
