package mem

import (
	"context"
	"iter"
	"slices"

	"github.com/foldstream/foldstream"
)

type metrics struct{ s *Store }

var _ foldstream.Metrics = metrics{}

// points are some published points with their place in the order of all.
type points struct {
	seq int
	foldstream.Points
}

// Metrics returns the metrics with steps of running work. They do not expire.
func (s *Store) Metrics() foldstream.Metrics { return metrics{s} }

// Publish keeps the points, and of each recorder no more than PointsKept.
func (m metrics) Publish(ctx context.Context, p foldstream.Points) error {
	if err := validPoints(ctx, p.Experiment, p.Recorder); err != nil {
		return err
	}
	if p.Run == "" || p.Recorder == "" {
		return foldstream.Errorf(foldstream.Invalid, "publish", "points of run %q of recorder %q: both need a name", p.Run, p.Recorder)
	}
	kept, err := carry("publish", p, m.s.opts.MaxPayload)
	if err != nil {
		return err
	}
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	m.s.published++
	m.s.points = append(m.s.points, points{m.s.published, kept})
	same := func(q points) bool { return q.Experiment == p.Experiment && q.Recorder == p.Recorder }
	if n := count(m.s.points, same); n > foldstream.PointsKept {
		oldest := slices.IndexFunc(m.s.points, same)
		m.s.points = slices.Delete(slices.Clone(m.s.points), oldest, oldest+1)
	}
	m.s.notify()
	return nil
}

// Read reads the points there are, then, where it follows, those to come.
func (m metrics) Read(ctx context.Context, f foldstream.MetricFilter) iter.Seq2[foldstream.Points, error] {
	return func(yield func(foldstream.Points, error) bool) {
		if err := validPoints(ctx, f.Experiment, f.Recorder); err != nil {
			if ctx.Err() == nil || !f.Follow {
				yield(foldstream.Points{}, err)
			}
			return
		}
		for at := 0; ; {
			found, changed := m.after(at)
			for _, p := range found {
				at = p.seq
				mine := p.Experiment == f.Experiment && (f.Recorder == "" || f.Recorder == p.Recorder)
				p.Series = slices.Clone(p.Series)
				if ctx.Err() != nil || mine && !yield(p.Points, nil) {
					return
				}
			}
			if !f.Follow {
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}
}

// Delete forgets points.
func (m metrics) Delete(ctx context.Context, experiment, recorder string) error {
	if err := validPoints(ctx, experiment, recorder); err != nil {
		return err
	}
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	m.s.points = slices.DeleteFunc(slices.Clone(m.s.points), func(p points) bool {
		return p.Experiment == experiment && (recorder == "" || recorder == p.Recorder)
	})
	return nil
}

// after returns the points behind a place, and a channel closed at the next change. Nobody changes what it returns.
func (m metrics) after(at int) ([]points, <-chan struct{}) {
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	from, _ := slices.BinarySearchFunc(m.s.points, at+1, func(p points, seq int) int { return p.seq - seq })
	return m.s.points[from:len(m.s.points):len(m.s.points)], m.s.changed
}

// validPoints checks the names; that of a recorder may be empty. Errors: Cancelled, Invalid.
func validPoints(ctx context.Context, experiment, recorder string) error {
	if err := alive(ctx, "metrics"); err != nil {
		return err
	}
	if err := foldstream.ValidName("experiment", experiment); err != nil || recorder == "" {
		return err
	}
	return foldstream.ValidName("recorder", recorder)
}

func count[T any](all []T, is func(T) bool) (n int) {
	for _, one := range all {
		if is(one) {
			n++
		}
	}
	return n
}
