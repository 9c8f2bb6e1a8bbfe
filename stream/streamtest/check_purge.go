package streamtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/foldstream/foldstream"
)

var purgeChecks = []Check{
	{"purge/removed tasks alone", purgeRemoved},
	{"purge/as if it had never been", purgeAnew},
	{"purge/a worker of the life before", purgeStale},
}

func purgeRemoved(ctx context.Context, h Harness) error {
	if _, err := everyStatus(ctx, h); err != nil {
		return err
	}
	all := append(idsOf(Tasks(1, 6)), absent)
	if err := did("purge of what is not removed", 0)(admin(h).Purge(ctx, pool, all...)); err != nil {
		return err
	}
	if err := did("purge of nothing", 0)(admin(h).Purge(ctx, pool)); err != nil {
		return err
	}
	gone := []foldstream.TaskID{Task(1).ID, Task(3).ID, Task(4).ID}
	if err := did("remove", 3)(admin(h).Remove(ctx, pool, "cleared", gone...)); err != nil {
		return err
	}
	if err := did("purge", 3)(admin(h).Purge(ctx, pool, all...)); err != nil {
		return err
	}
	if err := did("purge twice", 0)(admin(h).Purge(ctx, pool, all...)); err != nil {
		return err
	}
	for _, id := range gone {
		if err := unknown(ctx, h, id); err != nil {
			return err
		}
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Running: 1, foldstream.Withdrawn: 1, foldstream.PartDone: 1})
}

// unknown waits until nothing of a task is there.
func unknown(ctx context.Context, h Harness, id foldstream.TaskID) error {
	return Eventually(ctx, func() error {
		if _, err := admin(h).Task(ctx, pool, id); !foldstream.Is(err, foldstream.NotFound) {
			return off(err, "task %s was purged and is in the index", id)
		}
		events, err := history(ctx, h.Second, id)
		if err != nil || len(events) > 0 {
			return off(err, "task %s was purged and has %d events", id, len(events))
		}
		for l, err := range admin(h).Letters(ctx, pool) {
			if err != nil || l.Task.ID == id {
				return off(err, "task %s was purged and is among the dead letters", id)
			}
		}
		return nil
	})
}

// purgeAnew creates a purged task again: it is new, and its life is its first.
func purgeAnew(ctx context.Context, h Harness) error {
	if err := errors.Join(finished(ctx, h, Task(1), "first"), create(ctx, h.Store, Task(2))); err != nil {
		return err
	}
	if err := did("remove", 1)(admin(h).Remove(ctx, pool, "cleared", Task(1).ID)); err != nil {
		return err
	}
	if err := did("purge", 1)(admin(h).Purge(ctx, pool, Task(1).ID)); err != nil {
		return err
	}
	defs, err := collect(h.Second.(foldstream.Archive).Definitions(ctx, pool))
	if err != nil || len(defs) != 1 {
		return off(err, "%d definitions are left of 2", len(defs))
	}
	if err := create(ctx, h.Store, Task(1)); err != nil {
		return fmt.Errorf("after the purge: %w", err)
	}
	if _, err := drain(ctx, h.Store, 2); err != nil {
		return err
	}
	if err := resultBy(ctx, h.Second, Task(1).ID, "drain"); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 2})
}

// purgeStale has a worker of a life that was purged come back when the task has another.
func purgeStale(ctx context.Context, h Harness) error {
	old, err := running(ctx, h, Task(1))
	if err != nil {
		return err
	}
	err = errors.Join(
		did("remove", 1)(admin(h).Remove(ctx, pool, "cleared", Task(1).ID)),
		did("purge", 1)(admin(h).Purge(ctx, pool, Task(1).ID)),
		refused(ctx, old),
		create(ctx, h.Store, Task(1)),
	)
	if err != nil {
		return err
	}
	l, err := fetch(ctx, h.Store)
	if err != nil {
		return err
	}
	if err := errors.Join(refused(ctx, old), l.Commit(ctx, by("new"))); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 1})
}
