package work

import (
	"context"
	"errors"
	"runtime/debug"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
)

// putOff is the pause of a task whose guard or data cannot be reached just now.
const putOff = 5 * time.Second

// attempt works one leased task and settles its lease.
func (p *process) attempt(fetching, working context.Context, lease foldstream.Lease) {
	t := lease.Task()
	began := time.Now()
	result, err := foldstream.Result{}, errStopped
	if fetching.Err() == nil { // else the stop and the lease crossed
		result, err = p.watched(working, lease, t)
	}
	result.Code, result.Worker, result.Duration = p.Code, p.Name, time.Since(began)
	err = p.settle(fetching, lease, t, result, err)
	p.say(t, err, result.Duration)
	if p.Done != nil {
		p.Done(t, err)
	}
}

// watched works the task while the lease holds and the deadline is not over. What cancelled the work is its error, but for a
// result that was finished all the same and an error that is permanent.
func (p *process) watched(working context.Context, lease foldstream.Lease, t foldstream.Task) (foldstream.Result, error) {
	ctx, cancel := context.WithCancelCause(working)
	defer cancel(nil)
	if t.Deadline > 0 {
		var release context.CancelFunc
		ctx, release = context.WithTimeoutCause(ctx, t.Deadline, foldstream.Errorf(foldstream.Timeout, "", "the attempt took longer than its deadline of %v", t.Deadline))
		defer release()
	}
	rec := newRecorder(p.Artifacts)
	var beat sync.WaitGroup
	beat.Go(func() {
		if err := hold(ctx, lease, rec.progress); err != nil {
			cancel(err)
		}
	})
	result, err := p.perform(ctx, t, rec)
	cause := context.Cause(ctx)
	cancel(nil)
	beat.Wait()
	if isLost(cause) || err != nil && cause != nil && !foldstream.IsPermanent(err) {
		err = cause
	}
	return rec.fill(result), err
}

// perform is the work itself: guard, data, worker. A panic becomes an error with its stack.
func (p *process) perform(ctx context.Context, t foldstream.Task, rec *recorder) (result foldstream.Result, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = foldstream.Errorf(foldstream.Internal, "", "worker %q panicked: %v\n%s", t.Worker, v, debug.Stack())
		}
	}()
	if p.Guard != nil {
		if err := p.Guard(t); err != nil {
			return result, steer(err)
		}
	}
	worker, err := p.Workers.Lookup(t.Worker)
	if err != nil {
		return result, foldstream.Permanent(err)
	}
	if t, err = p.inputs.bring(ctx, t); err != nil {
		return result, err
	}
	return worker.Work(ctx, t, rec)
}

// steer says what an error of a step before the work does to the task: what may pass puts it off, all else fails it.
func steer(err error) error {
	if passing(err) {
		return foldstream.Snooze(putOff, err.Error())
	}
	return foldstream.Permanent(err)
}

// passing reports whether err is of a kind that goes away by itself.
func passing(err error) bool {
	switch foldstream.KindOf(err) {
	case foldstream.Unavailable, foldstream.Timeout, foldstream.Cancelled:
		return true
	}
	return false
}

// lost is the end of a lease that is another's now.
type lost struct{ error }

func (l lost) Unwrap() error { return l.error }

func isLost(err error) bool {
	_, ok := errors.AsType[lost](err)
	return ok
}

// How often a lease is looked after. The pool keeps it alive by itself; this learns of its loss and carries the progress.
const (
	beatEvery     = 5 * time.Second
	progressEvery = 500 * time.Millisecond
)

// hold extends the lease until ctx ends, soon after each progress. Its error is a lost lease.
func hold(ctx context.Context, lease foldstream.Lease, progress <-chan foldstream.Progress) error {
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	var last foldstream.Progress
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		case last = <-progress:
		}
		if err := lease.Extend(ctx, last); foldstream.Is(err, foldstream.Conflict) {
			return lost{err}
		}
		if !pause(ctx, progressEvery) {
			return nil
		}
	}
}
