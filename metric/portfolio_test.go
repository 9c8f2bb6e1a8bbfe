package metric_test

import (
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/metric"
)

// Five days of four instruments; k is 2, cost 0.01.
//
//	day 3: B and C lead                      holds B C  buys 1                            gross (0.02 + 0.04) / 2 = 0.03
//	day 4: B leads, A and D tie: A by name   holds A B  sells C, buys A: 0.5 + 0.5 = 1    gross (0.01 − 0.03) / 2 = −0.01
//	day 5: A alone has a score               holds A    sells B 0.5, A from 0.5 to 1: 1   gross 0.05
//	day 6: none has                          holds none sells A: 1                        gross 0
//	day 7: C and D; D has no return          holds C D  buys 1                            gross (0.06 + 0) / 2 = 0.03
func fourStocks() foldstream.Frame {
	days := []int{3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7}
	var names []string
	for range 5 {
		names = append(names, "A", "B", "C", "D")
	}
	return panel(days, names,
		foldstream.Column{Name: "score", Values: []float64{1, 5, 4, -2, 2, 3, 1, 2, 1, nan, nan, nan, nan, nan, nan, nan, 1, 2, 3, 4}},
		foldstream.Column{Name: "ret", Values: []float64{0.9, 0.02, 0.04, 0.9, 0.01, -0.03, 0.9, 0.9, 0.05, 0.9, 0.9, 0.9, 1, 1, 1, 1, 0.9, 0.9, 0.06, nan}})
}

// even is a portfolio of the k highest scores, at one cost for buying and selling.
func even(k int, cost float64) metric.Portfolio {
	return metric.Portfolio{TopK: k, BuyCost: cost, SellCost: cost}
}

func TestPortfolio(t *testing.T) {
	f, err := even(2, 0.01).Hold(fourStocks(), "score", "ret")
	if err != nil {
		t.Fatal(err)
	}
	if f.Len() != 5 || f.Instruments != nil || f.Validate() != nil {
		t.Fatal(f)
	}
	nears(t, "gross", f.Column("gross"), []float64{0.03, -0.01, 0.05, 0, 0.03})
	nears(t, "turnover", f.Column("turnover"), []float64{1, 1, 1, 1, 1})
	nears(t, "return", f.Column("return"), []float64{0.02, -0.02, 0.04, -0.01, 0.02})
}

func TestPortfolioTurnover(t *testing.T) {
	// All four, then all four, then two of them: each of the two goes from a quarter to a half, the others to none; last the other two.
	days := []int{1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4}
	names := []string{"A", "B", "C", "D", "A", "B", "C", "D", "A", "B", "C", "D"}
	v := make([]float64, len(days))
	f, err := even(4, 0.5).Hold(panel(days, names, foldstream.Column{Name: "s", Values: v}), "s", "s")
	if err != nil {
		t.Fatal(err)
	}
	nears(t, "turnover", f.Column("turnover"), []float64{1, 0, 1, 2})
	nears(t, "return", f.Column("return"), []float64{-0.5, 0, -0.5, -1})
}

func TestPortfolioWithoutReturns(t *testing.T) {
	f, err := even(2, 0).Hold(panel([]int{1, 1}, []string{"A", "B"}, foldstream.Column{Name: "s", Values: []float64{1, 2}},
		foldstream.Column{Name: "r", Values: []float64{nan, nan}}), "s", "r")
	if err != nil {
		t.Fatal(err)
	}
	nears(t, "gross", f.Column("gross"), []float64{nan})
	nears(t, "return", f.Column("return"), []float64{nan})
	if empty, err := even(2, 0).Hold(foldstream.Frame{}, "s", "r"); err != nil || empty.Len() != 0 {
		t.Errorf("the empty frame: %v, %v", empty, err)
	}
}

func TestPortfolioRefuses(t *testing.T) {
	f := fourStocks()
	byTime, twice, ragged := f, f, f
	byTime.Instruments = nil
	twice.Instruments = append([]string{"A", "A"}, f.Instruments[2:]...)
	ragged.Times = f.Times[1:]
	for want, c := range map[string]struct {
		f          foldstream.Frame
		score, ret string
		p          metric.Portfolio
	}{
		"portfolio: top_k 0: at least one instrument must be held":   {f, "score", "ret", even(0, 0)},
		"portfolio: n_drop -1: how many may be sold, 0 for no limit": {f, "score", "ret", metric.Portfolio{TopK: 1, NDrop: -1}},
		"portfolio: a least holding of -1 times":                     {f, "score", "ret", metric.Portfolio{TopK: 1, MinHold: -1}},
		"portfolio: cost -1 is not a number of at least 0":           {f, "score", "ret", metric.Portfolio{TopK: 1, SellCost: -1}},
		"portfolio: cost NaN is not a number of at least 0":          {f, "score", "ret", metric.Portfolio{TopK: 1, BuyCost: nan}},
		`portfolio: the frame has no column "x"`:                     {f, "x", "ret", even(1, 0)},
		`portfolio: the frame has no column "y"`:                     {f, "score", "y", even(1, 0)},
		"portfolio: the frame has no instruments":                    {byTime, "score", "ret", even(1, 0)},
		`portfolio: instrument "A" stands twice at 2000-01-03`:       {twice, "score", "ret", even(1, 0)},
		"frame: 20 instruments for 19 rows":                          {ragged, "score", "ret", even(1, 0)},
	} {
		if _, err := c.p.Hold(c.f, c.score, c.ret); !foldstream.Is(err, foldstream.Invalid) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// Five instruments, two of them held, one may be sold a day; buying costs 0.01, selling 0.03.
//
//	day 1: A and B lead                                   holds A B  buys 1                    gross 0.10, net 0.09
//	day 2: C, D and E lead A, B: the best comes for B     holds A C  sells B ½, buys C ½       gross 0.20, net 0.20 − 0.005 − 0.015
//	day 3: A has no score, B leads                        holds B C  sells A ½, buys B ½       gross 0.30, net 0.28
//	day 4: B and C have none: one of them may go, B       holds C E  sells B ½, buys E ½       gross 0.40, net 0.38
//	day 5: C stands without a row and has to go for D     holds D E  sells C ½, buys D ½       gross 0.50, net 0.48
//	day 6: E is last and nobody else has a score          holds D E  nothing                   gross 0.60, net 0.60
func dropping() foldstream.Frame {
	var days []int
	var names []string
	for d := 1; d <= 6; d++ {
		for _, name := range []string{"A", "B", "C", "D", "E"} {
			if d != 5 || name != "C" {
				days, names = append(days, d), append(names, name)
			}
		}
	}
	f := panel(days, names, foldstream.Column{Name: "s", Values: []float64{
		5, 4, 3, 2, 1,
		2, 1, 9, 8, 7,
		nan, 9, 5, 8, 1,
		nan, nan, nan, 1, 2,
		1, 2, 9, 8,
		nan, nan, nan, 5, 1,
	}}, foldstream.Column{Name: "r"})
	for _, t := range f.Times {
		f.Columns[1].Values = append(f.Columns[1].Values, float64(t.Std().Day())/10)
	}
	return f
}

func TestPortfolioDrops(t *testing.T) {
	p := metric.Portfolio{TopK: 2, NDrop: 1, BuyCost: 0.01, SellCost: 0.03}
	f, err := p.Hold(dropping(), "s", "r")
	if err != nil {
		t.Fatal(err)
	}
	nears(t, "gross", f.Column("gross"), []float64{0.1, 0.2, 0.3, 0.4, 0.5, 0.6})
	nears(t, "turnover", f.Column("turnover"), []float64{1, 1, 1, 1, 1, 0})
	nears(t, "return", f.Column("return"), []float64{0.09, 0.18, 0.28, 0.38, 0.48, 0.60})
}

// What was bought on day 1 is held for three days: on day 4 the two best of then come for it, and stay until day 7.
func TestPortfolioHolds(t *testing.T) {
	var days []int
	var names []string
	var scores, returns []float64
	for d := 1; d <= 7; d++ {
		for i, name := range []string{"A", "B", "C", "D"} {
			days, names = append(days, d), append(names, name)
			scores = append(scores, float64((i+2*(d-1))%4)) // A B one day, C D the other
			returns = append(returns, float64(i/2))         // A and B earn 0, C and D 1
		}
	}
	p := metric.Portfolio{TopK: 2, MinHold: 3}
	f, err := p.Hold(panel(days, names, foldstream.Column{Name: "s", Values: scores}, foldstream.Column{Name: "r", Values: returns}), "s", "r")
	if err != nil {
		t.Fatal(err)
	}
	nears(t, "gross", f.Column("gross"), []float64{1, 1, 1, 0, 0, 0, 1})
}

// made is twelve days of ten instruments: scores and returns by whole numbers that a script can make, too.
func made() foldstream.Frame {
	var days []int
	var names []string
	var scores, returns []float64
	for d := range 12 {
		for i := range 10 {
			days, names = append(days, d+1), append(names, string(rune('A'+i)))
			scores = append(scores, float64((7919*i+104729*d*d+31*i*i*d)%1009))
			returns = append(returns, float64((15485863*(i+3)+32452843*(d+1)*(i+1))%2001-1000)/50000)
		}
	}
	return panel(days, names, foldstream.Column{Name: "s", Values: scores}, foldstream.Column{Name: "r", Values: returns})
}

// The numbers are pandas' (3.1.1) for Qlib's choice of stocks in equal weights:
//
//	import pandas as pd
//	days, names = range(12), [chr(65+i) for i in range(10)]
//	score = pd.DataFrame({n: [(7919*i + 104729*d*d + 31*i*i*d) % 1009 for d in days] for i, n in enumerate(names)})
//	ret = pd.DataFrame({n: [((15485863*(i+3) + 32452843*(d+1)*(i+1)) % 2001 - 1000)/50000 for d in days] for i, n in enumerate(names)})
//	k, drop, held, before = 4, 2, [], pd.Series(0.0, names)
//	for d in days:
//		s = score.loc[d]
//		last = s.reindex(held).sort_values(ascending=False).index
//		today = s[~s.index.isin(last)].sort_values(ascending=False).index[:drop + k - len(last)]
//		comb = s.reindex(last.union(today)).sort_values(ascending=False).index
//		out = last[last.isin(comb[-drop:])]
//		held = [n for n in last if n not in out] + list(today[:len(out) + k - len(last)])
//		after = pd.Series(0.0, names); after[held] = 1/k
//		change, before = after - before, after
//		print(change.abs().sum(), (after*ret.loc[d]).sum() - 0.0005*change.clip(lower=0).sum() - 0.0015*(-change).clip(lower=0).sum())
func TestPortfolioAgainstPandas(t *testing.T) {
	p := metric.Portfolio{TopK: 4, NDrop: 2, BuyCost: 0.0005, SellCost: 0.0015}
	f, err := p.Hold(made(), "s", "r")
	if err != nil {
		t.Fatal(err)
	}
	nears(t, "turnover", f.Column("turnover"), []float64{1, 1, 1, 0.5, 1, 1, 1, 0.5, 1, 1, 1, 1})
	nears(t, "return", f.Column("return"), []float64{-0.0031850000000000003, 0.005035, -0.01636, 0.007874999999999998, 0.004945000000000001,
		-0.0026650000000000003, -0.006295, 0.0010050000000000003, 0.0011200000000000003, 0.00031999999999999976, -0.006485, 0.0002899999999999997})
}
