package streamtest

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"github.com/foldstream/foldstream"
)

var attemptChecks = []Check{
	{"attempt/commits", attemptCommits},
	{"attempt/an error counts", attemptFails},
	{"attempt/a panic counts", attemptPanics},
	{"attempt/a stop and a snooze use nothing up", attemptStops},
	{"attempt/what do ended is left alone", attemptEnded},
	{"attempt/what is another's is left alone", attemptLost},
	{"attempt/leases until none is there", attemptIterates},
}

// brief returns t to be tried twice, with hardly a pause.
func brief(t foldstream.Task) foldstream.Task {
	t.Retry = foldstream.Retry{Attempts: 2, Backoff: 10 * time.Millisecond}
	return t
}

// with fetches the next task, which must come, and attempts it.
func with(ctx context.Context, h Harness, do func(context.Context, foldstream.Lease) error) error {
	return foldstream.WithLease(ctx, h.Store.Pool(pool), foldstream.Filter{Wait: patience}, do)
}

// ending returns a do that ends with err, and wants the attempt to be the given one.
func ending(attempt int, err error) func(context.Context, foldstream.Lease) error {
	return func(_ context.Context, l foldstream.Lease) error {
		if got := l.Task().Attempt; got != attempt {
			return fmt.Errorf("the task came with attempt %d, want %d", got, attempt)
		}
		return err
	}
}

// exactly fails unless got is want itself.
func exactly(got, want error) error {
	if got != want { //nolint:errorlint // the error itself must come back
		return fmt.Errorf("want the error %q: %w", want.Error(), off(got, "there was none"))
	}
	return nil
}

func attemptCommits(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, Task(1)); err != nil {
		return err
	}
	err := with(ctx, h, func(ctx context.Context, l foldstream.Lease) error { return l.Commit(ctx, by("me")) })
	if err != nil {
		return err
	}
	err = foldstream.WithLease(ctx, h.Store.Pool(pool), foldstream.Filter{}, ending(1, errors.New("there was another")))
	if err := want(err, foldstream.NotFound, "with a lease where nothing is there"); err != nil {
		return err
	}
	return done(ctx, h, 1)
}

// attemptFails lets one task use its attempts up, and marks an error of another as permanent.
func attemptFails(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, brief(Task(1))); err != nil {
		return err
	}
	first, second := errors.New("busy"), errors.New("singular matrix")
	if err := errors.Join(exactly(with(ctx, h, ending(1, first)), first), exactly(with(ctx, h, ending(2, second)), second)); err != nil {
		return err
	}
	if err := told(ctx, h, foldstream.Dead, "singular matrix"); err != nil {
		return err
	}
	if err := create(ctx, h.Store, brief(Task(2))); err != nil {
		return err
	}
	hopeless := foldstream.Permanent(errors.New("no such licence"))
	if err := exactly(with(ctx, h, ending(1, hopeless)), hopeless); err != nil {
		return err
	}
	return counts(ctx, h.Store, foldstream.Counts{foldstream.Dead: 2})
}

// attemptPanics has do panic, and end its goroutine: the caller sees it, the task comes again, and its history tells it.
func attemptPanics(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, brief(Task(1))); err != nil {
		return err
	}
	if v := panicOf(func() {
		_ = with(ctx, h, func(context.Context, foldstream.Lease) error { panic("index out of range") })
	}); v != "index out of range" {
		return fmt.Errorf("the panic came out as %v", v)
	}
	if err := told(ctx, h, foldstream.Waiting, "panicked: index out of range"); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = with(ctx, h, func(ctx context.Context, l foldstream.Lease) error { return leave(ending(2, nil)(ctx, l)) })
	}()
	<-ended
	if err := told(ctx, h, foldstream.Dead, "ended its goroutine"); err != nil {
		return err
	}
	return counts(ctx, h.Store, foldstream.Counts{foldstream.Dead: 1})
}

// leave ends the goroutine unless there is an error to return.
func leave(err error) error {
	if err == nil {
		runtime.Goexit()
	}
	return err
}

// panicOf returns what f panics with, nil where it does not.
func panicOf(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

// attemptStops ends the context of an attempt, puts the task off, and forgets it: it comes with its first attempt each time.
func attemptStops(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, brief(Task(1))); err != nil {
		return err
	}
	stopping, stop := context.WithCancel(ctx)
	err := with(stopping, h, func(ctx context.Context, l foldstream.Lease) error {
		stop()
		return ending(1, ctx.Err())(ctx, l)
	})
	if err := want(err, foldstream.Cancelled, "an attempt whose context ended"); err != nil {
		return err
	}
	started := time.Now()
	snooze := foldstream.Snooze(h.Lease, "no licence is free")
	if err := exactly(with(ctx, h, ending(1, snooze)), snooze); err != nil {
		return err
	}
	if err := want(with(ctx, h, ending(1, nil)), foldstream.Invalid, "an attempt that ends nothing"); err != nil {
		return err
	}
	if waited := time.Since(started); waited < h.Lease-early {
		return fmt.Errorf("a task that was put off for %v came after %v", h.Lease, waited)
	}
	l, err := one(ctx, h, "", 1)
	if err != nil {
		return err
	}
	return errors.Join(l.Commit(ctx, by("me")), done(ctx, h, 1))
}

// attemptEnded has do end the lease in each way before it ends itself, well or not.
func attemptEnded(ctx context.Context, h Harness) error {
	broken := errors.New("after the end")
	ways := []func(foldstream.Lease) error{
		func(l foldstream.Lease) error { return l.Commit(ctx, by("me")) },
		func(l foldstream.Lease) error { return l.Fail(ctx, errors.New("no use")) },
		func(l foldstream.Lease) error { return l.Return(ctx, nil, time.Hour) },
	}
	for i, end := range ways {
		for j, out := range []error{nil, broken} {
			if err := create(ctx, h.Store, brief(Task(2*i+j))); err != nil {
				return err
			}
			err := with(ctx, h, func(_ context.Context, l foldstream.Lease) error { return errors.Join(end(l), out) })
			if errors.Is(err, broken) != (out != nil) || foldstream.Is(err, foldstream.Invalid) {
				return fmt.Errorf("way %d, and an error of its own %v: %w", i, out != nil, off(err, "no error"))
			}
		}
	}
	if err := create(ctx, h.Store, Task(9)); err != nil {
		return err
	}
	panicOf(func() {
		_ = with(ctx, h, func(ctx context.Context, l foldstream.Lease) error { panic(l.Commit(ctx, by("me"))) })
	})
	if err := nothing(ctx, h.Store, 2*h.Lease); err != nil {
		return err
	}
	return counts(ctx, h.Store, foldstream.Counts{foldstream.Done: 3, foldstream.Dead: 2, foldstream.Waiting: 2})
}

// attemptLost has another worker overtake an attempt: its error takes nothing from the one who has the task now.
func attemptLost(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, brief(Task(1))); err != nil {
		return err
	}
	var heir foldstream.Lease
	late := errors.New("too late")
	err := with(ctx, h, func(ctx context.Context, l foldstream.Lease) (err error) {
		h.Abandon(l)
		if heir, err = fetch(ctx, h.Second); err != nil {
			return err
		}
		return late
	})
	if err := exactly(err, late); err != nil {
		return err
	}
	if err := heir.Commit(ctx, by("heir")); err != nil {
		return fmt.Errorf("after the stale attempt ended: %w", err)
	}
	return done(ctx, h, 1)
}

func attemptIterates(ctx context.Context, h Harness) error {
	p := h.Store.Pool(pool)
	if err := create(ctx, h.Store, Task(1), Task(2), withPriority(Task(3), 5), Task(4)); err != nil {
		return err
	}
	var got []foldstream.TaskID
	for l, err := range foldstream.Leases(ctx, p, foldstream.Filter{Wait: patience}) {
		if err := errors.Join(err, l.Commit(ctx, by("me"))); err != nil {
			return err
		}
		if got = append(got, l.Task().ID); len(got) == 2 {
			break
		}
	}
	for l, err := range foldstream.Leases(ctx, p, foldstream.Filter{Wait: h.Lease}) {
		if err != nil {
			return err
		}
		if err := l.Commit(ctx, by("me")); err != nil {
			return err
		}
		got = append(got, l.Task().ID)
	}
	if err := same("the tasks in their order", got, idsOf([]foldstream.Task{Task(3), Task(1), Task(2), Task(4)})); err != nil {
		return err
	}
	if err := iteratesToItsEnd(ctx, p); err != nil {
		return err
	}
	return done(ctx, h, 4)
}

// iteratesToItsEnd ends one iteration by its context, which is no error, and one by an error.
func iteratesToItsEnd(ctx context.Context, p foldstream.Pool) error {
	stopping, stop := context.WithCancel(ctx)
	stop()
	for _, err := range foldstream.Leases(stopping, p, foldstream.Filter{Wait: patience}) {
		return off(err, "a lease after the end of the context")
	}
	var errs []error
	for _, err := range foldstream.Leases(ctx, p, foldstream.Filter{Stage: "no stage"}) {
		errs = append(errs, err)
	}
	if len(errs) != 1 {
		return fmt.Errorf("a bad filter ends with the errors %v, want one", errs)
	}
	return want(errs[0], foldstream.Invalid, "leases by a bad filter")
}
