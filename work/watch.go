package work

import (
	"context"
	"fmt"
	"time"

	"github.com/foldstream/foldstream"
)

// How often a lease is looked after. The pool keeps it alive by itself; this learns of its loss and carries the progress.
const (
	beatEvery     = 5 * time.Second
	progressEvery = 500 * time.Millisecond
	flushTime     = 2 * time.Second // for the last progress
)

// patience is how long a worker may take to end after its context.
const patience = 10 * time.Second

// errBehind is part of the error of an attempt whose worker did not end.
var errBehind = foldstream.Errorf(foldstream.Internal, "", "the worker did not stop within %v and was left behind", patience)

func overdue(deadline time.Duration) error {
	return classed{"deadline", foldstream.Errorf(foldstream.Timeout, "", "the attempt took longer than its deadline of %v", deadline)}
}

// pulse keeps a lease informed: at most one Extend in progressEvery, the newest progress soon.
type pulse struct {
	lease    foldstream.Lease
	progress <-chan foldstream.Progress
	last     foldstream.Progress
	told     bool // last has reached the lease
}

// hold extends the lease until ctx ends, soon after each progress. Its error is a lost lease.
func (p *pulse) hold(ctx context.Context) error {
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-beat.C:
		case p.last = <-p.progress:
			p.told = false
		}
		if err := p.extend(ctx); err != nil {
			return err
		}
		if !pause(ctx, progressEvery) {
			return nil
		}
	}
}

// flush delivers the last progress once the work is over. Its error is a lost lease.
func (p *pulse) flush(ctx context.Context) error {
	select {
	case p.last = <-p.progress:
	default:
		if p.told {
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushTime)
	defer cancel()
	return p.extend(ctx)
}

func (p *pulse) extend(ctx context.Context) error {
	err := p.lease.Extend(ctx, p.last)
	p.told = err == nil
	if foldstream.Is(err, foldstream.Conflict) {
		return lost{err}
	}
	return nil
}

// listen waits until the worker reported no progress for the given time, and returns the error of that; nil when ctx ends. The time
// before the worker begins, when input data are brought, is not counted.
func (r *recorder) listen(ctx context.Context, silence time.Duration) error {
	select {
	case <-r.begun:
	case <-ctx.Done():
		return nil
	}
	for {
		left := silence - r.quiet()
		if left <= 0 {
			return classed{"silence", foldstream.Errorf(foldstream.Timeout, "", "the attempt reported no progress for its limit of %v", silence)}
		}
		if !pause(ctx, left) {
			return nil
		}
	}
}

// running is a worker at work, in a goroutine of its own so that it can be left behind.
type running struct {
	done   chan struct{}
	result foldstream.Result
	err    error
}

func (p *process) start(ctx context.Context, t foldstream.Task, rec *recorder) *running {
	w := &running{done: make(chan struct{})}
	go func() {
		defer close(w.done)
		w.result, w.err = p.perform(ctx, t, rec)
	}()
	return w
}

// wait waits for the worker, and no longer than patience beyond the end of ctx.
func (w *running) wait(ctx context.Context) (foldstream.Result, error) {
	select {
	case <-w.done:
		return w.result, w.err
	case <-ctx.Done():
	}
	impatient := time.NewTimer(patience)
	defer impatient.Stop()
	select {
	case <-w.done:
		return w.result, w.err
	case <-impatient.C:
		return foldstream.Result{}, fmt.Errorf("%w; %w", context.Cause(ctx), errBehind)
	}
}
