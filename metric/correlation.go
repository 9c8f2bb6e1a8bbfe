package metric

import (
	"math"
	"slices"
)

// Pearson returns the linear correlation of x and y, −1 to 1. Pairs with a NaN on either side are left out, as pandas'
// Series.corr does, and so are values beyond the end of the shorter slice. It is NaN for fewer than two pairs, where one side
// has no spread, and where a value is infinite.
func Pearson(x, y []float64) float64 {
	return pearson(pairs(x, y))
}

// Spearman returns the correlation of the ranks of x and y, −1 to 1; equal values share the average of their ranks. Missing
// values are treated as in Pearson, before ranking. An infinite value has a rank like any other.
func Spearman(x, y []float64) float64 {
	x, y = pairs(x, y)
	return pearson(ranks(x), ranks(y))
}

// pairs returns the places where both sides have a value.
func pairs(x, y []float64) (a, b []float64) {
	n := min(len(x), len(y))
	a, b = make([]float64, 0, n), make([]float64, 0, n)
	for i := range n {
		if !math.IsNaN(x[i]) && !math.IsNaN(y[i]) {
			a, b = append(a, x[i]), append(b, y[i])
		}
	}
	return a, b
}

// pearson correlates sides without missing values, in two passes: means first, then products of the distances from them.
func pearson(x, y []float64) float64 {
	if len(x) < 2 || flat(x) || flat(y) {
		return math.NaN()
	}
	mx, my := mean(x), mean(y)
	var xx, yy, xy float64
	for i := range x {
		dx, dy := x[i]-mx, y[i]-my
		xx += dx * dx
		yy += dy * dy
		xy += dx * dy
	}
	r := xy / (math.Sqrt(xx) * math.Sqrt(yy))
	switch {
	case math.IsInf(r, 0): // the squares of a spread below 1e-154 vanish
		return math.NaN()
	case r > 1: // only ever by rounding
		return 1
	case r < -1:
		return -1
	}
	return r
}

// flat reports whether all values are equal. The sum of squares cannot tell: the mean of equal values may be rounded.
func flat(x []float64) bool {
	for _, v := range x[1:] {
		if v != x[0] {
			return false
		}
	}
	return true
}

func mean(x []float64) float64 {
	var sum float64
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// ranks returns the rank of each value from 1, the average of the ranks where values are equal.
func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case x[i] < x[j]:
			return -1
		case x[i] > x[j]:
			return 1
		}
		return 0
	})
	r := make([]float64, len(x))
	for lo := 0; lo < len(order); {
		hi := lo + 1
		for hi < len(order) && x[order[hi]] == x[order[lo]] {
			hi++
		}
		for _, i := range order[lo:hi] {
			r[i] = float64(lo+1+hi) / 2
		}
		lo = hi
	}
	return r
}
