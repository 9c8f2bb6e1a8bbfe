package mem

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
)

// Options are the settings of a Store. The zero Options work.
type Options struct {
	Lease      time.Duration    // how long a lease of a new pool lives without a beat; 0 is 10 s
	MaxCrashes int              // a task fails when this many claims were lost; 0 is 5
	MaxPayload int              // largest task, result or value in encoded bytes; 0 is 1 MiB
	Worker     string           // the name that claims carry; "" is "local"
	Now        func() time.Time // the clock of events, leases and delays; nil is time.Now
	Log        *slog.Logger     // nil discards
}

// Store is a foldstream.Store with all its administration, in memory. Leases of workers in this process never run out by
// themselves; Abandon makes one run out. Entries of the buckets Workers and Locks stay until deleted: readers go by the
// expiry that those entries carry inside.
type Store struct {
	opts Options

	mu       sync.Mutex
	changed  chan struct{} // closed and replaced at every change
	queues   map[string]*queue
	settings map[string]settings // by pool
	orders   uint64              // how many tickets were ever given out
	copies   int                 // how many second leases
	events   []foldstream.Event
	buckets  map[string]*bucket
	blobs    map[foldstream.Digest][]byte
	keeps    map[foldstream.Digest]keeping
	kept     uint64   // how many blobs were ever stored or renewed
	points   []points // in order of their publishing; a change makes a new one
	opened   time.Time

	published int // how many points there ever were
	schedules map[string]*schedule
	tokens    uint64 // how many orders were ever taken
}

var (
	_ foldstream.Store       = (*Store)(nil)
	_ foldstream.Clock       = (*Store)(nil)
	_ foldstream.Archive     = (*Store)(nil)
	_ foldstream.Reconciler  = (*Store)(nil)
	_ foldstream.Admin       = (*Store)(nil)
	_ foldstream.Replacer    = (*Store)(nil)
	_ foldstream.PoolAdmin   = (*Store)(nil)
	_ foldstream.Index       = (*Store)(nil)
	_ foldstream.DeadLetters = (*Store)(nil)
	_ foldstream.Verifier    = (*Store)(nil)
	_ foldstream.Newest      = (*Store)(nil)
	_ foldstream.Purger      = (*Store)(nil)
	_ foldstream.Memory      = (*Store)(nil)
	_ foldstream.Scheduler   = (*Store)(nil)
	_ foldstream.Sweeper     = (*Store)(nil)
)

// New returns an empty store.
func New(opts Options) *Store {
	if opts.Lease == 0 {
		opts.Lease = 10 * time.Second
	}
	if opts.MaxCrashes == 0 {
		opts.MaxCrashes = 5
	}
	if opts.MaxPayload == 0 {
		opts.MaxPayload = 1 << 20
	}
	if opts.Worker == "" {
		opts.Worker = "local"
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{
		opts:     opts,
		changed:  make(chan struct{}),
		queues:   map[string]*queue{},
		settings: map[string]settings{},
		opened:   opts.Now(),
		buckets:  map[string]*bucket{},

		schedules: map[string]*schedule{},
		blobs:     map[foldstream.Digest][]byte{},
		keeps:     map[foldstream.Digest]keeping{},
	}
	for _, name := range []string{foldstream.Collections, foldstream.Experiments, foldstream.Pools, foldstream.Workers, foldstream.Locks} {
		s.buckets[name] = &bucket{newest: map[string]foldstream.Value{}}
	}
	return s
}

// Pool returns the pool of that name. Errors of a bad name come from its methods: Invalid.
func (s *Store) Pool(name string) foldstream.Pool { return &pool{s, name} }

// Now returns the time of the clock it was given.
func (s *Store) Now() time.Time { return s.opts.Now() }

// Values returns a bucket.
func (s *Store) Values(bucket string) foldstream.Values { return &values{s, bucket} }

// Artifacts returns the blobs.
func (s *Store) Artifacts() foldstream.Artifacts { return artifacts{s} }

// Pools lists the names of the pools that have tasks, in order.
func (s *Store) Pools(ctx context.Context) ([]string, error) {
	if err := alive(ctx, "pools"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.queues)), nil
}

// notify wakes everybody who waits for a change. The caller holds mu.
func (s *Store) notify() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// alive turns the end of a context into an error of kind Cancelled.
func alive(ctx context.Context, op string) error {
	return foldstream.E(foldstream.Cancelled, op, ctx.Err())
}
