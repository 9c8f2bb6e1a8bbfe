package collect_test

import (
	"fmt"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// scoresOf are the scores of a session, of the instruments A, B, C and so on.
func scoresOf(scores ...float64) foldstream.Frame {
	f := foldstream.Frame{Columns: []foldstream.Column{{Name: "score", Values: scores}}}
	for i := range scores {
		f.Times, f.Instruments = append(f.Times, day(0)), append(f.Instruments, string(rune('A'+i)))
	}
	return f
}

// twoSeries are two configurations: they agree on the best instrument, and one has a wild score.
func twoSeries() (expected []foldstream.Expectation, members []foldstream.Member) {
	for i, f := range []foldstream.Frame{scoresOf(1, 2, 3), scoresOf(1, -5, 100)} {
		e := foldstream.Expectation{Key: foldstream.Key{{Name: "horizon", Value: fmt.Sprint(1 + 4*i)}}}
		expected, members = append(expected, e), append(members, foldstream.Member{Expectation: e, Frame: f})
	}
	return expected, members
}

func printFold(fold foldstream.Fold, members []foldstream.Member) {
	for _, m := range members {
		if err := fold.Add(m); err != nil {
			fmt.Println(err)
		}
	}
	f, cover, err := fold.Value()
	if err != nil {
		fmt.Println(err)
	}
	for i, name := range f.Instruments {
		fmt.Printf("%s %+.2f\n", name, f.Column("score")[i])
	}
	fmt.Printf("%d of %d\n", cover.Present, cover.Expected)
}

func ExampleNewAverage() {
	expected, members := twoSeries()
	printFold(collect.NewAverage(expected, "score"), members)
	// Output:
	// A -0.76
	// B -0.31
	// C +1.08
	// 2 of 2
}

// The longer horizon counts three times.
func ExampleNewWeighted() {
	expected, members := twoSeries()
	spec := foldstream.CollectionSpec{Ensemble: foldstream.EnsembleWeighted,
		Weights: []foldstream.Weight{{Key: foldstream.Key{{Name: "horizon", Value: "5"}}, Weight: 3}}}
	printFold(collect.NewWeighted(expected, spec.WeightOf, "score"), members)
	// Output:
	// A -0.64
	// B -0.47
	// C +1.11
	// 2 of 2
}

func ExampleNewRank() {
	expected, members := twoSeries()
	printFold(collect.NewRank(expected, "score"), members[:1])
	// Output:
	// A +0.33
	// B +0.67
	// C +1.00
	// 1 of 2
}
