package test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
)

// worked works what waits in a pool as code of a version, and returns how many tasks that was.
func worked(t *testing.T, store *stream.Store, pool, code string) (n int) {
	t.Helper()
	var mu sync.Mutex
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for l, err := range foldstream.Leases(t.Context(), store.Pool(pool), foldstream.Filter{}) {
				if err == nil {
					task := l.Task()
					err = l.Commit(t.Context(), foldstream.Result{Code: code, Data: foldstream.DataDigest(task.Data), Environment: "here", Worker: code + " in " + pool})
				}
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				n++
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	return n
}

// An apply that is killed in the middle and repeated comes to what one comes to that was left alone: tasks that are new, that other pools have
// results of, and that changed, with such results and without.
func TestKilledApplyIsCompletedByRepeatingIt(t *testing.T) {
	const n, cached, changed = 450, 300, 150 // the first that are cached are in the pool jobs; the changed ones are the last of both kinds
	url, _ := serve(t, t.TempDir())
	store := open(t, url)
	large, dir := jobFile(t, "good", n)
	text := read(t, large)
	small := write(t, strings.Replace(text, fmt.Sprintf("[1, %d, 1]", n), fmt.Sprintf("[1, %d, 1]", cached), 1))
	mustRun(t, "producer", "submit", small, "-s", url)
	if got := worked(t, store, "jobs", "v1"); got != cached {
		t.Fatalf("%d tasks were worked", got)
	}

	begin := func(name string) (plan string) {
		t.Helper()
		file := filepath.Join(dir, name+".yaml")
		if err := os.WriteFile(file, []byte(strings.Replace(text, "name: jobs", "name: "+name, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		mustRun(t, "producer", "submit", file, "--code", "v0", "--no-cache", "-s", url)
		ids := definitions(t, store, name)
		var rest []foldstream.TaskID
		for i, id := range ids {
			if i < cached-changed/2 || i >= cached && i < n-changed/2 {
				rest = append(rest, id)
			}
		}
		if _, err := store.Remove(t.Context(), name, "never there", rest...); err != nil {
			t.Fatal(err)
		}
		if got := worked(t, store, name, "v0"); got != changed {
			t.Fatalf("%d tasks were worked", got)
		}
		plan = filepath.Join(dir, name+".plan")
		mustRun(t, "foldstream", "plan", file, "--code", "v1", "--environment", "here", "--out", plan, "-s", url)
		return plan
	}
	end := func(name string) (stands []string) {
		t.Helper()
		for e, err := range store.Newest(t.Context(), name) {
			if err != nil {
				t.Fatal(err)
			}
			stands = append(stands, fmt.Sprintf("%s %s of %s", e.Task, e.Status, e.Origin.Pool))
		}
		slices.Sort(stands)
		mustRun(t, "foldstream", "verify", name, "-s", url)
		return stands
	}
	mustRun(t, "foldstream", "apply", begin("alone"), "-s", url)
	want := end("alone")
	if c := stat(t, url, "alone"); c[foldstream.Done] != cached || c[foldstream.Waiting] != n-cached {
		t.Fatalf("undisturbed: %v", c)
	}
	for name, seen := range map[string]func(foldstream.Counts) bool{
		"removing": func(c foldstream.Counts) bool { return c[foldstream.Done] < changed },
		"adopting": func(c foldstream.Counts) bool { return c[foldstream.Removed] < n-20 },
		"creating": func(c foldstream.Counts) bool { return c[foldstream.Waiting] > 0 },
	} {
		plan := begin(name)
		applying := start(t, "foldstream", "apply", plan, "-s", url)
		eventually(t, "the plan is applied", func() bool {
			select {
			case <-applying.done:
				return true
			default:
				return seen(stat(t, url, name))
			}
		})
		applying.kill()
		t.Logf("killed while %s: %v", name, stat(t, url, name))
		mustRun(t, "foldstream", "apply", plan, "-s", url)
		if diff := cmp.Diff(want, end(name)); diff != "" {
			t.Errorf("killed while %s (- undisturbed, + killed and repeated):\n%s", name, diff)
		}
	}
}
