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

func TestTopK(t *testing.T) {
	f, err := metric.TopK(fourStocks(), "score", "ret", 2, 0.01)
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

func TestTopKTurnover(t *testing.T) {
	// All four, then all four, then two of them: each of the two goes from a quarter to a half, the others to none; last the other two.
	days := []int{1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 4, 4}
	names := []string{"A", "B", "C", "D", "A", "B", "C", "D", "A", "B", "C", "D"}
	v := make([]float64, len(days))
	f, err := metric.TopK(panel(days, names, foldstream.Column{Name: "s", Values: v}), "s", "s", 4, 0.5)
	if err != nil {
		t.Fatal(err)
	}
	nears(t, "turnover", f.Column("turnover"), []float64{1, 0, 1, 2})
	nears(t, "return", f.Column("return"), []float64{-0.5, 0, -0.5, -1})
}

func TestTopKWithoutReturns(t *testing.T) {
	f, err := metric.TopK(panel([]int{1, 1}, []string{"A", "B"}, foldstream.Column{Name: "s", Values: []float64{1, 2}},
		foldstream.Column{Name: "r", Values: []float64{nan, nan}}), "s", "r", 2, 0)
	if err != nil {
		t.Fatal(err)
	}
	nears(t, "gross", f.Column("gross"), []float64{nan})
	nears(t, "return", f.Column("return"), []float64{nan})
	if empty, err := metric.TopK(foldstream.Frame{}, "s", "r", 2, 0); err != nil || empty.Len() != 0 {
		t.Errorf("the empty frame: %v, %v", empty, err)
	}
}

func TestTopKRefuses(t *testing.T) {
	f := fourStocks()
	byTime, twice, ragged := f, f, f
	byTime.Instruments = nil
	twice.Instruments = append([]string{"A", "A"}, f.Instruments[2:]...)
	ragged.Times = f.Times[1:]
	for want, c := range map[string]struct {
		f          foldstream.Frame
		score, ret string
		k          int
		cost       float64
	}{
		"portfolio: top_k 0: at least one instrument must be held": {f, "score", "ret", 0, 0},
		"portfolio: cost -1 is not a number of at least 0":         {f, "score", "ret", 1, -1},
		"portfolio: cost NaN is not a number of at least 0":        {f, "score", "ret", 1, nan},
		`portfolio: the frame has no column "x"`:                   {f, "x", "ret", 1, 0},
		`portfolio: the frame has no column "y"`:                   {f, "score", "y", 1, 0},
		"portfolio: the frame has no instruments":                  {byTime, "score", "ret", 1, 0},
		`portfolio: instrument "A" stands twice at 2000-01-03`:     {twice, "score", "ret", 1, 0},
		"frame: 20 instruments for 19 rows":                        {ragged, "score", "ret", 1, 0},
	} {
		if _, err := metric.TopK(c.f, c.score, c.ret, c.k, c.cost); !foldstream.Is(err, foldstream.Invalid) || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
