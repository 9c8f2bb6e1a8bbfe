package cli_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/report"
	"github.com/foldstream/foldstream/stream/mem"
)

// folded makes the pool's five tasks the experiment "e" and folds what is there of it.
func folded(t *testing.T, p *pooled) {
	t.Helper()
	cal, _, err := p.Artifacts().Put(t.Context(), strings.NewReader("1996-01-02\n1996-01-03\n"))
	ok(t, err)
	var members []foldstream.Expectation
	for i := range 5 {
		m := task(i)
		members = append(members, foldstream.Expectation{Key: m.Key, Window: m.Window, Test: m.Segments["test"], Task: m.ID})
	}
	e := foldstream.Experiment{Name: "e", Pool: "p", Calendar: string(cal), Source: "folder/e.yaml", Notes: []string{"Made up."}}
	ok(t, record.PutExperiment(t.Context(), p, e, members))
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	ended := make(chan error)
	go func() { ended <- (&collect.Aggregator{Store: p.Store, ID: "a"}).Run(ctx) }()
	for s, err := range collect.Watch(ctx, p, "e") {
		ok(t, err)
		if s.Failed == 2 { // one that failed, and one whose result has no scores
			break
		}
	}
	stop()
	ok(t, <-ended)
}

// An incomplete collection that may be partial is drawn as it is, says so, and ends in exit code 5.
func TestCollectionReport(t *testing.T) {
	p := newPool(t)
	folded(t, p)
	r := p.run(t, "collection", "report", "e", "--allow-partial")
	if r.code != 5 || !strings.Contains(r.stderr, "e is incomplete: 0 of 5 members") {
		t.Errorf("code %d: %s", r.code, r.stderr)
	}
	for _, want := range []string{
		"Still running.", "out of memory\nlast line of the log", "1 attempt, the last on host-1", "<dd>e.yaml</dd>", "<li>Made up.</li>", "2, 1996-01-02 to 1996-01-03",
		"3 for 5 tasks; 1 failed, 0 lost with their worker", "<dd>v1</dd>", "host-1", "prices.csv, 12 bytes, SHA-256 d1", "has no column score",
	} {
		if !strings.Contains(r.stdout, want) {
			t.Errorf("the report does not say %q", want)
		}
	}
}

func TestCollectionPlot(t *testing.T) {
	p := newPool(t)
	folded(t, p)
	dir := t.TempDir()
	for _, c := range []struct {
		args []string
		file string // "" is standard output
		with string
		code int
	}{
		{[]string{"--what", "coverage"}, "", "<svg ", 5},
		{[]string{"--what", "coverage", "--png"}, "grid", "\x89PNG", 5},
		{[]string{"--what", "windows"}, "w.png", "\x89PNG", 5},
		{[]string{"--what", "windows", "--svg"}, "s.png", "<svg ", 5},
		{[]string{"--what", "windows"}, "w.svg", "<svg ", 5},
		{[]string{"--what", "curves"}, "none.svg", "", 3},
		{[]string{"--what", "pie"}, "", "", 2},
		{[]string{"--svg", "--png"}, "", "", 2},
	} {
		args := append([]string{"collection", "plot", "e"}, c.args...)
		if c.file != "" {
			args = append(args, "-o", filepath.Join(dir, c.file))
		}
		r := p.run(t, args...)
		got := r.stdout
		if c.file != "" {
			data, _ := os.ReadFile(filepath.Join(dir, c.file)) // a file that is not there is empty
			got = string(data)
		}
		if r.code != c.code || !strings.HasPrefix(got, c.with) || c.with == "" && c.code != 2 && got != "" {
			t.Errorf("%v: code %d, %.20q: %s", c.args, r.code, got, r.stderr)
		}
	}
	if r := p.run(t, "collection", "plot", "nobody"); r.code != 3 {
		t.Errorf("an unknown experiment: code %d: %s", r.code, r.stderr)
	}
}

// The flag knows the plots that a report has.
func TestPlotNames(t *testing.T) {
	r := command(t, &cli.Env{}, "collection", "plot", "--help")
	if want := strings.Join(report.Plots(), ","); !strings.Contains(strings.Join(strings.Fields(r.stdout), ""), want) {
		t.Errorf("the help does not name %s", want)
	}
}

// A task that was lost with its worker counts as an attempt, and one that was handed back with an error as one that failed.
func TestReportOfALostWorker(t *testing.T) {
	p := newPool(t)
	mem.Abandon(p.fetch(t))
	p.now = p.now.Add(time.Hour)
	l := p.fetch(t)
	if l.Task().ID != task(4).ID {
		t.Fatalf("fetched %s", l.Task().ID)
	}
	ok(t, l.Return(t.Context(), os.ErrDeadlineExceeded, 0))
	folded(t, p)
	r := p.run(t, "collection", "report", "e", "--allow-partial")
	if want := " for 5 tasks; 2 failed, 1 lost with their worker"; !strings.Contains(r.stdout, want) {
		t.Errorf("the report does not say %q", want)
	}
	if !strings.Contains(r.stdout, "2 attempts, the last on host-1") || !strings.Contains(r.stdout, os.ErrDeadlineExceeded.Error()) {
		t.Error("the report does not tell of the task that was returned")
	}
}
