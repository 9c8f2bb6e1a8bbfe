package cache

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// errLost ends a build whose lock is another's.
var errLost = errors.New("another builder has taken over")

// lock is the right to build a piece, an entry in the bucket of locks. No clocks of two machines are compared: another's counts as expired
// once it was seen unchanged for the lease that it names, on the clock here.
type lock struct {
	values   foldstream.Values
	key      string
	body     held
	revision uint64
}

// held is what the entry says.
type held struct {
	Holder string `json:"holder"`
	Life   string `json:"life"`
	Lease  int64  `json:"lease_ms"`
	Beat   uint64 `json:"beat"`
}

// lock waits until the lock is ours, or until the entry of the key is another than old: then it is nil.
func (c *Cache) lock(ctx context.Context, key Key, old entry) (*lock, error) {
	l := &lock{values: c.cfg.Store.Values(foldstream.Locks), key: name(key), body: held{Holder: c.cfg.Holder, Life: c.life, Lease: c.cfg.Lease.Milliseconds()}}
	var since time.Time
	for {
		got, seen, err := l.acquire(ctx, since)
		if err != nil {
			return nil, err
		}
		e, _, err := c.look(ctx, key)
		switch {
		case err != nil || e.revision != old.revision:
			if got {
				l.release(context.WithoutCancel(ctx))
			}
			return nil, err
		case got:
			return l, nil
		}
		since = seen
		select {
		case <-time.After(min(c.cfg.Lease/10, time.Second)):
		case <-ctx.Done():
			return nil, foldstream.E(foldstream.Cancelled, "cache", ctx.Err())
		}
	}
}

// acquire tries once. since is when the entry of l.revision was first seen; seen is the same of the entry that is there now.
func (l *lock) acquire(ctx context.Context, since time.Time) (got bool, seen time.Time, err error) {
	v, err := l.values.Get(ctx, l.key)
	var there held
	switch {
	case foldstream.Is(err, foldstream.NotFound):
		l.revision = 0
	case err != nil:
		return false, since, err
	case v.Revision != l.revision || since.IsZero():
		l.revision = v.Revision
		return false, clock.Tick(), nil
	case json.Unmarshal(v.Data, &there) == nil && clock.Since(since) < time.Duration(there.Lease)*time.Millisecond:
		return false, since, nil
	}
	err = l.write(ctx)
	if foldstream.Is(err, foldstream.Conflict) {
		return false, time.Time{}, nil // somebody else was first
	}
	return err == nil, since, err
}

func (l *lock) write(ctx context.Context) error {
	l.body.Beat++
	data, err := json.Marshal(l.body)
	if err != nil {
		return err
	}
	revision, err := l.values.Put(ctx, foldstream.Value{Key: l.key, Data: data, Revision: l.revision})
	if err == nil {
		l.revision = revision
	}
	return err
}

// keep beats until ctx ends; it stops the build when the lock is another's.
func (l *lock) keep(ctx context.Context, stop context.CancelCauseFunc) {
	tick := time.NewTicker(time.Duration(l.body.Lease) * time.Millisecond / 3)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := l.beat(ctx); err != nil && ctx.Err() == nil {
			stop(errLost)
			return
		}
	}
}

// beat renews the lock. A refusal by an entry of our own is a reply that was lost; a store that does not answer is waited for.
func (l *lock) beat(ctx context.Context) error {
	err := l.write(ctx)
	if !foldstream.Is(err, foldstream.Conflict) {
		return nil
	}
	v, readErr := l.values.Get(ctx, l.key)
	var there held
	if readErr != nil || json.Unmarshal(v.Data, &there) != nil || there.Life != l.body.Life {
		return err
	}
	l.revision = v.Revision
	return nil
}

// release lets the next one build at once. A lock that is another's by now is left alone.
func (l *lock) release(ctx context.Context) { _ = l.values.Delete(ctx, l.key, l.revision) }
