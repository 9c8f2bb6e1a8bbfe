package ridge

import (
	"fmt"
	"math"
)

// lookBacks are the lengths, in sessions, of the features of each sort.
type lookBacks struct {
	momentum, reversal, volatility []int
}

// features are what is known of each instrument at the close of each session. They depend on prices up to that close alone.
type features struct {
	*prices
	columns []string    // "momentum_20", …
	values  [][]float64 // one slice a column, session-major as prices.close; NaN is unknown
	whole   []bool      // per row: all its features are known
}

// build computes the features:
//
//	momentum_L    close[t] / close[t−L] − 1
//	reversal_L    the same, turned in sign
//	volatility_L  sample standard deviation of the last L one-session changes
func build(p *prices, l lookBacks) *features {
	f := &features{prices: p}
	for _, n := range l.momentum {
		f.add("momentum", n, func(t, i int) float64 { return p.change(i, t-n, t) })
	}
	for _, n := range l.reversal {
		f.add("reversal", n, func(t, i int) float64 { return -p.change(i, t-n, t) })
	}
	for _, n := range l.volatility {
		f.add("volatility", n, func(t, i int) float64 { return p.volatility(i, t, n) })
	}
	f.findWhole()
	return f
}

// add computes one feature for every session and instrument.
func (f *features) add(sort string, n int, value func(t, i int) float64) {
	column := make([]float64, 0, len(f.close))
	for t := range f.times {
		for i := range f.names {
			column = append(column, value(t, i))
		}
	}
	f.columns = append(f.columns, fmt.Sprintf("%s_%d", sort, n))
	f.values = append(f.values, column)
}

// volatility returns the sample standard deviation of the n changes up to session t, in two passes: the one-pass formula loses
// digits when the changes are small against their mean.
func (p *prices) volatility(i, t, n int) float64 {
	var sum, squares float64
	for s := t - n; s < t; s++ {
		sum += p.change(i, s, s+1) // NaN once one is outside the data
	}
	mean := sum / float64(n)
	if math.IsNaN(mean) {
		return mean
	}
	for s := t - n; s < t; s++ {
		d := p.change(i, s, s+1) - mean
		squares += d * d
	}
	return math.Sqrt(squares / float64(n-1))
}
