package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

const small = "../../../test/testdata/experiments/small.yaml"

// told is what submit tells machines.
type told struct {
	Tasks, New, Known, Failed, Cancelled int
	PutBack                              int                 `json:"put_back"`
	NewTasks                             []foldstream.TaskID `json:"new_tasks"`
}

// submitter submits the small experiment to a store in memory.
type submitter struct{ *mem.Store }

func (s submitter) run(t *testing.T, args ...string) ran {
	t.Helper()
	return command(t, &cli.Env{Store: s.Store}, append([]string{"producer", "submit", small}, args...)...)
}

func (s submitter) tell(t *testing.T, args ...string) (out told) {
	t.Helper()
	r := s.run(t, append(args, "--json")...)
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil || r.code != 0 {
		t.Fatalf("%v: %+v", err, r)
	}
	return out
}

func TestSubmitDryRun(t *testing.T) {
	s := submitter{mem.New(mem.Options{})}
	s.run(t, "--dry-run").says(t, 0, "small: nothing published; 120 tasks in pool small: 120 new, 0 known")
	if pools, err := s.Pools(t.Context()); err != nil || len(pools) != 0 {
		t.Errorf("the dry run made %v, %v", pools, err)
	}
	if _, err := record.ReadExperiment(t.Context(), s, "small"); !foldstream.Is(err, foldstream.NotFound) {
		t.Errorf("the dry run stored the experiment: %v", err)
	}
	s.tell(t)
	if got := s.tell(t, "--dry-run"); got.New != 0 || got.Known != 120 {
		t.Errorf("after it was submitted: %+v", got)
	}
}

func TestSubmitPrintsNew(t *testing.T) {
	s := submitter{mem.New(mem.Options{})}
	r := s.run(t, "--print-new")
	if n := strings.Count(r.stdout, "\n"); n != 120 || !strings.Contains(r.stderr, "120 new") {
		t.Errorf("%d lines, %s", n, r.stderr)
	}
	if r := s.run(t, "--print-new"); r.stdout != "" {
		t.Errorf("known ones are printed: %s", r.stdout)
	}
	if got := (submitter{mem.New(mem.Options{})}).tell(t, "--print-new"); len(got.NewTasks) != 120 {
		t.Errorf("%+v", got)
	}
}

func TestSubmitAgain(t *testing.T) {
	s := submitter{mem.New(mem.Options{})}
	ids := s.tell(t, "--print-new").NewTasks
	l, err := s.Pool("small").Fetch(t.Context(), foldstream.Filter{})
	ok(t, err)
	ok(t, l.Fail(t.Context(), errors.New("no")))
	_, err = s.Cancel(t.Context(), "small", "no", ids[118:]...)
	ok(t, err)

	s.run(t).says(t, 0, "of the known ones 1 had failed, 2 were cancelled; 0 put back (--again works them all again)")
	if got := s.tell(t, "--again", "--dry-run"); got.PutBack != 3 || got.Failed != 1 || got.Cancelled != 2 {
		t.Errorf("dry run: %+v", got)
	}
	if got := s.tell(t, "--retry-failed"); got.PutBack != 1 || got.New != 0 {
		t.Errorf("--retry-failed: %+v", got)
	}
	if got := s.tell(t, "--again"); got.PutBack != 2 || got.Failed != 0 {
		t.Errorf("--again: %+v", got)
	}
	if counts, err := s.Pool("small").Stat(t.Context()); err != nil || counts[foldstream.Waiting] != 120 {
		t.Errorf("%v, %v", counts, err)
	}
}

// foldOne submits, lets fail as many tasks as asked for, and folds.
func foldOne(t *testing.T, failures int) submitter {
	t.Helper()
	s := submitter{mem.New(mem.Options{})}
	s.tell(t)
	for range failures {
		l, err := s.Pool("small").Fetch(t.Context(), foldstream.Filter{})
		ok(t, err)
		ok(t, l.Fail(t.Context(), errors.New("no")))
	}
	ctx, stop := context.WithCancel(context.Background())
	folded := make(chan error, 1)
	go func() { folded <- (&collect.Aggregator{Store: s.Store, Reconciler: s.Store, ID: "a"}).Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-folded; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	return s
}

// Who puts tasks back and waits at once is not told that they failed, which is still what the collection says.
func TestWaitAfterRetry(t *testing.T) {
	s := foldOne(t, 120)
	env := func() *cli.Env { return &cli.Env{Store: s.Store} }
	command(t, env(), "wait", "small", "--timeout", "30s").says(t, 5, "120 of 120 members failed")
	for i := range 5 {
		ok(t, retryOne(t, s, i))
		command(t, env(), "wait", "small", "--timeout", "100ms").says(t, 6, "when the time ran out")
		l, err := s.Pool("small").Fetch(t.Context(), foldstream.Filter{})
		ok(t, err)
		ok(t, l.Fail(t.Context(), errors.New("no")))
		command(t, env(), "wait", "small", "--timeout", "30s").says(t, 5, "120 of 120 members failed")
	}
}

// retryOne retries the i-th task.
func retryOne(t *testing.T, s submitter, i int) error {
	t.Helper()
	for state, err := range s.Tasks(t.Context(), "small") {
		if err != nil {
			return err
		}
		if i--; i < 0 {
			_, err := s.Retry(t.Context(), "small", "again", state.ID)
			return err
		}
	}
	return errors.New("no such task")
}

func TestWaitGivesUpOnFailures(t *testing.T) {
	env := &cli.Env{Store: foldOne(t, 2).Store}
	command(t, env, "wait", "small", "--fail-fast", "--timeout", "30s").says(t, 5, "2 of 120 members failed, 0 are there; not waited for the rest")
	command(t, env, "wait", "small", "--max-failures", "1", "--for", "30s").says(t, 5, "not waited for the rest")
	started := time.Now()
	command(t, env, "wait", "small", "--max-failures", "2", "--timeout", "500ms").says(t, 6, "0 of 120 members are there, 2 failed, when the time ran out")
	if time.Since(started) < 400*time.Millisecond {
		t.Error("it did not wait though no more failed than it lets through")
	}
	command(t, env, "wait", "small", "--max-failures", "-1").says(t, 2, "--max-failures")
	command(t, env, "wait", "small", "--max-failures", "1", "--fail-fast").says(t, 2, "can't be used together")
}
