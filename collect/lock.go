package collect

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// lockKey is the entry of the bucket of locks that names the leader of the aggregators.
const lockKey = "aggregator"

type wireLock struct {
	Holder string `msgpack:"holder"`
	Life   string `msgpack:"life"` // differs for each start of the holder, so that nobody takes an old entry for its own
	Beat   uint64 `msgpack:"beat"` // counts renewals
}

// lock is a lease on the leadership by compare-and-set. It compares no clocks of two machines: another's entry counts as
// expired once it was seen unchanged for the whole lease on the clock here. So an old entry that a store brings back after
// a crash holds nobody up for longer than one lease, and is never taken for a renewal.
//
// It is safe for concurrent use.
type lock struct {
	values foldstream.Values
	lease  time.Duration

	mu   sync.Mutex
	body wireLock

	revision uint64    // of our entry, while we hold it
	until    time.Time // when it would have expired for others, while we hold it

	other uint64    // revision of another's entry
	since time.Time // since when it is seen unchanged
}

func newLock(store foldstream.Store, id string, lease time.Duration) *lock {
	return &lock{values: store.Values(foldstream.Locks), lease: lease, body: wireLock{Holder: id, Life: rand.Text()}}
}

// deadline is when others may take the lock for free, if it is not renewed.
func (l *lock) deadline() time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.until
}

func (l *lock) expired() bool { return !clock.Tick().Before(l.deadline()) }

// acquire tries once to take the lock and reports whether it is ours.
func (l *lock) acquire(ctx context.Context) (bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := clock.Tick()
	v, err := l.values.Get(ctx, lockKey)
	switch {
	case foldstream.Is(err, foldstream.NotFound):
		v.Revision = 0
	case err != nil:
		return false, err
	case l.mine(v): // a reply of ours was lost
	case l.other != v.Revision:
		l.other, l.since = v.Revision, now
		return false, nil
	case now.Sub(l.since) < l.lease:
		return false, nil
	}
	l.revision = v.Revision
	err = l.claim(ctx)
	if foldstream.Is(err, foldstream.Conflict) {
		return false, nil // somebody else was first
	}
	return err == nil, err
}

// renew proves that the lock is ours and starts its lease anew. Errors: Conflict (it is somebody else's now).
func (l *lock) renew(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.claim(ctx)
}

// claim writes the entry over that of the revision we know. A conflict with an entry of ours is a reply that was lost.
func (l *lock) claim(ctx context.Context) error {
	now := clock.Tick()
	err := l.write(ctx)
	if foldstream.Is(err, foldstream.Conflict) {
		v, getErr := l.values.Get(ctx, lockKey)
		if getErr != nil || !l.mine(v) {
			return err
		}
		l.revision = v.Revision
		err = l.write(ctx)
	}
	if err == nil {
		l.until = now.Add(l.lease)
	}
	return err
}

func (l *lock) write(ctx context.Context) error {
	l.body.Beat++
	data, err := encode(&l.body)
	if err != nil {
		return err
	}
	revision, err := l.values.Put(ctx, foldstream.Value{Key: lockKey, Data: data, Revision: l.revision})
	if err == nil {
		l.revision = revision
	}
	return err
}

// mine reports whether an entry is of this life of ours.
func (l *lock) mine(v foldstream.Value) bool {
	var there wireLock
	return decode("lock", v.Data, &there) == nil && there.Life == l.body.Life
}

// release lets the next one lead at once. A lock that is somebody else's by now is left alone.
func (l *lock) release(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	err := l.values.Delete(ctx, lockKey, l.revision)
	if foldstream.Is(err, foldstream.Conflict) {
		return nil
	}
	return err
}
