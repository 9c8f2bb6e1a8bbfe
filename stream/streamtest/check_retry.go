package streamtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/foldstream/foldstream"
)

var retryChecks = []Check{
	{"retry/failed", retryFailed},
	{"retry/cancelled", retryCancelled},
	{"retry/crashed", retryCrashed},
	{"retry/at the priority that it was moved to", retryMoved},
	{"retry/what it does not apply to", retryOthers},
}

// retryFailed fails the second attempt of a second stage: all begins again, in its band.
func retryFailed(ctx context.Context, h Harness) error {
	first, l, err := secondStage(ctx, h)
	if err != nil {
		return err
	}
	if err := l.Return(ctx, errors.New("busy"), 0); err != nil {
		return err
	}
	if l, err = one(ctx, h, "predict", 2); err != nil {
		return err
	}
	if err := l.Fail(ctx, errors.New("singular matrix")); err != nil {
		return err
	}
	urgent, low := withPriority(Task(2), 9), withPriority(Task(3), -9)
	if err := errors.Join(failed(ctx, h, urgent), create(ctx, h.Store, low)); err != nil {
		return err
	}
	if err := did("retry", 2)(admin(h).Retry(ctx, pool, "mended", Task(1).ID, urgent.ID, absent)); err != nil {
		return err
	}
	if err := stand(ctx, h, foldstream.Counts{foldstream.Waiting: 3}); err != nil {
		return err
	}
	for _, id := range []foldstream.TaskID{urgent.ID, low.ID} {
		if err := works(ctx, h, id, "again"); err != nil {
			return fmt.Errorf("in order of priority: %w", err)
		}
	}
	if l, err = fetch(ctx, h.Store); err != nil {
		return err
	}
	if err := errors.Join(at(l, "fit", ""), refused(ctx, first), l.Return(ctx, errors.New("busy"), 0)); err != nil {
		return err
	}
	if l, err = one(ctx, h, "fit", 2); err != nil {
		return err
	}
	if err := errors.Join(l.Commit(ctx, by("fit")), works(ctx, h, Task(1).ID, "predict")); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 3})
}

func retryCancelled(ctx context.Context, h Harness) error {
	old, err := running(ctx, h, Task(1))
	if err != nil {
		return err
	}
	a := admin(h)
	err = errors.Join(
		did("cancel", 1)(a.Cancel(ctx, pool, "by mistake", Task(1).ID)),
		did("retry", 1)(a.Retry(ctx, pool, "after all", Task(1).ID)),
		did("retry twice", 0)(a.Retry(ctx, pool, "after all", Task(1).ID)),
		refused(ctx, old),
	)
	if err != nil {
		return err
	}
	l, err := one(ctx, h, "", 1)
	if err != nil {
		return err
	}
	if err := errors.Join(refused(ctx, old), l.Commit(ctx, by("new")), nothing(ctx, h.Store, 2*h.Lease)); err != nil {
		return err
	}
	if err := resultBy(ctx, h.Store, Task(1).ID, "new"); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 1})
}

// retryCrashed retries a task that lost too many workers: it may lose one more.
func retryCrashed(ctx context.Context, h Harness) error {
	if err := crashTooMany(ctx, h); err != nil {
		return err
	}
	if err := did("retry", 1)(admin(h).Retry(ctx, pool, "more memory", Task(1).ID)); err != nil {
		return err
	}
	l, err := one(ctx, h, "", 1)
	if err != nil {
		return err
	}
	h.Abandon(l)
	if err := works(ctx, h, Task(1).ID, "heir"); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 1})
}

// retryMoved cancels a task that was moved to another priority and that nobody worked since: it comes back with that priority.
func retryMoved(ctx context.Context, h Harness) error {
	a := admin(h)
	err := errors.Join(create(ctx, h.Store, withPriority(Task(1), 2), withPriority(Task(2), 5)),
		did("prioritize", 1)(a.Prioritize(ctx, pool, priority(7), Task(1).ID)),
		did("cancel", 1)(a.Cancel(ctx, pool, "by mistake", Task(1).ID)))
	if err != nil {
		return err
	}
	state, err := a.Task(ctx, pool, Task(1).ID)
	if err := errors.Join(err, same("the priority of the cancelled task", state.Priority, priority(7))); err != nil {
		return err
	}
	if err := did("retry", 1)(a.Retry(ctx, pool, "after all", Task(1).ID)); err != nil {
		return err
	}
	for _, t := range []foldstream.Task{withPriority(Task(1), 7), withPriority(Task(2), 5)} {
		band, _ := t.Band()
		l, err := h.Store.Pool(pool).Fetch(ctx, foldstream.Filter{MinBand: band, Wait: patience}) // a server may take its time to offer what it took
		if err != nil {
			return err
		}
		if err := errors.Join(same("the task that comes next", l.Task().ID, t.ID), same("its priority", l.Task().Priority, t.Priority), l.Commit(ctx, by("me"))); err != nil {
			return err
		}
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 2})
}

func retryOthers(ctx context.Context, h Harness) error {
	l, err := everyStatus(ctx, h)
	if err != nil {
		return err
	}
	a := admin(h)
	err = errors.Join(
		did("remove", 1)(a.Remove(ctx, pool, "gone", Task(4).ID)),
		did("retry without ids", 0)(a.Retry(ctx, pool, "all")),
		did("retry of a waiting, running, done, removed and part_done task", 0)(
			a.Retry(ctx, pool, "why not", Task(1).ID, Task(2).ID, Task(3).ID, Task(4).ID, Task(6).ID)),
		l.Extend(ctx, foldstream.Progress{}),
	)
	if err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{
		foldstream.Waiting: 1, foldstream.Running: 1, foldstream.Done: 1, foldstream.Removed: 1, foldstream.Withdrawn: 1, foldstream.PartDone: 1,
	})
}
