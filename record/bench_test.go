package record_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// many is how many recorders the benchmarks list: as many as MLflow takes 15 minutes for (mlflow/mlflow #2730).
const many = 30_000

// BenchmarkList lists recorders of finished tasks, each with 10 params, 5 metrics, an artifact and a frame of 100 rows.
func BenchmarkList(b *testing.B) {
	nc, err := nats.Connect(streamtest.Server(b).URL())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(nc.Close)
	store, err := stream.Open(b.Context(), nc, stream.Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	fill(b, store)
	better := func(x, y record.Recorder) bool { return x.Metrics["ic"] > y.Metrics["ic"] }
	for name, q := range map[string]record.Query{
		"all":     {},
		"first20": {Limit: 20},
		"where":   {Keep: func(r record.Recorder) (bool, error) { return r.Metrics["ic"] > 0.5, nil }},
		"best20":  {Less: better, Limit: 20},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				n := 0
				for _, err := range record.List(b.Context(), store, "e", q) {
					if err != nil {
						b.Fatal(err)
					}
					n++
				}
				b.ReportMetric(float64(n), "recorders")
			}
		})
	}
	b.Run("get", func(b *testing.B) {
		for b.Loop() {
			if _, err := record.Get(b.Context(), store, "e", string(streamtest.Task(many/2).ID)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// fill makes the experiment "e" of many finished tasks.
func fill(b *testing.B, store *stream.Store) {
	b.Helper()
	tasks := streamtest.Tasks(0, many)
	var members []foldstream.Expectation
	for i := range tasks {
		tasks[i].Experiment = "e"
		members = append(members, foldstream.Expectation{Task: tasks[i].ID, Window: foldstream.Window{Index: i, Of: many}})
	}
	if _, err := store.Pool("p").Create(b.Context(), tasks...); err != nil {
		b.Fatal(err)
	}
	if err := record.PutExperiment(b.Context(), store, foldstream.Experiment{Name: "e", Pool: "p"}, members); err != nil {
		b.Fatal(err)
	}
	var workers sync.WaitGroup
	for range 32 {
		workers.Go(func() {
			for {
				l, err := store.Pool("p").Fetch(b.Context(), foldstream.Filter{Wait: time.Second})
				if err == nil {
					err = l.Commit(b.Context(), benchResult())
				}
				if foldstream.Is(err, foldstream.NotFound) {
					return
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
}

func benchResult() foldstream.Result {
	r := foldstream.Result{Params: map[string]string{}, Metrics: map[string]float64{"ic": 0.25, "icir": 1, "rank_ic": 2, "loss": 3, "auc": 4}, Code: "v1", Worker: "me"}
	for i := range 10 {
		r.Params[fmt.Sprint("param", i)] = "value"
	}
	f := foldstream.Frame{Columns: []foldstream.Column{{Name: "score"}}}
	for i := range 100 {
		f.Times = append(f.Times, foldstream.DateOf(2020, 1, 1+i))
		f.Columns[0].Values = append(f.Columns[0].Values, float64(i))
	}
	r.Frames = map[string]foldstream.Frame{"pred": f}
	r.Artifacts = []foldstream.Artifact{{Name: "exec.log", Size: 100}}
	return r
}
