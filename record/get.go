package record

import (
	"cmp"
	"context"
	"io"
	"maps"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// Get reads one recorder with all there is of it: params of any size, the whole error, and of an attempt that runs or failed what its
// metrics came to as far as they were published. Errors: NotFound (the experiment, the recorder).
func Get(ctx context.Context, store Store, experiment, id string) (Recorder, error) {
	f, err := find(ctx, store, experiment, id)
	if err != nil {
		return Recorder{}, err
	}
	r := f.Recorder
	if f.document != nil && f.document.Work != nil {
		r.Params, err = wholeParams(ctx, store, r.Params)
		return r, err
	}
	if r.Status == Running || r.Status == Lost || r.Status == Failed {
		points, err := live(ctx, store, f.published(), r.Run)
		if err != nil {
			return r, err
		}
		r.Metrics = maps.Clone(r.Metrics) // of a stage before
		if r.Metrics == nil {
			r.Metrics = map[string]float64{}
		}
		maps.Copy(r.Metrics, ends(points))
	}
	return r, nil
}

// found is a recorder with where it comes from.
type found struct {
	Recorder
	experiment foldstream.Experiment
	document   *document
	named      string             // the experiment that the task's definition names
	result     *foldstream.Result // of a task, as it is stored: with frames and series; nil where there is none
	last       foldstream.Cursor  // the newest event of a task
}

// find reads a recorder. Errors: NotFound.
func find(ctx context.Context, store Store, experiment, id string) (found, error) {
	e, err := ReadExperiment(ctx, store, experiment)
	if err != nil {
		return found{}, err
	}
	none := foldstream.Errorf(foldstream.NotFound, "recorder", "there is no recorder %q in experiment %s", id, experiment)
	if foldstream.ValidName("recorder", id) != nil {
		return found{}, none
	}
	f := found{experiment: e}
	if f.document, err = readDocument(ctx, store, e, id); err != nil {
		return f, err
	}
	if f.document != nil && f.document.Work != nil {
		f.Recorder = ofFree(e, id, f.document, store.Now())
		return f, nil
	}
	there := false
	if e.Pool != "" {
		there, err = f.ofTask(ctx, store, foldstream.TaskID(id))
	}
	if err == nil && !there {
		err = none
	}
	return f, err
}

// ofTask completes what was found by the task of that id; false where there is none or it is not of the experiment.
func (f *found) ofTask(ctx context.Context, store Store, id foldstream.TaskID) (there bool, err error) {
	s, err := store.Task(ctx, f.experiment.Pool, id)
	if foldstream.Is(err, foldstream.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if f.named = s.Experiment; f.named != f.experiment.Name {
		tasks, err := memberTasks(ctx, store, f.experiment)
		if err != nil || !tasks[id] {
			return false, err
		}
	}
	var events []foldstream.Event
	for e, err := range store.Events(ctx, foldstream.EventFilter{Pool: f.experiment.Pool, Task: id}, 0) {
		if err != nil {
			return false, err
		}
		events = append(events, e)
		if f.last = e.Seq; e.Result != nil || e.Status == foldstream.Removed {
			f.result = e.Result
		}
	}
	if f.Recorder, there = ofTask(f.experiment, s.Task, s.Created).lived(events); !there {
		return false, nil
	}
	if f.result != nil {
		f.Frames = slices.Sorted(maps.Keys(f.result.Frames))
	}
	f.Recorder = f.added(f.document)
	if f.Status != Running {
		return true, nil
	}
	h, err := handsOf(ctx, store, f.experiment.Pool)
	f.Recorder = h.judge(f.Recorder, store.Now())
	return err == nil, err
}

// published says where the points of the recorder are published while it runs.
func (f found) published() foldstream.MetricFilter {
	name := f.experiment.Name
	if f.Task {
		name = cmp.Or(f.named, f.Pool)
	}
	return foldstream.MetricFilter{Experiment: name, Recorder: f.ID}
}

// live reads the points of one run that are published.
func live(ctx context.Context, store foldstream.Store, f foldstream.MetricFilter, run string) (foldstream.Series, error) {
	var all foldstream.Series
	if run == "" || foldstream.ValidName("experiment", f.Experiment) != nil {
		return nil, nil
	}
	for p, err := range store.Metrics().Read(ctx, f) {
		if err != nil {
			return nil, err
		}
		if p.Run == run {
			all = append(all, p.Series...)
		}
	}
	return all, nil
}

// ends returns what each metric comes to: its value at the highest step.
func ends(s foldstream.Series) map[string]float64 {
	came := map[string]float64{}
	for _, name := range s.Names() {
		points := s.Of(name)
		came[name] = points[len(points)-1].Value
	}
	return came
}

// Series reads the metrics with steps of a recorder: the whole of one that is finished; of one that runs, was lost or failed what was published
// of its last attempt and is kept. Errors: NotFound, Differs (the artifact that has it is damaged).
func Series(ctx context.Context, store Store, experiment, id string) (foldstream.Series, error) {
	f, err := find(ctx, store, experiment, id)
	if err != nil {
		return nil, err
	}
	return f.series(ctx, store)
}

func (f found) series(ctx context.Context, store Store) (foldstream.Series, error) {
	inline := foldstream.Series(nil)
	switch {
	case f.Status == Running || f.Status == Lost || f.Task && f.Status == Failed:
		return live(ctx, store, f.published(), f.Run)
	case !f.Task:
		inline = f.document.Work.Series
	case f.result != nil:
		inline = f.result.Series
	}
	at := slices.IndexFunc(f.Artifacts, func(a foldstream.Artifact) bool { return a.Type == foldstream.SeriesType })
	if len(inline) > 0 || at < 0 {
		return inline, nil
	}
	data, err := wire.ReadArtifact(ctx, store.Artifacts(), f.Artifacts[at].Digest)
	if err != nil {
		return nil, err
	}
	var s foldstream.Series
	return s, s.UnmarshalBinary(data)
}

// Open opens an artifact of a recorder by its name; reading it to its end verifies the digest. A frame that is part of a task's result is not
// among the artifacts, see Frame. Errors: NotFound (the artifact, the blob); Differs from the last Read.
func Open(ctx context.Context, store foldstream.Store, r Recorder, name string) (io.ReadCloser, foldstream.Artifact, error) {
	at := slices.IndexFunc(r.Artifacts, func(a foldstream.Artifact) bool { return a.Name == name })
	if at < 0 {
		return nil, foldstream.Artifact{}, foldstream.Errorf(foldstream.NotFound, "recorder", "recorder %s has no artifact %q", r.ID, name)
	}
	from, err := store.Artifacts().Open(ctx, r.Artifacts[at].Digest)
	return from, r.Artifacts[at], err
}

// Frame reads a frame of a recorder by its name: of its result, or the artifact of that name and type. Errors: NotFound, Invalid (it
// cannot be read), Differs.
func Frame(ctx context.Context, store foldstream.Store, r Recorder, name string) (foldstream.Frame, error) {
	var frame foldstream.Frame
	for _, a := range r.Artifacts {
		if a.Name != name || a.Type != foldstream.FrameType {
			continue
		}
		data, err := wire.ReadArtifact(ctx, store.Artifacts(), a.Digest)
		if err == nil {
			err = frame.UnmarshalBinary(data)
		}
		return frame, err
	}
	there := false
	if r.Task {
		for e, err := range store.Events(ctx, foldstream.EventFilter{Pool: r.Pool, Task: foldstream.TaskID(r.ID)}, 0) {
			if err != nil {
				return frame, err
			}
			if e.Result != nil {
				frame, there = e.Result.Frames[name]
			}
			there = there && e.Status != foldstream.Removed
		}
	}
	if !there {
		return frame, foldstream.Errorf(foldstream.NotFound, "recorder", "recorder %s has no frame %q", r.ID, name)
	}
	return frame, nil
}

// wholeParams brings the values of large params.
func wholeParams(ctx context.Context, store foldstream.Store, params map[string]any) (map[string]any, error) {
	whole := maps.Clone(params)
	for name, v := range params {
		l, ok := v.(Large)
		if !ok {
			continue
		}
		data, err := wire.ReadArtifact(ctx, store.Artifacts(), l.Digest)
		if err == nil {
			var value any
			err = wire.Decode("param "+name, version, data, &value)
			whole[name] = value
		}
		if err != nil {
			return nil, err
		}
	}
	return whole, nil
}
