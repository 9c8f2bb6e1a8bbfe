package metric

import (
	"iter"
	"slices"

	"github.com/foldstream/foldstream"
)

// LongShort returns what the ends of the scores' order earn at every time, as a frame keyed by time with the columns
//
//	long_short  (mean of ret over the highest part of the scores − mean over the lowest) / 2
//	average     mean of ret over all instruments: Qlib calls it long-average
//
// A part is int(quantile × count) of the instruments that have both values (Qlib: contrib/eva/alpha.py calc_long_short_return
// with dropna; the usual quantile is 0.2); where it has none long_short is NaN. Equal scores go by the instrument's name. ret is
// to be returns as they are, not normalised ones. Qlib's "Long-Short Ann Return" and "… Ann Sharpe" are AnnualReturn and
// InformationRatio of Perform(long_short, 252), its "Long-Avg …" those of average.
// Errors: Invalid (a quantile that is not above 0 and up to 0.5).
func LongShort(f foldstream.Frame, score, ret string, quantile float64) (foldstream.Frame, error) {
	return ends(f, score, ret, quantile, [2]string{"long_short", "average"}, func(p parts) [2]float64 {
		return [2]float64{(mean(p.high) - mean(p.low)) / 2, mean(p.all)}
	})
}

// HitRate returns how often the ends of the scores' order are right at every time, as a frame keyed by time with the columns
//
//	long   share of the highest part of the scores whose label is above 0
//	short  share of the lowest part whose label is below 0
//
// Parts are those of LongShort (Qlib: calc_long_short_prec with dropna). Errors: as LongShort.
func HitRate(f foldstream.Frame, score, label string, quantile float64) (foldstream.Frame, error) {
	return ends(f, score, label, quantile, [2]string{"long", "short"}, func(p parts) [2]float64 {
		return [2]float64{portion(p.high, func(v float64) bool { return v > 0 }), portion(p.low, func(v float64) bool { return v < 0 })}
	})
}

// portion returns the share of the values that are so, NaN of none.
func portion(x []float64, is func(float64) bool) float64 {
	n := 0
	for _, v := range x {
		if is(v) {
			n++
		}
	}
	return float64(n) / float64(len(x))
}

// parts is the values of one time: those of its highest scores, of its lowest, and all.
type parts struct{ high, low, all []float64 }

// ends measures the two ends of every time.
func ends(f foldstream.Frame, score, value string, quantile float64, columns [2]string, measure func(parts) [2]float64) (foldstream.Frame, error) {
	if err := checkQuantile(quantile); err != nil {
		return foldstream.Frame{}, err
	}
	f = sorted(f)
	s, v := f.Column(score), f.Column(value)
	out := foldstream.Frame{Columns: []foldstream.Column{{Name: columns[0]}, {Name: columns[1]}}}
	for lo, hi := range periods(f) {
		out.Times = append(out.Times, f.Times[lo])
		scores, values := pairs(part(s, lo, hi), part(v, lo, hi))
		n := int(float64(len(scores)) * quantile)
		p := parts{high: pick(values, top(scores, n)), low: pick(values, top(negated(scores), n)), all: values}
		for i, m := range measure(p) {
			out.Columns[i].Values = append(out.Columns[i].Values, m)
		}
	}
	return out, nil
}

func checkQuantile(quantile float64) error {
	if !(quantile > 0 && quantile <= 0.5) {
		return foldstream.Errorf(foldstream.Invalid, "metric", "quantile %v is not above 0 and up to 0.5", quantile)
	}
	return nil
}

// top returns the places of the n highest values; of equal ones the first.
func top(x []float64, n int) []int { return day{scores: x}.ranked()[:n] }

func pick(x []float64, at []int) []float64 {
	out := make([]float64, len(at))
	for i, j := range at {
		out[i] = x[j]
	}
	return out
}

func negated(x []float64) []float64 {
	out := make([]float64, len(x))
	for i, v := range x {
		out[i] = -v
	}
	return out
}

// ScoreAutocorrelation returns the Pearson correlation of the scores at every time with those of the same instruments lag times
// of the frame before (Qlib: contrib/eva/alpha.py pred_autocorr): near 1, the ranking hardly moves and is cheap to follow. The first
// lag values are NaN. A lag below 1 is 1.
func ScoreAutocorrelation(f foldstream.Frame, score string, lag int) Series {
	var s Series
	for t, v := range lagged(f, score, lag) {
		s.Times, s.Values = append(s.Times, t), append(s.Values, Pearson(v.now, v.before))
	}
	return s
}

// ScoreTurnover returns which share of the highest and of the lowest part of the scores was not in that part lag times before, as a
// frame keyed by time with the columns "top" and "bottom" (Qlib: contrib/report/analysis_model/analysis_model_performance.py
// _pred_turnover, with quantile 1/N). A part is int(quantile × count) of the instruments that have a score at both times; where it
// has none, and for the first lag times, both are NaN. A lag below 1 is 1. Errors: Invalid, as LongShort.
func ScoreTurnover(f foldstream.Frame, score string, quantile float64, lag int) (foldstream.Frame, error) {
	if err := checkQuantile(quantile); err != nil {
		return foldstream.Frame{}, err
	}
	out := foldstream.Frame{Columns: []foldstream.Column{{Name: "top"}, {Name: "bottom"}}}
	for t, v := range lagged(f, score, lag) {
		n := int(float64(len(v.now)) * quantile)
		out.Times = append(out.Times, t)
		out.Columns[0].Values = append(out.Columns[0].Values, renewed(top(v.now, n), top(v.before, n)))
		out.Columns[1].Values = append(out.Columns[1].Values, renewed(top(negated(v.now), n), top(negated(v.before), n)))
	}
	return out, nil
}

// renewed returns the share of places in a that are not in b, which is as long; NaN of none.
func renewed(a, b []int) float64 {
	n := 0
	for _, i := range a {
		if !slices.Contains(b, i) {
			n++
		}
	}
	return float64(n) / float64(len(a))
}

// twice is the scores of some instruments at two times.
type twice struct{ now, before []float64 }

// lagged walks over the times of a frame with the scores of the instruments that have one then and lag times before.
func lagged(f foldstream.Frame, score string, lag int) iter.Seq2[foldstream.Time, twice] {
	f, lag = sorted(f), max(lag, 1)
	s := f.Column(score)
	return func(yield func(foldstream.Time, twice) bool) {
		var starts []int
		for lo, hi := range periods(f) {
			starts = append(starts, lo)
			var v twice
			if i := len(starts) - 1 - lag; i >= 0 && s != nil && f.Instruments != nil {
				v = matched(f.Instruments, s, [2]int{lo, hi}, [2]int{starts[i], starts[i+1]})
			}
			if !yield(f.Times[lo], v) {
				return
			}
		}
	}
}

// matched returns the values of the instruments that have one in both ranges of rows, which are in order of name.
func matched(names []string, x []float64, now, before [2]int) (v twice) {
	i, j := now[0], before[0]
	for i < now[1] && j < before[1] {
		switch {
		case names[i] < names[j]:
			i++
		case names[i] > names[j]:
			j++
		default:
			v.now, v.before = append(v.now, x[i]), append(v.before, x[j])
			i, j = i+1, j+1
		}
	}
	v.now, v.before = pairs(v.now, v.before)
	return v
}
