// Command bycode goes from a template to a collection in Go, with a generator and a worker of its own: do the stocks that
// rose most over the last sessions rise most in the next one? In the repository: go run ./examples/bycode
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/gen"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/embed"
	"github.com/foldstream/foldstream/work"
)

// lookbacks is a generator: one template for each number of sessions to look back.
type lookbacks []int

func (l lookbacks) Generate(t foldstream.Template) (out []foldstream.Template, err error) {
	for _, n := range l {
		c := t.Clone()
		c.Task["lookback"] = int64(n)
		c.Key = c.Key.With("lookback", fmt.Sprint(n))
		out = append(out, c)
	}
	return out, nil
}

// Work is the worker: it scores each stock in each session of the test segment by its rise over the last sessions.
func (p *prices) Work(_ context.Context, t foldstream.Task, _ foldstream.Recorder) (foldstream.Result, error) {
	frame := p.rises(t.Segments["test"], int(t.Task["lookback"].(int64)))
	return foldstream.Result{Frames: map[string]foldstream.Frame{"pred": frame}}, nil
}

func main() {
	run(context.Background(), must(readPrices("examples/dow30/prices.csv")), os.Stdout)
}

// run makes the tasks, works them on a server inside this process, and prints what they fold into.
func run(ctx context.Context, p *prices, out io.Writer) {
	cal := must(calendar.New(p.sessions))
	template := foldstream.Template{
		Task: map[string]any{}, Worker: "momentum", Reach: foldstream.Ahead(2), // signal at the close, trade at the next, held for one session
		Segments: foldstream.Segments{
			"train": {Start: foldstream.DateOf(1991, 1, 2), End: foldstream.DateOf(1992, 12, 31)},
			"test":  {Start: foldstream.DateOf(1993, 1, 4), End: foldstream.DateOf(2000, 12, 29)},
		},
	}
	tasks := must(gen.Tasks(must(gen.All([]foldstream.Template{template},
		lookbacks{5, 20, 120},
		gen.Rolling{Calendar: cal, Step: 252, TruncReach: true, Last: gen.Merge},
		gen.Certified{Calendar: cal}))))

	server := must(embed.Start(ctx, embed.Config{Port: embed.NoListener})) // on a temporary directory
	defer func() { check(server.Close()) }()
	nc := must(server.Conn())
	defer nc.Close()
	store := must(stream.Open(ctx, nc, stream.Config{}))
	defer func() { check(store.Close()) }()
	experiment := foldstream.Experiment{Name: "momentum", Pool: "momentum", Calendar: cal.Version(),
		Collection: foldstream.CollectionSpec{Ensemble: "average"}}
	check(record.PutExperiment(ctx, store, experiment, gen.Expectations(tasks), p.sessions...))
	must(store.Pool("momentum").Create(ctx, tasks...))

	ctx, stop := context.WithCancel(ctx)
	ended := make(chan error, 2)
	go func() {
		ended <- (&work.Runner{Pool: store.Pool("momentum"), Workers: work.Registry{"momentum": p}}).Run(ctx)
	}()
	go func() { ended <- (&collect.Aggregator{Store: store, Reconciler: store}).Run(ctx) }()
	for summary, err := range collect.Watch(ctx, store, "momentum") {
		if check(err); summary.Settled {
			break
		}
	}
	for _, row := range collect.Table(must(collect.Load(ctx, store, "momentum"))) {
		name := row.Key.String()
		if row.Ensemble {
			name = "ensemble"
		}
		fmt.Fprintf(out, "%-30s IC %+.4f, %d of %d windows\n", name, row.IC, row.Present, row.Expected)
	}
	stop()
	check(errors.Join(<-ended, <-ended))
}

func must[T any](v T, err error) T { check(err); return v }

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
