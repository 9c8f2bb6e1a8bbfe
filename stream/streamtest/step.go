package streamtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"time"

	"github.com/foldstream/foldstream"
)

// The steps that checks are made of. pool is the name of the one pool that most checks use.
const pool = "windows"

// fetch leases the next task, which must come.
func fetch(ctx context.Context, s foldstream.Store) (foldstream.Lease, error) {
	return s.Pool(pool).Fetch(ctx, foldstream.Filter{Wait: patience})
}

// create makes tasks that must be new.
func create(ctx context.Context, s foldstream.Store, tasks ...foldstream.Task) error {
	made, err := s.Pool(pool).Create(ctx, tasks...)
	if err != nil {
		return err
	}
	if len(made) != len(tasks) {
		return fmt.Errorf("create answered for %d tasks of %d", len(made), len(tasks))
	}
	for i, m := range made {
		if want := (foldstream.Created{ID: tasks[i].ID, Status: foldstream.Waiting, New: true}); m != want {
			return fmt.Errorf("created %+v, want %+v", m, want)
		}
	}
	return nil
}

// start makes tasks and leases as many, in the order in which they come.
func start(ctx context.Context, s foldstream.Store, tasks ...foldstream.Task) ([]foldstream.Lease, error) {
	if err := create(ctx, s, tasks...); err != nil {
		return nil, err
	}
	return fetchAll(ctx, s, len(tasks))
}

func fetchAll(ctx context.Context, s foldstream.Store, n int) ([]foldstream.Lease, error) {
	var leases []foldstream.Lease
	for len(leases) < n {
		l, err := fetch(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("after %d of %d: %w", len(leases), n, err)
		}
		leases = append(leases, l)
	}
	return leases, nil
}

// startOne makes one task and leases it.
func startOne(ctx context.Context, s foldstream.Store, t foldstream.Task) (foldstream.Lease, error) {
	leases, err := start(ctx, s, t)
	if err != nil {
		return nil, err
	}
	return leases[0], nil
}

// drain leases and commits n tasks one after the other and returns them in order.
func drain(ctx context.Context, s foldstream.Store, n int) ([]foldstream.TaskID, error) {
	var ids []foldstream.TaskID
	for len(ids) < n {
		l, err := fetch(ctx, s)
		if err != nil {
			return nil, fmt.Errorf("after %d of %d: %w", len(ids), n, err)
		}
		if err := l.Commit(ctx, by("drain")); err != nil {
			return nil, err
		}
		ids = append(ids, l.Task().ID)
	}
	return ids, nil
}

// nothing fails when a task can be had within the time.
func nothing(ctx context.Context, s foldstream.Store, within time.Duration) error {
	l, err := s.Pool(pool).Fetch(ctx, foldstream.Filter{Wait: within})
	if err == nil {
		return fmt.Errorf("task %s was there to fetch, attempt %d; nothing should be", l.Task().ID, l.Task().Attempt)
	}
	return want(err, foldstream.NotFound, "fetch from a pool with nothing to do")
}

// want fails when err is not of the kind.
func want(err error, kind foldstream.Kind, what string) error {
	if foldstream.Is(err, kind) {
		return nil
	}
	return fmt.Errorf("%s: want an error of kind %q: %w", what, kind, off(err, "there was none"))
}

// off returns err or, where there is none, what else is not as it should be.
func off(err error, format string, args ...any) error {
	if err == nil {
		err = fmt.Errorf(format, args...)
	}
	return err
}

// refused fails when a call on the lease has any effect but Conflict.
func refused(ctx context.Context, l foldstream.Lease) error {
	return errors.Join(
		want(l.Extend(ctx, foldstream.Progress{Percent: 50}), foldstream.Conflict, "extend on a lost lease"),
		want(l.Commit(ctx, by("stale")), foldstream.Conflict, "commit on a lost lease"),
		want(l.Return(ctx, nil, 0), foldstream.Conflict, "return on a lost lease"),
		want(l.Return(ctx, errors.New("stale"), 0), foldstream.Conflict, "return with an error on a lost lease"),
		want(l.Fail(ctx, errors.New("stale")), foldstream.Conflict, "fail on a lost lease"),
	)
}

// counts waits until Stat says so. It does not give up while what Stat says changes: that a busy machine is slow is no fault.
func counts(ctx context.Context, s foldstream.Store, want foldstream.Counts) error {
	for last := (foldstream.Counts)(nil); ; {
		moved := false
		err := Eventually(ctx, func() error {
			got, err := s.Pool(pool).Stat(ctx)
			if err != nil || maps.Equal(got, want) {
				return err
			}
			moved = moved || !maps.Equal(got, last)
			last = got
			return fmt.Errorf("stat says %v, want %v", got, want)
		})
		if err == nil || !moved || ctx.Err() != nil {
			return err
		}
	}
}

// done waits until every task of the pool is done, n of them, and proves it.
func done(ctx context.Context, h Harness, n int) error {
	if err := counts(ctx, h.Store, foldstream.Counts{foldstream.Done: n}); err != nil {
		return err
	}
	return Conserved(ctx, h.Store, pool)
}

// collect reads a sequence to its end.
func collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	var all []T
	for v, err := range seq {
		if err != nil {
			return all, err
		}
		all = append(all, v)
	}
	return all, nil
}

// history reads the events of one task.
func history(ctx context.Context, s foldstream.Store, id foldstream.TaskID) ([]foldstream.Event, error) {
	events, err := collect(s.Events(ctx, foldstream.EventFilter{Pool: pool, Task: id}, 0))
	return events, cmp.Or(err, ctx.Err())
}

// resultBy waits for the task's one result and fails when somebody else made it.
func resultBy(ctx context.Context, s foldstream.Store, id foldstream.TaskID, who string) error {
	return Eventually(ctx, func() error {
		events, err := history(ctx, s, id)
		if err != nil {
			return err
		}
		var makers []string
		for _, e := range events {
			if e.Kind == foldstream.EventResult && e.Result != nil {
				makers = append(makers, e.Result.Params["by"])
			}
		}
		if len(makers) != 1 || makers[0] != who {
			return fmt.Errorf("task %s has results by %q, want one by %q", id, makers, who)
		}
		return nil
	})
}

func idsOf(tasks []foldstream.Task) []foldstream.TaskID {
	ids := make([]foldstream.TaskID, len(tasks))
	for i, t := range tasks {
		ids[i] = t.ID
	}
	return ids
}
