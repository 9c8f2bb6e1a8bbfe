package streamtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/foldstream/foldstream"
)

var resetChecks = []Check{
	{"reset/a live worker", resetLive},
	{"reset/by force", resetForced},
	{"reset/a dead worker", resetDead},
	{"reset/what it does not apply to", resetOthers},
}

func resetLive(ctx context.Context, h Harness) error {
	l, err := running(ctx, h, Task(1))
	if err != nil {
		return err
	}
	for range 3 {
		if err := did("reset of a live worker's task", 0)(admin(h).Reset(ctx, pool, false, Task(1).ID)); err != nil {
			return err
		}
		if err := nothing(ctx, h.Store, h.Lease); err != nil {
			return err
		}
	}
	if err := l.Commit(ctx, by("alive")); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 1})
}

// resetForced takes the second attempt of a second stage from a live worker: it begins again where it was.
func resetForced(ctx context.Context, h Harness) error {
	_, l, err := secondStage(ctx, h)
	if err != nil {
		return err
	}
	if err := l.Return(ctx, errors.New("busy"), 0); err != nil {
		return err
	}
	if l, err = one(ctx, h, "predict", 2); err != nil {
		return err
	}
	if err := stands(ctx, h, Task(1).ID, foldstream.Running); err != nil {
		return err
	}
	if err := did("reset by force", 1)(admin(h).Reset(ctx, pool, true, Task(1).ID, Task(1).ID)); err != nil {
		return err
	}
	if err := refused(ctx, l); err != nil {
		return err
	}
	if err := stand(ctx, h, foldstream.Counts{foldstream.Waiting: 1}); err != nil {
		return err
	}
	heir, err := one(ctx, h, "predict", 2)
	if err != nil {
		return err
	}
	if heir.Task().Part == nil {
		return fmt.Errorf("a reset lost what the stage before handed on")
	}
	if err := errors.Join(refused(ctx, l), heir.Commit(ctx, by("heir")), nothing(ctx, h.Store, 2*h.Lease)); err != nil {
		return err
	}
	if err := resultBy(ctx, h.Store, Task(1).ID, "heir"); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 1})
}

func resetDead(ctx context.Context, h Harness) error {
	old, err := running(ctx, h, Task(1))
	if err != nil {
		return err
	}
	h.Abandon(old)
	err = Eventually(ctx, func() error {
		return did("reset of a dead worker's task", 1)(admin(h).Reset(ctx, pool, false, Task(1).ID))
	})
	if err != nil {
		return err
	}
	if err := errors.Join(refused(ctx, old), did("reset twice", 0)(admin(h).Reset(ctx, pool, false, Task(1).ID))); err != nil {
		return err
	}
	l, err := one(ctx, h, "", 1)
	if err != nil {
		return err
	}
	if err := errors.Join(l.Commit(ctx, by("heir")), nothing(ctx, h.Store, 2*h.Lease)); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 1})
}

func resetOthers(ctx context.Context, h Harness) error {
	if _, err := everyStatus(ctx, h); err != nil {
		return err
	}
	a := admin(h)
	err := errors.Join(
		did("reset without ids", 0)(a.Reset(ctx, pool, true)),
		did("reset of a waiting, done, failed, cancelled and part_done task", 0)(
			a.Reset(ctx, pool, true, Task(1).ID, Task(3).ID, Task(4).ID, Task(5).ID, Task(6).ID, absent)),
	)
	if err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{
		foldstream.Waiting: 1, foldstream.Running: 1, foldstream.Done: 1, foldstream.Dead: 1, foldstream.Withdrawn: 1, foldstream.PartDone: 1,
	})
}
