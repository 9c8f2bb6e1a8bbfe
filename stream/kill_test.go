package stream_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestKill kills the server with SIGKILL, again and again, under load.
func TestKill(t *testing.T) {
	server := streamtest.ServerProcess(t, t.TempDir())
	cfg := stream.Config{Lease: time.Second, Patience: 30 * time.Second}
	stores := []*stream.Store{open(t, server.URL(), cfg), open(t, server.URL(), cfg)}
	underLoad(t, stores, 600, 3, func(int) error {
		if err := server.Kill(); err != nil {
			return err
		}
		return server.Start()
	})
}

// underLoad breaks something, again and again, under two producers of the same n tasks, eight workers in two stores, and two who delete
// tickets. Nothing may be lost, doubled or left behind.
func underLoad(t *testing.T, stores []*stream.Store, n, breaks int, breakIt func(i int) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // for a busy machine; it takes a tenth
	defer cancel()

	var load sync.WaitGroup
	var commits atomic.Int64
	tasks := mixed(n)
	for i, s := range stores {
		load.Go(func() { produce(ctx, t, s, tasks) })
		for range 4 {
			load.Go(func() { consume(ctx, t, s, n, &commits) })
		}
		load.Go(func() { vandalize(ctx, t, s, tasks, uint64(i), &commits) })
	}
	load.Go(func() {
		for i := range breaks {
			if err := reached(ctx, &commits, int64((i+1)*n/(breaks+2))); err != nil {
				t.Error(err)
				return
			}
			if err := breakIt(i); err != nil {
				t.Error(err)
			}
		}
	})
	load.Wait()
	if err := streamtest.Conserved(ctx, stores[0], "p"); err != nil {
		t.Error(err)
	}
	if err := nothingLeft(ctx, stores[0]); err != nil {
		t.Error(err)
	}
	if c, err := stores[0].Verify(ctx, "p"); err != nil || len(c.Faults) > 0 || c.Created != n || c.Results != n {
		t.Errorf("verified: %+v, %v", c, err)
	}
}

// mixed makes tasks of different bands, some with two stages.
func mixed(n int) []foldstream.Task {
	tasks := streamtest.Tasks(0, n)
	for i := range tasks {
		if i%3 == 0 {
			band := i % 4
			tasks[i].Priority = &band
		}
		if i%5 == 0 {
			tasks[i].Stages = []string{"fit", "score"}
		}
	}
	return tasks
}

// produce creates the tasks piece by piece, each piece until it is accepted.
func produce(ctx context.Context, t *testing.T, s *stream.Store, tasks []foldstream.Task) {
	for len(tasks) > 0 && ctx.Err() == nil {
		some := tasks[:min(50, len(tasks))]
		if _, err := s.Pool("p").Create(ctx, some...); err == nil {
			tasks = tasks[len(some):]
		} else if !away(err) {
			t.Error(err)
			return
		}
	}
}

// away reports whether err is of a server that does not answer, or has no room.
func away(err error) bool {
	return foldstream.Is(err, foldstream.Unavailable) || foldstream.Is(err, foldstream.Full)
}

// consume works until n tasks are done. Errors of a server that is away are waited out; a lost lease is a lost lease.
func consume(ctx context.Context, t *testing.T, s *stream.Store, n int, commits *atomic.Int64) {
	for ctx.Err() == nil {
		l, err := s.Pool("p").Fetch(ctx, foldstream.Filter{Wait: time.Second})
		if err == nil {
			err = l.Commit(ctx, foldstream.Result{Params: map[string]string{"stage": l.Task().Stage}})
			if err == nil && l.Task().LastStage() {
				commits.Add(1)
			}
		}
		switch {
		case err == nil, foldstream.Is(err, foldstream.Conflict), away(err), ctx.Err() != nil:
		case foldstream.Is(err, foldstream.NotFound):
			if c, err := s.Pool("p").Stat(ctx); err == nil && c[foldstream.Done] == n {
				return
			}
		default:
			t.Error(err)
			return
		}
	}
}

// vandalize deletes tickets at random, one for every few commits, and has the reconciler mend the damage, until all is done.
func vandalize(ctx context.Context, t *testing.T, s *stream.Store, tasks []foldstream.Task, seed uint64, commits *atomic.Int64) {
	random := rand.New(rand.NewPCG(seed, 0))
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deleted := int64(0); ctx.Err() == nil; {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
		if n := commits.Load(); n < int64(len(tasks)/2) && deleted <= n/4 {
			deleted++
			_ = s.DeleteTicket(ctx, "p", tasks[random.IntN(len(tasks))].ID) // it may be gone, or the server away
		}
		if _, err := s.Reconcile(ctx, "p"); err != nil && !away(err) && ctx.Err() == nil {
			t.Error(err)
		}
		if c, err := s.Pool("p").Stat(ctx); err == nil && c[foldstream.Done] == len(tasks) {
			return
		}
	}
}

func reached(ctx context.Context, count *atomic.Int64, n int64) error {
	return eventually(ctx, func() error {
		if got := count.Load(); got < n {
			return fmt.Errorf("%d of %d commits", got, n)
		}
		return nil
	})
}

// nothingLeft waits until the queue is empty: every ticket was taken out.
func nothingLeft(ctx context.Context, s *stream.Store) error {
	return eventually(ctx, func() error {
		n, err := s.Tickets(ctx)
		if err == nil && n > 0 {
			return fmt.Errorf("%d messages are left in the queue", n)
		}
		return err
	})
}

// eventually tries until the test's time is over.
func eventually(ctx context.Context, try func() error) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}
