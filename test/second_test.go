package test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	consumer "github.com/foldstream/foldstream/work"
)

// straggling is a pool "p" of one task whose first run hangs until it is told to end, and what became of its runs.
type straggling struct {
	store *mem.Store
	id    foldstream.TaskID

	mu   sync.Mutex
	runs int
	ends []string // "hung" or "quick", in order
}

func newStraggling(t *testing.T, s foldstream.PoolSettings) *straggling {
	t.Helper()
	tasks := keyed(manyTasks(1), func(int) []string { return []string{"gpu"} })
	return &straggling{store: limited(t, s, tasks), id: tasks[0].ID}
}

// runner returns a consumer that has time for second copies, each of which does what do says.
func (s *straggling) runner(name string, do func(ctx context.Context, rec foldstream.Recorder) error) *consumer.Runner {
	w := foldstream.WorkerFunc(func(ctx context.Context, _ foldstream.Task, rec foldstream.Recorder) (foldstream.Result, error) {
		s.mu.Lock()
		s.runs++
		hangs := s.runs == 1
		s.mu.Unlock()
		end := "quick"
		var err error
		if hangs {
			<-ctx.Done()
			end, err = "hung", ctx.Err()
		} else {
			err = do(ctx, rec)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ends = append(s.ends, end)
		return foldstream.Result{}, err
	})
	r := keeping(s.store, consumer.Registry{"w": w}, 2)
	r.Name = name
	r.Second = func(ctx context.Context, f foldstream.Filter) (foldstream.Lease, error) {
		return s.store.Second(ctx, "p", s.id, f)
	}
	return r
}

// work runs the consumers for a while, and returns the task's events.
func (s *straggling) work(t *testing.T, d time.Duration, runners ...*consumer.Runner) []foldstream.Event {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), d)
	defer stop()
	var all sync.WaitGroup
	for _, r := range runners {
		all.Go(func() {
			if err := r.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	var events []foldstream.Event
	for e, err := range s.store.Events(t.Context(), foldstream.EventFilter{Pool: "p"}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	if left := locks(t, s.store); len(left) > 0 {
		t.Errorf("places are still taken: %q", left)
	}
	return events
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Of four consumers with free slots one works a second copy of a task that hangs; its result counts, and the first run is ended.
func TestRunner_SecondCopyIsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStraggling(t, foldstream.PoolSettings{})
		var runners []*consumer.Runner
		for i := range 4 {
			runners = append(runners, s.runner(fmt.Sprint("r", i), func(ctx context.Context, rec foldstream.Recorder) error {
				rec.MetricAt("loss", 1, 0.5)
				return wait(ctx, 20*time.Second)
			}))
		}
		events := s.work(t, 40*time.Second, runners...)
		if s.runs != 2 || !slices.Equal(s.ends, []string{"quick", "hung"}) {
			t.Errorf("%d runs, which ended as %q", s.runs, s.ends)
		}
		if len(events) != 2 || events[1].Kind != foldstream.EventResult || events[1].Run == events[0].Run || events[1].Attempt != 1 {
			t.Errorf("%+v", events)
		}
	})
}

// A second copy that fails, or puts its task off, writes nothing; the task is its first worker's, who returns it when told to stop.
func TestRunner_SecondCopyThatFails(t *testing.T) {
	for name, end := range map[string]error{
		"error": errors.New("no"), "permanent": foldstream.Permanent(errors.New("never")), "snooze": foldstream.Snooze(time.Hour, "later"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStraggling(t, foldstream.PoolSettings{})
				events := s.work(t, 15*time.Second, s.runner("r", func(context.Context, foldstream.Recorder) error { return end }))
				if s.runs < 2 || len(events) != 2 || events[0].Kind != foldstream.EventClaim || events[1].Status != foldstream.Waiting || events[1].Error != "" {
					t.Errorf("%d runs; %+v", s.runs, events)
				}
			})
		})
	}
}

// A second copy needs the places that any run needs.
func TestRunner_SecondCopyKeepsLimits(t *testing.T) {
	for name, settings := range map[string]foldstream.PoolSettings{
		"pool": {Limit: 1}, "key": {Limits: map[string]int{"gpu": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStraggling(t, settings)
				s.work(t, 30*time.Second, s.runner("r", func(ctx context.Context, _ foldstream.Recorder) error { return nil }))
				if s.runs != 1 {
					t.Errorf("%d runs under a limit of one", s.runs)
				}
			})
		})
	}
}

// A second copy ends with the claim beside which it stands: the task is another's then.
func TestRunner_SecondCopyEndsWithTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStraggling(t, foldstream.PoolSettings{})
		r := s.runner("r", func(ctx context.Context, _ foldstream.Recorder) error { return wait(ctx, time.Hour) })
		var ends []error
		r.Done = func(_ foldstream.Task, err error) { ends = append(ends, err) }
		cancelled := make(chan error, 1)
		time.AfterFunc(12*time.Second, func() {
			_, err := s.store.Cancel(t.Context(), "p", "enough", s.id)
			cancelled <- err
		})
		events := s.work(t, 30*time.Second, r)
		if err := <-cancelled; err != nil || len(events) != 2 || events[1].Status != foldstream.Withdrawn {
			t.Errorf("%v, %+v", err, events)
		}
		if len(ends) != 2 || !foldstream.Is(ends[0], foldstream.Conflict) || !foldstream.Is(ends[1], foldstream.Conflict) {
			t.Errorf("%d runs ended: %v", len(ends), ends)
		}
	})
}

// Second copies cannot be told apart without a place for each.
func TestRunner_SecondNeedsLocks(t *testing.T) {
	r := newStraggling(t, foldstream.PoolSettings{}).runner("r", nil)
	r.Locks = nil
	if err := r.Run(t.Context()); !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), "locks") {
		t.Error(err)
	}
}
