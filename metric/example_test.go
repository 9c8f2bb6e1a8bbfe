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

func ExampleTopK() {
	held, err := metric.TopK(predictions(), "score", "return", 2, 0.001)
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
