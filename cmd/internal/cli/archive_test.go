package cli_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

func archiving(t *testing.T, s foldstream.Store, args ...string) ran {
	t.Helper()
	return command(t, &cli.Env{Store: s}, append([]string{"archive"}, args...)...)
}

// finished is the small experiment with some tasks done, whose results have a log, some failed, some cancelled, and the rest open.
func finished(t *testing.T) *mem.Store {
	t.Helper()
	s := recorded(t)
	for i := range 20 {
		l, err := s.Pool("small").Fetch(t.Context(), foldstream.Filter{})
		ok(t, err)
		d, n, err := s.Artifacts().Put(t.Context(), strings.NewReader(strings.Repeat("epoch ", i)))
		ok(t, err)
		f := foldstream.Frame{Times: []foldstream.Time{foldstream.DateOf(1996, 1, 2+i)}, Columns: []foldstream.Column{{Name: "score", Values: []float64{float64(i) / 3}}}}
		ok(t, l.Commit(t.Context(), foldstream.Result{
			Metrics: map[string]float64{"ic": float64(i)}, Frames: map[string]foldstream.Frame{"pred": f}, Code: "v1", Worker: "far-1",
			Artifacts: []foldstream.Artifact{{Name: "log", Digest: d, Size: n}},
		}))
	}
	return s
}

// resultsOf returns the winning results of a pool.
func resultsOf(t *testing.T, s foldstream.Store, pool string) map[foldstream.TaskID]foldstream.Result {
	t.Helper()
	all := map[foldstream.TaskID]foldstream.Result{}
	for e, err := range s.Events(t.Context(), foldstream.EventFilter{Pool: pool}, 0) {
		ok(t, err)
		if e.Kind == foldstream.EventResult {
			if _, twice := all[e.Task]; twice {
				t.Errorf("task %s of %s has two results", e.Task, pool)
			}
			all[e.Task] = *e.Result
		}
	}
	return all
}

// sameExperiment sees that a store has an experiment as another one has it, under a name of its own.
func sameExperiment(t *testing.T, from *mem.Store, s *mem.Store, name string) {
	t.Helper()
	want, got := playedOf(t, from, "small"), playedOf(t, s, name)
	if d := cmp.Diff(want.Members, got.Members, sameTimes); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(resultsOf(t, from, "small"), resultsOf(t, s, name), sameTimes); d != "" {
		t.Error(d)
	}
	if got.Counts[foldstream.Done] != 22 || got.Counts[foldstream.Waiting] != 98 || got.Settings.Code != "" || got.Experiment.Replay.Open {
		t.Errorf("%v, %+v, %+v", got.Counts, got.Settings, got.Experiment.Replay)
	}
	byID := map[foldstream.TaskID]foldstream.Task{}
	for _, task := range want.Tasks {
		task.Experiment = name
		byID[task.ID] = task
	}
	for _, task := range got.Tasks {
		if d := cmp.Diff(byID[task.ID], task, sameTimes); d != "" {
			t.Error(d)
		}
	}
	for _, r := range resultsOf(t, s, name) {
		for _, a := range r.Artifacts {
			if size, err := s.Artifacts().Stat(t.Context(), a.Digest); err != nil || size != a.Size {
				t.Errorf("artifact %s: %d, %v", a.Digest, size, err)
			}
		}
	}
	if c, err := s.Verify(t.Context(), name); err != nil || len(c.Faults) > 0 {
		t.Errorf("%v: %v", err, c.Faults)
	}
}

func TestArchiveMovesAnExperiment(t *testing.T) {
	from := finished(t)
	file := filepath.Join(t.TempDir(), "small.archive")
	archiving(t, from, "export", "small", file).says(t, 0, file+": experiment small, 120 members, 120 tasks, 22 results, ")
	archiving(t, nil, "verify", file).says(t, 0, "22 results, 23 artifacts: whole") // 20 logs, the members, the calendar, the prices

	to := mem.New(mem.Options{})
	archiving(t, to, "import", file).says(t, 0, "small: 120 tasks of "+file+": 22 results added, 0 known, 98 tasks open\n")
	sameExperiment(t, from, to, "small")
	archiving(t, to, "import", file).says(t, 0, "0 results added, 22 known, 98 tasks open\n")
	sameExperiment(t, from, to, "small")
	archiving(t, from, "import", file, "--as", "copy").says(t, 0, "copy: 120 tasks of "+file+": 22 results added")
	sameExperiment(t, from, from, "copy")
}

// Dying at each write in turn and repeating the command comes to the same as one that is left alone.
func TestImportRepeatedAfterDying(t *testing.T) {
	from := finished(t)
	file := filepath.Join(t.TempDir(), "small.archive")
	archiving(t, from, "export", "small", file).says(t, 0, "22 results")
	for n := 1; ; n++ {
		to := mem.New(mem.Options{})
		if archiving(t, dying(to, n), "import", file).code == 0 {
			if n < 7 { // experiment, code, tasks and their state, no code, open tasks, end
				t.Errorf("only %d writes", n-1)
			}
			return
		}
		archiving(t, to, "import", file).says(t, 0, "small: 120 tasks of ")
		sameExperiment(t, from, to, "small")
	}
}

// An archive that is not whole is refused before anything is made.
func TestImportRefuses(t *testing.T) {
	from, to := finished(t), mem.New(mem.Options{})
	dir := t.TempDir()
	file := filepath.Join(dir, "small.archive")
	archiving(t, from, "export", "small", file).says(t, 0, "22 results")
	data, err := os.ReadFile(file)
	ok(t, err)
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		ok(t, os.WriteFile(path, data, 0o600))
		return path
	}
	changed := bytes.Clone(data)
	changed[bytes.Index(data, []byte(strings.Repeat("epoch ", 2)))]++
	for want, path := range map[string]string{
		"it is cut off":                      write("short", data[:len(data)/2]),
		"has the digest":                     write("changed", changed),
		"it is no archive of an experiment":  write("text", []byte("hello")),
		"there is no file":                   filepath.Join(dir, "none"),
		"it is a folder":                     dir,
		"it is no archive of an experiment ": write("empty", nil),
	} {
		r := archiving(t, to, "import", path)
		r.says(t, r.code, strings.TrimSpace(want))
		if r.code != 2 && r.code != 5 {
			t.Errorf("%s: exit code %d: %s", path, r.code, r.stderr)
		}
	}
	for e, err := range record.Experiments(context.Background(), to) {
		t.Errorf("there is an experiment %s, %v", e.Name, err)
	}
	if pools, err := to.Pools(t.Context()); err != nil || len(pools) > 0 {
		t.Errorf("there are pools %v, %v", pools, err)
	}
	archiving(t, from, "import", file).says(t, 4, "there is another experiment small")
	archiving(t, from, "import", file, "--as", "a b").says(t, 2, "--as")
	archiving(t, from, "export", "nobody", file).says(t, 3, "nobody")
	_, err = to.Pool("taken").Create(t.Context(), task(1))
	ok(t, err)
	archiving(t, to, "import", file, "--as", "taken").says(t, 4, "there is a pool taken with 1 task already")
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, data) {
		t.Error("an export that failed changed the file")
	}
}
