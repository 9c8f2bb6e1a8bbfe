package collect_test

import (
	"context"
	"fmt"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// windows are the frames of two models' windows, by the label (model, window).
func windows() collect.Tree[foldstream.Frame] {
	var t collect.Tree[foldstream.Frame]
	for i, model := range []string{"tree", "tree", "ridge"} {
		label := collect.Tuple(collect.Text(model), collect.Text(fmt.Sprint(i%2)))
		f := foldstream.Frame{Times: []foldstream.Time{day(i % 2), day(i%2 + 1)}, Instruments: []string{"IBM", "IBM"},
			Columns: []foldstream.Column{{Name: "score", Values: []float64{float64(i), float64(i) + 0.5}}}}
		if err := t.Add(label, collect.Leaf(f)); err != nil {
			fmt.Println(err)
		}
	}
	return t
}

func printLeaves(t collect.Tree[foldstream.Frame], err error) {
	if err != nil {
		fmt.Println(err)
	}
	for label, f := range t.Leaves() {
		fmt.Println(label, f.Times[0], f.Column("score"))
	}
}

// The windows of each model become one series; where two have a session, the window that starts later has the say.
func ExampleRollingGroup() {
	printLeaves(collect.RollingGroup(collect.RollingEnsemble()).Process(windows()))
	// Output:
	// ["ridge"] 2020-01-01 [2 2.5]
	// ["tree"] 2020-01-01 [0 1 1.5]
}

// A group may be split by anything of its labels, and reduced by any processor: here those of the first window, as they are.
func ExampleGroupBy() {
	byWindow := func(l collect.Label) (group, member collect.Label, err error) {
		parts, _ := l.Parts()
		return parts[1], parts[0], nil
	}
	printLeaves(collect.GroupBy[foldstream.Frame]{Split: byWindow, Each: collect.Chain[foldstream.Frame]{}}.Process(windows()))
	// Output:
	// ["0","ridge"] 2020-01-01 [2 2.5]
	// ["0","tree"] 2020-01-01 [0 0.5]
	// ["1","tree"] 2020-01-02 [1 1.5]
}

func ExampleSingleKey() {
	chain := collect.Chain[foldstream.Frame]{
		collect.RollingGroup(collect.RollingEnsemble()),
		collect.RankEnsemble("score"),
		collect.SingleKey[foldstream.Frame]{}, // nothing is left to unwrap
	}
	printLeaves(chain.Process(windows()))
	// Output:
	// null 2020-01-01 [1 1 1]
}

// What two collectors gather stands side by side; two of one label would be refused.
func ExampleMergeCollector() {
	var pred collect.Tree[foldstream.Frame]
	if err := pred.Add(collect.Text("pred"), windows()); err != nil {
		fmt.Println(err)
	}
	rolling := collect.Chain[foldstream.Frame]{collect.RollingGroup(collect.RollingEnsemble())}
	printLeaves(collect.MergeCollector[foldstream.Frame]{Collectors: map[string]collect.Collector[foldstream.Frame]{
		"a": collect.Collected[foldstream.Frame]{Tree: pred, Then: rolling},
		"b": collect.Collected[foldstream.Frame]{Tree: pred, Then: rolling},
	}}.Collect(context.Background()))
	// Output:
	// [["a","pred"],["ridge"]] 2020-01-01 [2 2.5]
	// [["a","pred"],["tree"]] 2020-01-01 [0 1 1.5]
	// [["b","pred"],["ridge"]] 2020-01-01 [2 2.5]
	// [["b","pred"],["tree"]] 2020-01-01 [0 1 1.5]
}

// An experiment of two windows in any store: their results become one series.
func ExampleRecorderCollector() {
	ctx, store := context.Background(), mem.New(mem.Options{})
	var members []foldstream.Expectation
	for i, task := range streamtest.Tasks(0, 2) {
		members = append(members, foldstream.Expectation{Key: foldstream.Key{{Name: "alpha", Value: "1"}}, Window: foldstream.Window{Index: i, Of: 2},
			Test: span(i, i), Task: task.ID})
		if _, err := store.Pool("example").Create(ctx, task); err != nil {
			fmt.Println(err)
		}
	}
	if err := record.PutExperiment(ctx, store, foldstream.Experiment{Name: "example", Pool: "example"}, members); err != nil {
		fmt.Println(err)
	}
	for i := range members {
		lease, err := store.Pool("example").Fetch(ctx, foldstream.Filter{})
		if err == nil {
			pred := foldstream.Frame{Times: []foldstream.Time{day(i)}, Columns: []foldstream.Column{{Name: "score", Values: []float64{float64(i)}}}}
			err = lease.Commit(ctx, foldstream.Result{Frames: map[string]foldstream.Frame{"pred": pred}})
		}
		if err != nil {
			fmt.Println(err)
		}
	}
	printLeaves(collect.RecorderCollector{
		Recorders:  collect.Results{Store: store},
		Experiment: "example",
		Label:      collect.ByWindow,
		Then:       collect.Chain[foldstream.Frame]{collect.RollingGroup(collect.RollingEnsemble())},
	}.Collect(ctx))
	// Output:
	// ["pred",["alpha=1"]] 2020-01-01 [0 1]
}
