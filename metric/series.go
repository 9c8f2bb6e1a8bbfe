package metric

import (
	"iter"

	"github.com/foldstream/foldstream"
)

// Series is a value a time, in order of time.
type Series struct {
	Times  []foldstream.Time
	Values []float64
}

// Frame returns the series as a frame with one column.
func (s Series) Frame(column string) foldstream.Frame {
	return foldstream.Frame{Times: s.Times, Columns: []foldstream.Column{{Name: column, Values: s.Values}}}
}

// IC returns the information coefficient of every time of the frame: the Pearson correlation of two of its columns over the
// instruments (Qlib: contrib/eva/alpha.py calc_ic). The rows may stand in any order. A column that is not there is all missing.
func IC(f foldstream.Frame, score, label string) Series {
	return daily(f, score, label, Pearson)
}

// RankIC returns the Spearman correlation a time, else as IC.
func RankIC(f foldstream.Frame, score, label string) Series {
	return daily(f, score, label, Spearman)
}

func daily(f foldstream.Frame, score, label string, measure func(x, y []float64) float64) Series {
	f = sorted(f)
	x, y := f.Column(score), f.Column(label)
	var s Series
	for lo, hi := range periods(f) {
		s.Times = append(s.Times, f.Times[lo])
		s.Values = append(s.Values, measure(part(x, lo, hi), part(y, lo, hi)))
	}
	return s
}

// part returns x[lo:hi], nil where there is no x.
func part(x []float64, lo, hi int) []float64 {
	if x == nil {
		return nil
	}
	return x[lo:hi]
}

// sorted returns f itself where its rows are in order, else a sorted copy.
func sorted(f foldstream.Frame) foldstream.Frame {
	for i := 1; i < f.Len(); i++ {
		if f.CompareRows(i-1, f, i) > 0 {
			return f.Sorted()
		}
	}
	return f
}

// periods walks over a sorted frame: the rows lo to hi−1 are those of one time.
func periods(f foldstream.Frame) iter.Seq2[int, int] {
	return func(yield func(lo, hi int) bool) {
		for lo := 0; lo < f.Len(); {
			hi := lo + 1
			for hi < f.Len() && f.Times[hi] == f.Times[lo] {
				hi++
			}
			if !yield(lo, hi) {
				return
			}
			lo = hi
		}
	}
}
