package record

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"runtime/debug"
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
	store      Clocked
	experiment foldstream.Experiment
	id         string
	lease      time.Duration
	points     *series.Log
	changed    chan struct{} // of one: there is something to store

	mu     sync.Mutex
	work   work // without its params
	params map[string]*param

	life func() context.Context // ends with the run, and when it is another's or deleted: its cause says so
	stop context.CancelCauseFunc
	beat sync.WaitGroup
	once sync.Once
}

var _ foldstream.Meter = (*Run)(nil)

// Start begins a free recorder in an experiment, which is made where it is not there. End must be called. Errors: Invalid (a name), Conflict
// (the recorder is there; the experiment is being deleted).
func Start(ctx context.Context, store Clocked, experiment string, o Options) (*Run, error) {
	if err := validOptions(o); err != nil {
		return nil, err
	}
	now := store.Now()
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
func Resume(ctx context.Context, store Clocked, experiment, id string, o Options) (*Run, error) {
	e, err := ReadExperiment(ctx, store, experiment)
	if err != nil {
		return nil, err
	}
	o.ID = id
	r := newRun(store, e, o, work{})
	err = changeDocument(ctx, store, e, id, func(d *document) (*document, error) {
		now := store.Now()
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
func Do(ctx context.Context, store Clocked, experiment string, o Options, do func(ctx context.Context, r *Run) error) (err error) {
	r, err := Start(ctx, store, experiment, o)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(r.life(), func() { cancel(context.Cause(r.life())) })()
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

func newRun(store Clocked, e foldstream.Experiment, o Options, w work) *Run {
	now := store.Now()
	r := &Run{
		store: store, experiment: e, id: cmp.Or(o.ID, newID()), lease: cmp.Or(o.Lease, defaultRunLease),
		points: series.NewLog(), changed: make(chan struct{}, 1), params: map[string]*param{},
	}
	w.Run, w.Status, w.Started, w.Expires, w.Code, w.Worker = newID(), Running, now, now.Add(r.lease), o.Code, cmp.Or(o.Worker, processName())
	r.work = w
	life, stop := context.WithCancelCause(context.Background())
	r.life, r.stop = func() context.Context { return life }, stop
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

// ID returns the recorder's id.
func (r *Run) ID() string { return r.id }

// Experiment returns the experiment's name.
func (r *Run) Experiment() string { return r.experiment.Name }

// maxRunError is how much of an error's text is kept.
const maxRunError = 16 << 10

// End ends the run: as finished where why is nil, else as failed with that error. Only the first call counts; later ones return nil. Errors:
// Conflict (the recorder is another run's by now, or was deleted), those of the store: then it shows as lost after its lease.
func (r *Run) End(ctx context.Context, why error) (err error) {
	r.once.Do(func() {
		r.points.Seal()
		gone := context.Cause(r.life())
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
		w.Status, w.Ended, w.Series = Finished, r.store.Now(), few
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
