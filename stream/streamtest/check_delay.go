package streamtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/foldstream/foldstream"
)

var delayChecks = []Check{
	{"delay/not before its time", delayWaits},
	{"delay/a time that is past", delayPast},
	{"delay/cancelled", delayCancelled},
	{"delay/prioritized", delayPrioritized},
}

// early is by how much a task may come before its time: clocks of two machines, and rounding on the wire.
const early = 10 * time.Millisecond

// withStart returns t to be started at a time.
func withStart(t foldstream.Task, at time.Time) foldstream.Task {
	t.NotBefore = at
	return t
}

// onTime fetches what must come next and fails when it does not come at its time.
func onTime(ctx context.Context, h Harness, f foldstream.Filter, t foldstream.Task) (foldstream.Lease, error) {
	f.Wait = patience
	l, err := h.Store.Pool(pool).Fetch(ctx, f)
	if err != nil {
		return nil, err
	}
	if got := l.Task().ID; got != t.ID {
		return nil, fmt.Errorf("fetched task %s, want %s", got, t.ID)
	}
	if late := time.Since(t.NotBefore); late < -early || late > time.Second+slack {
		return nil, fmt.Errorf("a task came %v after its time", late)
	}
	return l, nil
}

func delayWaits(ctx context.Context, h Harness) error {
	t := withStart(Task(1), time.Now().Add(3*h.Lease))
	if err := create(ctx, h.Store, t); err != nil {
		return err
	}
	if err := stand(ctx, h, foldstream.Counts{foldstream.Waiting: 1}); err != nil {
		return err
	}
	state, err := admin(h).Task(ctx, pool, t.ID)
	if err != nil || state.NotBefore.Sub(t.NotBefore).Abs() > early {
		return off(err, "the index says not before %v, want %v", state.NotBefore, t.NotBefore)
	}
	made, err := h.Store.Pool(pool).Create(ctx, t)
	if err != nil || made[0].New {
		return off(err, "creating a delayed task again answered %+v", made)
	}
	if left := time.Until(t.NotBefore) - h.Lease/5; left > 0 { // on a busy machine all before may have taken as long
		if err := nothing(ctx, h.Second, min(left, h.Lease)); err != nil {
			return err
		}
	}
	l, err := onTime(ctx, h, foldstream.Filter{}, t)
	if err != nil {
		return err
	}
	if err := errors.Join(l.Commit(ctx, by("me")), nothing(ctx, h.Store, h.Lease)); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 1})
}

func delayPast(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, withStart(Task(1), time.Now().Add(-time.Hour))); err != nil {
		return err
	}
	state, err := admin(h).Task(ctx, pool, Task(1).ID)
	if err != nil || !state.NotBefore.IsZero() {
		return off(err, "a task whose time is past counts as delayed to %v", state.NotBefore)
	}
	if err := works(ctx, h, Task(1).ID, "me"); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 1})
}

func delayCancelled(ctx context.Context, h Harness) error {
	at := time.Now().Add(3 * h.Lease)
	if err := create(ctx, h.Store, withStart(Task(1), at), withStart(Task(2), at)); err != nil {
		return err
	}
	if err := did("cancel", 1)(admin(h).Cancel(ctx, pool, "enough", Task(1).ID)); err != nil {
		return err
	}
	if err := did("remove", 1)(admin(h).Remove(ctx, pool, "enough", Task(2).ID)); err != nil {
		return err
	}
	if err := nothing(ctx, h.Store, time.Until(at)+2*h.Lease); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Withdrawn: 1, foldstream.Removed: 1})
}

// delayPrioritized moves one of two delayed tasks up: it keeps its time.
func delayPrioritized(ctx context.Context, h Harness) error {
	at := time.Now().Add(3 * h.Lease)
	if err := create(ctx, h.Store, withStart(Task(1), at), withStart(Task(2), at)); err != nil {
		return err
	}
	if err := did("prioritize", 1)(admin(h).Prioritize(ctx, pool, priority(9), Task(2).ID)); err != nil {
		return err
	}
	if err := stand(ctx, h, foldstream.Counts{foldstream.Waiting: 2}); err != nil {
		return err
	}
	l, err := onTime(ctx, h, foldstream.Filter{MinBand: foldstream.MaxBand}, withStart(Task(2), at))
	if err != nil {
		return err
	}
	if err := errors.Join(l.Commit(ctx, by("me")), works(ctx, h, Task(1).ID, "me"), nothing(ctx, h.Store, h.Lease)); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 2})
}
