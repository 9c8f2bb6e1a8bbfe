package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

// A run whose tasks fail writes its report, which tells why, and no series; where they may be partial each row says what is missing.
func TestRunWritesNoPartialSeries(t *testing.T) {
	const file = "../examples/operations/experiment.yaml"
	store, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
	csv := filepath.Join(out, "collection.csv")
	r := run(t, "foldstream", "run", file, "--store", store, "--out", out)
	if r.code != 5 {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	mustSay(t, r.stderr, "no collection.csv: operations is incomplete: 8 of 12 members, 4 failed")
	if _, err := os.Stat(csv); err == nil {
		t.Error("a partial series was written")
	}
	mustSay(t, read(t, filepath.Join(out, "report.html")), "no licence for a look-back of 63")

	if r = run(t, "foldstream", "run", file, "--store", store, "--out", out, "--allow-partial"); r.code != 5 {
		t.Errorf("exit code %d: %s", r.code, r.stderr)
	}
	text := read(t, csv)
	rows := strings.Count(text, "\n") - 1
	if marked := strings.Count(text, `"8 of 12 members, 4 failed`); rows < 1000 || marked != rows || !strings.HasPrefix(text, "incomplete,datetime,instrument,") {
		t.Errorf("%d of %d rows are marked; it begins with %.100s", marked, rows, text)
	}
}

// Dozens of experiments in a few pools, whose tasks they share, fold at once, each to the bytes that it has alone.
func TestAggregatorManyExperiments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := undisturbed(t)
		store := mem.New(mem.Options{})
		defer aggregate(t, store, "one")()
		const experiments, pools = 40, 4
		name := func(i int) string { return fmt.Sprintf("experiment-%d", i) }
		for i := range experiments {
			e, members := sample(name(i))
			e.Pool = fmt.Sprintf("pool-%d", i%pools)
			if err := record.PutExperiment(t.Context(), store, e, members); err != nil {
				t.Fatal(err)
			}
			for _, m := range members {
				task := foldstream.Task{ID: m.Task, Template: foldstream.Template{Segments: foldstream.Segments{"test": m.Test}}}
				if _, err := store.Pool(e.Pool).Create(t.Context(), task); err != nil {
					t.Fatal(err)
				}
			}
		}
		for i := range pools {
			commitAll(t, store, fmt.Sprintf("pool-%d", i), tasksOfSample, 0)
		}
		for i := range experiments {
			sameBytes(t, want, settled(t, store, name(i)))
		}
	})
}
