package stream

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// errTorn is an index that does not hold what the streams do: messages were deleted, or a server forgot some.
var errTorn = errors.New("the index does not hold what the streams do")

// How long an index stays away after it was torn, which doubles up to the time after which it counts as sound again.
const (
	tornPause  = 100 * time.Millisecond
	soundAfter = time.Minute
)

// ServeIndex keeps an index of all pools in memory and answers questions about it until ctx ends, which is no error. While it reads
// the streams from their start it does not answer yet. Any number of processes may serve. End it before the store is closed.
// Errors: Denied, Unavailable (the connection is closed).
func (s *Store) ServeIndex(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(s.life(), stop)()
	for pause := tornPause; ; pause = min(2*pause, soundAfter) {
		begun := clock.Tick()
		err := newIndexer(s).run(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case !errors.Is(err, errTorn) && (kindOf(err) != foldstream.Unavailable || s.nc.IsClosed()):
			return s.door(ctx, "index", err)
		case clock.Since(begun) > soundAfter:
			pause = tornPause
		}
		s.log.Warn("the index reads the streams anew", "err", err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
	}
}

// indexer is one index from its first message until it is of no use any more.
type indexer struct {
	s *Store
	*index
	torn chan error // holds one
}

func newIndexer(s *Store) *indexer { return &indexer{s, newIndex(s.lay), make(chan error, 1)} }

// run fills the index and serves it. The events are read when the definitions are there, so that few come before theirs.
func (x *indexer) run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return x.read(ctx, &x.defs, x.define) })
	group.Go(func() error {
		begun := clock.Tick()
		if err := x.fill(ctx, &x.defs); err != nil {
			return err
		}
		group.Go(func() error { return x.read(ctx, &x.events, x.follow) })
		if err := x.fill(ctx, &x.events); err != nil {
			return err
		}
		x.s.log.Info("the index is filled", "tasks", x.size(), "dur_ms", clock.Since(begun).Milliseconds())
		return x.serve(ctx)
	})
	return group.Wait()
}

// read tells the index of a stream's messages, as they come, until ctx ends.
func (x *indexer) read(ctx context.Context, f *feed, take func(*stored)) error {
	q := query{stream: f.stream, filters: []string{f.root + ">"}, last: f.last, headers: true, follow: true, lost: func() { x.doubt(f) }}
	for m, err := range x.s.scan(ctx, q) {
		if err != nil {
			return err
		}
		take(m)
	}
	return ctx.Err()
}

// fill waits until all that a stream holds is read, however long its leader does not answer.
func (x *indexer) fill(ctx context.Context, f *feed) error {
	for {
		err := x.reach(ctx, f)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if verdictOf(err) != unsure {
			return err
		}
		select {
		case <-time.After(lateAfter):
		case <-ctx.Done():
		}
	}
}

// size counts the tasks of all pools.
func (x *index) size() (n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range x.rolls {
		n += len(r.at)
	}
	return n
}
