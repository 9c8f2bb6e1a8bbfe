package report_test

import (
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/report"
)

// done is a run whose metrics are ic, ic + 1, ic + 2, …
func done(name, model, dataset string, ic float64) report.BenchmarkRun {
	r := report.BenchmarkRun{Name: name, Model: model, Dataset: dataset, Status: foldstream.Done, Metrics: map[string]float64{}}
	for i, metric := range report.BenchmarkColumns() {
		r.Metrics[metric] = ic + float64(i)
	}
	return r
}

// changed is a run with one thing changed.
func changed(r report.BenchmarkRun, change func(r *report.BenchmarkRun)) report.BenchmarkRun {
	change(&r)
	return r
}

func TestCompare(t *testing.T) {
	b := report.Compare([]report.BenchmarkRun{
		done("r1", "Tree", "A", 0.1),
		changed(done("r2", "Net", "A", 9), func(r *report.BenchmarkRun) { r.Status, r.Error = foldstream.Dead, "out of memory" }),
		done("r3", "Tree", "B", 0.5),
		done("r4", "Tree", "A", 0.3),
		changed(done("r5", "Tree", "A", 9), func(r *report.BenchmarkRun) { r.Status = foldstream.Running }),
		changed(done("r6", "Tree", "A", 9), func(r *report.BenchmarkRun) { delete(r.Metrics, collect.MetricRankIC) }),
		changed(done("r7", "Tree", "A", 9), func(r *report.BenchmarkRun) { r.Metrics[collect.MetricICIR] = math.NaN() }),
	})
	// Tree on A: 0.1 and 0.3, whose mean is 0.2 and whose deviations of 0.1 give √(0.02 / 1).
	for i, want := range []struct {
		line    string
		n, runs int
	}{
		{"| Tree | A | 0.2000±0.14 | 1.2000±0.14| 2.2000±0.14 | 3.2000±0.14 | 4.2000±0.14 | 5.2000±0.14| 6.2000±0.14 |", 2, 5},
		{"| Net | A | n/a | n/a| n/a | n/a | n/a | n/a| n/a |", 0, 1},
		{"| Tree | B | 0.5000±0.00 | 1.5000±0.00| 2.5000±0.00 | 3.5000±0.00 | 4.5000±0.00 | 5.5000±0.00| 6.5000±0.00 |", 1, 1},
	} {
		if r := b.Rows[i]; r.Line() != want.line || r.N() != want.n || r.Runs != want.runs {
			t.Errorf("%s\nof %d in %d", r.Line(), r.N(), r.Runs)
		}
	}
	var left []string
	for _, l := range b.Left {
		left = append(left, l.Run.Name+": "+l.Why)
	}
	want := "r2: failed: out of memory; r5: running; r6: done, but without the metric rank_ic; r7: done, but its metric icir is undefined"
	if got := strings.Join(left, "; "); got != want || len(b.Rows) != 3 {
		t.Errorf("%d rows, left out: %s", len(b.Rows), got)
	}
	if empty := report.Compare(nil); len(empty.Rows)+len(empty.Left) != 0 {
		t.Errorf("nothing gives %v", empty)
	}
}

// A run of Qlib's is measured by the names that Qlib has for the same.
func TestCompareQlib(t *testing.T) {
	r := report.BenchmarkRun{Model: "M|x\ny", Status: foldstream.Done, Metrics: map[string]float64{"IC": 1, "ICIR": 2, "Rank IC": 3, "Rank ICIR": 4,
		"1day.excess_return_with_cost.annualized_return": 5, "1day.excess_return_with_cost.information_ratio": 6, "1day.excess_return_with_cost.max_drawdown": -7}}
	b := report.Compare([]report.BenchmarkRun{r})
	if got := b.Rows[0].Line(); got != `| M\|x y |  | 1.0000±0.00 | 2.0000±0.00| 3.0000±0.00 | 4.0000±0.00 | 5.0000±0.00 | 6.0000±0.00| -7.0000±0.00 |` {
		t.Errorf("%s, %v", got, b.Left)
	}
}

// full is a disk without room.
type full struct{}

var errFull = errors.New("no room")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestWriteMarkdownErr(t *testing.T) {
	if err := report.Compare(nil).WriteMarkdown(full{}); !errors.Is(err, errFull) {
		t.Errorf("got %v", err)
	}
}

func ExampleBenchmark_WriteMarkdown() {
	metrics := func(ic float64) map[string]float64 {
		return map[string]float64{"ic": ic, "icir": 10 * ic, "rank_ic": ic, "rank_icir": 10 * ic, "annual_return": 2 * ic, "information_ratio": 20 * ic, "max_drawdown": -ic}
	}
	b := report.Compare([]report.BenchmarkRun{
		{Name: "seed-1", Model: "LightGBM", Dataset: "Alpha158", Status: foldstream.Done, Metrics: metrics(0.04)},
		{Name: "seed-2", Model: "LightGBM", Dataset: "Alpha158", Status: foldstream.Done, Metrics: metrics(0.05)},
		{Name: "seed-3", Model: "LightGBM", Dataset: "Alpha158", Status: foldstream.Dead, Error: "exit status 137"},
		{Name: "seed-1", Model: "MLP", Dataset: "Alpha158", Status: foldstream.Waiting},
	})
	if err := b.WriteMarkdown(os.Stdout); err != nil {
		panic(err)
	}
	// Output:
	// | Model Name | Dataset | IC | ICIR | Rank IC | Rank ICIR | Annualized Return | Information Ratio | Max Drawdown |
	// |---|---|---|---|---|---|---|---|---|
	// | LightGBM | Alpha158 | 0.0450±0.01 | 0.4500±0.07| 0.0450±0.01 | 0.4500±0.07 | 0.0900±0.01 | 0.9000±0.14| -0.0450±0.01 |
	// | MLP | Alpha158 | n/a | n/a| n/a | n/a | n/a | n/a| n/a |
	//
	// Mean±sample deviation over runs; of one run the deviation is no spread.
	//
	// - LightGBM on Alpha158: n = 2 of 3 runs
	// - MLP on Alpha158: n = 0 of 1 run
	//
	// Left out:
	//
	// - seed-3, LightGBM on Alpha158: failed: exit status 137
	// - seed-1, MLP on Alpha158: waiting
}
