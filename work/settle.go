package work

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
)

// settle ends the lease by the outcome of the attempt, and returns that outcome or why it could not be stored.
func (p *process) settle(fetching context.Context, lease foldstream.Lease, t foldstream.Task, r foldstream.Result, err error) error {
	if err == nil {
		err = p.insist(fetching, t, func(ctx context.Context) error { return lease.Commit(ctx, r) })
		switch {
		case err == nil || undecided(err): // undecided: the stop came first, and the lease runs out by itself
			return err
		case foldstream.Is(err, foldstream.Conflict):
			err = lost{err}
		case foldstream.Is(err, foldstream.TooLarge):
			err = foldstream.Permanent(foldstream.Errorf(foldstream.TooLarge, "", "the result is too large to store; hand large parts back as artifacts: %w", err))
		}
	}
	if isLost(err) {
		return err
	}
	end, err := outcome(lease, t, err)
	if failed := p.insist(fetching, t, end); failed != nil {
		return errors.Join(failed, err)
	}
	return err
}

// outcome chooses how the lease of a task that was not committed ends, by the error of its attempt and the task's policy. The
// error it returns names the attempt where that was the last.
func outcome(lease foldstream.Lease, t foldstream.Task, err error) (end func(context.Context) error, named error) {
	after, snoozed := foldstream.IsSnooze(err)
	tries := attempts(t.Retry)
	switch {
	case errors.Is(err, errStopped):
		return func(ctx context.Context) error { return lease.Return(ctx, nil, 0) }, err
	case foldstream.IsPermanent(err):
		return func(ctx context.Context) error { return lease.Fail(ctx, err) }, err
	case snoozed:
		return func(ctx context.Context) error { return lease.Return(ctx, nil, after) }, err
	case t.Attempt >= tries:
		err = foldstream.Errorf(foldstream.KindOf(err), "", "attempt %d of %d: %w", t.Attempt, tries, err)
		return func(ctx context.Context) error { return lease.Fail(ctx, err) }, err
	}
	wait := jitter(backoff(t.Retry, t.Attempt))
	return func(ctx context.Context) error { return lease.Return(ctx, err, wait) }, err
}

// insist calls end until it is decided: while the store is away there is nothing better to do for this slot than to keep the
// finished work. After the stop it gives up in settleTime. No single call takes longer than that.
func (p *process) insist(fetching context.Context, t foldstream.Task, end func(context.Context) error) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(fetching))
	var limit sync.WaitGroup
	limit.Go(func() {
		select {
		case <-ctx.Done():
		case <-fetching.Done():
			pause(ctx, settleTime)
			cancel()
		}
	})
	defer limit.Wait()
	defer cancel()
	for wait := firstPause; ; wait = min(2*wait, lastPause) {
		call, done := context.WithTimeout(ctx, settleTime)
		err := end(call)
		done()
		if err == nil || !undecided(err) {
			return err
		}
		if wait == firstPause {
			p.log.Warn("the end of an attempt cannot be stored; trying again", "task", t.ID, "attempt", t.Attempt, "err", err)
		}
		if !pause(ctx, jitter(wait)) {
			return err
		}
	}
}

// undecided reports whether an end that failed with err is worth trying again.
func undecided(err error) bool { return passing(err) || foldstream.Is(err, foldstream.Full) }

// say logs how an attempt ended.
func (p *process) say(t foldstream.Task, err error, took time.Duration) {
	log := p.log.With("task", t.ID, "attempt", t.Attempt, "worker", t.Worker, "dur_ms", took.Milliseconds())
	_, snoozed := foldstream.IsSnooze(err)
	switch {
	case err == nil:
		log.Debug("task done")
	case errors.Is(err, errStopped):
		log.Info("task returned because of the stop")
	case isLost(err):
		log.Warn("lease lost; the result is dropped", "err", err)
	case snoozed:
		log.Info("task put off", "err", err)
	default:
		log.Warn("attempt failed", "err", err)
	}
}
