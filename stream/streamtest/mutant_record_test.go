package streamtest_test

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// changed changes each of a sequence.
func changed[T any](seq iter.Seq2[T, error], change func(*T)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range seq {
			if change(&v); !yield(v, err) {
				return
			}
		}
	}
}

// recordMutants are faults in what recorders are made of: metrics, runs, newest events, purges.
var recordMutants = []mutant{
	{"a commit forgets the series", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.commit = func(ctx context.Context, l foldstream.Lease, r foldstream.Result) error {
			r.Series = nil
			return l.Commit(ctx, r)
		}
	}, []string{"lease/keeps the result"}},
	{"every attempt has one name", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.task = func(t foldstream.Task) foldstream.Task { t.Run = "run"; return t }
	}, []string{"event/one run an attempt"}},
	{"attempts have no name", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.task = func(t foldstream.Task) foldstream.Task { t.Run = ""; return t }
	}, []string{"create/new", "event/one run an attempt"}},
	{"results are of no attempt", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.events = func(ctx context.Context, s *mem.Store, f foldstream.EventFilter, from foldstream.Cursor) iter.Seq2[foldstream.Event, error] {
			return changed(s.Events(ctx, f, from), func(e *foldstream.Event) {
				if e.Kind == foldstream.EventResult {
					e.Run = ""
				}
			})
		}
	}, []string{"event/one run an attempt"}},
	{"points are lost on the way", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.publish = func(ctx context.Context, m foldstream.Metrics, p foldstream.Points) error {
			if p.First == 1 {
				return nil
			}
			return m.Publish(ctx, p)
		}
	}, []string{"metric/follow"}},
	{"points lose their run", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.publish = func(ctx context.Context, m foldstream.Metrics, p foldstream.Points) error {
			if p.Run != "" {
				p.Run = "1"
			}
			return m.Publish(ctx, p)
		}
	}, []string{"metric/publish and read"}},
	{"points of every recorder", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.points = func(ctx context.Context, m foldstream.Metrics, f foldstream.MetricFilter) iter.Seq2[foldstream.Points, error] {
			f.Recorder = ""
			return m.Read(ctx, f)
		}
	}, []string{"metric/publish and read"}},
	{"following ends", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.points = func(ctx context.Context, m foldstream.Metrics, f foldstream.MetricFilter) iter.Seq2[foldstream.Points, error] {
			f.Follow = false
			return m.Read(ctx, f)
		}
	}, []string{"metric/follow"}},
	{"deleting a recorder deletes the experiment", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.forget = func(ctx context.Context, m foldstream.Metrics, experiment, recorder string) error {
			if err := foldstream.ValidName("recorder", recorder); recorder != "" && err != nil {
				return err
			}
			return m.Delete(ctx, experiment, "")
		}
	}, []string{"metric/delete"}},
	{"deleting does nothing", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.forget = func(context.Context, foldstream.Metrics, string, string) error { return nil }
	}, []string{"metric/delete", "metric/refused"}},
	{"any name is a recorder", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.publish = func(ctx context.Context, m foldstream.Metrics, p foldstream.Points) error {
			p.Recorder = strings.Trim("r"+p.Recorder, "*")
			return m.Publish(ctx, p)
		}
	}, []string{"metric/refused", "metric/publish and read"}},
	{"the oldest points are kept", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		n := 0
		b.publish = func(ctx context.Context, m foldstream.Metrics, p foldstream.Points) error {
			if n++; n > foldstream.PointsKept {
				return nil
			}
			return m.Publish(ctx, p)
		}
	}, []string{"metric/the newest are kept"}},
	{"the newest events are the oldest", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.newest = func(ctx context.Context, s *mem.Store, pool string, ids []foldstream.TaskID) iter.Seq2[foldstream.Event, error] {
			first := map[foldstream.TaskID]bool{}
			return without(s.Events(ctx, foldstream.EventFilter{Pool: pool}, 0), func(e foldstream.Event) bool {
				again := first[e.Task]
				first[e.Task] = true
				return again || len(ids) > 0 && !slices.Contains(ids, e.Task)
			})
		}
	}, []string{"newest/of each status", "newest/of some", "newest/of many", "newest/a large result", "newest/the last error"}},
	{"the newest events of all tasks", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.newest = func(ctx context.Context, s *mem.Store, pool string, _ []foldstream.TaskID) iter.Seq2[foldstream.Event, error] {
			return s.Newest(ctx, pool)
		}
	}, []string{"newest/of some"}},
	{"the newest events with frames", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.newest = func(ctx context.Context, s *mem.Store, pool string, ids []foldstream.TaskID) iter.Seq2[foldstream.Event, error] {
			return changed(s.Newest(ctx, pool, ids...), func(e *foldstream.Event) {
				for whole, err := range s.Events(ctx, foldstream.EventFilter{Pool: pool, Task: e.Task}, e.Seq-1) {
					if err == nil {
						*e = whole
					}
				}
			})
		}
	}, []string{"newest/a large result"}},
	{"a purge deletes what lives", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.purge = func(ctx context.Context, s *mem.Store, pool string, ids []foldstream.TaskID) (int, error) {
			if _, err := s.Remove(ctx, pool, "purged", ids...); err != nil {
				return 0, err
			}
			return s.Purge(ctx, pool, ids...)
		}
	}, []string{"purge/removed tasks alone"}},
	{"a purge does nothing", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.purge = func(_ context.Context, _ *mem.Store, _ string, ids []foldstream.TaskID) (int, error) {
			return len(ids), nil
		}
	}, []string{"purge/removed tasks alone", "purge/as if it had never been"}},
	{"no fence: a stale commit is no error, of a task that was purged", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.commit = func(ctx context.Context, l foldstream.Lease, r foldstream.Result) error {
			if err := l.Commit(ctx, r); !stale(err) {
				return err
			}
			return nil
		}
	}, []string{"purge/a worker of the life before"}},
}
