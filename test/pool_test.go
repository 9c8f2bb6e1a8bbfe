package test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/foldstream/foldstream"
)

// jobs is an experiment of tasks that do what their template says: end well, fail, or hang until they are killed.
const jobs = `name: jobs
calendar: {csv: %s}
worker: exec
exec:
  command:
    - sh
    - -c
    - |
      task=$(cat)
      case "$task" in
      *'"kind":"bad"'*) echo "no such licence" >&2; exit 3 ;;
      *'"kind":"slow"'*) sleep 300 & echo $! > %s/sleeper; wait ;;
      esac
      echo '{"metrics": {"answer": 42}}'
template: {model: {kind: good, n: 0}}
generators:
  - grid: {model.kind: [%s], model.n: {range: [1, %d, 1]}}
retry: {attempts: 2, backoff: 50ms}
leaks: warn
`

// jobFile writes an experiment of the kinds, n tasks of each, and returns its path and the folder where sleepers tell their ids.
func jobFile(t *testing.T, kinds string, n int) (file, dir string) {
	t.Helper()
	dir = t.TempDir()
	prices, err := filepath.Abs("../examples/dow30/prices.csv")
	if err != nil {
		t.Fatal(err)
	}
	return write(t, fmt.Sprintf(jobs, prices, dir, kinds, n)), dir
}

// A failing task ends in the dead letters with its error and attempts, is tried again when asked, and the others are done.
func TestPool_FailedTasksAreDeadLettersAndRetried(t *testing.T) {
	url, _ := serve(t, t.TempDir())
	file, _ := jobFile(t, "good, bad", 3)
	mustRun(t, "producer", "submit", file, "-s", url)
	start(t, "consumer", "run", "--pool", "jobs", "--allow", "sh -c", "-s", url)
	counts := func(status foldstream.Status) func() bool {
		return func() bool { return stat(t, url, "jobs")[status] == 3 }
	}
	eventually(t, "three tasks failed", counts(foldstream.Dead))
	eventually(t, "three tasks are done", counts(foldstream.Done))

	letters := mustRun(t, "foldstream", "dlq", "ls", "jobs", "-s", url)
	if strings.Count(letters, "exit status 3") != 3 {
		t.Errorf("dead letters:\n%s", letters)
	}
	bad := ids(t, url, `template.model.kind == "bad"`)
	show := mustRun(t, "foldstream", "dlq", "show", "jobs", bad[0], "-s", url)
	if !strings.Contains(show, "no such licence") {
		t.Errorf("the dead letter does not show the log:\n%s", show)
	}
	history := mustRun(t, "foldstream", "task", "history", "jobs", bad[0], "-s", url)
	if strings.Count(history, "claim") != 2 {
		t.Errorf("the history has not two attempts:\n%s", history)
	}
	if out := run(t, "foldstream", "retry", "jobs", "--where", `status == "failed"`, "-s", url); out.code != 2 {
		t.Errorf("three tasks were changed without --force: exit code %d\n%s%s", out.code, out.stdout, out.stderr)
	}
	mustRun(t, "foldstream", "retry", "jobs", "--where", `status == "failed"`, "--force", "-s", url)
	eventually(t, "they failed again", func() bool {
		h := mustRun(t, "foldstream", "task", "history", "jobs", bad[0], "-s", url)
		return strings.Count(h, "claim") == 4 && counts(foldstream.Dead)()
	})
	mustRun(t, "foldstream", "verify", "jobs", "-s", url)
}

// Cancelling a running task kills its whole process group, and a paused pool starts nothing.
func TestPool_CancelPauseResume(t *testing.T) {
	url, _ := serve(t, t.TempDir())
	slow, dir := jobFile(t, "slow", 1)
	mustRun(t, "producer", "submit", slow, "-s", url, "--lease", "1s")
	mustRun(t, "foldstream", "pause", "jobs", "-s", url)
	start(t, "consumer", "run", "--pool", "jobs", "--allow", "sh -c", "-s", url)
	if out := run(t, "foldstream", "wait", "jobs", "--for", "1s", "-s", url); out.code != 6 || stat(t, url, "jobs")[foldstream.Waiting] != 1 {
		t.Errorf("a paused pool does something: exit code %d, %v", out.code, stat(t, url, "jobs"))
	}
	mustRun(t, "foldstream", "resume", "jobs", "-s", url)
	sleeper := 0
	eventually(t, "the command runs", func() bool {
		text, _ := os.ReadFile(filepath.Join(dir, "sleeper")) // it comes when it comes
		sleeper, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		return sleeper > 0
	})
	eventually(t, "workers ls shows what runs", func() bool {
		return strings.Contains(mustRun(t, "foldstream", "workers", "ls", "--json", "-s", url), ids(t, url, "true")[0])
	})
	mustRun(t, "foldstream", "cancel", "jobs", ids(t, url, "true")[0], "-s", url)
	eventually(t, "the command's child is gone", func() bool { return syscall.Kill(sleeper, 0) != nil })
	if c := stat(t, url, "jobs"); c[foldstream.Withdrawn] != 1 {
		t.Errorf("counts %v", c)
	}
	mustRun(t, "foldstream", "verify", "jobs", "-s", url)
}

// A consumer that is told to stop returns what it cannot finish, without using an attempt, and another one does it.
func TestPool_DrainUsesNothingUp(t *testing.T) {
	url, _ := serve(t, t.TempDir())
	slow, dir := jobFile(t, "slow", 1)
	mustRun(t, "producer", "submit", slow, "-s", url)
	first := start(t, "consumer", "run", "--pool", "jobs", "--allow", "sh -c", "-s", url, "--grace", "100ms")
	eventually(t, "the command runs", func() bool {
		_, err := os.Stat(filepath.Join(dir, "sleeper"))
		return err == nil
	})
	first.stop(t)
	if code := first.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("being told to stop is no error, but the exit code is %d: %s", code, first.stderr)
	}
	var task struct {
		Status  foldstream.Status
		Attempt int
	}
	if err := json.Unmarshal([]byte(mustRun(t, "foldstream", "task", "show", "jobs", ids(t, url, "true")[0], "--json", "-s", url)), &task); err != nil {
		t.Fatal(err)
	}
	if task.Status != foldstream.Waiting || task.Attempt > 1 {
		t.Errorf("after the drain the task is %+v", task)
	}
}

// No more tasks of a pool run at once, on all consumers, than its limit says.
func TestPool_Limit(t *testing.T) {
	url, _ := serve(t, t.TempDir())
	file, _ := jobFile(t, "slow", 3)
	mustRun(t, "producer", "submit", file, "-s", url)
	mustRun(t, "foldstream", "pool", "set", "jobs", "--limit", "1", "-s", url)
	for range 2 {
		start(t, "consumer", "run", "--pool", "jobs", "--allow", "sh -c", "-s", url, "-n", "2", "--grace", "100ms")
	}
	eventually(t, "one runs", func() bool { return len(ids(t, url, `status == "running"`)) == 1 })
	running := ids(t, url, `status == "running"`)
	if len(running) != 1 {
		t.Fatalf("%v run at once", running)
	}
	mustRun(t, "foldstream", "cancel", "jobs", running[0], "-s", url)
	eventually(t, "the freed place is used", func() bool {
		now := ids(t, url, `status == "running"`)
		return len(now) == 1 && now[0] != running[0]
	})
	mustRun(t, "foldstream", "cancel", "jobs", "--all", "--force", "-s", url)
}

// ids returns the ids of the pool's tasks for which an expression is true.
func ids(t *testing.T, url, where string) []string {
	t.Helper()
	return strings.Fields(mustRun(t, "foldstream", "task", "ls", "jobs", "--names", "--where", where, "-s", url))
}
