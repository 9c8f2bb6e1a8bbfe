package cli_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

// compared is a store with the experiment "bench" of two seeds of one model on two periods: a task each, whose worker told all metrics.
func compared(t *testing.T, finish int) flawed {
	t.Helper()
	s := flawed{mem.New(mem.Options{})}
	var members []foldstream.Expectation
	for i := range 4 {
		one := task(i)
		seed, year := string(rune('1'+i%2)), 1996+i/2
		test := foldstream.Segment{Start: foldstream.DateOf(year, 1, 2), End: foldstream.DateOf(year, 1, 5)}
		one.Segments["test"], one.Window = test, foldstream.Window{}
		one.Key = foldstream.Key{{Name: "test", Value: `["` + test.Start.String() + `","` + test.End.String() + `"]`}, {Name: "alpha", Value: "1"}, {Name: "seed", Value: seed}}
		one.Experiment = "bench"
		_, err := s.Pool("p").Create(t.Context(), one)
		ok(t, err)
		members = append(members, foldstream.Expectation{Key: one.Key, Window: one.Window, Test: test, Task: one.ID})
	}
	spec := foldstream.CollectionSpec{Portfolio: foldstream.PortfolioSpec{TopK: 1}}
	ok(t, record.PutExperiment(t.Context(), s, foldstream.Experiment{Name: "bench", Pool: "p", Collection: spec}, members))
	for range finish {
		l, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{})
		ok(t, err)
		ok(t, l.Commit(t.Context(), benchResult(l.Task())))
	}
	return s
}

// benchResult is what a task's worker told: a number for each metric that tells seeds and periods apart.
func benchResult(t foldstream.Task) foldstream.Result {
	r := foldstream.Result{Metrics: map[string]float64{}, Frames: map[string]foldstream.Frame{}}
	base := float64(t.ID[25]-'a'+1) / 10
	for _, name := range []string{"ic", "icir", "rank_ic", "rank_icir", "annual_return", "information_ratio", "max_drawdown"} {
		r.Metrics[name] = base
	}
	f := foldstream.Frame{Columns: []foldstream.Column{{Name: "score"}, {Name: "label"}, {Name: "return"}}}
	for day := range 4 {
		for i, name := range []string{"A", "B", "C", "D", "E"} {
			at := foldstream.TimeOf(t.Segments["test"].Start.Std().AddDate(0, 0, day))
			f.Times, f.Instruments = append(f.Times, at), append(f.Instruments, name)
			came := math.Sin(float64(i*5+day)) / 50
			for j, v := range []float64{math.Cos(base*9 + float64(i*2+day*day*3)), came, came} {
				f.Columns[j].Values = append(f.Columns[j].Values, v)
			}
		}
	}
	r.Frames["pred"] = f
	return r
}

type tableJSON struct {
	Rows []struct {
		Model, Dataset string
		N, Runs        int
		Metrics        map[string]struct {
			Mean, Std *float64
			Values    []float64
		}
	}
	Left []struct{ Run, Model, Dataset, Why string } `json:"left_out"`
}

func (s flawed) table(t *testing.T, args ...string) (out tableJSON) {
	t.Helper()
	r := s.run(t, append([]string{"table", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil || r.code != 0 {
		t.Fatalf("%v: %+v", err, r)
	}
	return out
}

// The runs of recorders: a mean and a deviation over the seeds of each period, by hand; what is open is left out by name.
func TestTableOfRecorders(t *testing.T) {
	s := compared(t, 3)
	_, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{})
	ok(t, err)
	out := s.table(t, "bench", "--recorders")
	if len(out.Rows) != 2 || out.Rows[0].Model != "Ridge alpha=1" || out.Rows[1].Dataset != "bench 1997-01-02 to 1997-01-05" {
		t.Fatalf("%+v", out.Rows)
	}
	ic := out.Rows[0].Metrics["ic"] // of 0.1 and 0.2
	if out.Rows[0].N != 2 || math.Abs(*ic.Mean-0.15) > 1e-12 || math.Abs(*ic.Std-math.Sqrt(0.005)) > 1e-12 || len(ic.Values) != 2 {
		t.Errorf("%+v, %v±%v", out.Rows[0], *ic.Mean, *ic.Std)
	}
	if out.Rows[1].N != 1 || out.Rows[1].Runs != 2 || len(out.Left) != 1 || out.Left[0].Why != "running" || out.Left[0].Run != string(task(3).ID) {
		t.Errorf("%+v, left out %+v", out.Rows[1], out.Left)
	}
	s.run(t, "table", "bench", "--recorders", "--markdown").says(t, 0,
		"| Ridge alpha=1 | bench 1996-01-02 to 1996-01-05 | 0.1500±0.07 | 0.1500±0.07| 0.1500±0.07 | 0.1500±0.07 | 0.1500±0.07 | 0.1500±0.07| 0.1500±0.07 |\n")
	s.run(t, "table", "bench", "--recorders").says(t, 0, "left out: "+string(task(3).ID)+", Ridge alpha=1 on bench 1997-01-02 to 1997-01-05: running\n")
}

// The runs of configurations have the metrics of the collection; a window that failed takes its configuration out, with why.
func TestTableOfConfigurations(t *testing.T) {
	s := compared(t, 3)
	s.fail(t)
	s.settle(t, "bench")
	out := s.table(t) // of all experiments
	if len(out.Rows) != 2 || out.Rows[0].N != 2 || out.Rows[1].N != 1 {
		t.Fatalf("%+v, left out %+v", out.Rows, out.Left)
	}
	ic := out.Rows[0].Metrics["ic"].Values
	if len(ic) != 2 || ic[0] == 0.1 || ic[0] == ic[1] {
		t.Errorf("the metrics are the workers' own: %v", ic)
	}
	want := `failed: 1 of 1 windows: no licence`
	if len(out.Left) != 1 || out.Left[0].Why != want || !strings.HasPrefix(out.Left[0].Run, "bench test=") {
		t.Errorf("left out: %+v", out.Left)
	}
	if out := s.table(t, "bench", "bench"); out.Rows[0].Runs != 2 {
		t.Errorf("an experiment that is named twice counts twice: %+v", out.Rows)
	}
}

// A table is there before anything is folded, and says so.
func TestTableOfNothing(t *testing.T) {
	out := compared(t, 0).table(t)
	if len(out.Rows) != 2 || out.Rows[0].N != 0 || out.Rows[0].Metrics["ic"].Mean != nil || len(out.Left) != 4 || out.Left[0].Why != "waiting: 0 of 1 windows are there" {
		t.Errorf("%+v, left out %+v", out.Rows, out.Left)
	}
}

func TestTableChoosesAndNames(t *testing.T) {
	s := compared(t, 4)
	out := s.table(t, "--recorders", "--where", "seed < 3 and metrics.ic > 0.15", "--model", "runs", "--dataset", "params.nothing")
	if len(out.Rows) != 2 || out.Rows[0].Model != "ridge" || out.Rows[0].Dataset != "bench 1996-01-02 to 1996-01-05" || out.Rows[0].Runs != 1 {
		t.Errorf("%+v", out.Rows)
	}
	s.run(t, "table", "nobody").says(t, 3, `no experiment "nobody"`)
	s.run(t, "table", "--where", "seeed < 3").says(t, 2, `--where "seeed < 3" at column 1`)
	s.run(t, "table", "--model", "parms.model").says(t, 2, `did you mean "params"`)
	s.run(t, "table", "--dataset", "key[").says(t, 2, "--dataset")
}
