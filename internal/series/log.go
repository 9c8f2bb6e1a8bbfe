// Package series takes the metrics with steps of one piece of work: it keeps every point for the record, and publishes the newest for those
// who watch.
package series

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
)

// Log is the points that one attempt tells. It is safe for concurrent use, and never waits for the network.
type Log struct {
	told chan struct{} // of one: points wait to be published

	mu      sync.Mutex
	spool   spool
	ends    map[string]foldstream.Point // of each metric the last told of the highest step
	pending foldstream.Series           // the newest points, which are not published yet
	sealed  bool
}

// Name is what the artifact of a long series is called.
const Name = "series.csv"

// Inline is how many bytes of points a record holds itself.
const Inline = 64 << 10

// pendingLimit is how many points wait to be published; beyond, the oldest are let go of: those who watch miss them, the record does not.
const pendingLimit = 2000

// NewLog returns an empty log. It must be closed.
func NewLog() *Log {
	return &Log{told: make(chan struct{}, 1), ends: map[string]foldstream.Point{}}
}

// Add takes a point, told now.
func (l *Log) Add(metric string, step int64, value float64) {
	l.add(foldstream.Point{Metric: metric, Step: step, Value: value, At: time.Now().UTC().Truncate(time.Millisecond)})
	select {
	case l.told <- struct{}{}:
	default:
	}
}

// Recall takes points that were told and published before.
func (l *Log) Recall(points foldstream.Series) {
	for _, p := range points {
		l.add(p)
	}
	l.take()
}

func (l *Log) add(p foldstream.Point) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sealed {
		return
	}
	l.spool.add(p)
	if end, ok := l.ends[p.Metric]; !ok || p.Step >= end.Step {
		l.ends[p.Metric] = p
	}
	if len(l.pending) == pendingLimit {
		l.pending = slices.Clone(l.pending[pendingLimit/2:])
	}
	l.pending = append(l.pending, p)
}

// Seal ends the telling: what is told later is forgotten.
func (l *Log) Seal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sealed = true
}

// Ends returns what each metric came to: its value at the highest step.
func (l *Log) Ends() map[string]float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	ends := make(map[string]float64, len(l.ends))
	for name, p := range l.ends {
		ends[name] = p.Value
	}
	return ends
}

// Len returns how many points were told.
func (l *Log) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spool.points
}

// Keep returns the points for the record, all of them in the order in which they were told: as they are where they are few, else as an
// artifact. The log must be sealed. Errors: TooLarge (many, and artifacts is nil), Failed (the temporary file), those of Artifacts.Put.
func (l *Log) Keep(ctx context.Context, artifacts foldstream.Artifacts) (foldstream.Series, *foldstream.Artifact, error) {
	from, size, err := l.spool.open()
	switch {
	case err != nil:
		return nil, nil, foldstream.Errorf(foldstream.Failed, "series", "the metrics with steps could not be kept in a temporary file: %w", err)
	case size <= Inline:
		points, err := foldstream.ReadSeries(from)
		return points, nil, err
	case artifacts == nil:
		return nil, nil, foldstream.Errorf(foldstream.TooLarge, "series", "%d metrics with steps are too many where there is no store for artifacts", l.Len())
	}
	a := foldstream.Artifact{Name: Name, Type: foldstream.SeriesType}
	a.Digest, a.Size, err = artifacts.Put(ctx, from)
	return nil, &a, err
}

// Close forgets the points.
func (l *Log) Close() error {
	l.Seal()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.spool.close()
}

// How points are published while the work goes on.
const (
	publishEvery = 500 * time.Millisecond
	publishTime  = 5 * time.Second // the longest one publishing may take
	publishTimes = 500             // long work publishes about so many times, and as often again for each e-fold of its length
)

// Feed publishes the points as they come until ctx ends. as says whose they are. What cannot be published failed is told of; it is not seen
// by those who watch, and is in the record all the same.
func (l *Log) Feed(ctx context.Context, to foldstream.Metrics, as foldstream.Points, failed func(error)) {
	began := time.Now()
	for {
		select {
		case <-l.told:
		case <-ctx.Done():
			return
		}
		as.First, as.Series = l.take()
		call, cancel := context.WithTimeout(ctx, publishTime)
		err := to.Publish(call, as)
		cancel()
		if err != nil && ctx.Err() == nil {
			failed(err)
		}
		next := time.NewTimer(max(publishEvery, time.Since(began)/publishTimes))
		select {
		case <-next.C:
		case <-ctx.Done():
			next.Stop()
			return
		}
	}
}

// take returns the points that wait to be published, and how many were told before them.
func (l *Log) take() (first int, points foldstream.Series) {
	l.mu.Lock()
	defer l.mu.Unlock()
	points, l.pending = l.pending, nil
	return l.spool.points - len(points), points
}
