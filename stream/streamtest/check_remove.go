package streamtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/foldstream/foldstream"
)

var removeChecks = []Check{
	{"remove/any status", removeAny},
	{"remove/a new life", removeNewLife},
	{"remove/a worker of the life before", removeStale},
}

// everyStatus makes one task of each status but removed: 1 waiting, 2 running under the lease, 3 done, 4 failed, 5 cancelled, 6 part_done.
func everyStatus(ctx context.Context, h Harness) (foldstream.Lease, error) {
	if err := errors.Join(finished(ctx, h, Task(3), "me"), failed(ctx, h, Task(4))); err != nil {
		return nil, err
	}
	l, err := startOne(ctx, h.Store, withStages(Task(6), "fit", "predict"))
	if err != nil {
		return nil, err
	}
	if err := create(ctx, h.Store, Task(5)); err != nil {
		return nil, err
	}
	if err := did("cancel", 1)(admin(h).Cancel(ctx, pool, "enough", Task(5).ID)); err != nil {
		return nil, err
	}
	run, err := running(ctx, h, Task(2))
	if err != nil {
		return nil, err
	}
	return run, errors.Join(l.Commit(ctx, by("fit")), create(ctx, h.Store, Task(1)), stand(ctx, h, foldstream.Counts{
		foldstream.Waiting: 1, foldstream.Running: 1, foldstream.Done: 1, foldstream.Dead: 1, foldstream.Withdrawn: 1, foldstream.PartDone: 1,
	}))
}

func removeAny(ctx context.Context, h Harness) error {
	l, err := everyStatus(ctx, h)
	if err != nil {
		return err
	}
	ids := append(idsOf(Tasks(1, 6)), absent)
	if err := did("remove", 6)(admin(h).Remove(ctx, pool, "cleared", ids...)); err != nil {
		return err
	}
	if err := errors.Join(refused(ctx, l), nothing(ctx, h.Store, 2*h.Lease)); err != nil {
		return err
	}
	if err := did("remove twice", 0)(admin(h).Remove(ctx, pool, "cleared", ids...)); err != nil {
		return err
	}
	if err := toldOf(ctx, h, Task(3).ID, foldstream.Removed, "cleared"); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Removed: 6})
}

func removeNewLife(ctx context.Context, h Harness) error {
	if err := finished(ctx, h, withStages(Task(1)), "first"); err != nil {
		return err
	}
	if err := did("remove", 1)(admin(h).Remove(ctx, pool, "once more", Task(1).ID)); err != nil {
		return err
	}
	next := withPriority(Task(1), 4)
	next.Tags = map[string]string{"life": "second"}
	if err := create(ctx, h.Store, next); err != nil {
		return fmt.Errorf("after its removal: %w", err)
	}
	made, err := h.Second.Pool(pool).Create(ctx, next)
	if err != nil || made[0].New || made[0].Status != foldstream.Waiting {
		return off(err, "the new life created again answered %+v", made)
	}
	if err := stand(ctx, h, foldstream.Counts{foldstream.Waiting: 1}); err != nil {
		return err
	}
	l, err := fetch(ctx, h.Store)
	if err != nil {
		return err
	}
	if t := l.Task(); t.Attempt != 1 || t.Part != nil || t.Tags["life"] != "second" {
		return fmt.Errorf("the new life begins as %+v", t)
	}
	if err := errors.Join(l.Commit(ctx, by("second")), nothing(ctx, h.Store, h.Lease)); err != nil {
		return err
	}
	if err := stand(ctx, h, foldstream.Counts{foldstream.Done: 1}); err != nil {
		return err
	}
	return twoLives(ctx, h)
}

// twoLives wants one chain of events with a result by first, a removal, and a result by second.
func twoLives(ctx context.Context, h Harness) error {
	events, err := history(ctx, h.Store, Task(1).ID)
	if err != nil {
		return err
	}
	var got []string
	var last foldstream.Cursor
	for _, e := range events {
		if e.Expected != last {
			return fmt.Errorf("event %d (%s) follows event %d, but the one before it is %d", e.Seq, e.Kind, e.Expected, last)
		}
		last = e.Seq
		switch {
		case e.Result != nil:
			got = append(got, e.Result.Params["by"])
		case e.Status == foldstream.Removed:
			got = append(got, "removed")
		}
	}
	return same("the two lives", got, []string{"first", "removed", "second"})
}

func removeStale(ctx context.Context, h Harness) error {
	old, err := running(ctx, h, Task(1))
	if err != nil {
		return err
	}
	if err := did("remove", 1)(admin(h).Remove(ctx, pool, "replaced", Task(1).ID)); err != nil {
		return err
	}
	if err := create(ctx, h.Store, Task(1)); err != nil {
		return err
	}
	l, err := fetch(ctx, h.Store)
	if err != nil {
		return err
	}
	if err := errors.Join(refused(ctx, old), l.Commit(ctx, by("new"))); err != nil {
		return err
	}
	if err := resultBy(ctx, h.Store, Task(1).ID, "new"); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 1})
}
