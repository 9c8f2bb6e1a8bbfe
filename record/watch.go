package record

import (
	"context"
	"iter"
	"sync"

	"github.com/foldstream/foldstream"
)

// Watch tells the metrics with steps of a recorder as they come, those of its present run alone: first what is there, then, until the recorder
// ends or the context does (no error), what comes. When another run begins, of a task that is tried again, its points begin anew from 0. At
// the end comes what was not told yet of the complete series. It waits for a recorder that is scheduled. Errors: NotFound.
func Watch(ctx context.Context, store Store, experiment, id string) iter.Seq2[foldstream.Points, error] {
	return func(yield func(foldstream.Points, error) bool) {
		f, err := find(ctx, store, experiment, id)
		w := &watch{store: store, found: f, yield: yield, held: map[string][]foldstream.Points{}}
		if err == nil {
			err = w.follow(ctx)
		}
		if err != nil && ctx.Err() == nil {
			yield(foldstream.Points{}, err)
		}
	}
}

// watch is one Watch on its way. All of it belongs to the goroutine of its reader.
type watch struct {
	store Store
	found
	yield func(foldstream.Points, error) bool

	run   string                         // whose points are told
	told  int                            // of them
	held  map[string][]foldstream.Points // of runs that are not known yet
	ended bool                           // the recorder is, or the reader has enough
}

// news is what a watch hears: some points, or that the recorder may have changed.
type news struct {
	points  foldstream.Points
	changed bool
	run     string // of a change: the run that begins; "" where it does not tell
	err     error
}

// follow hears what there is to hear until the recorder ends, the reader has enough, or ctx ends.
func (w *watch) follow(ctx context.Context) error {
	if !w.Status.Open() {
		return w.rest(ctx)
	}
	ctx, stop := context.WithCancel(ctx)
	var hearing sync.WaitGroup
	defer hearing.Wait()
	defer stop()
	heard := make(chan news)
	f := w.found
	hearing.Go(func() { f.hearPoints(ctx, w.store, heard) })
	hearing.Go(func() { f.hearChanges(ctx, w.store, heard) })
	w.begin(w.Run)
	for !w.ended {
		select {
		case n := <-heard:
			if err := w.take(ctx, n); err != nil {
				return err
			}
		case <-ctx.Done():
			return nil
		}
	}
	return nil
}

func (w *watch) take(ctx context.Context, n news) error {
	switch {
	case n.err != nil:
		return n.err
	case !n.changed:
		w.hear(n.points)
		return nil
	case n.run != "":
		w.begin(n.run)
		return nil
	}
	f, err := find(ctx, w.store, w.experiment.Name, w.ID)
	if err != nil || f.Status.Open() {
		return err
	}
	w.found, w.ended = f, true
	return w.rest(ctx)
}

// begin turns to a run, and tells what is held of it.
func (w *watch) begin(run string) {
	if run == "" || run == w.run {
		return
	}
	w.run, w.told = run, 0
	for _, p := range w.held[run] {
		w.hear(p)
	}
	clear(w.held)
}

// hear tells points of the present run, and holds those of another, which may be about to begin.
func (w *watch) hear(p foldstream.Points) {
	switch {
	case w.ended:
	case p.Run != w.run:
		w.held[p.Run] = append(w.held[p.Run], p)
	default:
		w.told = p.First + len(p.Series)
		w.ended = !w.yield(p, nil)
	}
}

// rest tells what was not told of the complete series. That of a task that was given up is not kept whole: of it there is no rest.
func (w *watch) rest(ctx context.Context) error {
	if w.Task && w.Status != Finished && w.told > 0 {
		return nil
	}
	all, err := w.series(ctx, w.store)
	if err != nil {
		return err
	}
	if w.run != w.Run {
		w.told = 0
	}
	if w.told < len(all) {
		w.yield(foldstream.Points{Experiment: w.experiment.Name, Recorder: w.ID, Run: w.Run, First: w.told, Series: all[w.told:]}, nil)
	}
	return nil
}

// tell hands news on until ctx ends; false when it did.
func tell(ctx context.Context, to chan<- news, n news) bool {
	select {
	case to <- n:
		return true
	case <-ctx.Done():
		return false
	}
}

func (f found) hearPoints(ctx context.Context, store Store, to chan<- news) {
	filter := f.published()
	filter.Follow = true
	if foldstream.ValidName("experiment", filter.Experiment) != nil {
		return
	}
	for p, err := range store.Metrics().Read(ctx, filter) {
		if !tell(ctx, to, news{points: p, err: err}) {
			return
		}
	}
}

// hearChanges tells of a new run, and of everything that may be an end.
func (f found) hearChanges(ctx context.Context, store Store, to chan<- news) {
	if !f.Task {
		f.hearDocument(ctx, store, to)
		return
	}
	events := foldstream.EventFilter{Pool: f.Pool, Task: foldstream.TaskID(f.ID), Follow: true}
	for e, err := range store.Events(ctx, events, f.last) {
		n := news{changed: true, err: err}
		if e.Kind == foldstream.EventClaim {
			n.run = e.Run
		}
		if (err != nil || n.run != "" || e.Status.Final()) && !tell(ctx, to, n) {
			return
		}
	}
}

// hearDocument is hearChanges for free work.
func (f found) hearDocument(ctx context.Context, store Store, to chan<- news) {
	key := documentKey(f.experiment.Name, f.ID)
	for v, err := range store.Values(foldstream.Experiments).Watch(ctx, key) {
		if err == nil && v.Key != key {
			continue
		}
		n := news{changed: true, err: err}
		if err == nil && !v.Deleted {
			n.run, n.err = runningIn(v, f.experiment.ID)
		}
		if !tell(ctx, to, n) {
			return
		}
	}
}

// runningIn returns the run of free work that a document says is running, "" where none is.
func runningIn(v foldstream.Value, life string) (string, error) {
	d, err := decodeDocument(v, life)
	if err != nil || d == nil || d.Work == nil || d.Work.Status != Running {
		return "", err
	}
	return d.Work.Run, nil
}
