package metric

import "math"

// Performance describes a series of one-session returns by the conventions of Qlib's contrib/evaluate.py risk_analysis in its
// mode "sum": returns are added, not compounded.
type Performance struct {
	AnnualReturn     float64 // mean × sessions a year
	AnnualVolatility float64 // sample standard deviation × √(sessions a year)
	InformationRatio float64 // mean / standard deviation × √(sessions a year)
	MaxDrawdown      float64 // the lowest value of Drawdown: 0 or below
}

// Perform describes the returns, NaN left out. sessionsPerYear scales to a year: 252 for days in New York; Qlib takes 238.
// A figure is NaN where it is undefined: all for no return, all but AnnualReturn and MaxDrawdown for one, InformationRatio
// where the returns have no spread.
func Perform(daily []float64, sessionsPerYear int) Performance {
	s, year := Summarise(daily), float64(sessionsPerYear)
	return Performance{
		AnnualReturn:     s.Mean * year,
		AnnualVolatility: s.Std * math.Sqrt(year),
		InformationRatio: s.Ratio * math.Sqrt(year),
		MaxDrawdown:      lowest(Drawdown(daily)),
	}
}

// Cumulative returns the running sum of the returns. A missing return adds nothing and is missing in the sum, as pandas' cumsum.
func Cumulative(daily []float64) []float64 {
	sums := make([]float64, len(daily))
	var sum float64
	for i, v := range daily {
		if !math.IsNaN(v) {
			sum += v
			v = sum
		}
		sums[i] = v
	}
	return sums
}

// Drawdown returns how far the running sum of the returns is below its highest value so far, 0 or negative; NaN where the return
// is missing. As in Qlib the first sum counts as the first height, so that a loss on the first day is no drawdown.
func Drawdown(daily []float64) []float64 {
	depth := Cumulative(daily)
	high := math.Inf(-1)
	for i, v := range depth {
		if !math.IsNaN(v) {
			high = max(high, v)
			depth[i] = v - high
		}
	}
	return depth
}

// lowest returns the smallest value, NaN where there is none.
func lowest(x []float64) float64 {
	low := math.NaN()
	for _, v := range x {
		if !(v >= low) && !math.IsNaN(v) {
			low = v
		}
	}
	return low
}
