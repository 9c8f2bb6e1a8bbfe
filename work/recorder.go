package work

import (
	"context"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
	"github.com/foldstream/foldstream/internal/series"
)

// recorder keeps what a running task says until its result is committed.
type recorder struct {
	artifacts foldstream.Artifacts
	progress  chan foldstream.Progress // of one: the newest
	begun     chan struct{}            // closed when the worker begins

	points *series.Log

	mu     sync.Mutex
	result foldstream.Result
	heard  time.Time // of the newest progress, or of the beginning
}

var _ foldstream.Recorder = (*recorder)(nil)

func newRecorder(a foldstream.Artifacts) *recorder {
	return &recorder{
		artifacts: a,
		progress:  make(chan foldstream.Progress, 1),
		begun:     make(chan struct{}),
		points:    series.NewLog(),
		result: foldstream.Result{
			Metrics: map[string]float64{},
			Params:  map[string]string{},
			Tags:    map[string]string{},
		},
	}
}

// Param keeps a parameter.
func (r *recorder) Param(name, value string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Params[name] = value
}

// Metric keeps a metric.
func (r *recorder) Metric(name string, value float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Metrics[name] = value
}

// MetricAt keeps a point, and has it published.
func (r *recorder) MetricAt(name string, step int64, value float64) { r.points.Add(name, step, value) }

// Tag keeps a tag.
func (r *recorder) Tag(name, value string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Tags[name] = value
}

// Artifact stores a blob and keeps its place; a later one of the same name takes it.
func (r *recorder) Artifact(ctx context.Context, name, mediaType string, from io.Reader) error {
	if r.artifacts == nil {
		return foldstream.Errorf(foldstream.Invalid, "artifact", "%q: this consumer has no store for artifacts", name)
	}
	digest, size, err := r.artifacts.Put(ctx, from)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.result.Artifacts = put(r.result.Artifacts, foldstream.Artifact{Name: name, Digest: digest, Size: size, Type: mediaType})
	return nil
}

// Progress keeps the newest progress for the lease's next beat.
func (r *recorder) Progress(p foldstream.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = clock.Tick()
	select { // under the lock, so that there is room for what follows
	case <-r.progress:
	default:
	}
	r.progress <- p
}

// begin notes that the worker begins: from here on its silence counts.
func (r *recorder) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.heard = clock.Tick()
	close(r.begun)
}

// quiet returns for how long there was no progress.
func (r *recorder) quiet() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return clock.Since(r.heard)
}

// fill returns the worker's result with what was recorded, but for the points, of which none is taken any more; where both name a thing, the worker's result has it.
func (r *recorder) fill(result foldstream.Result) foldstream.Result {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.points.Recall(result.Series)
	r.points.Seal() // the worker is through; what it left behind may still tell
	result.Series = nil
	for name, end := range r.points.Ends() {
		if _, set := r.result.Metrics[name]; !set {
			r.result.Metrics[name] = end
		}
	}
	result.Metrics = merge(r.result.Metrics, result.Metrics)
	result.Params = merge(r.result.Params, result.Params)
	result.Tags = merge(r.result.Tags, result.Tags)
	artifacts := slices.Clone(r.result.Artifacts)
	for _, a := range result.Artifacts {
		artifacts = put(artifacts, a)
	}
	result.Artifacts = artifacts
	return result
}

// merge returns both, the returned over the recorded; a new map, as a worker may keep its own. nil where both are empty.
func merge[V any](recorded, returned map[string]V) map[string]V {
	if len(recorded)+len(returned) == 0 {
		return nil
	}
	all := maps.Clone(recorded)
	maps.Copy(all, returned)
	return all
}

// put appends a, or puts it in the place of its namesake.
func put(all []foldstream.Artifact, a foldstream.Artifact) []foldstream.Artifact {
	for i := range all {
		if all[i].Name == a.Name {
			all[i] = a
			return all
		}
	}
	return append(all, a)
}
