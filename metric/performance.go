package metric

import (
	"math"
	"slices"
)

// Performance describes a series of one-session returns by the conventions of Qlib's contrib/evaluate.py risk_analysis.
// Perform adds the returns, which is Qlib's default (mode "sum"); Compound multiplies them (mode "product").
type Performance struct {
	AnnualReturn     float64 // what a year earns
	AnnualVolatility float64 // sample standard deviation × √(sessions a year)
	InformationRatio float64 // mean / standard deviation × √(sessions a year)
	MaxDrawdown      float64 // the deepest fall from the highest value so far: 0 or below
}

// Perform describes the returns as a sum, NaN left out: AnnualReturn is mean × sessions a year, MaxDrawdown the lowest value of
// Drawdown. sessionsPerYear scales to a year: 252 for days in New York; where Qlib is given none it takes 238 for days, 50 for
// weeks, 12 for months, 240 × 238 for minutes. A figure is NaN where it is undefined: all for no return, all but AnnualReturn
// and MaxDrawdown for one, InformationRatio where the returns have no spread.
func Perform(daily []float64, sessionsPerYear int) Performance {
	s, year := Summarise(daily), float64(sessionsPerYear)
	return Performance{
		AnnualReturn:     s.Mean * year,
		AnnualVolatility: s.Std * math.Sqrt(year),
		InformationRatio: s.Ratio * math.Sqrt(year),
		MaxDrawdown:      lowest(Drawdown(daily)),
	}
}

// Compound describes the returns as they compound, NaN left out: with growth the product of all 1 + return over n sessions,
// AnnualReturn is growth^(sessions a year / n) − 1, AnnualVolatility that of the logarithms of 1 + return, InformationRatio
// (growth^(1/n) − 1) over their standard deviation, MaxDrawdown the lowest value of GrowthDrawdown. A return of −1 loses all:
// AnnualReturn is −1 and the volatility NaN; for one below −1 all is NaN. Else as Perform.
func Compound(daily []float64, sessionsPerYear int) Performance {
	daily, _ = pairs(daily, daily)
	none := math.NaN()
	p := Performance{none, none, none, none}
	if len(daily) == 0 || slices.Min(daily) < -1 {
		return p
	}
	n, year := float64(len(daily)), float64(sessionsPerYear)
	growth, logs := 1.0, make([]float64, len(daily))
	for i, v := range daily {
		growth *= 1 + v
		logs[i] = math.Log1p(v)
	}
	s := Summarise(logs)
	p.AnnualReturn = math.Pow(growth, year/n) - 1
	p.AnnualVolatility = s.Std * math.Sqrt(year)
	if s.Std > 0 {
		p.InformationRatio = (math.Pow(growth, 1/n) - 1) / s.Std * math.Sqrt(year)
	}
	p.MaxDrawdown = lowest(GrowthDrawdown(daily))
	return p
}

// Growth returns what one unit has earned so far as the returns compound: the running product of 1 + return, less 1. A missing
// return changes nothing and is missing in the product, as pandas' cumprod.
func Growth(daily []float64) []float64 {
	grown := make([]float64, len(daily))
	value := 1.0
	for i, v := range daily {
		if !math.IsNaN(v) {
			value *= 1 + v
			v = value - 1
		}
		grown[i] = v
	}
	return grown
}

// GrowthDrawdown returns how far what one unit has grown to is below its highest value so far, as a share of that: 0 to −1; NaN
// where the return is missing. As in Qlib the value after the first return counts as the first height.
func GrowthDrawdown(daily []float64) []float64 {
	depth := Growth(daily)
	high := math.Inf(-1)
	for i, v := range depth {
		if !math.IsNaN(v) {
			high = max(high, 1+v)
			depth[i] = (1+v)/high - 1
		}
	}
	return depth
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
