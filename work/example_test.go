package work_test

import (
	"context"
	"fmt"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/work"
)

// A consumer with a worker of one's own, on a pool in memory; one on JetStream is used in the same way.
func ExampleRunner() {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	store := mem.New(mem.Options{})
	pool := store.Pool("demo")
	if _, err := pool.Create(ctx, foldstream.Task{ID: "aaaaaaaaaaaaaaaaaaaaaaaaaa", Template: foldstream.Template{Worker: "double", Horizon: 21}}); err != nil {
		fmt.Println(err)
		return
	}
	workers := work.Builtin()
	workers["double"] = foldstream.WorkerFunc(func(_ context.Context, t foldstream.Task, rec foldstream.Recorder) (foldstream.Result, error) {
		rec.Metric("answer", float64(2*t.Horizon))
		return foldstream.Result{}, nil
	})
	r := &work.Runner{Pool: pool, Workers: workers, Done: func(foldstream.Task, error) { stop() }}
	if err := r.Run(ctx); err != nil {
		fmt.Println(err)
		return
	}
	for e, err := range store.Events(context.Background(), foldstream.EventFilter{Pool: "demo"}, 0) {
		if err == nil && e.Kind == foldstream.EventResult {
			fmt.Println(e.Status, e.Result.Metrics["answer"])
		}
	}
	// Output: done 42
}
