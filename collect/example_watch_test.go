package collect_test

import (
	"context"
	"fmt"
	"sync"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

// A program follows a collection while another one folds it, and stops when nothing will change any more.
func ExampleWatch() {
	ctx, stop := context.WithCancel(context.Background())
	store := mem.New(mem.Options{})
	var members []foldstream.Expectation
	for i, id := range []foldstream.TaskID{"aaaaaaaaaaaaaaaaaaaaaaaaaa", "baaaaaaaaaaaaaaaaaaaaaaaaa"} {
		test := span(2*i, 2*i+1)
		task := foldstream.Task{ID: id, Template: foldstream.Template{Segments: foldstream.Segments{"test": test}}}
		if _, err := store.Pool("p").Create(ctx, task); err != nil {
			panic(err)
		}
		members = append(members, foldstream.Expectation{Window: foldstream.Window{Index: i, Of: 2}, Test: test, Task: id})
	}
	if err := record.PutExperiment(ctx, store, foldstream.Experiment{Name: "x", Pool: "p"}, members); err != nil {
		panic(err)
	}
	var folding sync.WaitGroup
	folding.Go(func() { _ = (&collect.Aggregator{Store: store}).Run(ctx) })

	for s, err := range collect.Watch(ctx, store, "x") {
		if err != nil {
			panic(err)
		}
		fmt.Printf("%d of %d members, %d failed\n", s.Present, s.Expected, s.Failed)
		if s.Settled {
			break
		}
		commit(ctx, store.Pool("p"))
	}
	stop()
	folding.Wait()
	// Output:
	// 0 of 2 members, 0 failed
	// 1 of 2 members, 0 failed
	// 2 of 2 members, 0 failed
}

// commit works the next task of a pool.
func commit(ctx context.Context, p foldstream.Pool) {
	l, err := p.Fetch(ctx, foldstream.Filter{})
	if err != nil {
		panic(err)
	}
	test := l.Task().Segments["test"]
	pred := foldstream.Frame{Times: []foldstream.Time{test.Start, test.End}, Columns: []foldstream.Column{{Name: "score", Values: []float64{1, 2}}}}
	if err := l.Commit(ctx, foldstream.Result{Frames: map[string]foldstream.Frame{"pred": pred}}); err != nil {
		panic(err)
	}
}
