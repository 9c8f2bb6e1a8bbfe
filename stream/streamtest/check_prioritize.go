package streamtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/foldstream/foldstream"
)

var prioritizeChecks = []Check{
	{"prioritize/up and down", prioritizeBoth},
	{"prioritize/what it does not apply to", prioritizeOthers},
	{"prioritize/while workers drain", prioritizeDrain},
}

func prioritizeBoth(ctx context.Context, h Harness) error {
	plain, mid, high, low := Task(1), withPriority(Task(2), 0), withPriority(Task(3), 5), withPriority(Task(4), -9)
	if err := create(ctx, h.Store, plain, mid, high, low); err != nil {
		return err
	}
	a := admin(h)
	_, err := a.Prioritize(ctx, pool, priority(10), low.ID)
	err = errors.Join(
		want(err, foldstream.Invalid, "prioritize to 10"),
		did("prioritize to 9", 1)(a.Prioritize(ctx, pool, priority(9), plain.ID, absent)),
		did("prioritize to nil", 1)(a.Prioritize(ctx, pool, nil, high.ID)),
		did("prioritize without ids", 0)(a.Prioritize(ctx, pool, priority(9))),
	)
	if err != nil {
		return err
	}
	if err := stand(ctx, h, foldstream.Counts{foldstream.Waiting: 4}); err != nil {
		return err
	}
	plain.Priority, high.Priority = priority(9), nil
	for _, t := range []foldstream.Task{plain, mid, low, high} {
		l, err := fetch(ctx, h.Store)
		if err != nil {
			return err
		}
		got := l.Task()
		if err := same("the task that comes next", got.ID, t.ID); err != nil {
			return err
		}
		if err := errors.Join(same("its priority", got.Priority, t.Priority), l.Commit(ctx, by("me"))); err != nil {
			return err
		}
	}
	if err := nothing(ctx, h.Store, h.Lease); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 4})
}

func prioritizeOthers(ctx context.Context, h Harness) error {
	l, err := everyStatus(ctx, h)
	if err != nil {
		return err
	}
	err = did("prioritize of a running, done, failed and cancelled task", 0)(
		admin(h).Prioritize(ctx, pool, priority(3), Task(2).ID, Task(3).ID, Task(4).ID, Task(5).ID))
	if err := errors.Join(err, l.Commit(ctx, by("me"))); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{
		foldstream.Waiting: 1, foldstream.Done: 2, foldstream.Dead: 1, foldstream.Withdrawn: 1, foldstream.PartDone: 1,
	})
}

// prioritizeDrain moves tasks about while workers take them: each is worked once.
func prioritizeDrain(ctx context.Context, h Harness) error {
	const n, workers = 120, 4
	tasks := Tasks(0, n)
	if err := create(ctx, h.Store, tasks...); err != nil {
		return err
	}
	draining, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	faults := make([]error, workers+1)
	for i := range workers {
		s := []foldstream.Store{h.Store, h.Second}[i%2]
		wg.Go(func() { faults[i] = drainUntil(draining, s, h) })
	}
	wg.Go(func() {
		rnd := rand.New(rand.NewPCG(5, 6))
		for range n / 2 {
			ids := []foldstream.TaskID{tasks[rnd.IntN(n)].ID, tasks[rnd.IntN(n)].ID, tasks[rnd.IntN(n)].ID}
			if _, err := admin(h).Prioritize(ctx, pool, priority(rnd.IntN(19)-9), ids...); err != nil {
				faults[workers] = err
				return
			}
		}
	})
	err := counts(ctx, h.Store, foldstream.Counts{foldstream.Done: n})
	stop()
	wg.Wait()
	if err := errors.Join(append(faults, err)...); err != nil {
		return err
	}
	if err := spares(ctx, h); err != nil {
		return err
	}
	events, err := collect(h.Store.Events(ctx, foldstream.EventFilter{Pool: pool}, 0))
	if err != nil || len(events) != 2*n {
		return off(err, "%d events, want a claim and a result for each of %d tasks", len(events), n)
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: n})
}

// spares fetches what is left of a pool whose tasks are done: tickets that drop themselves, or leases that are lost from the start.
func spares(ctx context.Context, h Harness) error {
	for l, err := range foldstream.Leases(ctx, h.Store.Pool(pool), foldstream.Filter{Wait: h.Lease}) {
		if err == nil {
			err = want(l.Commit(ctx, by("spare")), foldstream.Conflict, "commit by a spare ticket")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// drainUntil commits what it fetches until the context ends. A lease may turn out to be another's: the task's ticket was moved while
// it was taken, and two workers took one each.
func drainUntil(ctx context.Context, s foldstream.Store, h Harness) error {
	for {
		l, err := s.Pool(pool).Fetch(ctx, foldstream.Filter{Wait: h.Lease})
		switch {
		case ctx.Err() != nil:
			return nil
		case foldstream.Is(err, foldstream.NotFound):
			continue
		case err != nil:
			return err
		}
		if err := l.Commit(context.WithoutCancel(ctx), by("drain")); err != nil && !foldstream.Is(err, foldstream.Conflict) {
			return fmt.Errorf("task %s: %w", l.Task().ID, err)
		}
	}
}
