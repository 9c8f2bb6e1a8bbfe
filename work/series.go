package work

import (
	"context"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
)

// seriesName is the artifact that holds the points of a result that has many.
const seriesName = "series.csv"

// inlineSeries is how many bytes of points a result holds itself.
const inlineSeries = 64 << 10

// keepSeries puts the points of an attempt into its result: all of them, in the order in which they were told. Where there are many they
// become the artifact seriesName. Errors: Permanent (an artifact of that name is another thing; many and no store for artifacts), those of the
// store and of the temporary file.
func (p *process) keepSeries(fetching context.Context, t foldstream.Task, r foldstream.Result, points *spool) (foldstream.Result, error) {
	size, err := points.size()
	switch {
	case err != nil:
		return r, foldstream.Errorf(foldstream.Full, "", "the metrics with steps could not be kept: %w", err)
	case points.points == 0:
		return r, nil
	case size <= inlineSeries:
		from, err := points.open()
		if err == nil {
			r.Series, err = foldstream.ReadSeries(from)
		}
		return r, err
	case p.Artifacts == nil:
		return r, foldstream.Permanent(foldstream.Errorf(foldstream.TooLarge, "", "%d metrics with steps are too many for a consumer that has no store for artifacts", points.points))
	case slices.ContainsFunc(r.Artifacts, func(a foldstream.Artifact) bool { return a.Name == seriesName }):
		return r, foldstream.Permanent(foldstream.Errorf(foldstream.Invalid, "", "the metrics with steps are stored as the artifact %q, and there is another of that name", seriesName))
	}
	a := foldstream.Artifact{Name: seriesName, Type: foldstream.SeriesType}
	err = p.insist(fetching, t, func(ctx context.Context) error {
		from, err := points.open()
		if err == nil {
			a.Digest, a.Size, err = p.Artifacts.Put(ctx, from)
		}
		return err
	})
	r.Series, r.Artifacts = nil, append(slices.Clone(r.Artifacts), a)
	return r, err
}

// How points are published while the work goes on.
const (
	publishEvery = 500 * time.Millisecond
	publishTime  = 5 * time.Second // the longest one publishing may take
	pendingLimit = 2000            // points that wait; the oldest are let go of, for those who watch alone
	publishTimes = 500             // a long attempt publishes about so many times, and as often again for each e-fold of its length
)

// feed publishes the points as they come until ctx ends. What cannot be published is not seen by those who watch; the result has
// it all the same.
func (r *recorder) feed(ctx context.Context, to foldstream.Metrics, as foldstream.Points, failed func(error)) {
	began := time.Now()
	for {
		select {
		case <-r.told:
		case <-ctx.Done():
			return
		}
		as.First, as.Series = r.take()
		call, cancel := context.WithTimeout(ctx, publishTime)
		err := to.Publish(call, as)
		cancel()
		if err != nil && ctx.Err() == nil {
			failed(err)
		}
		if !pause(ctx, max(publishEvery, time.Since(began)/publishTimes)) {
			return
		}
	}
}

// take returns the points that wait to be published, and how many were told before them.
func (r *recorder) take() (first int, points foldstream.Series) {
	r.mu.Lock()
	defer r.mu.Unlock()
	points, r.pending = r.pending, nil
	return r.points.points - len(points), points
}
