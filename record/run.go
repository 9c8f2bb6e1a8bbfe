package record

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/series"
)

// Options are what free work begins with. The zero Options work.
type Options struct {
	ID     string // of the recorder; "" is a random one. It must not be there, and not have the form of a task's id
	Name   string // what people call it
	Code   string // version of the code
	Worker string // who does it; "" is host and process
	// Lease is how long the work may not be heard of before it counts as lost; 0 is 30 s. It is heard of three times as often.
	Lease time.Duration
}

const defaultRunLease = 30 * time.Second

// saveEvery is how often at most what a run has to say is stored while it goes on.
const saveEvery = time.Second

// Run is the record of free work that goes on: of an ensemble, a notebook, anything that is no task. What it takes is stored within a
// second or so, and at its End; its points are published as they come. It is safe for concurrent use.
type Run struct {
	store      foldstream.Store
	experiment foldstream.Experiment
	id         string
	lease      time.Duration
	points     *series.Log
	changed    chan struct{} // of one: there is something to store

	mu     sync.Mutex
	work   work // without its params
	params map[string]*param

	ctx  context.Context // ends when the run is another's, or deleted; its cause says so
	stop context.CancelCauseFunc
	beat sync.WaitGroup
	once sync.Once
}

var _ foldstream.Meter = (*Run)(nil)

// Start begins a free recorder in an experiment, which is made where it is not there. End must be called. Errors: Invalid (a name), Conflict
// (the recorder is there; the experiment is being deleted).
func Start(ctx context.Context, store foldstream.Store, experiment string, o Options) (*Run, error) {
	if err := validOptions(o); err != nil {
		return nil, err
	}
	now := time.Now()
	e, err := Create(ctx, store, experiment, now)
	if err != nil {
		return nil, err
	}
	r := newRun(store, e, o, work{Name: o.Name, Created: now})
	err = changeDocument(ctx, store, e, r.id, func(d *document) (*document, error) {
		if d != nil {
			return nil, foldstream.Errorf(foldstream.Conflict, "recorder", "recorder %s of experiment %s is there already", r.id, experiment)
		}
		w := r.work
		return &document{Work: &w}, nil
	})
	if err != nil {
		return nil, errors.Join(err, r.points.Close())
	}
	r.begin()
	return r, nil
}

// Resume takes free work up again that was finished, failed or lost, with all its record. End must be called. Errors: NotFound, Conflict (it is
// running, or the experiment is being deleted).
func Resume(ctx context.Context, store foldstream.Store, experiment, id string, o Options) (*Run, error) {
	e, err := ReadExperiment(ctx, store, experiment)
	if err != nil {
		return nil, err
	}
	o.ID = id
	r := newRun(store, e, o, work{})
	err = changeDocument(ctx, store, e, id, func(d *document) (*document, error) {
		now := time.Now()
		switch {
		case d == nil || d.Work == nil:
			return nil, foldstream.Errorf(foldstream.NotFound, "recorder", "there is no free recorder %q in experiment %s", id, experiment)
		case d.Work.Status == Running && !now.After(d.Work.Expires):
			return nil, foldstream.Errorf(foldstream.Conflict, "recorder", "recorder %s of experiment %s is running, on %s", id, experiment, d.Work.Worker)
		}
		old := *d.Work
		old.Run, old.Worker, old.Code = r.work.Run, r.work.Worker, cmp.Or(o.Code, old.Code)
		old.Status, old.Started, old.Ended, old.Expires, old.Error = Running, now, time.Time{}, now.Add(r.lease), ""
		d.Work = &old
		r.work, r.params = old, paramsOf(old)
		return d, nil
	})
	if err == nil {
		err = r.recall(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, r.points.Close())
	}
	r.begin()
	return r, nil
}

// Do does free work under a recorder: finished when do returns nil, failed with its error, or with its panic, which goes on. The context
// that do gets ends when the recorder is another's or was deleted.
func Do(ctx context.Context, store foldstream.Store, experiment string, o Options, do func(ctx context.Context, r *Run) error) (err error) {
	r, err := Start(ctx, store, experiment, o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(r.ctx, func() { cancel(context.Cause(r.ctx)) })()
	defer func() {
		late, done := context.WithTimeout(context.WithoutCancel(ctx), endTime)
		defer done()
		if v := recover(); v != nil {
			_ = r.End(late, fmt.Errorf("panic: %v\n%s", v, debug.Stack())) // the panic says more than that this was not stored
			panic(v)
		}
		err = errors.Join(err, r.End(late, err))
	}()
	return do(ctx, r)
}

// endTime is how long the end of a run is tried to be stored.
const endTime = 10 * time.Second

func newRun(store foldstream.Store, e foldstream.Experiment, o Options, w work) *Run {
	now := time.Now()
	r := &Run{
		store: store, experiment: e, id: cmp.Or(o.ID, newID()), lease: cmp.Or(o.Lease, defaultRunLease),
		points: series.NewLog(), changed: make(chan struct{}, 1), params: map[string]*param{},
	}
	w.Run, w.Status, w.Started, w.Expires, w.Code, w.Worker = newID(), Running, now, now.Add(r.lease), o.Code, cmp.Or(o.Worker, processName())
	r.work = w
	r.ctx, r.stop = context.WithCancelCause(context.Background())
	return r
}

var taskID = regexp.MustCompile(`^[a-z2-7]{26}$`)

func validOptions(o Options) error {
	switch {
	case o.ID == "":
	case foldstream.ValidName("recorder", o.ID) != nil:
		return foldstream.ValidName("recorder", o.ID)
	case taskID.MatchString(o.ID):
		return foldstream.Errorf(foldstream.Invalid, "recorder", "%q has the form of a task's id, and free work is no task", o.ID)
	}
	if o.Lease < 0 {
		return foldstream.Errorf(foldstream.Invalid, "recorder", "a lease of %v is below 0", o.Lease)
	}
	return nil
}

// recall takes the points that earlier runs told.
func (r *Run) recall(ctx context.Context) error {
	points, many := r.work.Series, r.work.Artifacts
	for _, a := range many {
		if a.Type != foldstream.SeriesType {
			continue
		}
		from, err := r.store.Artifacts().Open(ctx, a.Digest)
		if err != nil {
			return err
		}
		points, err = foldstream.ReadSeries(from)
		if err := errors.Join(err, from.Close()); err != nil {
			return err
		}
	}
	r.points.Recall(points)
	return nil
}

// begin says from now on that the run lives, and what it has to say.
func (r *Run) begin() {
	r.beat.Go(func() {
		as := foldstream.Points{Experiment: r.experiment.Name, Recorder: r.id, Run: r.work.Run}
		r.points.Feed(r.ctx, r.store.Metrics(), as, func(error) {})
	})
	r.beat.Go(r.keep)
}

// keep stores what there is to say, and that the run lives, until its context ends.
func (r *Run) keep() {
	beat := time.NewTicker(r.lease / 3)
	defer beat.Stop()
	for {
		select {
		case <-r.changed:
		case <-beat.C:
		case <-r.ctx.Done():
			return
		}
		ctx, cancel := context.WithTimeout(r.ctx, r.lease/3)
		err := r.save(ctx)
		cancel()
		if foldstream.Is(err, foldstream.Conflict) {
			r.stop(err)
			return
		}
		if err != nil {
			r.change(func(*work) {}) // again, soon
		}
		select {
		case <-time.After(min(saveEvery, r.lease/3)):
		case <-r.ctx.Done():
			return
		}
	}
}

// save stores the work. Errors: Conflict (the recorder is another run's, or was deleted), those of the store.
func (r *Run) save(ctx context.Context) error {
	w, err := r.snapshot(ctx)
	if err != nil {
		return err
	}
	return changeDocument(ctx, r.store, r.experiment, r.id, func(d *document) (*document, error) {
		if d == nil || d.Work == nil || d.Work.Run != w.Run {
			return nil, foldstream.Errorf(foldstream.Conflict, "recorder", "recorder %s of experiment %s was deleted, or taken up by somebody else", r.id, r.experiment.Name)
		}
		d.Work = &w
		return d, nil
	})
}

// snapshot returns the work as it is to be stored now: its large params as artifacts.
func (r *Run) snapshot(ctx context.Context) (work, error) {
	r.mu.Lock()
	if r.work.Status == Running {
		r.work.Expires = time.Now().Add(r.lease)
	}
	w, params := r.work, maps.Clone(r.params)
	w.Metrics, w.Tags, w.Artifacts = maps.Clone(w.Metrics), maps.Clone(w.Tags), slices.Clone(w.Artifacts)
	r.mu.Unlock()
	w.Metrics = withEnds(w.Metrics, r.points.Ends())
	var err error
	w.Params, w.Large, err = spill(ctx, r.store.Artifacts(), params)
	return w, err
}

// withEnds returns the metrics with what those come to that have steps alone.
func withEnds(metrics, ends map[string]float64) map[string]float64 {
	for name, v := range ends {
		if _, set := metrics[name]; set {
			continue
		}
		if metrics == nil {
			metrics = map[string]float64{}
		}
		metrics[name] = v
	}
	return metrics
}

// change changes the work, and has it stored.
func (r *Run) change(do func(*work)) {
	r.mu.Lock()
	do(&r.work)
	r.mu.Unlock()
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// ID returns the recorder's id.
func (r *Run) ID() string { return r.id }

// Experiment returns the experiment's name.
func (r *Run) Experiment() string { return r.experiment.Name }

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
	return r.Artifact(ctx, name, foldstream.FrameType, strings.NewReader(string(data)))
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

// maxRunError is how much of an error's text is kept.
const maxRunError = 16 << 10

// End ends the run: as finished where why is nil, else as failed with that error. Only the first call counts; later ones return nil. Errors:
// Conflict (the recorder is another run's by now, or was deleted), those of the store: then it shows as lost after its lease.
func (r *Run) End(ctx context.Context, why error) (err error) {
	r.once.Do(func() {
		r.points.Seal()
		gone := context.Cause(r.ctx)
		r.stop(nil)
		r.beat.Wait()
		if err = gone; gone == nil {
			err = r.end(ctx, why)
		}
		err = errors.Join(err, r.points.Close())
	})
	return err
}

func (r *Run) end(ctx context.Context, why error) error {
	few, many, err := r.points.Keep(ctx, r.store.Artifacts())
	if err != nil {
		return err
	}
	r.change(func(w *work) {
		w.Status, w.Ended, w.Series = Finished, time.Now(), few
		if why != nil {
			w.Status, w.Error = Failed, why.Error()
			w.Error = w.Error[:min(len(w.Error), maxRunError)]
		}
		if many != nil {
			w.put(*many)
		}
	})
	return r.save(ctx)
}

// processName names this process for people.
func processName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}
