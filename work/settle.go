package work

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/series"
)

// settle ends the lease by the outcome of the attempt, and returns that outcome or why it could not be stored.
func (p *process) settle(fetching context.Context, lease foldstream.Lease, t foldstream.Task, r foldstream.Result, points *series.Log, err error) error {
	if err == nil {
		err = p.commit(fetching, lease, t, r, points)
		if err == nil || undecided(err) { // undecided: the stop came first, and the lease runs out by itself
			return err
		}
	}
	d := Decide(t, err)
	if d.Why != nil {
		d.Why, err = kept(d.Why, r.Artifacts), d.Why
	}
	if failed := p.insist(fetching, t, d.end(lease)); failed != nil {
		return errors.Join(failed, err)
	}
	return err
}

// commit stores the result: its many points and large frames first.
func (p *process) commit(fetching context.Context, lease foldstream.Lease, t foldstream.Task, r foldstream.Result, points *series.Log) error {
	r, err := p.keepSeries(fetching, t, r, points)
	if err == nil {
		r, err = p.lighten(fetching, t, r)
	}
	if err == nil {
		err = p.insist(fetching, t, func(ctx context.Context) error { return lease.Commit(ctx, r) })
	}
	switch {
	case err == nil || foldstream.IsPermanent(err):
		return err
	case foldstream.Is(err, foldstream.Conflict):
		return lost{err}
	case foldstream.Is(err, foldstream.TooLarge):
		return foldstream.Permanent(foldstream.Errorf(foldstream.TooLarge, "", "the result is too large to store; hand large parts back as artifacts: %w", err))
	}
	return err
}

// end returns what carries the decision out, but for a Commit, on a lease.
func (d Decision) end(lease foldstream.Lease) func(context.Context) error {
	wait := d.Least + rand.N(d.Most-d.Least+1)
	return func(ctx context.Context) error {
		switch d.Action {
		case Fail:
			return lease.Fail(ctx, d.Why)
		case Again, PutOff:
			return lease.Return(ctx, d.Why, wait)
		}
		return nil
	}
}

// kept adds to an error where the artifacts of its attempt are: what failed has no result to name them.
func kept(err error, artifacts []foldstream.Artifact) error {
	if len(artifacts) == 0 {
		return err
	}
	names := make([]string, len(artifacts))
	for i, a := range artifacts {
		names[i] = fmt.Sprintf("%s sha256:%s", a.Name, a.Digest)
	}
	return foldstream.Errorf(foldstream.KindOf(err), "", "%w\nkept: %s", err, strings.Join(names, ", "))
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
func (p *process) say(t foldstream.Task, second bool, err error, took time.Duration) {
	log := p.log.With("task", t.ID, "attempt", t.Attempt, "worker", t.Worker, "dur_ms", took.Milliseconds())
	_, snoozed := foldstream.IsSnooze(err)
	switch {
	case err == nil && second:
		log.Info("the second copy of a task was first; its result is stored")
	case isLost(err) && second:
		log.Info("the second copy of a task is not needed any more")
	case err == nil:
		log.Debug("task done")
	case errors.Is(err, errStopped):
		log.Info("task returned because of the stop")
	case isCrowded(err):
		log.Debug("task put off", "err", err)
	case isLost(err):
		log.Warn("lease lost; the result is dropped", "err", err)
	case snoozed:
		log.Info("task put off", "err", err)
	default:
		log.Warn("attempt failed", "err", err)
	}
}
