package metric

import "math"

// Summary describes some values: the ICs of a period, say, whose Ratio is then the ICIR.
type Summary struct {
	Mean  float64
	Std   float64 // of the sample: divided by N−1
	Ratio float64 // Mean / Std
	N     int     // how many values there were
}

// Summarise describes the values, NaN left out. Mean is NaN for no value, Std for fewer than two, Ratio where Std is 0 too.
func Summarise(values []float64) Summary {
	values, _ = pairs(values, values)
	s := Summary{Mean: math.NaN(), Std: math.NaN(), Ratio: math.NaN(), N: len(values)}
	if s.N > 0 {
		s.Mean = mean(values)
	}
	if s.N > 1 {
		s.Std = deviation(values, s.Mean)
	}
	if s.Std > 0 {
		s.Ratio = s.Mean / s.Std
	}
	return s
}

// deviation returns the sample standard deviation of two values or more; exactly 0 for equal ones, whatever their mean rounds to.
func deviation(x []float64, mean float64) float64 {
	if flat(x) {
		return 0
	}
	var sum float64
	for _, v := range x {
		sum += (v - mean) * (v - mean)
	}
	return math.Sqrt(sum / float64(len(x)-1))
}
