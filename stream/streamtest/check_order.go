package streamtest

import (
	"context"
	"fmt"
	"slices"

	"github.com/foldstream/foldstream"
)

var orderChecks = []Check{
	{"order/first come first", orderFIFO},
	{"order/highest band first", retried(orderBands)},
	{"order/an urgent task overtakes", retried(orderUrgent)},
	{"order/no band starves", orderFair},
	{"order/lowest band wanted", orderMinBand},
}

func orderFIFO(ctx context.Context, h Harness) error {
	const n = 15
	for i := range n {
		if err := create(ctx, h.Store, Task(i)); err != nil {
			return err
		}
	}
	return drainsAs(ctx, h, Tasks(0, n))
}

// retried gives a check of the order a second try, with tasks of its own: a server tells its consumers of new tickets a moment after it took
// them, and until then a lane looks empty. What is wrong in itself is so both times.
func retried(check func(context.Context, Harness, func(int) foldstream.Task) error) func(context.Context, Harness) error {
	return func(ctx context.Context, h Harness) error {
		if check(ctx, h, Task) == nil {
			return nil
		}
		return check(ctx, h, func(n int) foldstream.Task { return Task(100 + n) })
	}
}

func orderBands(ctx context.Context, h Harness, task func(int) foldstream.Task) error {
	low, mid, high := withPriority(task(2), -9), withPriority(task(3), 0), withPriority(task(4), 9)
	low2, mid2, high2 := withPriority(task(6), -9), withPriority(task(7), 0), withPriority(task(8), 9)
	if err := create(ctx, h.Store, task(1), low, mid, high, task(5), low2, mid2, high2); err != nil {
		return err
	}
	return drainsAs(ctx, h, []foldstream.Task{high, high2, mid, mid2, low, low2, task(1), task(5)})
}

// orderUrgent has a task of a band before: of the very first, another process hears a moment after its creation.
func orderUrgent(ctx context.Context, h Harness, task func(int) foldstream.Task) error {
	if err := create(ctx, h.Second, withPriority(task(8), 1)); err != nil {
		return err
	}
	if _, err := drain(ctx, h.Store, 1); err != nil {
		return err
	}
	if err := create(ctx, h.Store, task(0), task(1), task(2), task(3), task(4)); err != nil {
		return err
	}
	if _, err := drain(ctx, h.Store, 2); err != nil {
		return err
	}
	if err := create(ctx, h.Second, withPriority(task(9), 1)); err != nil {
		return err
	}
	return drainsAs(ctx, h, []foldstream.Task{task(9), task(2), task(3), task(4)})
}

// orderFair has one old task without a priority below a flood of urgent ones: it is served second to none but not first, and
// within forty fetches, whatever was fetched before.
func orderFair(ctx context.Context, h Harness) error {
	const flood = 60
	made := 0
	err := retried(func(ctx context.Context, h Harness, task func(int) foldstream.Task) error {
		tasks := []foldstream.Task{task(0)}
		for i := range flood {
			tasks = append(tasks, withPriority(task(1+i), 9))
		}
		made += len(tasks)
		return served(ctx, h, tasks)
	})(ctx, h)
	if err != nil {
		return err
	}
	return done(ctx, h, made)
}

// served drains the pool of tasks of which the first one's turn comes in between.
func served(ctx context.Context, h Harness, tasks []foldstream.Task) error {
	if err := create(ctx, h.Store, tasks...); err != nil {
		return err
	}
	if err := waits(ctx, h, len(tasks)); err != nil {
		return err
	}
	got, err := drain(ctx, h.Store, len(tasks))
	if err != nil {
		return err
	}
	if at := slices.Index(got, tasks[0].ID); at < 1 || at >= 40 {
		return fmt.Errorf("the oldest task, of the lowest band, came at place %d of %d, want 1 to 39", at, len(tasks)-1)
	}
	return nil
}

func orderMinBand(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, Task(1), withPriority(Task(2), 0)); err != nil {
		return err
	}
	band, _ := withPriority(Task(2), 0).Band()
	urgent := foldstream.Filter{MinBand: band, Wait: patience}
	l, err := h.Store.Pool(pool).Fetch(ctx, urgent)
	if err != nil {
		return err
	}
	if l.Task().ID != Task(2).ID {
		return fmt.Errorf("a fetch of band %d and above gave task %s of band 0", band, l.Task().ID)
	}
	if err := l.Commit(ctx, by("me")); err != nil {
		return err
	}
	urgent.Wait = h.Lease
	_, err = h.Store.Pool(pool).Fetch(ctx, urgent)
	if err := want(err, foldstream.NotFound, "fetch above all that waits"); err != nil {
		return err
	}
	if _, err := drain(ctx, h.Store, 1); err != nil {
		return err
	}
	return done(ctx, h, 2)
}

// drainsAs drains the pool and fails when the tasks do not come in this order.
func drainsAs(ctx context.Context, h Harness, tasks []foldstream.Task) error {
	if err := waits(ctx, h, len(tasks)); err != nil {
		return err
	}
	got, err := drain(ctx, h.Store, len(tasks))
	if err != nil {
		return err
	}
	if err := same("the order of the tasks", got, idsOf(tasks)); err != nil {
		return err
	}
	return nothing(ctx, h.Store, h.Lease/2)
}

// waits sees to it that so many tasks wait.
func waits(ctx context.Context, h Harness, n int) error {
	return Eventually(ctx, func() error {
		c, err := h.Store.Pool(pool).Stat(ctx)
		if err == nil && c[foldstream.Waiting] != n {
			err = fmt.Errorf("stat says %v, want %d waiting", c, n)
		}
		return err
	})
}
