package streamtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/foldstream/foldstream"
)

var cancelChecks = []Check{
	{"cancel/waiting", cancelWaiting},
	{"cancel/running", cancelRunning},
	{"cancel/between stages", cancelPartDone},
	{"cancel/what it does not apply to", cancelOthers},
}

// absent is a task that no check creates.
var absent = Task(999999).ID

func cancelWaiting(ctx context.Context, h Harness) error {
	tasks := Tasks(0, 3)
	if err := create(ctx, h.Store, tasks...); err != nil {
		return err
	}
	ids := []foldstream.TaskID{tasks[0].ID, tasks[2].ID, tasks[0].ID, absent}
	if err := did("cancel", 2)(admin(h).Cancel(ctx, pool, "no longer wanted", ids...)); err != nil {
		return err
	}
	if err := works(ctx, h, tasks[1].ID, "me"); err != nil {
		return err
	}
	if err := nothing(ctx, h.Store, 2*h.Lease); err != nil {
		return err
	}
	if err := toldOf(ctx, h, tasks[2].ID, foldstream.Withdrawn, "no longer wanted"); err != nil {
		return err
	}
	made, err := h.Store.Pool(pool).Create(ctx, tasks[0])
	if err != nil || made[0].New || made[0].Status != foldstream.Withdrawn {
		return off(err, "creating a cancelled task answered %+v", made)
	}
	if err := nothing(ctx, h.Store, h.Lease); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 1, foldstream.Withdrawn: 2})
}

func cancelRunning(ctx context.Context, h Harness) error {
	l, err := running(ctx, h, Task(1))
	if err != nil {
		return err
	}
	if err := did("cancel", 1)(admin(h).Cancel(ctx, pool, "wrong data", Task(1).ID)); err != nil {
		return err
	}
	if err := refused(ctx, l); err != nil {
		return err
	}
	if err := nothing(ctx, h.Store, 3*h.Lease); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Withdrawn: 1})
}

func cancelPartDone(ctx context.Context, h Harness) error {
	l, err := startOne(ctx, h.Store, withStages(Task(1), stages...))
	if err != nil {
		return err
	}
	if err := l.Commit(ctx, by("fit")); err != nil {
		return err
	}
	if err := did("cancel", 1)(admin(h).Cancel(ctx, pool, "enough", Task(1).ID)); err != nil {
		return err
	}
	if err := nothing(ctx, h.Store, 2*h.Lease); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Withdrawn: 1})
}

func cancelOthers(ctx context.Context, h Harness) error {
	if err := errors.Join(finished(ctx, h, Task(1), "me"), failed(ctx, h, Task(2)), create(ctx, h.Store, Task(3))); err != nil {
		return err
	}
	a := admin(h)
	steps := []error{
		did("cancel without ids", 0)(a.Cancel(ctx, pool, "all")),
		did("cancel of a done and a failed task", 0)(a.Cancel(ctx, pool, "late", Task(1).ID, Task(2).ID)),
		did("cancel", 1)(a.Cancel(ctx, pool, "first", Task(3).ID)),
		did("cancel twice", 0)(a.Cancel(ctx, pool, "second", Task(3).ID)),
		did("cancel in a pool without tasks", 0)(a.Cancel(ctx, "other", "nothing", Task(3).ID)),
	}
	if err := errors.Join(steps...); err != nil {
		return err
	}
	if err := resultBy(ctx, h.Store, Task(1).ID, "me"); err != nil {
		return fmt.Errorf("the done task: %w", err)
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 1, foldstream.Dead: 1, foldstream.Withdrawn: 1})
}
