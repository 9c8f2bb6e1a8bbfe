package collect

import (
	"context"
	"io"
	"iter"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
)

// Results are the recorders of an experiment as its tasks' events have them: one for each member, with the winning result of
// its task where there is one.
//
// List reads the pool's events twice: to see which event of each task is its last, and to tell those, as they come. It tells
// what stood when it began, and holds no result but the one it tells.
type Results struct {
	Store foldstream.Store
}

var _ Recorders = Results{}

// List tells the members whose tasks have no event yet first, then the others in order of their last events.
func (s Results) List(ctx context.Context, experiment string) iter.Seq2[Recorder, error] {
	return func(yield func(Recorder, error) bool) {
		if err := s.list(ctx, experiment, func(r Recorder) bool { return yield(r, nil) }); err != nil {
			yield(Recorder{}, err)
		}
	}
}

func (s Results) list(ctx context.Context, experiment string, tell func(Recorder) bool) error {
	e, err := record.ReadExperiment(ctx, s.Store, experiment)
	if err != nil {
		return err
	}
	members, _, err := record.Members(ctx, s.Store, e)
	if err != nil {
		return err
	}
	last, upTo, err := s.last(ctx, e.Pool)
	if err != nil {
		return err
	}
	places := map[foldstream.TaskID][]foldstream.Expectation{}
	for _, m := range members {
		places[m.Task] = append(places[m.Task], m)
		if last[m.Task] == 0 && !tell(recorderOf(m, foldstream.Event{Status: foldstream.Waiting})) {
			return nil
		}
	}
	for ev, err := range s.Store.Events(ctx, foldstream.EventFilter{Pool: e.Pool}, 0) {
		if err != nil || ev.Seq > upTo {
			return err
		}
		if ev.Seq != last[ev.Task] {
			continue
		}
		for _, m := range places[ev.Task] {
			if !tell(recorderOf(m, ev)) {
				return nil
			}
		}
	}
	return foldstream.E(foldstream.Cancelled, "recorders", ctx.Err())
}

// last returns the last event of each task, and of all.
func (s Results) last(ctx context.Context, pool string) (last map[foldstream.TaskID]foldstream.Cursor, upTo foldstream.Cursor, err error) {
	last = map[foldstream.TaskID]foldstream.Cursor{}
	for ev, err := range s.Store.Events(ctx, foldstream.EventFilter{Pool: pool}, 0) {
		if err != nil {
			return nil, 0, err
		}
		last[ev.Task], upTo = ev.Seq, ev.Seq
	}
	return last, upTo, foldstream.E(foldstream.Cancelled, "recorders", ctx.Err())
}

func recorderOf(m foldstream.Expectation, ev foldstream.Event) Recorder {
	r := Recorder{ID: string(m.Task), Status: ev.Status, Key: m.Key, Window: m.Window, Test: m.Test}
	if ev.Kind == foldstream.EventResult && ev.Result != nil {
		r.Params, r.Tags, r.Metrics = ev.Result.Params, ev.Result.Tags, ev.Result.Metrics
		r = r.WithHandle(ev.Result)
	}
	return r
}

// Frame returns a frame of the result, or reads the artifact of that name.
func (s Results) Frame(ctx context.Context, r Recorder, name string) (foldstream.Frame, error) {
	if result, ok := r.Handle().(*foldstream.Result); ok {
		if f, ok := result.Frames[name]; ok {
			return f, nil
		}
	}
	digest, err := artifactOf(r, name)
	if err != nil {
		return foldstream.Frame{}, err
	}
	return loadBlob(ctx, s.Store, Blob{Digest: digest})
}

// Open reads an artifact of the result.
func (s Results) Open(ctx context.Context, r Recorder, artifact string) (io.ReadCloser, error) {
	digest, err := artifactOf(r, artifact)
	if err != nil {
		return nil, err
	}
	return s.Store.Artifacts().Open(ctx, digest)
}

func artifactOf(r Recorder, name string) (foldstream.Digest, error) {
	if result, ok := r.Handle().(*foldstream.Result); ok {
		for _, a := range result.Artifacts {
			if a.Name == name {
				return a.Digest, nil
			}
		}
	}
	return "", foldstream.Errorf(foldstream.NotFound, "recorder", "%s has no frame and no artifact %q", r.ID, name)
}
