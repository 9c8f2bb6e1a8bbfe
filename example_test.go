package foldstream_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen"
	"github.com/foldstream/foldstream/stream/mem"
)

// pool returns a pool of three tasks that are tried twice each. It is one in memory; one on JetStream does the same.
func pool(ctx context.Context) foldstream.Pool {
	var templates []foldstream.Template
	for n := range 3 {
		templates = append(templates, foldstream.Template{Task: map[string]any{"model": map[string]any{"alpha": int64(n + 1)}}, Worker: "own"})
	}
	tasks, err := gen.Tasks(templates)
	if err != nil {
		log.Fatal(err)
	}
	for i := range tasks {
		tasks[i].Retry = foldstream.Retry{Attempts: 2, Backoff: time.Millisecond}
	}
	p := mem.New(mem.Options{}).Pool("windows")
	if _, err := p.Create(ctx, tasks...); err != nil {
		log.Fatal(err)
	}
	return p
}

// alpha is what distinguishes the tasks.
func alpha(t foldstream.Task) any { return t.Task["model"].(map[string]any)["alpha"] }

// A worker of one's own, without a Runner: lease, work, commit. What fails goes back, and fails for good with its last attempt.
func ExampleWithLease() {
	ctx := context.Background()
	p := pool(ctx)
	work := func(ctx context.Context, l foldstream.Lease) error {
		if alpha(l.Task()) == int64(2) {
			return errors.New("singular matrix")
		}
		return l.Commit(ctx, foldstream.Result{Metrics: map[string]float64{"ic": 0.05}})
	}
	for {
		err := foldstream.WithLease(ctx, p, foldstream.Filter{Wait: 100 * time.Millisecond}, work)
		if foldstream.Is(err, foldstream.NotFound) {
			break // nothing waits
		}
		fmt.Println(err)
	}
	counts, err := p.Stat(ctx)
	fmt.Println(counts, err)
	// Output:
	// <nil>
	// singular matrix
	// <nil>
	// singular matrix
	// map[done:2 failed:1] <nil>
}

// The same as a loop over all there is.
func ExampleLeases() {
	ctx := context.Background()
	for l, err := range foldstream.Leases(ctx, pool(ctx), foldstream.Filter{}) {
		if err != nil {
			log.Fatal(err)
		}
		err = foldstream.Attempt(ctx, l, func(ctx context.Context, l foldstream.Lease) error {
			return l.Commit(ctx, foldstream.Result{})
		})
		fmt.Println("alpha", alpha(l.Task()), err)
	}
	// Output:
	// alpha 1 <nil>
	// alpha 2 <nil>
	// alpha 3 <nil>
}
