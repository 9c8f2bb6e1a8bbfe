package mem_test

import (
	"context"
	"fmt"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
)

// A task is created, leased, worked and committed.
func ExampleNew() {
	ctx := context.Background()
	pool := mem.New(mem.Options{}).Pool("windows")
	task := foldstream.Task{ID: "aaaaaaaaaaaaaaaaaaaaaaaaaa"} // as gen computes it of a template
	for range 2 {
		made, err := pool.Create(ctx, task)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("new:", made[0].New)
	}
	lease, err := pool.Fetch(ctx, foldstream.Filter{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("attempt:", lease.Task().Attempt)
	fmt.Println(lease.Commit(ctx, foldstream.Result{Metrics: map[string]float64{"ic": 0.05}}))
	counts, err := pool.Stat(ctx)
	fmt.Println(counts, err)
	// Output:
	// new: true
	// new: false
	// attempt: 1
	// <nil>
	// map[done:1] <nil>
}
