package streamtest

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
)

var fetchChecks = []Check{
	{"fetch/nothing there", fetchNothing},
	{"fetch/waits and wakes", fetchWakes},
	{"fetch/cancelled while waiting", fetchCancelled},
	{"fetch/by one worker only", fetchOnce},
}

func fetchNothing(ctx context.Context, h Harness) error {
	if err := nothing(ctx, h.Store, 0); err != nil {
		return err
	}
	since := time.Now()
	if err := nothing(ctx, h.Store, h.Lease); err != nil {
		return err
	}
	if took := time.Since(since); took < h.Lease*9/10 || took > patience {
		return fmt.Errorf("a fetch that waits %v gave up after %v", h.Lease, took)
	}
	return nil
}

func fetchWakes(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, Task(1)); err != nil { // the pool is there before the wait
		return err
	}
	if _, err := drain(ctx, h.Store, 1); err != nil {
		return err
	}
	woken := make(chan error, 1)
	go func() {
		l, err := fetch(ctx, h.Second)
		if err == nil {
			err = l.Commit(ctx, by("waiter"))
		}
		woken <- err
	}()
	select {
	case err := <-woken:
		return off(err, "a fetch got a task where there is none")
	case <-time.After(h.Lease / 2):
	}
	since := time.Now()
	if err := create(ctx, h.Store, Task(2)); err != nil {
		return err
	}
	if err := <-woken; err != nil {
		return err
	}
	if took := time.Since(since); took > patience/3 {
		return fmt.Errorf("the waiting fetch woke %v after the task was made", took)
	}
	return done(ctx, h, 2)
}

func fetchCancelled(ctx context.Context, h Harness) error {
	over, cancel := context.WithTimeout(ctx, h.Lease/2)
	defer cancel()
	since := time.Now()
	_, err := h.Store.Pool(pool).Fetch(over, foldstream.Filter{Wait: patience})
	if took := time.Since(since); took > patience/2 {
		return fmt.Errorf("a fetch went on for %v after its context was over", took)
	}
	return want(err, foldstream.Cancelled, "fetch when the context is over")
}

// fetchOnce lets many workers take all there is: each task comes to one of them, and to no second one while it is held.
func fetchOnce(ctx context.Context, h Harness) error {
	const n, workers = 60, 6
	if err := create(ctx, h.Store, Tasks(0, n)...); err != nil {
		return err
	}
	var mu sync.Mutex
	held := map[foldstream.TaskID]foldstream.Lease{}
	var first error
	take := func(s foldstream.Store) bool {
		l, err := s.Pool(pool).Fetch(ctx, foldstream.Filter{Wait: 2 * h.Lease})
		mu.Lock()
		defer mu.Unlock()
		switch {
		case err != nil:
			return false
		case held[l.Task().ID] != nil:
			first = fmt.Errorf("task %s came to two workers at once", l.Task().ID)
			return false
		}
		held[l.Task().ID] = l
		return true
	}
	var wg sync.WaitGroup
	for i := range workers {
		s := []foldstream.Store{h.Store, h.Second}[i%2]
		wg.Go(func() {
			for take(s) {
			}
		})
	}
	wg.Wait()
	if first == nil && len(held) != n {
		first = fmt.Errorf("%d of %d tasks came", len(held), n)
	}
	if first != nil {
		return first
	}
	for _, l := range held {
		if err := l.Commit(ctx, by("holder")); err != nil {
			return err
		}
	}
	return done(ctx, h, n)
}
