package record_test

import (
	"context"
	"fmt"
	"strings"

	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

// An ensemble is no task: it has a free recorder.
func ExampleDo() {
	ctx, store := context.Background(), mem.New(mem.Options{})
	var id string
	err := record.Do(ctx, store, "dow30", record.Options{Name: "ensemble"}, func(ctx context.Context, r *record.Run) error {
		id = r.ID()
		if err := r.Param("weights", []any{0.5, 0.3, 0.2}); err != nil {
			return err
		}
		for epoch, loss := range []float64{0.5, 0.25, 0.125} {
			r.MetricAt("loss", int64(epoch+1), loss)
		}
		return r.Artifact(ctx, "weights.csv", "text/csv", strings.NewReader("a,b,c\n0.5,0.3,0.2\n"))
	})
	if err != nil {
		panic(err)
	}
	r, err := record.Get(ctx, store, "dow30", id)
	if err != nil {
		panic(err)
	}
	fmt.Println(r.Name, r.Status, r.Params["weights"], r.Metrics["loss"], r.Artifacts[0].Name)
	// Output: ensemble finished [0.5 0.3 0.2] 0.125 weights.csv
}

// The best of an experiment's recorders, of tasks and free work alike.
func ExampleList() {
	ctx, store := context.Background(), mem.New(mem.Options{})
	for name, ic := range map[string]float64{"one": 0.02, "two": 0.05, "three": 0.01} {
		err := record.Do(ctx, store, "dow30", record.Options{ID: name}, func(_ context.Context, r *record.Run) error {
			r.Metric("ic", ic)
			return nil
		})
		if err != nil {
			panic(err)
		}
	}
	best := record.Query{
		Keep:  func(r record.Recorder) (bool, error) { return r.Metrics["ic"] > 0.015, nil },
		Less:  func(a, b record.Recorder) bool { return a.Metrics["ic"] > b.Metrics["ic"] },
		Limit: 2,
	}
	for r, err := range record.List(ctx, store, "dow30", best) {
		if err != nil {
			panic(err)
		}
		fmt.Println(r.ID, r.Metrics["ic"])
	}
	// Output:
	// two 0.05
	// one 0.02
}
