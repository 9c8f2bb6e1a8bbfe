package test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/mem"
	consumer "github.com/foldstream/foldstream/work"
)

// A replay that is killed in the middle and repeated has the tasks of one that was left alone, in their order, each once.
func TestKilledReplayIsCompletedByRepeatingIt(t *testing.T) {
	const n = 3000
	url, _ := serve(t, t.TempDir())
	file, _ := jobFile(t, "good", n)
	mustRun(t, "producer", "submit", file, "-s", url)
	mustRun(t, "foldstream", "replay", "jobs", "--as", "alone", "-s", url)
	store := open(t, url)
	want := definitions(t, store, "alone")
	if len(want) != n || !slices.Equal(want, definitions(t, store, "jobs")) {
		t.Fatalf("%d tasks, or not those of the original in their order", len(want))
	}
	for i, least := range []int{1, n / 3, n / 2} {
		name := fmt.Sprintf("killed%d", i)
		replaying := start(t, "foldstream", "replay", "jobs", "--as", name, "-s", url)
		eventually(t, "the replay makes tasks", func() bool { return total(t, store, name) >= least })
		replaying.kill()
		t.Logf("killed after %d of %d tasks", total(t, store, name), n)
		out := mustRun(t, "foldstream", "replay", "jobs", "--as", name, "-s", url)
		if !strings.HasPrefix(out, fmt.Sprintf("%s: %d recorded tasks of jobs: ", name, n)) {
			t.Error(out)
		}
		if got := definitions(t, store, name); !slices.Equal(got, want) {
			t.Errorf("%s has %d tasks, or not those of the original in their order", name, len(got))
		}
		if c := stat(t, url, name); c[foldstream.Waiting] != n {
			t.Errorf("%s: %v", name, c)
		}
		mustRun(t, "foldstream", "verify", name, "-s", url)
	}
}

func definitions(t *testing.T, store *stream.Store, pool string) (ids []foldstream.TaskID) {
	t.Helper()
	for task, err := range store.Definitions(t.Context(), pool) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, task.ID)
	}
	return ids
}

func total(t *testing.T, store *stream.Store, pool string) int {
	t.Helper()
	counts, err := store.Pool(pool).Stat(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return counts.Total()
}

// The consumers of a replay that requires code are those that declare it; the others end with an error, also one that waited before the pool was there.
func TestReplayOnOtherCode(t *testing.T) {
	url, _ := serve(t, t.TempDir())
	mustRun(t, "producer", "submit", small, "-s", url)
	waiting := start(t, "consumer", "run", "--pool", "small-2", "--code", "v1", "-s", url)
	mustRun(t, "foldstream", "replay", "small", "--code", "v2", "--sample", "12", "-s", url)
	<-waiting.done
	if code := waiting.cmd.ProcessState.ExitCode(); code != 4 || !strings.Contains(waiting.stderr.String(), "pool small-2 requires code v2, and this consumer has v1") {
		t.Errorf("a consumer of other code ends with %d: %s", code, waiting.stderr)
	}
	if out := run(t, "consumer", "run", "--pool", "small-2", "-s", url); out.code != 4 {
		t.Errorf("a consumer that declares no code ends with %d: %s", out.code, out.stderr)
	}
	if c := stat(t, url, "small-2"); c[foldstream.Waiting] != 12 {
		t.Errorf("other code worked: %v", c)
	}
	start(t, "consumer", "run", "--pool", "small-2", "--code", "v2", "-s", url)
	mustRun(t, "foldstream", "wait", "small-2", "-s", url, "--for", "90s")
	for e, err := range open(t, url).Events(t.Context(), foldstream.EventFilter{Pool: "small-2"}, 0) {
		if err != nil || e.Result != nil && e.Result.Code != "v2" {
			t.Fatalf("%+v, %v", e, err)
		}
	}
}

// A change of the code that a pool requires ends its consumers; what they work on they finish.
func TestRunnerFollowsTheRequiredCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := limited(t, foldstream.PoolSettings{}, manyTasks(9))
		require := func(code string) {
			t.Helper()
			if _, err := store.Change(t.Context(), "p", func(s *foldstream.PoolSettings) { s.Code = code }); err != nil {
				t.Fatal(err)
			}
		}
		g := newGauge()
		runner := func(code string) *consumer.Runner {
			r := keeping(store, g.worker(3*time.Second), 2)
			r.Code, r.Grace = code, time.Minute
			return r
		}
		require("v2")
		if err := runner("v1").Run(t.Context()); !foldstream.Is(err, foldstream.Conflict) || g.done > 0 {
			t.Errorf("other code: %v, %d done", err, g.done)
		}
		ended := make(chan error)
		go func() { ended <- runner("v2").Run(t.Context()) }()
		<-time.After(4 * time.Second) // in the second two tasks
		require("v3")
		if err := <-ended; !foldstream.Is(err, foldstream.Conflict) || g.done != 4 {
			t.Errorf("code that is required no more: %v, %d done", err, g.done)
		}
		drainAll(t, store, runner("v3"))
		if g.done != 9 {
			t.Errorf("%d of 9 done", g.done)
		}
	})
}

// drainAll runs a consumer until no task is open.
func drainAll(t *testing.T, store *mem.Store, r *consumer.Runner) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	for open := 1; open > 0; <-time.After(time.Second) {
		counts, err := store.Pool("p").Stat(ctx)
		if err != nil {
			t.Fatal(err)
		}
		open = counts.Open()
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// An import that is killed in the middle and repeated has the tasks and results of the original, each once.
func TestKilledImportIsCompletedByRepeatingIt(t *testing.T) {
	const n = 900
	url, _ := serve(t, t.TempDir())
	file, dir := jobFile(t, "good", n)
	mustRun(t, "producer", "submit", file, "-s", url, "--lease", "1s")
	store := open(t, url)
	workAll(t, store, "jobs", n-100)
	want := winners(t, store, "jobs")
	path := dir + "/jobs.archive"
	mustRun(t, "foldstream", "archive", "export", "jobs", path, "-s", url)
	for i, least := range []int{1, n / 2} {
		name := fmt.Sprintf("killed%d", i)
		importing := start(t, "foldstream", "archive", "import", path, "--as", name, "-s", url, "--lease", "1s")
		eventually(t, "the import has results", func() bool { return doneIn(t, store, name) >= least })
		importing.kill()
		t.Logf("killed after %d of %d results", doneIn(t, store, name), n-100)
		out := mustRun(t, "foldstream", "archive", "import", path, "--as", name, "-s", url, "--lease", "1s")
		if !strings.HasPrefix(out, fmt.Sprintf("%s: %d tasks of %s: ", name, n, path)) {
			t.Error(out)
		}
		if got := winners(t, store, name); !maps.Equal(got, want) {
			t.Errorf("%s has %d results, want %d", name, len(got), len(want))
		}
		if c := stat(t, url, name); c[foldstream.Done] != n-100 || c[foldstream.Waiting] != 100 {
			t.Errorf("%s: %v", name, c)
		}
		mustRun(t, "foldstream", "verify", name, "-s", url)
	}
}

// workAll works so many tasks of a pool.
func workAll(t *testing.T, store *stream.Store, pool string, n int) {
	t.Helper()
	var workers sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(n))
	for range 16 {
		workers.Go(func() {
			for left.Add(-1) >= 0 {
				l, err := store.Pool(pool).Fetch(t.Context(), foldstream.Filter{Wait: 10 * time.Second})
				if err == nil {
					err = l.Commit(t.Context(), foldstream.Result{Params: map[string]string{"task": string(l.Task().ID)}, Worker: "far"})
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
}

// winners returns what the winning results of a pool say; a task with two is a fault.
func winners(t *testing.T, store *stream.Store, pool string) map[foldstream.TaskID]string {
	t.Helper()
	all := map[foldstream.TaskID]string{}
	for e, err := range store.Events(t.Context(), foldstream.EventFilter{Pool: pool}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Kind != foldstream.EventResult {
			continue
		}
		if _, twice := all[e.Task]; twice {
			t.Errorf("task %s of %s has two results", e.Task, pool)
		}
		all[e.Task] = e.Result.Worker + " " + e.Result.Params["task"]
	}
	return all
}

func doneIn(t *testing.T, store *stream.Store, pool string) int {
	t.Helper()
	counts, err := store.Pool(pool).Stat(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return counts[foldstream.Done]
}
