package collect_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// 3,000 windows of 5 sessions and 30 instruments, of one experiment in a store: read, labelled, merged into one series.
func BenchmarkRecorderCollector(b *testing.B) {
	const n = 3000
	for name, store := range stores(b) {
		fill(b, store, n)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				tree, err := collect.RecorderCollector{Recorders: collect.Results{Store: store}, Experiment: "many", Label: collect.ByWindow,
					Then: collect.Chain[foldstream.Frame]{collect.RollingGroup(collect.RollingEnsemble()), collect.SingleKey[foldstream.Frame]{}}}.Collect(b.Context())
				pred, _ := tree.Get(collect.Text("pred"))
				if f, ok := pred.Leaf(); err != nil || !ok || f.Len() != n*5*30 {
					b.Fatal(f, err)
				}
			}
		})
	}
}

// fill commits the results of so many windows.
func fill(b *testing.B, store foldstream.Store, n int) {
	b.Helper()
	tasks := streamtest.Tasks(0, n)
	var members []foldstream.Expectation
	for i, task := range tasks {
		members = append(members, foldstream.Expectation{Window: foldstream.Window{Index: i, Of: n}, Test: span(5*i, 5*i+4), Task: task.ID})
	}
	_, err := store.Pool("many").Create(b.Context(), tasks...)
	err = errors.Join(err, record.PutExperiment(b.Context(), store, foldstream.Experiment{Name: "many", Pool: "many"}, members))
	for i := range n {
		lease, fetched := store.Pool("many").Fetch(b.Context(), foldstream.Filter{Wait: 10e9})
		if err = errors.Join(err, fetched); err != nil {
			b.Fatal(err)
		}
		f := foldstream.Frame{Columns: []foldstream.Column{{Name: "score"}, {Name: "label"}, {Name: "return"}}}
		for d := 5 * i; d < 5*i+5; d++ {
			for j := range 30 {
				f.Times, f.Instruments = append(f.Times, day(d)), append(f.Instruments, fmt.Sprintf("S%02d", j))
				for k := range f.Columns {
					f.Columns[k].Values = append(f.Columns[k].Values, float64(d*j+k))
				}
			}
		}
		if err := lease.Commit(b.Context(), foldstream.Result{Frames: map[string]foldstream.Frame{"pred": f}}); err != nil {
			b.Fatal(err)
		}
	}
}
