package series_test

import (
	"context"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/series"
	"github.com/foldstream/foldstream/stream/mem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestKeepFew(t *testing.T) {
	l := series.NewLog()
	l.Add("loss", 1, 0.5)
	l.Add("loss", 3, 0.25)
	l.Add("auc", 1, math.NaN())
	l.Add("loss", 3, 0.125)
	l.Add("loss", 2, 9)
	l.Seal()
	l.Add("loss", 4, 1)
	points, many, err := l.Keep(t.Context(), nil)
	ok(t, err)
	if len(points) != 5 || many != nil || l.Len() != 5 || points[1].Step != 3 || points[4].Value != 9 || time.Since(points[0].At) > time.Minute {
		t.Errorf("%v, %v", points, many)
	}
	ends := l.Ends()
	if !math.IsNaN(ends["auc"]) {
		t.Error(ends)
	}
	delete(ends, "auc")
	if diff := cmp.Diff(map[string]float64{"loss": 0.125}, ends); diff != "" {
		t.Error(diff)
	}
	ok(t, l.Close())
}

// Many points are in a file, whatever their number, and every one of them comes out again.
func TestKeepMany(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	const n = 40_000
	l, store := series.NewLog(), mem.New(mem.Options{})
	for i := range n {
		l.Add("loss", int64(i), 1/float64(i+1))
	}
	l.Seal()
	if files, err := filepath.Glob(dir + "/*"); err != nil || len(files) != 1 {
		t.Errorf("%v, %v", files, err)
	}
	_, _, err := l.Keep(t.Context(), nil)
	if !foldstream.Is(err, foldstream.TooLarge) {
		t.Errorf("without a store: %v", err)
	}
	for range 2 { // it can be tried again
		points, many, err := l.Keep(t.Context(), store.Artifacts())
		ok(t, err)
		if points != nil || many.Name != "series.csv" || many.Type != foldstream.SeriesType || many.Size < 1<<20 {
			t.Fatalf("%d points, %+v", len(points), many)
		}
		from, err := store.Artifacts().Open(t.Context(), many.Digest)
		ok(t, err)
		all, err := foldstream.ReadSeries(from)
		ok(t, err)
		for i, p := range all {
			if p.Step != int64(i) || p.Value != 1/float64(i+1) {
				t.Fatalf("point %d is %+v", i, p)
			}
		}
		if len(all) != n {
			t.Errorf("%d points", len(all))
		}
	}
	ok(t, l.Close())
	if files, err := os.ReadDir(dir); err != nil || len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

func TestKeepWithoutRoom(t *testing.T) {
	t.Setenv("TMPDIR", filepath.Join(t.TempDir(), "nowhere"))
	l := series.NewLog()
	for i := range 40_000 {
		l.Add("loss", int64(i), 1)
	}
	l.Seal()
	if _, _, err := l.Keep(t.Context(), mem.New(mem.Options{}).Artifacts()); !foldstream.Is(err, foldstream.Failed) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	ok(t, l.Close())
}

// blocked is metrics that cannot be published to until it is let go.
type blocked struct {
	foldstream.Metrics
	until chan struct{}
	began chan struct{}
}

func (b blocked) Publish(ctx context.Context, p foldstream.Points) error {
	select {
	case b.began <- struct{}{}:
	default:
	}
	select {
	case <-b.until:
		return b.Metrics.Publish(ctx, p)
	case <-ctx.Done():
		return ctx.Err()
	}
}

var whose = foldstream.Points{Experiment: "e", Recorder: "r", Run: "1"}

// published reads what was published, and fails where it is not in order.
func published(t *testing.T, store *mem.Store) (all []foldstream.Points) {
	t.Helper()
	for p, err := range store.Metrics().Read(t.Context(), foldstream.MetricFilter{Experiment: "e"}) {
		ok(t, err)
		if n := len(all); n > 0 && p.First < all[n-1].First+len(all[n-1].Series) {
			t.Errorf("after %d points from %d on come those from %d on", len(all[n-1].Series), all[n-1].First, p.First)
		}
		for i, point := range p.Series {
			if point.Step != int64(p.First+i) {
				t.Fatalf("point %d of those from %d on is of step %d", i, p.First, point.Step)
			}
		}
		all = append(all, p)
	}
	return all
}

// feeding runs the work beside a feed, which is stopped when the work has ended, and returns the errors of publishing.
func feeding(t *testing.T, to foldstream.Metrics, work func(l *series.Log)) (failed int) {
	t.Helper()
	l := series.NewLog()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.Feed(ctx, to, whose, func(error) { failed++ })
	}()
	work(l)
	stop()
	<-ended
	ok(t, l.Close())
	return failed
}

func TestFeedBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{})
		feeding(t, store.Metrics(), func(l *series.Log) {
			for i := range 100 {
				l.Add("loss", int64(i), 1)
				<-time.After(50 * time.Millisecond)
			}
			synctest.Wait()
		})
		all := published(t, store)
		if len(all) < 9 || len(all) > 12 || len(all[0].Series) != 1 || len(all[1].Series) < 9 || len(all[1].Series) > 11 {
			t.Errorf("%d batches, the first of %d points, the second of %d", len(all), len(all[0].Series), len(all[1].Series))
		}
	})
}

// counting is metrics that count what is published.
type counting struct {
	foldstream.Metrics
	n int
}

func (c *counting) Publish(ctx context.Context, p foldstream.Points) error {
	c.n++
	return c.Metrics.Publish(ctx, p)
}

// Ten hours of a point a second make no more batches than are kept.
func TestFeedOfLongWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{})
		counted := &counting{Metrics: store.Metrics()}
		feeding(t, counted, func(l *series.Log) {
			for i := range 36_000 {
				l.Add("loss", int64(i), 1)
				<-time.After(time.Second)
			}
			<-time.After(5 * time.Minute)
		})
		all := published(t, store)
		last := all[len(all)-1]
		if counted.n > foldstream.PointsKept || counted.n != len(all) || last.First+len(last.Series) != 36_000 {
			t.Errorf("%d batches, of which %d are kept, up to point %d", counted.n, len(all), last.First+len(last.Series))
		}
	})
}

// A store that is away neither holds the work up nor makes it hold more than a few points, and those who watch see the newest when it is back.
func TestFeedOfABlockedStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{})
		b := blocked{store.Metrics(), make(chan struct{}), make(chan struct{}, 1)}
		failed := feeding(t, b, func(l *series.Log) {
			l.Add("loss", 0, 1)
			<-b.began
			for i := range 10_000 {
				l.Add("loss", int64(i+1), 1)
			}
			<-time.After(6 * time.Second) // the first try is given up
			close(b.until)
			<-time.After(time.Second)
			if l.Len() != 10_001 {
				t.Errorf("%d points are kept", l.Len())
			}
		})
		all := published(t, store)
		if failed == 0 || len(all) != 1 || all[0].First+len(all[0].Series) != 10_001 || len(all[0].Series) > 2000 {
			t.Errorf("%d failed, %d batches", failed, len(all))
		}
	})
}

// The end of the work does not wait for a store that is away.
func TestFeedEndsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := blocked{nil, make(chan struct{}), make(chan struct{}, 1)}
		began := time.Now()
		failed := feeding(t, b, func(l *series.Log) {
			l.Add("loss", 0, 1)
			<-b.began
		})
		if took := time.Since(began); took > 0 || failed != 0 {
			t.Errorf("it took %v, %d failed", took, failed)
		}
	})
}

func TestRecall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{})
		feeding(t, store.Metrics(), func(l *series.Log) {
			l.Recall(foldstream.Series{{Metric: "loss", Step: 0}, {Metric: "loss", Step: 1}})
			l.Add("loss", 2, 1)
			synctest.Wait()
		})
		if all := published(t, store); len(all) != 1 || all[0].First != 2 || len(all[0].Series) != 1 {
			t.Errorf("%+v", all)
		}
	})
}

var _ io.Closer = (*series.Log)(nil)
