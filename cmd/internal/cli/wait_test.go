package cli_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/stream/mem"
)

// finish commits or fails n tasks of the small pool.
func (s submitter) finish(t *testing.T, n int, why error) {
	t.Helper()
	for range n {
		l, err := s.Pool("small").Fetch(t.Context(), foldstream.Filter{})
		ok(t, err)
		if why != nil {
			ok(t, l.Fail(t.Context(), why))
		} else {
			ok(t, l.Commit(t.Context(), foldstream.Result{}))
		}
	}
}

func TestWaitForAPool(t *testing.T) {
	s := submitter{mem.New(mem.Options{})}
	wait := func(args ...string) ran {
		t.Helper()
		return command(t, &cli.Env{Store: s.Store}, append([]string{"wait", "--pool", "small"}, args...)...)
	}
	wait().says(t, 3, `there is no pool "small"`)
	s.tell(t)
	wait("--timeout", "100ms").says(t, 6, "small: 120 of 120 tasks are open, 0 failed, when the time ran out")
	ended := make(chan ran)
	go func() { ended <- wait("--timeout", "30s", "--json") }()
	s.finish(t, 119, nil)
	ids := s.tell(t) // nothing changes by it
	s.finish(t, 1, nil)
	r := <-ended
	var out struct {
		Counts foldstream.Counts
		Total  int
	}
	if err := json.Unmarshal([]byte(r.stdout), &out); err != nil || r.code != 0 || out.Counts[foldstream.Done] != 120 || ids.Known != 120 {
		t.Errorf("%v: %+v", err, r)
	}
	wait().says(t, 0, "")
}

func TestWaitForAPoolWithFailures(t *testing.T) {
	s := submitter{mem.New(mem.Options{})}
	s.tell(t)
	s.finish(t, 2, errors.New("no"))
	wait := func(args ...string) ran {
		t.Helper()
		return command(t, &cli.Env{Store: s.Store}, append([]string{"wait", "--pool", "small"}, args...)...)
	}
	wait("--fail-fast").says(t, 5, "small: 2 of 120 tasks failed, 118 are open; not waited for the rest")
	wait("--max-failures", "1").says(t, 5, "not waited for the rest")
	wait("--max-failures", "2", "--timeout", "100ms").says(t, 6, "2 failed, when the time ran out")
	s.finish(t, 118, nil)
	wait().says(t, 5, "small: 2 of 120 tasks failed\n")
	_, err := s.Remove(t.Context(), "small", "cleared", s.first(t))
	ok(t, err)
	wait().says(t, 5, "1 of 120 tasks failed") // of two, one is removed
}

func TestWaitRefuses(t *testing.T) {
	env := &cli.Env{Store: mem.New(mem.Options{})}
	for want, args := range map[string][]string{
		"no experiment is named":                      {"wait"},
		"wait for one: the experiment a, or --pool b": {"wait", "a", "--pool", "b"},
		"--timeout -1s is below 0":                    {"wait", "a", "--timeout=-1s"},
		`--pool "a b"`:                                {"wait", "--pool", "a b"},
		"--max-failures -1 is below 0":                {"wait", "a", "--max-failures=-1"},
		"expected duration":                           {"wait", "a", "--timeout", "soon"},
	} {
		command(t, env, args...).says(t, 2, want)
	}
	command(t, env, "wait", "a").says(t, 3, `no experiment "a"`)
}

// Off a terminal there is a line every 30 s, also while nothing changes, and it tells how many run.
func TestWaitTellsNowAndThen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := submitter{mem.New(mem.Options{})}
		s.tell(t)
		s.finish(t, 3, nil)
		for range 2 {
			_, err := s.Pool("small").Fetch(t.Context(), foldstream.Filter{})
			ok(t, err)
		}
		r := command(t, &cli.Env{Store: s.Store}, "wait", "--pool", "small", "--timeout", "95s")
		r.says(t, 6, "when the time ran out")
		line := "small: 3/120 done, 0 failed, 2 running ["
		if strings.Count(r.stderr, line) != 3 || !strings.Contains(r.stderr, line+"00:30<?]") {
			t.Errorf("in 95 s it told\n%s", r.stderr)
		}
	})
}

func TestRunningLines(t *testing.T) {
	now := time.Date(2026, 3, 1, 9, 0, 40, 0, time.UTC)
	hand := func(p foldstream.Progress, attempt int) foldstream.InHand {
		return foldstream.InHand{Since: now.Add(-40 * time.Second), Attempt: attempt, Progress: p}
	}
	for want, got := range map[string]string{
		"  alpha=1 window 3 of 20                    80% [00:40<00:10, step 8] epoch 8": cli.RunningLine("alpha=1 window 3 of 20", hand(foldstream.Progress{Percent: 80, Step: 8, Message: "epoch 8\nand more"}, 1), now),
		"  x                                          0% [00:40<?, attempt 2]":          cli.RunningLine("x", hand(foldstream.Progress{}, 2), now),
		"  " + strings.Repeat("x", 39) + "…   0% [00:40<?]":                             cli.RunningLine(strings.Repeat("x", 60), hand(foldstream.Progress{}, 1), now),
		"  x                                        250% [00:40<?]":                     cli.RunningLine("x", hand(foldstream.Progress{Percent: 250}, 1), now),
	} {
		if got != want {
			t.Errorf("%q, not %q", got, want)
		}
	}
}

// What runs is found by its pool, the oldest first, and the first of it have names once they run for a while.
func TestObserved(t *testing.T) {
	now := time.Now().Add(-time.Minute)
	s := submitter{mem.New(mem.Options{Now: func() time.Time { now = now.Add(time.Millisecond); return now }})}
	s.tell(t)
	for range 12 {
		_, err := s.Pool("small").Fetch(t.Context(), foldstream.Filter{})
		ok(t, err)
	}
	names, err := cli.Observed(t.Context(), s.Store, "small")
	ok(t, err)
	if len(names) != 12 || names[0] != "alpha=1,horizon=1,rolling=expanding window 1 of 20" || names[9] == "" || names[10] != "" {
		t.Errorf("%q", names)
	}
	if none, err := cli.Observed(t.Context(), s.Store, "other"); err != nil || len(none) != 0 {
		t.Errorf("%v, %v", none, err)
	}
}
