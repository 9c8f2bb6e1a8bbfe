package streamtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/foldstream/foldstream"
)

var crashChecks = []Check{
	{"crash/another worker takes over", crashTakenOver},
	{"crash/a stale worker is refused", crashStale},
	{"crash/a stale commit leaves the ticket", crashStaleAck},
	{"crash/the slow worker commits after the quick one", crashSlow},
	{"crash/the slow worker wakes before anybody took over", crashWakes},
	{"crash/too many", crashTooMany},
}

// overtaken starts Task(1), has its worker die or freeze, and has another take it over.
func overtaken(ctx context.Context, h Harness) (old, new foldstream.Lease, err error) {
	if old, err = startOne(ctx, h.Store, Task(1)); err != nil {
		return nil, nil, err
	}
	h.Abandon(old)
	if new, err = fetch(ctx, h.Second); err != nil {
		return nil, nil, fmt.Errorf("take over: %w", err)
	}
	return old, new, nil
}

func crashTakenOver(ctx context.Context, h Harness) error {
	_, l, err := overtaken(ctx, h)
	if err != nil {
		return err
	}
	if got := l.Task(); got.ID != Task(1).ID || got.Attempt != 1 {
		return fmt.Errorf("taken over was task %s, attempt %d; want %s, attempt 1: a crash uses no attempt", got.ID, got.Attempt, Task(1).ID)
	}
	if err := counts(ctx, h.Store, foldstream.Counts{foldstream.Running: 1}); err != nil {
		return err
	}
	if err := l.Commit(ctx, by("heir")); err != nil {
		return err
	}
	if err := nothing(ctx, h.Store, 2*h.Lease); err != nil {
		return err
	}
	return done(ctx, h, 1)
}

func crashStale(ctx context.Context, h Harness) error {
	old, l, err := overtaken(ctx, h)
	if err != nil {
		return err
	}
	if err := refused(ctx, old); err != nil {
		return err
	}
	if err := l.Extend(ctx, foldstream.Progress{}); err != nil {
		return fmt.Errorf("the new worker after the stale one's calls: %w", err)
	}
	if err := nothing(ctx, h.Store, 2*h.Lease); err != nil {
		return err
	}
	if err := l.Commit(ctx, by("heir")); err != nil {
		return err
	}
	if err := resultBy(ctx, h.Store, Task(1).ID, "heir"); err != nil {
		return err
	}
	return done(ctx, h, 1)
}

// crashStaleAck has the stale worker try everything and the new one die: the ticket must still be there for a third.
func crashStaleAck(ctx context.Context, h Harness) error {
	old, l, err := overtaken(ctx, h)
	if err != nil {
		return err
	}
	if err := refused(ctx, old); err != nil {
		return err
	}
	h.Abandon(l)
	third, err := fetch(ctx, h.Store)
	if err != nil {
		return fmt.Errorf("the ticket is gone after a stale worker's calls: %w", err)
	}
	if err := errors.Join(refused(ctx, old), refused(ctx, l)); err != nil {
		return err
	}
	if err := third.Commit(ctx, by("third")); err != nil {
		return err
	}
	return done(ctx, h, 1)
}

func crashSlow(ctx context.Context, h Harness) error {
	slow, quick, err := overtaken(ctx, h)
	if err != nil {
		return err
	}
	if err := quick.Commit(ctx, by("quick")); err != nil {
		return err
	}
	if err := refused(ctx, slow); err != nil {
		return err
	}
	if err := resultBy(ctx, h.Second, Task(1).ID, "quick"); err != nil {
		return err
	}
	return done(ctx, h, 1)
}

// crashWakes freezes a worker whom nobody overtakes: its commit is as good as any, and the expired ticket gives no second run.
func crashWakes(ctx context.Context, h Harness) error {
	l, err := startOne(ctx, h.Store, Task(1))
	if err != nil {
		return err
	}
	h.Abandon(l)
	if err := l.Commit(ctx, by("sleeper")); err != nil {
		return err
	}
	if err := nothing(ctx, h.Second, 3*h.Lease); err != nil {
		return err
	}
	return done(ctx, h, 1)
}

func crashTooMany(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, Task(1)); err != nil {
		return err
	}
	for i := range h.MaxCrashes {
		s := []foldstream.Store{h.Store, h.Second}[i%2]
		l, err := fetch(ctx, s)
		if err != nil {
			return fmt.Errorf("after %d crashes of %d: %w", i, h.MaxCrashes, err)
		}
		if got := l.Task().Attempt; got != 1 {
			return fmt.Errorf("after %d crashes the task came with attempt %d", i, got)
		}
		h.Abandon(l)
	}
	if err := nothing(ctx, h.Store, 4*h.Lease); err != nil {
		return err
	}
	if err := counts(ctx, h.Store, foldstream.Counts{foldstream.Dead: 1}); err != nil {
		return err
	}
	if err := told(ctx, h, foldstream.Dead, "crashed"); err != nil {
		return err
	}
	return Conserved(ctx, h.Store, pool)
}
