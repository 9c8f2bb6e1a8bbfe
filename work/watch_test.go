package work_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/work"
)

// reporting is a worker that reports progress n times, a pause before each, and then waits for its end.
func reporting(n int, every time.Duration) work.Registry {
	return doing(func(ctx context.Context, _ foldstream.Task, rec foldstream.Recorder) (foldstream.Result, error) {
		for i := range n {
			<-time.After(every)
			rec.Progress(foldstream.Progress{Step: int64(i + 1)})
		}
		<-ctx.Done()
		return foldstream.Result{}, ctx.Err()
	})
}

func TestSilence(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		task    foldstream.Task
		workers work.Registry
		guard   time.Duration
		after   time.Duration // when it ends
		how     string
		why     string
	}{
		"from the beginning":     {foldstream.Task{Silence: 10 * s}, reporting(0, 0), 0, 10 * s, "return", "reported no progress for its limit of 10s"},
		"progress resets it":     {foldstream.Task{Silence: 10 * s}, reporting(3, 8*s), 0, 34 * s, "return", "reported no progress for its limit of 10s"},
		"just in time":           {foldstream.Task{Silence: 10 * s}, reporting(3, 10*s-1), 0, 40*s - 3, "return", "reported no progress"},
		"the last attempt":       {foldstream.Task{Silence: 10 * s, Attempt: 3}, reporting(0, 0), 0, 10 * s, "fail", "attempt 3 of 3: the attempt reported no progress"},
		"never again":            {foldstream.Task{Silence: 10 * s, Retry: foldstream.Retry{Never: []string{"silence"}}}, reporting(0, 0), 0, 10 * s, "fail", "never again after silence"},
		"the deadline first":     {foldstream.Task{Silence: 10 * s, Deadline: 15 * s}, reporting(3, 8*s), 0, 24 * s, "return", "longer than its deadline of 15s"},
		"the silence first":      {foldstream.Task{Silence: 10 * s, Deadline: 35 * s}, reporting(3, 8*s), 0, 34 * s, "return", "reported no progress"},
		"no limit":               {foldstream.Task{}, sleeping(time.Hour), 0, time.Hour, "commit", ""},
		"not before it begins":   {foldstream.Task{Silence: 10 * s}, sleeping(9 * s), time.Minute, 69 * s, "commit", ""},
		"the guard has deadline": {foldstream.Task{Silence: 10 * s, Deadline: 65 * s}, sleeping(9 * s), time.Minute, 65 * s, "return", "longer than its deadline"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.task.ID = "a"
				p := queue(c.task)
				began := time.Now()
				drain(t, &work.Runner{Workers: c.workers, Guard: func(foldstream.Task) error { <-time.After(c.guard); return nil }}, p)
				got := p.one(t, "a")
				if took := got.at.Sub(began); took != c.after {
					t.Errorf("it took %v, want %v", took, c.after)
				}
				if got.how != c.how || !strings.Contains(text(got.why), c.why) || got.why != nil && !foldstream.Is(got.why, foldstream.Timeout) {
					t.Errorf("%s: %v", got.how, got.why)
				}
			})
		})
	}
}

// A worker that ignores the end of its context is left behind: the attempt ends 10 s later, the slot stays taken, and the runner
// stops without it.
func TestDeafWorker(t *testing.T) {
	const s = time.Second
	for name, c := range map[string]struct {
		task  foldstream.Task
		at    time.Duration // when the attempt ends
		how   string
		why   string
		stops time.Duration // when Run returns
	}{
		"deadline":  {foldstream.Task{Deadline: 5 * s}, 15 * s, "return", "longer than its deadline of 5s; the worker did not stop within 10s and was left behind", 70 * s},
		"silence":   {foldstream.Task{Silence: 20 * s}, 30 * s, "return", "reported no progress for its limit of 20s; the worker did not stop", 70 * s},
		"the stop":  {foldstream.Task{}, 80 * s, "return", "", 80 * s},
		"the grace": {foldstream.Task{Deadline: 65 * s}, 75 * s, "return", "longer than its deadline", 75 * s},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c.task.ID = "deaf"
				p := queue(c.task, id("next"))
				release := make(chan struct{})
				defer close(release)
				var started atomic.Int32
				r := &work.Runner{Pool: p, Concurrency: 1, Grace: 10 * s, Workers: doing(func(context.Context, foldstream.Task, foldstream.Recorder) (foldstream.Result, error) {
					started.Add(1)
					<-release
					return foldstream.Result{}, nil
				})}
				ctx, stop := context.WithTimeout(t.Context(), time.Minute)
				defer stop()
				began := time.Now()
				if err := r.Run(ctx); err != nil {
					t.Error(err)
				}
				if took := time.Since(began); took != c.stops {
					t.Errorf("stopped after %v, want %v", took, c.stops)
				}
				got := p.one(t, "deaf")
				if took := got.at.Sub(began); took != c.at || got.how != c.how || (got.why == nil) != (c.why == "") || !strings.Contains(text(got.why), c.why) {
					t.Errorf("%s after %v: %v", got.how, took, got.why)
				}
				if started.Load() != 1 {
					t.Error("its slot was given to another")
				}
			})
		})
	}
}

// Once a worker that was left behind ends, its slot works again, and its late result is nothing to anybody.
func TestDeafWorkerComesToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := id("first")
		first.Deadline = time.Second
		p := queue(first, id("next"))
		began := time.Now()
		drain(t, &work.Runner{Concurrency: 1, Workers: doing(func(_ context.Context, task foldstream.Task, _ foldstream.Recorder) (foldstream.Result, error) {
			if task.ID == "first" {
				<-time.After(time.Minute)
			}
			return foldstream.Result{}, nil
		})}, p)
		if e := p.one(t, "first"); e.how != "return" || e.at.Sub(began) != 11*time.Second {
			t.Errorf("first: %s at %v", e.how, e.at.Sub(began))
		}
		if e := p.one(t, "next"); e.how != "commit" || e.at.Sub(began) != time.Minute {
			t.Errorf("next: %s at %v", e.how, e.at.Sub(began))
		}
	})
}

// The newest progress reaches the lease: while the work goes on, within the pause between two, and at its end at once.
func TestLastProgressIsDelivered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := queue(id("a"))
		var began time.Time
		drain(t, &work.Runner{Workers: doing(func(_ context.Context, _ foldstream.Task, rec foldstream.Recorder) (foldstream.Result, error) {
			began = time.Now()
			for i := range 3 {
				rec.Progress(foldstream.Progress{Step: int64(i + 1)})
				<-time.After(time.Millisecond)
			}
			<-time.After(2 * time.Second)
			rec.Progress(foldstream.Progress{Step: 4})
			<-time.After(time.Millisecond)
			rec.Progress(foldstream.Progress{Step: 5})
			return foldstream.Result{}, nil
		})}, p)
		var steps []int64
		for _, b := range p.beats {
			steps = append(steps, b.Step)
		}
		if len(steps) != 4 || steps[0] != 1 || steps[1] != 3 || steps[2] != 4 || steps[3] != 5 {
			t.Fatalf("delivered %v", steps)
		}
		if at := p.beaten[1].Sub(began); at != 500*time.Millisecond {
			t.Errorf("the newest came after %v", at)
		}
	})
}

// What the lease could not be told while the store was away it is told at the end; that it is lost then counts.
func TestProgressOfAnExtendThatFailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := queue(id("a"))
		n := 0
		p.extend = func() error {
			if n++; n == 1 {
				return foldstream.Errorf(foldstream.Unavailable, "extend", "no server")
			}
			return foldstream.Errorf(foldstream.Conflict, "extend", "taken over")
		}
		err := drain(t, &work.Runner{Workers: doing(func(_ context.Context, _ foldstream.Task, rec foldstream.Recorder) (foldstream.Result, error) {
			rec.Progress(foldstream.Progress{Step: 1})
			<-time.After(time.Second)
			return foldstream.Result{}, nil
		})}, p)["a"]
		if len(p.beats) != 2 || p.beats[1].Step != 1 || !foldstream.Is(err, foldstream.Conflict) || len(p.ends) != 0 {
			t.Errorf("%v, %v, %v", p.beats, err, p.ends)
		}
	})
}
