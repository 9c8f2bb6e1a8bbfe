package metric

import (
	"math"
	"slices"

	"github.com/foldstream/foldstream"
)

// Portfolio is a rule by which instruments are held from one time to the next, and what trading them costs: Qlib's
// TopkDropoutStrategy (contrib/strategy/signal_strategy.py) with method_sell "bottom" and method_buy "top". At every time those
// of the held with the lowest scores, at most NDrop, give way to others with higher ones.
//
// What is simpler than in Qlib: weights are equal at every time, and their drift with the prices is neither kept nor traded back at
// a cost; the whole is invested (Qlib's risk_degree is 0.95), in parts as small as need be (no lots, no least cost); every
// instrument can be traded at every time, at the price that the column of returns begins with. What differs, where Qlib goes on
// oddly: an instrument is sold only where a better one takes its place, also when there are too few others (Qlib sells
// the last NDrop all the same, and holds fewer than TopK), and one that MinHold keeps takes a place (Qlib buys as if it were sold,
// and holds more than TopK).
type Portfolio struct {
	TopK     int     // how many instruments are held
	NDrop    int     // how many of them may be sold at one time (n_drop); 0 is no limit: the TopK highest scores are held
	MinHold  int     // for how many times what was bought is held at least (hold_thresh); 0 is 1, which is no limit
	BuyCost  float64 // per unit of value bought (open_cost): 0.001 is 10 basis points
	SellCost float64 // per unit of value sold (close_cost)
}

// Hold runs the portfolio over the times of the frame, and returns what that brings as a frame keyed by time with the columns
//
//	return    gross less the costs
//	gross     mean of the held instruments' values in the column ret, which is the return from this time on
//	turnover  value traded: the sum of |weight − weight before|, 1 on the first day and at most 2
//
// Equal scores go by the instrument's name. An instrument without a score is not bought, and of the held the first to be sold;
// with fewer than TopK to hold those there are share the whole; with none nothing is held and nothing earned. A holding whose
// return is missing earns nothing, like a suspended stock in Qlib; where all are missing, gross and return are NaN. Rows may
// stand in any order. Errors: Invalid (the portfolio, a column that is not there, no instruments, an instrument twice at one time).
func (p Portfolio) Hold(f foldstream.Frame, score, ret string) (foldstream.Frame, error) {
	if err := p.check(f, score, ret); err != nil {
		return foldstream.Frame{}, err
	}
	f = sorted(f)
	returns := f.Column(ret)
	var out foldstream.Frame
	var net, gross, turnover []float64
	var held []holding
	for lo, hi := range periods(f) {
		if i := doubled(f, lo, hi); i >= 0 {
			return out, foldstream.Errorf(foldstream.Invalid, "portfolio", "instrument %q stands twice at %s", f.Instruments[i], f.Times[i])
		}
		next := p.choose(held, day{f.Instruments[lo:hi], f.Column(score)[lo:hi]}, len(net))
		g, change := earned(returns[lo:hi], next), traded(held, next)
		out.Times = append(out.Times, f.Times[lo])
		net = append(net, g-p.BuyCost*change.all-(p.SellCost-p.BuyCost)*change.sold)
		gross, turnover = append(gross, g), append(turnover, change.all)
		held = next
	}
	out.Columns = []foldstream.Column{{Name: "return", Values: net}, {Name: "gross", Values: gross}, {Name: "turnover", Values: turnover}}
	return out, nil
}

// check refuses what makes no portfolio. The empty frame makes an empty one.
func (p Portfolio) check(f foldstream.Frame, score, ret string) error {
	if err := f.Validate(); err != nil {
		return err
	}
	if err := p.Validate(); err != nil || f.Len() == 0 {
		return err
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

// Validate reports a number that makes no sense. Errors: Invalid.
func (p Portfolio) Validate() error {
	switch {
	case p.TopK < 1:
		return foldstream.Errorf(foldstream.Invalid, "portfolio", "top_k %d: at least one instrument must be held", p.TopK)
	case p.NDrop < 0:
		return foldstream.Errorf(foldstream.Invalid, "portfolio", "n_drop %d: how many may be sold, 0 for no limit", p.NDrop)
	case p.MinHold < 0:
		return foldstream.Errorf(foldstream.Invalid, "portfolio", "a least holding of %d times", p.MinHold)
	}
	for _, cost := range []float64{p.BuyCost, p.SellCost} {
		if !(cost >= 0) || math.IsInf(cost, 0) {
			return foldstream.Errorf(foldstream.Invalid, "portfolio", "cost %v is not a number of at least 0", cost)
		}
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

// earned returns the mean return of what is held, a missing one taken as 0.
func earned(returns []float64, held []holding) float64 {
	if len(held) == 0 {
		return 0
	}
	var sum float64
	known := 0
	for _, h := range held {
		if h.row >= 0 && !math.IsNaN(returns[h.row]) {
			sum += returns[h.row]
			known++
		}
	}
	if known == 0 {
		return math.NaN()
	}
	return sum / float64(len(held))
}

// trade is the changes of weight between two sets of holdings.
type trade struct{ all, sold float64 }

// traded compares two sets of equally weighted holdings, both in order of name.
func traded(before, after []holding) trade {
	kept := 0
	for _, h := range after {
		if _, ok := slices.BinarySearchFunc(before, h.name, holding.compare); ok {
			kept++
		}
	}
	nb, na := float64(len(before)), float64(len(after))
	var change, less float64
	if kept > 0 {
		change, less = float64(kept)*math.Abs(1/na-1/nb), float64(kept)*max(0, 1/nb-1/na)
	}
	gone := share(len(before)-kept, nb)
	return trade{all: change + gone + share(len(after)-kept, na), sold: less + gone}
}

// share returns count / of, 0 of nothing.
func share(count int, of float64) float64 {
	if count == 0 {
		return 0
	}
	return float64(count) / of
}
