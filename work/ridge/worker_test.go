package ridge_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/metric"
	"github.com/foldstream/foldstream/work/ridge"
)

// dow30 is a task of the example: train 1991 to 1999, test the first quarter of 2000.
func dow30(t testing.TB, horizon int) foldstream.Task {
	t.Helper()
	return task(t, filepath.Join("..", "..", "examples", "dow30", "prices.csv"), horizon, map[string]any{
		"momentum": []any{int64(21), int64(63), int64(126)}, "reversal": []any{int64(1), int64(5)}, "volatility": []any{int64(21), int64(63)},
	}, foldstream.Segments{
		"train": {Start: foldstream.DateOf(1991, 1, 2), End: foldstream.DateOf(1999, 11, 15)},
		"test":  {Start: foldstream.DateOf(2000, 1, 3), End: foldstream.DateOf(2000, 3, 31)},
	})
}

func task(t testing.TB, path string, horizon int, handler map[string]any, s foldstream.Segments) foldstream.Task {
	t.Helper()
	tpl, err := foldstream.TemplateOf(map[string]any{
		"model":     map[string]any{"kwargs": map[string]any{"alpha": 1}},
		"dataset":   map[string]any{"kwargs": map[string]any{"handler": map[string]any{"kwargs": handler}}},
		"portfolio": map[string]any{"top_k": 5, "cost": 0.001},
	})
	if err != nil {
		t.Fatal(err)
	}
	tpl.Segments, tpl.Horizon = s, horizon
	return foldstream.Task{Template: tpl, Data: []foldstream.Data{{Name: "prices", Path: path, Digest: foldstream.Digest(path)}}}
}

func work(t *testing.T, w *ridge.Worker, task foldstream.Task) foldstream.Result {
	t.Helper()
	r, err := w.Work(t.Context(), task, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func encoded(t *testing.T, r foldstream.Result) []byte {
	t.Helper()
	var all []byte
	for _, name := range []string{"pred", "daily"} {
		b, err := r.Frames[name].MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return fmt.Append(all, r.Metrics) // fmt prints maps in order of their keys
}

func TestEqualTasksGiveEqualBytes(t *testing.T) {
	shared := &ridge.Worker{}
	a := encoded(t, work(t, shared, dow30(t, 5)))
	for range 2 {
		if !bytes.Equal(a, encoded(t, work(t, shared, dow30(t, 5)))) {
			t.Fatal("from the cache the result differs")
		}
	}
	if !bytes.Equal(a, encoded(t, work(t, &ridge.Worker{}, dow30(t, 5)))) {
		t.Fatal("from another worker the result differs")
	}
	if bytes.Equal(a, encoded(t, work(t, shared, dow30(t, 1)))) {
		t.Fatal("another horizon gives the same result")
	}
}

func TestResultOnRealPrices(t *testing.T) {
	r := work(t, &ridge.Worker{}, dow30(t, 5))
	pred, daily := r.Frames["pred"], r.Frames["daily"]
	if pred.Len() != 63*30 || daily.Len() != 63 || pred.Validate() != nil || daily.Validate() != nil {
		t.Fatalf("pred %v, daily %v", pred, daily)
	}
	for i := 1; i < pred.Len(); i++ {
		if pred.CompareRows(i-1, pred, i) >= 0 {
			t.Fatalf("row %d is not in order", i)
		}
	}
	if got := metric.Summarise(daily.Column("ic")).Mean; got != r.Metrics["ic"] || math.IsNaN(got) {
		t.Errorf("ic %v, of the days %v", r.Metrics["ic"], got)
	}
	if got := metric.Perform(daily.Column("return"), 252).AnnualReturn; got != r.Metrics["annual_return"] || math.IsNaN(got) {
		t.Errorf("annual return %v, of the days %v", r.Metrics["annual_return"], got)
	}
	for _, name := range []string{"icir", "rank_ic", "rank_icir", "information_ratio", "max_drawdown", "turnover", "weight.momentum_21"} {
		if v, ok := r.Metrics[name]; !ok || math.IsNaN(v) {
			t.Errorf("metric %s: %v", name, v)
		}
	}
	t.Log(r.Metrics)
}

// write makes a price file of geometric walks in which instrument A is a line that the tests can work out.
func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "p.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

var _ = strings.Contains
