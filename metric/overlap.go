package metric

import (
	"fmt"
	"math"
)

// Overlap is what the mean of daily values, as a Summary has it, is worth where each value looks several sessions ahead. The labels
// of neighbouring days then share sessions, the values move together, and the mean is less certain, and the ratio less
// telling, than for as many values that are independent. The figures here count that in.
type Overlap struct {
	Horizon  int     // how many sessions a label spans
	StdError float64 // of the mean, by NeweyWest with Horizon − 1 lags
	T        float64 // Mean / StdError: roughly, beyond ±2 the mean is not chance
	Ratio    float64 // T / √N: what Summary's Ratio would be for independent values
}

// Correct measures the overlap of values in order of time, one a session, NaN where a session has none. A horizon below 2 has
// none: StdError is then Std / √N, and Ratio Summary's. A figure is NaN where it is undefined: for fewer than two values; T and
// Ratio where StdError is 0.
func Correct(values []float64, horizon int) Overlap {
	s := Summarise(values)
	o := Overlap{Horizon: horizon, StdError: NeweyWest(values, horizon-1), T: math.NaN(), Ratio: math.NaN()}
	if o.StdError > 0 {
		o.T = s.Mean / o.StdError
		o.Ratio = o.T / math.Sqrt(float64(s.N))
	}
	return o
}

// NeweyWest returns the standard error of the mean of values in order of time that are correlated over up to so many lags (Newey and
// West, Econometrica 55, 1987): with γ(l) the sum of the products of distances from the mean l values apart, over n,
//
//	√( (γ(0) + 2 Σ (1 − l / (lags + 1)) γ(l)) / (n − 1) )
//
// which is Std / √n for no lags: statsmodels' cov_type "HAC" with use_correction. NaN is a session without a value: it keeps its
// place and adds nothing. Negative lags are none. It is NaN for fewer than two values.
func NeweyWest(values []float64, lags int) float64 {
	s := Summarise(values)
	if s.N < 2 {
		return math.NaN()
	}
	if s.Std == 0 {
		return 0
	}
	apart := make([]float64, len(values))
	for i, v := range values {
		if !math.IsNaN(v) {
			apart[i] = v - s.Mean
		}
	}
	sum := product(apart, 0)
	for l := 1; l <= min(lags, len(apart)-1); l++ {
		sum += 2 * (1 - float64(l)/float64(lags+1)) * product(apart, l)
	}
	n := float64(s.N)
	return math.Sqrt(max(sum, 0) / n / (n - 1)) // never below 0 but by rounding
}

// product returns the sum of the products of values l apart.
func product(x []float64, l int) float64 {
	var sum float64
	for i := l; i < len(x); i++ {
		sum += x[i] * x[i-l]
	}
	return sum
}

// OverlapNote says in a sentence or two what who reads an IC, its ratio or its t of labels over so many sessions must know; "" where
// they do not overlap.
func OverlapNote(horizon int) string {
	if horizon < 2 {
		return ""
	}
	return fmt.Sprintf("Labels span %d sessions, so those of neighbouring days overlap and the daily ICs are not independent: their ICIR and t are "+
		"too high. Corrected ones take the standard error of Newey and West with %d lags.", horizon, horizon-1)
}
