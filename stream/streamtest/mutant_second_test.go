package streamtest_test

import (
	"context"
	"iter"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// faulty is a second lease with a fault; a nil function is no fault.
type faulty struct {
	foldstream.Lease
	commit commitFunc
	giveUp func(ctx context.Context, l foldstream.Lease) error
}

func (l *faulty) Commit(ctx context.Context, r foldstream.Result) error {
	if l.commit != nil {
		return l.commit(ctx, l.Lease, r)
	}
	return l.Lease.Commit(ctx, r)
}

func (l *faulty) Return(ctx context.Context, why error, after time.Duration) error {
	if l.giveUp != nil {
		return l.giveUp(ctx, l.Lease)
	}
	return l.Lease.Return(ctx, why, after)
}

// seconds puts a fault into every second lease.
func seconds(fault func(b *broken, l *faulty)) func(*broken, *streamtest.Harness) {
	return func(b *broken, _ *streamtest.Harness) {
		b.second = func(ctx context.Context, s *mem.Store, pool string, id foldstream.TaskID, f foldstream.Filter) (foldstream.Lease, error) {
			l, err := s.Second(ctx, pool, id, f)
			if err != nil {
				return nil, err
			}
			bad := &faulty{Lease: l}
			fault(b, bad)
			return bad, nil
		}
	}
}

// secondMutants are faults in second copies.
var secondMutants = []mutant{
	{"a second copy takes the task away from the first", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.second = func(ctx context.Context, s *mem.Store, pool string, id foldstream.TaskID, f foldstream.Filter) (foldstream.Lease, error) {
			if _, err := s.Reset(ctx, pool, true, id); err != nil {
				return nil, err
			}
			return s.Pool(pool).Fetch(ctx, f)
		}
	}, []string{"second/commits first", "second/comes too late", "second/gives up and writes nothing", "second/is told"}},
	{"the commit of a second copy is not fenced", mem.Options{}, seconds(func(_ *broken, l *faulty) {
		l.commit = func(ctx context.Context, l foldstream.Lease, r foldstream.Result) error {
			if err := l.Commit(ctx, r); !stale(err) {
				return err
			}
			return nil
		}
	}), []string{"second/comes too late", "second/both commit at once", "second/ends with the first", "second/ends when the first is lost", "second/of a stage"}},
	{"a second copy that goes back takes the first with it", mem.Options{}, seconds(func(b *broken, l *faulty) {
		l.giveUp = func(ctx context.Context, l foldstream.Lease) error {
			if err := l.Return(ctx, nil, 0); err != nil {
				return err
			}
			_, err := b.Reset(ctx, "windows", true, l.Task().ID)
			return err
		}
	}), []string{"second/gives up and writes nothing"}},
	{"a second copy that ended a stage loses the next one", mem.Options{}, seconds(func(b *broken, l *faulty) {
		l.commit = func(ctx context.Context, l foldstream.Lease, r foldstream.Result) error {
			err := l.Commit(ctx, r)
			if err == nil && !l.Task().LastStage() {
				err = b.DeleteTicket("windows", l.Task().ID)
			}
			return err
		}
	}), []string{"second/of a stage"}},
	{"second copies of whatever is asked for", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.second = func(ctx context.Context, s *mem.Store, pool string, id foldstream.TaskID, _ foldstream.Filter) (foldstream.Lease, error) {
			return s.Second(ctx, pool, id, foldstream.Filter{})
		}
	}, []string{"second/of what may be fetched"}},
	{"second copies pass for first ones", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.workers = func(all iter.Seq2[foldstream.Presence, error]) iter.Seq2[foldstream.Presence, error] {
			return func(yield func(foldstream.Presence, error) bool) {
				for w, err := range all {
					for i := range w.Tasks {
						w.Tasks[i].Second = false
					}
					if !yield(w, err) {
						return
					}
				}
			}
		}
	}, []string{"second/is told"}},
}
