package work_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/work"
)

// descending is a worker that tells n points, a second apart.
func descending(n int) work.Registry {
	return doing(func(_ context.Context, task foldstream.Task, rec foldstream.Recorder) (foldstream.Result, error) {
		for i := range n {
			rec.MetricAt("loss", int64(i), 1/float64(i+1))
			<-time.After(time.Second)
		}
		if task.Tags["fails"] != "" {
			return foldstream.Result{}, errors.New("no use")
		}
		rec.Metric("ic", 0.5)
		return foldstream.Result{}, nil
	})
}

func losses(s foldstream.Series) (values []float64) {
	for _, p := range s.Of("loss") {
		values = append(values, p.Value)
	}
	return values
}

// points reads what was published of an experiment.
func points(t *testing.T, store *mem.Store, experiment string) (all []foldstream.Points) {
	t.Helper()
	for p, err := range store.Metrics().Read(t.Context(), foldstream.MetricFilter{Experiment: experiment}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

// The series of a result is whole and in order; the metric comes to its value at the highest step. While the work goes on its points are
// published under the attempt's name.
func TestSeriesOfAResult(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, task := mem.New(mem.Options{}), id("a")
		task.Experiment, task.Run = "e", "run1"
		p := queue(task)
		drain(t, &work.Runner{Workers: descending(4), Metrics: store.Metrics()}, p)
		r := p.one(t, "a").result
		if diff := cmp.Diff([]float64{1, 0.5, 1 / 3.0, 0.25}, losses(r.Series)) + cmp.Diff(map[string]float64{"loss": 0.25, "ic": 0.5}, r.Metrics); diff != "" {
			t.Error(diff)
		}
		told := foldstream.Series{}
		for _, p := range points(t, store, "e") {
			if p.Recorder != "a" || p.Run != "run1" || p.First != len(told) {
				t.Errorf("%+v", p)
			}
			told = append(told, p.Series...)
		}
		if diff := cmp.Diff(r.Series, told); diff != "" {
			t.Error(diff)
		}
	})
}

// What a worker says a metric comes to stands, whatever its points.
func TestMetricOverItsPoints(t *testing.T) {
	p := queue(id("a"))
	drain(t, &work.Runner{Workers: doing(func(_ context.Context, _ foldstream.Task, rec foldstream.Recorder) (foldstream.Result, error) {
		rec.Metric("best", 0.9)
		rec.MetricAt("best", 1, 0.1)
		rec.MetricAt("loss", 2, 0.2)
		rec.MetricAt("loss", 1, 0.3)
		rec.MetricAt("auc", 1, 0.4)
		return foldstream.Result{Metrics: map[string]float64{"auc": 0.5}, Series: foldstream.Series{{Metric: "loss", Step: 9, Value: 7}}}, nil
	})}, p)
	r := p.one(t, "a").result
	if diff := cmp.Diff(map[string]float64{"best": 0.9, "loss": 7, "auc": 0.5}, r.Metrics); diff != "" || len(r.Series) != 5 {
		t.Error(diff, r.Series)
	}
}

// A task that is tried again tells its points anew: those of the attempt that failed are in no result, and none is there twice.
func TestSeriesOfASecondAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{})
		first, second := id("a"), id("a")
		first.Run, second.Run, first.Tags = "1", "2", map[string]string{"fails": "yes"}
		for _, task := range []foldstream.Task{first, second} {
			p := queue(task)
			drain(t, &work.Runner{Workers: descending(2), Metrics: store.Metrics(), PoolName: "pool"}, p)
			if end := p.one(t, "a"); end.how == "commit" && len(end.result.Series) != 2 {
				t.Errorf("%+v", end.result.Series)
			}
		}
		runs := map[string]int{}
		for _, p := range points(t, store, "pool") { // a task of no experiment is its pool's
			runs[p.Run] += len(p.Series)
		}
		if diff := cmp.Diff(map[string]int{"1": 2, "2": 2}, runs); diff != "" {
			t.Error(diff)
		}
	})
}

func TestManyPointsBecomeAnArtifact(t *testing.T) {
	many := doing(func(_ context.Context, _ foldstream.Task, rec foldstream.Recorder) (foldstream.Result, error) {
		for i := range 3000 {
			rec.MetricAt("loss", int64(i), 1)
		}
		return foldstream.Result{Artifacts: []foldstream.Artifact{{Name: "model"}}}, nil
	})
	store := &blobs{}
	p := queue(id("a"))
	drain(t, &work.Runner{Workers: many, Artifacts: store}, p)
	r := p.one(t, "a").result
	if len(r.Series) != 0 || len(r.Artifacts) != 2 || r.Artifacts[1].Name != "series.csv" || r.Artifacts[1].Type != foldstream.SeriesType || r.Metrics["loss"] != 1 {
		t.Fatalf("%+v", r)
	}
	var s foldstream.Series
	if err := s.UnmarshalBinary(store.bytes[r.Artifacts[1].Digest]); err != nil || len(s) != 3000 {
		t.Errorf("%d points, %v", len(s), err)
	}

	p = queue(id("a"))
	drain(t, &work.Runner{Workers: many}, p)
	if end := p.one(t, "a"); end.how != "fail" || !foldstream.Is(end.why, foldstream.TooLarge) {
		t.Errorf("without a store: %s, %v", end.how, end.why)
	}
}

func TestSeriesAndAnArtifactOfItsName(t *testing.T) {
	p := queue(id("a"))
	drain(t, &work.Runner{Artifacts: &blobs{}, Workers: doing(func(_ context.Context, _ foldstream.Task, rec foldstream.Recorder) (foldstream.Result, error) {
		for i := range 3000 {
			rec.MetricAt("loss", int64(i), 1)
		}
		return foldstream.Result{Artifacts: []foldstream.Artifact{{Name: "series.csv"}}}, nil
	})}, p)
	if end := p.one(t, "a"); end.how != "fail" || !foldstream.Is(end.why, foldstream.Invalid) {
		t.Errorf("%s, %v", end.how, end.why)
	}
}

// A worker that does not stop may go on telling: nobody listens, and nothing breaks.
func TestPointsOfAWorkerLeftBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		task, end := id("a"), make(chan struct{})
		task.Deadline = time.Second
		p := queue(task)
		drain(t, &work.Runner{Metrics: mem.New(mem.Options{}).Metrics(), PoolName: "p", Workers: doing(func(_ context.Context, _ foldstream.Task, rec foldstream.Recorder) (foldstream.Result, error) {
			for i := int64(0); ; i++ {
				rec.MetricAt("loss", i, 1)
				select {
				case <-time.After(100 * time.Millisecond):
				case <-end:
					return foldstream.Result{}, nil
				}
			}
		})}, p)
		if e := p.one(t, "a"); e.how != "return" {
			t.Errorf("%s, %v", e.how, e.why)
		}
		<-time.After(time.Minute)
		close(end)
	})
}
