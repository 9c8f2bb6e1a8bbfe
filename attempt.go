package foldstream

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
)

// Leases fetches tasks one after the other until none is there: Qlib's task_fetcher_iter (workflow/task/manage.py). With f.Wait each
// fetch waits that long for a task. The leases are the caller's to end, by Attempt or by their own methods. The sequence ends with the
// first error; when nothing is left, and when ctx ends, it ends without one. Errors: those of Pool.Fetch but NotFound.
func Leases(ctx context.Context, p Pool, f Filter) iter.Seq2[Lease, error] {
	return func(yield func(Lease, error) bool) {
		for {
			l, err := p.Fetch(ctx, f)
			if err != nil && (Is(err, NotFound) || ctx.Err() != nil) {
				return
			}
			if !yield(l, err) || err != nil {
				return
			}
		}
	}
}

// WithLease fetches one task and has do work it, as Attempt: Qlib's safe_fetch_task. Errors: those of Pool.Fetch and of Attempt.
func WithLease(ctx context.Context, p Pool, f Filter, do func(context.Context, Lease) error) error {
	l, err := p.Fetch(ctx, f)
	if err != nil {
		return err
	}
	return Attempt(ctx, l, do)
}

// Attempt calls do with a lease and ends the lease by how do ends. A do that works well commits the lease itself and returns nil.
// A lease that do has ended already, or that was lost to another worker, is left alone, whatever do returns. Else the task goes back
// to its pool:
//
//   - after an error the attempt counts, and the task waits for the pause of its Retry; after the last attempt, or an error marked
//     Permanent, it fails (the classes of errors in Retry are work.Runner's);
//   - after a Snooze, and when ctx ended, no attempt is used; the end of ctx is an error of kind Cancelled;
//   - after a panic, or the end of the goroutine, the attempt counts as after an error that says so, and the panic goes on;
//   - a do that ends without an error and leaves the lease as it is used no attempt either, which is an error of kind Invalid.
//
// Errors: that of do; with it, what kept the task from going back.
func Attempt(ctx context.Context, l Lease, do func(context.Context, Lease) error) error {
	returned := false
	defer func() {
		if returned {
			return
		}
		v := recover()
		why := errors.New("the attempt ended its goroutine")
		if v != nil {
			why = fmt.Errorf("the attempt panicked: %v\n%s", v, debug.Stack())
		}
		_ = countAttempt(context.WithoutCancel(ctx), l, why) // the panic matters more; a lease that stays runs out with its process
		if v != nil {
			panic(v)
		}
	}()
	err := do(ctx, l)
	returned = true
	return giveBack(ctx, l, err)
}

// giveBack ends a lease by the error of its attempt, unless it is ended or lost.
func giveBack(ctx context.Context, l Lease, err error) error {
	end := context.WithoutCancel(ctx)
	after, snoozed := IsSnooze(err)
	told := err
	var ended error
	switch {
	case ctx.Err() != nil && !IsPermanent(err):
		ended = l.Return(end, nil, 0)
		told = Errorf(Cancelled, "attempt", "task %s was given back, at no cost of an attempt: %w", l.Task().ID, context.Cause(ctx))
	case err == nil:
		ended = l.Return(end, nil, 0)
		told = Errorf(Invalid, "attempt", "task %s was neither committed nor given back; it waits again", l.Task().ID)
	case snoozed:
		ended = l.Return(end, nil, after)
	default:
		ended = countAttempt(end, l, err)
	}
	switch {
	case ended == nil:
		return told
	case Is(ended, Conflict):
		return err
	}
	return errors.Join(err, ended)
}

// countAttempt ends a lease after an attempt that failed.
func countAttempt(ctx context.Context, l Lease, why error) error {
	t := l.Task()
	if IsPermanent(why) || t.Attempt >= t.Retry.Tries() {
		return l.Fail(ctx, why)
	}
	return l.Return(ctx, why, t.Retry.Pause(t.Attempt))
}
