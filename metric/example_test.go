package metric_test

import (
	"fmt"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/metric"
)

// Two days of three instruments: on the first the scores order the returns rightly, on the second the other way round.
func predictions() foldstream.Frame {
	mon, tue := foldstream.DateOf(2000, 1, 3), foldstream.DateOf(2000, 1, 4)
	return foldstream.Frame{
		Times:       []foldstream.Time{mon, mon, mon, tue, tue, tue},
		Instruments: []string{"IBM", "KO", "MSFT", "IBM", "KO", "MSFT"},
		Columns: []foldstream.Column{
			{Name: "score", Values: []float64{1, 2, 3, 1, 2, 3}},
			{Name: "return", Values: []float64{0.01, 0.02, 0.04, 0.04, 0.02, 0.01}},
		},
	}
}

func ExampleRankIC() {
	s := metric.RankIC(predictions(), "score", "return")
	for i, t := range s.Times {
		fmt.Printf("%v %+.0f\n", t, s.Values[i])
	}
	// Output:
	// 2000-01-03 +1
	// 2000-01-04 -1
}

func ExamplePortfolio() {
	top := metric.Portfolio{TopK: 2, BuyCost: 0.001, SellCost: 0.001}
	held, err := top.Hold(predictions(), "score", "return")
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, t := range held.Times {
		fmt.Printf("%v gross %.4f, turnover %.1f, after costs %.4f\n", t, held.Column("gross")[i], held.Column("turnover")[i], held.Column("return")[i])
	}
	// Output:
	// 2000-01-03 gross 0.0300, turnover 1.0, after costs 0.0290
	// 2000-01-04 gross 0.0150, turnover 0.0, after costs 0.0150
}

func ExampleLongShort() {
	ends, err := metric.LongShort(predictions(), "score", "return", 0.4)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, t := range ends.Times {
		fmt.Printf("%v long-short %+.3f, average %.4f\n", t, ends.Column("long_short")[i], ends.Column("average")[i])
	}
	// Output:
	// 2000-01-03 long-short +0.015, average 0.0233
	// 2000-01-04 long-short -0.015, average 0.0233
}

func ExampleScoreAutocorrelation() {
	s := metric.ScoreAutocorrelation(predictions(), "score", 1)
	fmt.Printf("%.1f\n", s.Values)
	// Output:
	// [NaN 1.0]
}

func ExampleCompound() {
	daily := []float64{0.10, -0.10, 0.10}
	sum, product := metric.Perform(daily, 3), metric.Compound(daily, 3)
	fmt.Printf("added %.3f, compounded %.3f\n", sum.AnnualReturn, product.AnnualReturn)
	fmt.Printf("deepest fall %.3f and %.3f\n", sum.MaxDrawdown, product.MaxDrawdown)
	// Output:
	// added 0.100, compounded 0.089
	// deepest fall -0.100 and -0.100
}

func ExampleCorrect() {
	// Labels over five sessions: neighbouring ICs are nearly the same.
	ics := []float64{0.04, 0.05, 0.05, 0.06, 0.05, 0.02, 0.01, 0.01, 0.00, 0.01, 0.03, 0.04, 0.05, 0.05, 0.04}
	as, is := metric.Correct(ics, 1), metric.Correct(ics, 5)
	fmt.Printf("as if independent: t %.1f, ICIR %.2f\n", as.T, as.Ratio)
	fmt.Printf("corrected:         t %.1f, ICIR %.2f\n", is.T, is.Ratio)
	fmt.Println(metric.OverlapNote(5))
	// Output:
	// as if independent: t 6.9, ICIR 1.77
	// corrected:         t 4.4, ICIR 1.13
	// Labels span 5 sessions, so those of neighbouring days overlap and the daily ICs are not independent: their ICIR and t are too high. Corrected ones take the standard error of Newey and West with 4 lags.
}
