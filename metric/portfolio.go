package metric

import (
	"cmp"
	"math"
	"slices"

	"github.com/foldstream/foldstream"
)

// TopK holds, at every time of the frame, the k instruments with the highest scores in equal weights, and returns what that
// brings as a frame keyed by time with the columns
//
//	gross     mean of the held instruments' values in the column ret
//	turnover  value traded: the sum of |weight − weight before|, 1 on the first day and at most 2
//	return    gross − cost × turnover
//
// Weights before are those bought at the time before: their drift with the prices is ignored. cost is one way, per unit of value:
// 0.001 is 10 basis points. Equal scores go by the instrument's name. An instrument without a score is not held; with fewer than k
// scores those there are share the whole; with none nothing is held and nothing earned. A holding whose return is missing
// earns nothing, like a suspended stock in Qlib; where all are missing, gross and return are NaN. Rows may stand in any order.
// Errors: Invalid (k, cost, a column that is not there, no instruments, an instrument twice at one time).
func TopK(f foldstream.Frame, score, ret string, k int, cost float64) (foldstream.Frame, error) {
	if err := checkTopK(f, score, ret, k, cost); err != nil {
		return foldstream.Frame{}, err
	}
	f = sorted(f)
	scores, returns := f.Column(score), f.Column(ret)
	var out foldstream.Frame
	var net, gross, turnover []float64
	var held []string
	for lo, hi := range periods(f) {
		if i := doubled(f, lo, hi); i >= 0 {
			return out, foldstream.Errorf(foldstream.Invalid, "portfolio", "instrument %q stands twice at %s", f.Instruments[i], f.Times[i])
		}
		rows := best(scores, lo, hi, k)
		names := make([]string, len(rows))
		for i, row := range rows {
			names[i] = f.Instruments[row]
		}
		g, t := earned(returns, rows), traded(held, names)
		out.Times = append(out.Times, f.Times[lo])
		net, gross, turnover = append(net, g-cost*t), append(gross, g), append(turnover, t)
		held = names
	}
	out.Columns = []foldstream.Column{{Name: "return", Values: net}, {Name: "gross", Values: gross}, {Name: "turnover", Values: turnover}}
	return out, nil
}

// checkTopK refuses what makes no portfolio. The empty frame makes an empty one.
func checkTopK(f foldstream.Frame, score, ret string, k int, cost float64) error {
	if err := f.Validate(); err != nil {
		return err
	}
	if k < 1 {
		return foldstream.Errorf(foldstream.Invalid, "portfolio", "top_k %d: at least one instrument must be held", k)
	}
	if !(cost >= 0) || math.IsInf(cost, 0) {
		return foldstream.Errorf(foldstream.Invalid, "portfolio", "cost %v is not a number of at least 0", cost)
	}
	if f.Len() == 0 {
		return nil
	}
	for _, name := range []string{score, ret} {
		if f.Column(name) == nil {
			return foldstream.Errorf(foldstream.Invalid, "portfolio", "the frame has no column %q", name)
		}
	}
	if f.Instruments == nil {
		return foldstream.Errorf(foldstream.Invalid, "portfolio", "the frame has no instruments")
	}
	return nil
}

// doubled returns a row from lo to hi−1 whose instrument is that of the row before, −1 where there is none.
func doubled(f foldstream.Frame, lo, hi int) int {
	for i := lo + 1; i < hi; i++ {
		if f.Instruments[i] == f.Instruments[i-1] {
			return i
		}
	}
	return -1
}

// best returns the rows of the k highest scores among lo to hi−1, in order of rows; equal scores go to the earlier row.
func best(scores []float64, lo, hi, k int) []int {
	var rows []int
	for i := lo; i < hi; i++ {
		if !math.IsNaN(scores[i]) {
			rows = append(rows, i)
		}
	}
	slices.SortStableFunc(rows, func(i, j int) int { return cmp.Compare(scores[j], scores[i]) })
	rows = rows[:min(k, len(rows))]
	slices.Sort(rows)
	return rows
}

// earned returns the mean return of the rows, a missing one taken as 0.
func earned(returns []float64, rows []int) float64 {
	if len(rows) == 0 {
		return 0
	}
	var sum float64
	known := 0
	for _, i := range rows {
		if !math.IsNaN(returns[i]) {
			sum += returns[i]
			known++
		}
	}
	if known == 0 {
		return math.NaN()
	}
	return sum / float64(len(rows))
}

// traded returns the sum of the changes of weight between two sets of equally weighted instruments, both in order of name.
func traded(before, after []string) float64 {
	kept := 0
	for _, name := range after {
		if _, ok := slices.BinarySearch(before, name); ok {
			kept++
		}
	}
	nb, na := float64(len(before)), float64(len(after))
	var change float64
	if kept > 0 {
		change = float64(kept) * math.Abs(1/na-1/nb)
	}
	return change + share(len(before)-kept, nb) + share(len(after)-kept, na)
}

// share returns count / of, 0 of nothing.
func share(count int, of float64) float64 {
	if count == 0 {
		return 0
	}
	return float64(count) / of
}
