package work_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/work"
)

func TestCommitCarriesWhatWasRecorded(t *testing.T) {
	store := &blobs{}
	p := queue(id("a"))
	r := &work.Runner{Artifacts: store, Name: "me", Code: "v7", Environment: "here", Workers: doing(func(ctx context.Context, _ foldstream.Task, rec foldstream.Recorder) (foldstream.Result, error) {
		rec.Param("alpha", "1")
		rec.Metric("ic", 0.5)
		rec.Metric("loss", 9)
		rec.Tag("who", "x")
		for _, text := range []string{"old", "new"} {
			if err := rec.Artifact(ctx, "log", "text/plain", strings.NewReader(text)); err != nil {
				return foldstream.Result{}, err
			}
		}
		return foldstream.Result{Metrics: map[string]float64{"loss": 2}, Artifacts: []foldstream.Artifact{{Name: "model"}}}, nil
	})}
	if err := drain(t, r, p)["a"]; err != nil {
		t.Fatal(err)
	}
	got := p.one(t, "a")
	if got.result.Duration <= 0 {
		t.Error("no duration")
	}
	got.result.Duration = 0
	want := foldstream.Result{
		Metrics: map[string]float64{"ic": 0.5, "loss": 2}, Params: map[string]string{"alpha": "1"}, Tags: map[string]string{"who": "x"},
		Artifacts: []foldstream.Artifact{{Name: "log", Digest: digest([]byte("new")), Size: 3, Type: "text/plain"}, {Name: "model"}},
		Code:      "v7", Worker: "me", Data: foldstream.DataDigest(nil), Environment: "here",
	}
	if diff := cmp.Diff(want, got.result); got.how != "commit" || diff != "" {
		t.Error(got.how, diff)
	}
}

// TestCodeOfAResult has what the consumer declares, else what the worker says, else what the program is.
func TestCodeOfAResult(t *testing.T) {
	for _, c := range []struct{ declared, worker, build, want string }{
		{"v7", "script-1", "rev", "v7"}, {"", "script-1", "rev", "script-1"}, {"", "", "rev", "rev"},
	} {
		p := queue(id("a"))
		r := &work.Runner{Code: c.declared, Build: c.build, Workers: doing(func(context.Context, foldstream.Task, foldstream.Recorder) (foldstream.Result, error) {
			return foldstream.Result{Code: c.worker}, nil
		})}
		if err := drain(t, r, p)["a"]; err != nil {
			t.Fatal(err)
		}
		if got := p.one(t, "a").result.Code; got != c.want {
			t.Errorf("%+v: the result's code is %q", c, got)
		}
	}
}

// TestCommitCarriesTheKey works tasks whose stages before depended on this or that.
func TestCommitCarriesTheKey(t *testing.T) {
	data := []foldstream.Data{}
	here := foldstream.ResultKey{Code: "mine", Data: foldstream.DataDigest(data), Environment: "here"}
	part := func(k foldstream.ResultKey) *foldstream.Result {
		return &foldstream.Result{Code: k.Code, Data: k.Data, Environment: k.Environment}
	}
	mixed := here
	mixed.Environment = ""
	for name, c := range map[string]struct {
		part *foldstream.Result
		want foldstream.ResultKey
	}{
		"one stage": {nil, here}, "the same": {part(here), here}, "mixed before": {part(mixed), mixed},
		"other code": {part(foldstream.ResultKey{Code: "other", Data: here.Data, Environment: "here"}), mixed}, "an older program's": {&foldstream.Result{}, mixed},
	} {
		task := id("a")
		task.Part = c.part
		p := queue(task)
		r := &work.Runner{Code: "mine", Environment: "here",
			Workers: doing(func(context.Context, foldstream.Task, foldstream.Recorder) (foldstream.Result, error) {
				return foldstream.Result{Code: "the worker's word", Data: "and", Environment: "counts for nothing"}, nil
			})}
		if err := drain(t, r, p)["a"]; err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, p.one(t, "a").result.Key()); diff != "" {
			t.Errorf("%s (- want, + got):\n%s", name, diff)
		}
	}
}

func TestErrorsSteerTheTask(t *testing.T) {
	broken := errors.New("broken")
	retry := foldstream.Retry{Attempts: 2, Backoff: 8 * time.Second}
	for name, c := range map[string]struct {
		task    foldstream.Task
		workers work.Registry
		guard   error
		how     string
		why     string // a part of the reason; "" where there is none
		least   time.Duration
		most    time.Duration
	}{
		"retry":                        {foldstream.Task{Retry: retry}, failing(broken), nil, "return", "broken", 4 * time.Second, 8 * time.Second},
		"last attempt":                 {foldstream.Task{Retry: retry, Attempt: 2}, failing(broken), nil, "fail", "attempt 2 of 2: broken", 0, 0},
		"third of three by default":    {foldstream.Task{Attempt: 3}, failing(broken), nil, "fail", "attempt 3 of 3", 0, 0},
		"permanent":                    {foldstream.Task{}, failing(foldstream.Permanent(broken)), nil, "fail", "broken", 0, 0},
		"snooze, at the last attempt":  {foldstream.Task{Attempt: 3}, failing(foldstream.Snooze(time.Minute, "later")), nil, "return", "", time.Minute, time.Minute},
		"conflict of the worker's own": {foldstream.Task{}, failing(foldstream.Errorf(foldstream.Conflict, "", "mine")), nil, "return", "mine", time.Second / 2, time.Second},
		"unknown worker":               {foldstream.Task{Template: foldstream.Template{Worker: "x"}}, failing(nil), nil, "fail", `worker "x" is not known here; known: w`, 0, 0},
		"no worker":                    {foldstream.Task{}, nil, nil, "fail", "known: none", 0, 0},
		"leak":                         {foldstream.Task{}, failing(nil), foldstream.Errorf(foldstream.Leak, "", "leaks"), "fail", "leaks", 0, 0},
		"guard away":                   {foldstream.Task{}, failing(nil), foldstream.Errorf(foldstream.Unavailable, "", "no store"), "return", "", 5 * time.Second, 5 * time.Second},
		"panic": {foldstream.Task{}, doing(func(context.Context, foldstream.Task, foldstream.Recorder) (foldstream.Result, error) {
			panic("oh")
		}), nil, "return", "runner_test.go", time.Second / 2, time.Second},
		"deadline": {foldstream.Task{Deadline: time.Second}, doing(func(ctx context.Context, _ foldstream.Task, _ foldstream.Recorder) (foldstream.Result, error) {
			<-ctx.Done()
			return foldstream.Result{}, ctx.Err()
		}), nil, "return", "longer than its deadline of 1s", time.Second / 2, time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.task.ID = "a"
				p := queue(c.task)
				r := &work.Runner{Workers: c.workers, Guard: func(foldstream.Task) error { return c.guard }}
				told := drain(t, r, p)["a"]
				got := p.one(t, "a")
				if got.how != c.how || got.after < c.least || got.after > c.most {
					t.Errorf("%s after %v, %v", got.how, got.after, got.why)
				}
				if c.why == "" && got.why != nil || c.why != "" && !strings.Contains(text(got.why), c.why) {
					t.Errorf("why: %v, want %q", got.why, c.why)
				}
				if told == nil {
					t.Error("Done was told of no error")
				}
			})
		})
	}
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestBackoffDoublesToItsCeiling(t *testing.T) {
	retry := foldstream.Retry{Attempts: 100, Backoff: 2 * time.Second, Ceiling: 10 * time.Second}
	for attempt, most := range map[int]time.Duration{1: 2 * time.Second, 2: 4 * time.Second, 3: 8 * time.Second, 4: 10 * time.Second, 99: 10 * time.Second} {
		p := queue(foldstream.Task{ID: "a", Attempt: attempt, Retry: retry})
		drain(t, &work.Runner{Workers: failing(errors.New("broken"))}, p)
		if got := p.one(t, "a").after; got < most/2 || got > most {
			t.Errorf("attempt %d: pause %v, want %v to %v", attempt, got, most/2, most)
		}
	}
}

func TestStopInTwoSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := queue(id("quick"), id("slow"), id("never"))
		r := &work.Runner{Pool: p, Concurrency: 2, Grace: 10 * time.Second}
		r.Workers = doing(func(ctx context.Context, task foldstream.Task, _ foldstream.Recorder) (foldstream.Result, error) {
			need := map[foldstream.TaskID]time.Duration{"quick": 6 * time.Second, "slow": time.Hour}[task.ID]
			select {
			case <-time.After(need):
				return foldstream.Result{}, nil
			case <-ctx.Done():
				return foldstream.Result{}, ctx.Err()
			}
		})
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		began := time.Now()
		if err := r.Run(ctx); err != nil {
			t.Errorf("being told to stop is %v", err)
		}
		if took := time.Since(began); took != 13*time.Second {
			t.Errorf("stopped after %v, not 3 s and the grace of 10 s", took)
		}
		if e := p.one(t, "quick"); e.how != "commit" {
			t.Errorf("quick: %v", e)
		}
		if e := p.one(t, "slow"); e.how != "return" || e.why != nil || e.after != 0 {
			t.Errorf("slow: %v", e)
		}
		if len(p.tasks) != 1 {
			t.Error("a task was fetched after the stop")
		}
	})
}

func TestStopCrossesFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		p := queue(id("a"))
		p.fetch = func(int) error { stop(); return nil }
		r := &work.Runner{Pool: p, Concurrency: 1, Workers: failing(nil)}
		if err := r.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if e := p.one(t, "a"); e.how != "return" || e.why != nil {
			t.Errorf("%v", e)
		}
	})
}

func TestLostLeaseStopsTheWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := queue(id("a"))
		p.extend = func() error { return foldstream.Errorf(foldstream.Conflict, "extend", "taken over") }
		r := &work.Runner{Workers: doing(func(ctx context.Context, _ foldstream.Task, _ foldstream.Recorder) (foldstream.Result, error) {
			<-ctx.Done()
			return foldstream.Result{}, nil // as if it had finished
		})}
		if err := drain(t, r, p)["a"]; !foldstream.Is(err, foldstream.Conflict) {
			t.Errorf("told %v", err)
		}
		if len(p.ends) != 0 {
			t.Errorf("the lease of another was ended: %v", p.ends)
		}
	})
}

func TestExtendThatFailsOtherwiseIsNoLoss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := queue(id("a"))
		p.extend = func() error { return foldstream.Errorf(foldstream.Unavailable, "extend", "no server") }
		r := &work.Runner{Workers: sleeping(time.Minute)}
		if err := drain(t, r, p)["a"]; err != nil || p.one(t, "a").how != "commit" {
			t.Error(err)
		}
	})
}

func sleeping(d time.Duration) work.Registry {
	return doing(func(ctx context.Context, _ foldstream.Task, _ foldstream.Recorder) (foldstream.Result, error) {
		select {
		case <-time.After(d):
			return foldstream.Result{}, nil
		case <-ctx.Done():
			return foldstream.Result{}, ctx.Err()
		}
	})
}

func TestProgressIsThrottled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := queue(id("a"))
		r := &work.Runner{Workers: doing(func(_ context.Context, _ foldstream.Task, rec foldstream.Recorder) (foldstream.Result, error) {
			for i := range 1000 { // 10 s
				rec.Progress(foldstream.Progress{Step: int64(i)})
				<-time.After(10 * time.Millisecond)
			}
			return foldstream.Result{}, nil
		})}
		drain(t, r, p)
		if n := len(p.beats); n < 15 || n > 22 {
			t.Errorf("%d extensions in 10 s", n)
		}
		for i := 1; i < len(p.beaten); i++ {
			early := p.beaten[i].Sub(p.beaten[i-1]) < 500*time.Millisecond
			if early && i < len(p.beaten)-1 || p.beats[i].Step < p.beats[i-1].Step {
				t.Errorf("beat %d at %v after %v: %v", i, p.beaten[i], p.beaten[i-1], p.beats[i])
			}
		}
		if last := p.beats[len(p.beats)-1].Step; last != 999 {
			t.Errorf("the last progress told was %d", last)
		}
	})
}

func TestStoreAway(t *testing.T) {
	away := foldstream.Errorf(foldstream.Unavailable, "fetch", "no server")
	t.Run("fetch", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := queue(id("a"))
			p.fetch = func(n int) error {
				if n <= 20 {
					return away
				}
				return nil
			}
			began := time.Now()
			drain(t, &work.Runner{Concurrency: 1, Workers: failing(nil)}, p)
			// The pauses are 0.1, 0.2, … 6.4 s, then 10 s thirteen times: 142.7 s, and half of that at least.
			if took := time.Since(began); took < 71*time.Second || took > 143*time.Second {
				t.Errorf("20 failures took %v", took)
			}
			if p.one(t, "a").how != "commit" {
				t.Error("not committed")
			}
		})
	})
	t.Run("commit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p, n := queue(id("a")), 0
			p.store = func(string) error {
				if n++; n < 12 {
					return away
				}
				return nil
			}
			if err := drain(t, &work.Runner{Workers: failing(nil)}, p)["a"]; err != nil || p.one(t, "a").how != "commit" {
				t.Errorf("%v", err)
			}
		})
	})
	t.Run("commit and stop", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			p := queue(id("a"))
			p.store = func(string) error { return away }
			ctx, stop := context.WithTimeout(t.Context(), time.Minute)
			defer stop()
			began := time.Now()
			r := &work.Runner{Pool: p, Workers: failing(nil), Concurrency: 1}
			if err := r.Run(ctx); err != nil {
				t.Error(err)
			}
			if took := time.Since(began); took > 71*time.Second {
				t.Errorf("the stop took %v", took-time.Minute)
			}
		})
	})
}

func TestFetchThatCannotWorkEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, kind := range []foldstream.Kind{foldstream.Invalid, foldstream.Denied} {
			p := queue()
			p.fetch = func(int) error { return foldstream.Errorf(kind, "fetch", "no") }
			if err := (&work.Runner{Pool: p, Concurrency: 3}).Run(t.Context()); !foldstream.Is(err, kind) {
				t.Errorf("%v", err)
			}
		}
	})
}

// stuck is a pool whose first fetch hangs until its context ends.
type stuck struct {
	*pool
	calls atomic.Int32
}

func (s *stuck) Fetch(ctx context.Context, f foldstream.Filter) (foldstream.Lease, error) {
	if s.calls.Add(1) == 1 {
		<-ctx.Done()
		return nil, foldstream.E(foldstream.Cancelled, "fetch", ctx.Err())
	}
	return s.pool.Fetch(ctx, f)
}

func TestStuckFetchIsAskedAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		s := &stuck{pool: queue(id("a"))}
		r := &work.Runner{Pool: s, Concurrency: 1, Workers: failing(nil), Done: func(foldstream.Task, error) { stop() }}
		began := time.Now()
		if err := r.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); s.one(t, "a").how != "commit" || took > 21*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestCommitRefused(t *testing.T) {
	for kind, want := range map[foldstream.Kind]string{foldstream.TooLarge: "fail", foldstream.Conflict: "", foldstream.Internal: "return"} {
		p := queue(id("a"))
		p.store = func(how string) error {
			if how == "commit" {
				return foldstream.Errorf(kind, "commit", "refused")
			}
			return nil
		}
		err := drain(t, &work.Runner{Workers: failing(nil)}, p)["a"]
		if !foldstream.Is(err, kind) && kind != foldstream.TooLarge {
			t.Errorf("%v: told %v", kind, err)
		}
		switch {
		case want == "" && len(p.ends) != 0:
			t.Errorf("%v: %v", kind, p.ends)
		case want != "" && p.one(t, "a").how != want:
			t.Errorf("%v: %v", kind, p.ends)
		}
		if kind == foldstream.TooLarge && !strings.Contains(text(p.one(t, "a").why), "too large to store") {
			t.Error(p.one(t, "a").why)
		}
	}
}

func TestConcurrencyIsALimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var tasks []foldstream.Task
		for i := range 12 {
			tasks = append(tasks, id(string(rune('a'+i))))
		}
		p := queue(tasks...)
		var now, most atomic.Int32
		r := &work.Runner{Concurrency: 3, Workers: doing(func(context.Context, foldstream.Task, foldstream.Recorder) (foldstream.Result, error) {
			most.Store(max(most.Load(), now.Add(1)))
			<-time.After(time.Second)
			now.Add(-1)
			return foldstream.Result{}, nil
		})}
		began := time.Now()
		drain(t, r, p)
		if took := time.Since(began); most.Load() != 3 || took != 4*time.Second {
			t.Errorf("%d at once, %v", most.Load(), took)
		}
	})
}
