package collect_test

import (
	"fmt"
	"os"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/frame"
)

func ExampleWriteTable() {
	c := collect.Collection{Groups: []collect.Group{{
		Key:      foldstream.Key{{Name: "alpha", Value: "1"}, {Name: "horizon", Value: "5"}},
		Coverage: foldstream.Coverage{Expected: 20, Present: 20},
		Metrics:  collect.Metrics{collect.MetricIC: 0.0555, collect.MetricICIR: 0.24},
	}}}
	if err := collect.WriteTable(os.Stdout, frame.CSV, c); err != nil {
		fmt.Println(err)
	}
	// Output:
	// configuration,key.alpha,key.horizon,ic,icir,rank_ic,rank_icir,annual_return,information_ratio,max_drawdown,present,expected,failed
	// "alpha=1,horizon=5",1,5,0.0555,0.24,,,,,,20,20,0
}
