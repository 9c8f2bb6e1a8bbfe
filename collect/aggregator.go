package collect

import (
	"cmp"
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// Aggregator keeps the collections of a store's experiments up to date. A collection is a view: a pure function of the
// experiment's events, which are read from their start; there is no checkpoint, so that a restart, a takeover by a standby and
// a rebuild are one and the same. Any number of aggregators may run on a store: one leads, the others stand by.
type Aggregator struct {
	Store      foldstream.Store
	Reconciler foldstream.Reconciler // mends crash windows of all pools while this one leads; nil is left to others
	ID         string                // names it among aggregators, in logs and in the lock; "" is a random name
	Every      time.Duration         // a value is written at most once in this time; 0 is 250 ms
	Lease      time.Duration         // a leader that was silent for this long is succeeded; 0 is 10 s
	Log        *slog.Logger          // nil discards
}

const (
	defaultEvery  = 250 * time.Millisecond
	defaultLease  = 10 * time.Second
	reconcileTime = 15 * time.Second // between two looks at all pools
	releaseTime   = 2 * time.Second  // the longest a leader that was told to stop tries to release the lock
)

// Run stands by, leads when it can, and stands by again when it lost the lead, until the context ends; then it returns nil.
// It tries again after errors of the store, for as long as they last, but for a denial: that does not heal while it waits. Every
// goroutine it started has ended when it returns. Errors: Denied.
func (a *Aggregator) Run(ctx context.Context) error {
	l := a.leader()
	for ctx.Err() == nil {
		ours, err := l.standBy(ctx)
		if err != nil || !ours {
			return err
		}
		l.log.Info("leads")
		err = l.lead(ctx)
		l.log.Info("no longer leads")
		if err != nil {
			return err
		}
	}
	return nil
}

// leader is an aggregator with its zero values filled in, and its lock.
type leader struct {
	Aggregator
	log  *slog.Logger
	lock *lock
	quit context.CancelCauseFunc // ends the lead; a cause of the kind Denied ends the aggregator, too
}

func (a *Aggregator) leader() *leader {
	l := &leader{Aggregator: *a, log: a.Log}
	l.ID = cmp.Or(a.ID, "aggregator-"+rand.Text()[:8])
	l.Every = cmp.Or(a.Every, defaultEvery)
	l.Lease = cmp.Or(a.Lease, defaultLease)
	if l.log == nil {
		l.log = slog.New(slog.DiscardHandler)
	}
	l.log = l.log.With("worker", l.ID)
	l.lock = newLock(a.Store, l.ID, l.Lease)
	return l
}

// standBy waits for the lock and reports whether it has it; it has not when the context ended. Errors: Denied.
func (l *leader) standBy(ctx context.Context) (bool, error) {
	for {
		ours, err := l.lock.acquire(ctx)
		switch {
		case ours:
			return true, nil
		case ctx.Err() != nil:
			return false, nil
		case foldstream.Is(err, foldstream.Denied):
			return false, err
		case err != nil:
			l.log.Warn("cannot reach the lock", "err", err)
		}
		if !sleep(ctx, min(l.Lease/4, time.Second)) {
			return false, nil
		}
	}
}

// lead works until the lock is lost, something is denied or the context ends; then it releases what it still holds. Errors: Denied.
func (l *leader) lead(ctx context.Context) error {
	lead, quit := context.WithCancelCause(ctx)
	defer quit(nil)
	l.quit = quit
	var all sync.WaitGroup
	all.Go(func() {
		defer quit(nil)
		l.keep(lead)
	})
	if l.Reconciler != nil {
		all.Go(func() { l.reconcile(lead) })
	}
	newDispatcher(l).run(lead)
	all.Wait()
	denied := context.Cause(lead)
	if !foldstream.Is(denied, foldstream.Denied) {
		denied = nil
	}
	if ctx.Err() == nil && denied == nil {
		return nil
	}
	late, done := context.WithTimeout(context.WithoutCancel(ctx), releaseTime)
	defer done()
	if err := l.lock.release(late); err != nil {
		l.log.Warn("cannot release the lock; it runs out by itself", "err", err)
	}
	return denied
}

// failed tells that something of the lead's did not succeed and will be tried again. What is denied it is not: that ends the lead.
func (l *leader) failed(ctx context.Context, log *slog.Logger, what string, err error, about ...any) {
	switch {
	case ctx.Err() != nil: // it comes of being told to stop
	case foldstream.Is(err, foldstream.Denied):
		l.quit(err)
	default:
		log.Warn(what, append(about, "err", err)...)
	}
}

// keep renews the lock until it is lost: to somebody else, or by not reaching the store for a lease.
func (l *leader) keep(ctx context.Context) {
	pause := l.Lease / 3
	for sleep(ctx, pause) {
		err := l.confirm(ctx)
		switch {
		case err == nil:
			pause = l.Lease / 3
		case ctx.Err() != nil:
			return
		case foldstream.Is(err, foldstream.Denied):
			l.quit(err)
			return
		case foldstream.Is(err, foldstream.Conflict) || l.lock.expired():
			l.log.Warn("lost the lead", "err", err)
			return
		default:
			pause = l.Lease / 20
		}
	}
}

// confirm proves that this aggregator leads, before its lease runs out; where another one does, it ends the lead at once.
// Errors: Conflict (another one leads).
func (l *leader) confirm(ctx context.Context) error {
	within, cancel := context.WithTimeout(ctx, clock.Until(l.lock.deadline()))
	defer cancel()
	err := l.lock.renew(within)
	if foldstream.Is(err, foldstream.Conflict) {
		l.quit(err)
	}
	return err
}

// reconcile looks at all pools now and then.
func (l *leader) reconcile(ctx context.Context) {
	for sleep(ctx, reconcileTime) {
		pools, err := l.Reconciler.Pools(ctx)
		if err != nil {
			l.failed(ctx, l.log, "cannot list the pools to reconcile", err)
		}
		for _, pool := range pools {
			mended, err := l.Reconciler.Reconcile(ctx, pool)
			switch {
			case ctx.Err() != nil:
				return
			case err != nil:
				l.failed(ctx, l.log, "cannot reconcile", err, "pool", pool)
			case mended > 0:
				l.log.Info("reconciled", "pool", pool, "mended", mended)
			}
		}
	}
}

// sleep waits and reports whether the context is still alive.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// pause holds something up after it failed. The zero pause does not.
type pause struct {
	backoff backoff
	until   time.Time
}

func (p *pause) over() bool { return !clock.Tick().Before(p.until) }

func (p *pause) failed() { p.until = clock.Tick().Add(p.backoff.next()) }

// backoff is a pause that doubles with every failure. The zero backoff starts at 100 ms; success is setting it to zero.
type backoff time.Duration

func (b *backoff) next() time.Duration {
	*b = min(max(2**b, backoff(100*time.Millisecond)), backoff(5*time.Second))
	return time.Duration(*b)
}
