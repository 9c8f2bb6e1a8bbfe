package collect_test

import (
	"fmt"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// Three windows are expected; the last has not come. Those that are there fold into one series, in whatever order they came.
func ExampleRolling() {
	var expected []foldstream.Expectation
	for i, task := range []foldstream.TaskID{"first", "second", "third"} {
		expected = append(expected, foldstream.Expectation{Window: foldstream.Window{Index: i, Of: 3}, Test: span(2*i, 2*i+1), Task: task})
	}
	fold := collect.NewRolling(expected, nil)
	for _, i := range []int{1, 0, 1} {
		test := expected[i].Test
		err := fold.Add(foldstream.Member{Expectation: expected[i], Frame: foldstream.Frame{
			Times:       []foldstream.Time{test.Start, test.End},
			Instruments: []string{"IBM", "IBM"},
			Columns:     []foldstream.Column{{Name: "score", Values: []float64{float64(i), float64(i) + 0.5}}},
		}})
		if err != nil {
			fmt.Println(err)
		}
	}
	frame, cover, err := fold.Value()
	if err != nil {
		fmt.Println(err)
	}
	for i, at := range frame.Times {
		fmt.Println(at, frame.Instruments[i], frame.Column("score")[i])
	}
	fmt.Printf("%d of %d, missing %v from %s to %s\n", cover.Present, cover.Expected, cover.Missing, cover.Gaps[0].Start, cover.Gaps[0].End)
	// Output:
	// 2020-01-01 IBM 0
	// 2020-01-02 IBM 0.5
	// 2020-01-03 IBM 1
	// 2020-01-04 IBM 1.5
	// 2 of 3, missing [third] from 2020-01-05 to 2020-01-06
}
