package collect

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
	"github.com/foldstream/foldstream/record"
)

// follower keeps the collections of one pool's experiments. It reads the pool's events once for all of them. All its state
// belongs to the goroutine of run.
type follower struct {
	*leader
	pool  string
	log   *slog.Logger
	inbox chan foldstream.Experiment

	waiting map[string]foldstream.Experiment // told of, not opened yet
	pause   pause                            // of opening
	open    map[string]*keeper               // by experiment
	costly  time.Time                        // values of unfinished groups are not computed before this time

	reading sync.WaitGroup
	stop    context.CancelFunc // of the reader; nil where none runs
	events  chan foldstream.Event
	idle    chan struct{}
}

func newFollower(l *leader, pool string) *follower {
	return &follower{
		leader: l, pool: pool, log: l.log.With("pool", pool),
		inbox:   make(chan foldstream.Experiment),
		waiting: map[string]foldstream.Experiment{},
		open:    map[string]*keeper{},
	}
}

// tell hands over an experiment, or one with the name alone to be forgotten. It waits for the follower, or the context's end.
func (f *follower) tell(ctx context.Context, e foldstream.Experiment) {
	select {
	case f.inbox <- e:
	case <-ctx.Done():
	}
}

// run follows the pool until the context ends.
func (f *follower) run(ctx context.Context) {
	tick := time.NewTicker(f.Every)
	defer tick.Stop()
	defer f.stopReading()
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-f.inbox:
			f.admit(ctx, e)
		case ev := <-f.events:
			f.take(ctx, ev)
		case <-f.idle:
			f.caughtUp(ctx)
		case <-tick.C:
			f.tick(ctx)
		}
	}
}

// caughtUp takes what was sent before the reader said that there is no more; what is folded then is no piece of history.
func (f *follower) caughtUp(ctx context.Context) {
	for len(f.events) > 0 {
		f.take(ctx, <-f.events)
	}
	for _, k := range f.open {
		k.ready = true
	}
}

// admit notes an experiment. One that is followed already, and did not change, goes on as it is; of one that was deleted nothing stays.
func (f *follower) admit(ctx context.Context, e foldstream.Experiment) {
	k := f.open[e.Name]
	if k != nil && k.fold.experiment.ID == e.ID && k.fold.experiment.Round() == e.Round() && record.SameExperiment(k.fold.experiment, e) == nil {
		return
	}
	if k != nil {
		if err := k.shelf.clear(ctx); err != nil {
			f.failed(ctx, f.log, "cannot take back what was stored of a deleted experiment", err, "experiment", e.Name)
		}
	}
	delete(f.open, e.Name)
	delete(f.waiting, e.Name)
	if e.Pool != "" {
		f.waiting[e.Name] = e
	}
}

// tick opens what waits, and stores what changed.
func (f *follower) tick(ctx context.Context) {
	if len(f.waiting) > 0 && f.pause.over() {
		f.openWaiting(ctx)
	}
	for name, k := range f.open {
		if k.pause.over() {
			f.store(ctx, name, k)
		}
	}
	if len(f.open) == 0 {
		f.stopReading()
	}
}

// openWaiting opens the experiments that wait and has the pool read for them. One that cannot be opened does not hold the others up.
func (f *follower) openWaiting(ctx context.Context) {
	fresh, failed := false, false
	for name, e := range f.waiting {
		k, err := openKeeper(ctx, f.leader, e)
		if err != nil {
			failed = true
			f.failed(ctx, f.log, "cannot open an experiment; trying again", err, "experiment", name)
			continue
		}
		delete(f.waiting, name)
		if !k.finished() {
			f.open[name], fresh = k, true
		}
	}
	if fresh {
		f.read(ctx)
	}
	if failed {
		f.pause.failed()
	} else {
		f.pause = pause{}
	}
}

// store brings one stored collection up to date and lets go of it when it is complete.
func (f *follower) store(ctx context.Context, name string, k *keeper) {
	spent, err := k.store(ctx, clock.Tick().After(f.costly))
	if spent > 0 {
		f.costly = clock.Tick().Add(9 * spent) // at most a tenth of the time goes into values that will change again
	}
	switch {
	case err != nil:
		k.pause.failed()
		f.failed(ctx, f.log, "cannot store a collection; trying again", err, "experiment", name)
	case k.finished():
		f.log.Info("collection is complete", "experiment", name)
		delete(f.open, name)
	default:
		k.pause = pause{}
	}
}

// take applies an event to the experiments it matters to.
func (f *follower) take(ctx context.Context, ev foldstream.Event) {
	for _, k := range f.open {
		k.take(ctx, ev)
	}
}

// readAhead is how many events are read while others are folded, or a value is stored.
const readAhead = 1024

// read starts reading the pool's events from the earliest that an open experiment has not seen.
func (f *follower) read(ctx context.Context) {
	f.stopReading()
	var from []foldstream.Cursor
	for _, k := range f.open {
		from = append(from, k.fold.seen)
	}
	ctx, f.stop = context.WithCancel(ctx)
	f.events, f.idle = make(chan foldstream.Event, readAhead), make(chan struct{}, 1)
	r := reader{leader: f.leader, pool: f.pool, log: f.log, events: f.events, idle: f.idle}
	at := slices.Min(from)
	f.reading.Go(func() { r.run(ctx, at) })
}

func (f *follower) stopReading() {
	if f.stop != nil {
		f.stop()
		f.reading.Wait()
		f.stop = nil
	}
}

// reader sends the events of a pool to a follower, again from where it was after an error of the store.
type reader struct {
	*leader
	pool   string
	log    *slog.Logger
	events chan<- foldstream.Event
	idle   chan<- struct{} // told, without waiting, when all there is was sent
}

func (r reader) run(ctx context.Context, at foldstream.Cursor) {
	var pause backoff
	for {
		for ev, err := range r.Store.Events(ctx, foldstream.EventFilter{Pool: r.pool, Follow: true, Idle: r.told}, at) {
			if err != nil {
				r.failed(ctx, r.log, "cannot read the events; trying again", err, "seq", at)
				break
			}
			pause = 0
			select {
			case r.events <- ev:
				at = ev.Seq
			case <-ctx.Done():
				return
			}
		}
		if !sleep(ctx, pause.next()) {
			return
		}
	}
}

func (r reader) told(foldstream.Cursor) {
	select {
	case r.idle <- struct{}{}:
	default:
	}
}
