package stream

import (
	"context"
	"errors"
	"slices"
	"time"
)

// errLate is an index that did not come as far as it should in time.
var errLate = errors.New("the index is behind")

// How long the index waits for what a leader named before it asks whether that is still there, and how often it asks a leader that says
// it has less than was read: a replica may be ahead of it for a moment.
const (
	lateAfter  = 100 * time.Millisecond
	aheadTries = 20
	aheadPause = 25 * time.Millisecond
)

// sync waits until all is read that the leaders of both streams hold now. Errors: errTorn, errLate, and of the leaders.
func (x *indexer) sync(ctx context.Context) error {
	err := x.reach(ctx, &x.defs)
	if err == nil {
		err = x.reach(ctx, &x.events)
	}
	if errors.Is(err, errTorn) {
		select {
		case x.torn <- err:
		default:
		}
	}
	return err
}

// reach is sync for one stream. Before the first message came the index cannot be compared with what the leader says: the reader may
// not have begun, and it may begin with the last messages of their subjects.
func (x *indexer) reach(ctx context.Context, f *feed) error {
	x.mu.Lock()
	begun := f.tail.seq > 0
	x.mu.Unlock()
	m, err := x.mark(ctx, f)
	if err != nil {
		return err
	}
	x.mu.Lock()
	w := f.wait(m, begun)
	x.mu.Unlock()
	for pause := lateAfter; ; pause *= 2 {
		select {
		case <-w.done:
			if w.torn {
				return errTorn
			}
			return x.settle(ctx, f)
		case <-time.After(pause):
			if err := x.skip(ctx, f, m); err != nil {
				return err
			}
		case <-ctx.Done():
			return errLate
		}
	}
}

// mark asks the leader of a stream what it holds. Errors: errTorn (less than was read, or something else).
func (x *indexer) mark(ctx context.Context, f *feed) (mark, error) {
	for n := 1; ; n++ {
		x.mu.Lock()
		tail := f.tail
		x.mu.Unlock()
		m, err := x.s.mark(ctx, f.stream)
		switch {
		case err != nil:
			return m, err
		case m.seq == tail.seq && !m.at.Equal(tail.at):
			return m, errTorn
		case m.seq >= tail.seq:
			return m, nil
		case n == aheadTries:
			return m, errTorn
		}
		select {
		case <-time.After(aheadPause):
		case <-ctx.Done():
			return m, errLate
		}
	}
}

// doubt notes where a reader lost its place: should the server have forgotten what it stored last, others are in its place.
func (x *indexer) doubt(f *feed) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if f.tail.seq > 0 && !slices.Contains(f.doubts, f.tail) {
		f.doubts = append(f.doubts, f.tail)
	}
}

// settle asks the leader for what is in doubt.
func (x *indexer) settle(ctx context.Context, f *feed) error {
	x.mu.Lock()
	doubts := slices.Clone(f.doubts)
	x.mu.Unlock()
	for _, d := range doubts {
		m, err := x.s.at(ctx, f.stream, d.seq)
		if err != nil {
			return err
		}
		if m == nil || !m.at.Equal(d.at) {
			return errTorn
		}
		x.mu.Lock()
		f.doubts = slices.DeleteFunc(f.doubts, func(other point) bool { return other == d })
		x.mu.Unlock()
	}
	return nil
}

// skip passes over what a leader named and does not have any more, if that is why it does not come.
func (x *indexer) skip(ctx context.Context, f *feed, to mark) error {
	x.mu.Lock()
	place := f.place
	x.mu.Unlock()
	now, err := x.s.mark(ctx, f.stream)
	if err != nil || now.seq < to.seq { // another leader, which is not as far yet
		return err
	}
	m, err := x.s.oldestFrom(ctx, f.stream, ">", place+1)
	if err == nil && (m == nil || m.seq > to.seq) {
		x.mu.Lock()
		f.pass(to.seq)
		x.mu.Unlock()
	}
	return err
}
