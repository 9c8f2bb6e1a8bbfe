package record

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"

	"github.com/foldstream/foldstream"
)

// Param keeps a parameter with its type: nil, a truth value, an integer, a float, a text, and lists and maps of them; anything else as its JSON
// says. It may be of any length. Errors: Invalid (NaN, an infinity, an integer beyond ±(2^53−1), what JSON cannot hold).
func (r *Run) Param(name string, value any) error {
	plain, err := plainOf(value)
	if err != nil || name == "" {
		return foldstream.Errorf(foldstream.Invalid, "recorder", "param %q: %w", name, cmp.Or(err, errNoName))
	}
	r.change(func(*work) { r.params[name] = &param{value: plain} })
	return nil
}

var errNoName = errors.New("it needs a name")

// Metric sets what a metric comes to.
func (r *Run) Metric(name string, value float64) {
	r.change(func(w *work) {
		if w.Metrics == nil {
			w.Metrics = map[string]float64{}
		}
		w.Metrics[name] = value
	})
}

// MetricAt tells what a metric is at a step.
func (r *Run) MetricAt(name string, step int64, value float64) {
	r.points.Add(name, step, value)
	r.change(func(*work) {})
}

// Tag keeps a tag. Where people set or took away a tag of the name, theirs counts.
func (r *Run) Tag(name, value string) {
	r.change(func(w *work) {
		if w.Tags == nil {
			w.Tags = map[string]string{}
		}
		w.Tags[name] = value
	})
}

// Artifact stores what from gives, streamed; a later one of the same name takes its place. Errors: Invalid (no name), those of Artifacts.Put.
func (r *Run) Artifact(ctx context.Context, name, mediaType string, from io.Reader) error {
	if name == "" {
		return foldstream.Errorf(foldstream.Invalid, "recorder", "an artifact needs a name")
	}
	digest, size, err := r.store.Artifacts().Put(ctx, from)
	if err != nil {
		return err
	}
	r.change(func(w *work) { w.put(foldstream.Artifact{Name: name, Digest: digest, Size: size, Type: mediaType}) })
	return nil
}

// Frame stores a frame as an artifact, from which record.Frame reads it. Errors: Invalid, those of Artifacts.Put.
func (r *Run) Frame(ctx context.Context, name string, f foldstream.Frame) error {
	data, err := f.MarshalBinary()
	if err != nil {
		return err
	}
	return r.Artifact(ctx, name, foldstream.FrameType, bytes.NewReader(data))
}

// put adds an artifact, or puts it in the place of its namesake.
func (w *work) put(a foldstream.Artifact) {
	for i := range w.Artifacts {
		if w.Artifacts[i].Name == a.Name {
			w.Artifacts[i] = a
			return
		}
	}
	w.Artifacts = append(w.Artifacts, a)
}
