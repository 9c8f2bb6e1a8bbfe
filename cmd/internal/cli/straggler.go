package cli

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
)

// stragglers finds the tasks of a pool that run for much longer than their like did, and leases them a second time. It is for one caller at
// a time.
type stragglers struct {
	store straggled
	pool  string
	own   string  // the worker whose tasks it leaves alone: what is slow here would be slow here again
	times float64 // how much longer than expected is too long
	log   *slog.Logger

	known   experience
	learned time.Time                     // when that was read
	cost    time.Duration                 // how long it took
	tasks   map[inHandKey]foldstream.Task // of those that run
	tried   map[inHandKey]time.Time       // when a second copy of a claim was begun here
}

// straggled is what it needs of a store.
type straggled interface {
	remembering
	foldstream.Index
	foldstream.Seconder
}

// inHandKey is one claim of a task.
type inHandKey struct {
	worker string
	task   foldstream.TaskID
	since  int64
}

// When a second copy is begun.
const (
	stragglerFloor = 5 * time.Second // what is over before is no straggler
	learnPart      = 50              // of the time at most this part is spent on reading how long work took
	tryAgain       = time.Minute     // a claim of which a second copy failed here, or found no place, is left alone for so long
)

func newStragglers(store straggled, pool, own string, times float64, log *slog.Logger) *stragglers {
	return &stragglers{store: store, pool: pool, own: own, times: times, log: log, tasks: map[inHandKey]foldstream.Task{}, tried: map[inHandKey]time.Time{}}
}

// lateTask is a task in the hands of a worker, and for how long.
type lateTask struct {
	inHandKey
	took time.Duration // up to the last beat of its worker, by the store's clock
}

// second leases the task that runs for the longest of those that run for too long. Errors: NotFound (none does), those of the store.
func (s *stragglers) second(ctx context.Context, f foldstream.Filter) (foldstream.Lease, error) {
	late, err := s.late(ctx)
	if err == nil && len(late) > 0 {
		err = s.learn(ctx)
	}
	if err != nil {
		return nil, err
	}
	for _, one := range late {
		l, err := s.leaseIfSlow(ctx, one, f)
		if !foldstream.Is(err, foldstream.NotFound) {
			return l, err
		}
	}
	return nil, foldstream.Errorf(foldstream.NotFound, "second", "no task of pool %s runs for too long", s.pool)
}

// late lists what others have had in hand for longer than the floor and nobody has a second copy of, the longest first.
func (s *stragglers) late(ctx context.Context) (late []lateTask, err error) {
	running, seconds := map[inHandKey]bool{}, map[foldstream.TaskID]bool{}
	for w, err := range s.store.Workers(ctx) {
		if err != nil {
			return nil, err
		}
		for _, t := range w.Tasks {
			if t.Pool != s.pool {
				continue
			}
			if t.Second {
				seconds[t.Task] = true
				continue
			}
			key := inHandKey{w.Worker, t.Task, t.Since.UnixNano()}
			running[key] = true
			if took := w.Heard.Sub(t.Since); w.Worker != s.own && took > stragglerFloor && !s.triedLately(key) {
				late = append(late, lateTask{key, took})
			}
		}
	}
	s.forget(running)
	late = slices.DeleteFunc(late, func(t lateTask) bool { return seconds[t.task] })
	slices.SortFunc(late, func(a, b lateTask) int { return cmp.Or(cmp.Compare(b.took, a.took), cmp.Compare(a.task, b.task)) })
	return late, nil
}

func (s *stragglers) triedLately(key inHandKey) bool {
	at, ok := s.tried[key]
	return ok && time.Since(at) < tryAgain
}

// forget drops what is known of claims that are over.
func (s *stragglers) forget(running map[inHandKey]bool) {
	maps.DeleteFunc(s.tasks, func(key inHandKey, _ foldstream.Task) bool { return !running[key] })
	maps.DeleteFunc(s.tried, func(key inHandKey, _ time.Time) bool { return !running[key] })
}

// learn reads how long work took, unless that was read lately.
func (s *stragglers) learn(ctx context.Context) error {
	if s.known != nil && time.Since(s.learned) < learnPart*s.cost {
		return nil
	}
	began := time.Now()
	known, err := experienceOf(ctx, s.store, s.pool)
	if err != nil {
		return err
	}
	s.known, s.learned, s.cost = known, time.Now(), time.Since(began)
	return nil
}

// leaseIfSlow leases a task a second time if it is a straggler. Errors: NotFound (it is none, or not to be had).
func (s *stragglers) leaseIfSlow(ctx context.Context, one lateTask, f foldstream.Filter) (foldstream.Lease, error) {
	t, err := s.task(ctx, one.inHandKey)
	if err != nil {
		return nil, err
	}
	expected := s.known.expect(t)
	if expected == 0 || one.took.Seconds() < s.times*expected.Seconds() {
		return nil, foldstream.Errorf(foldstream.NotFound, "second", "task %s does not run for too long", one.task)
	}
	l, err := s.store.Second(ctx, s.pool, one.task, f)
	if err == nil {
		s.tried[one.inHandKey] = time.Now()
		s.log.Info("a task takes too long elsewhere", "task", one.task, "worker", one.worker, "dur_ms", one.took.Milliseconds(), "expected_ms", expected.Milliseconds())
	}
	return l, err
}

// task returns a running task with its stage. It is read once a claim.
func (s *stragglers) task(ctx context.Context, key inHandKey) (foldstream.Task, error) {
	if t, ok := s.tasks[key]; ok {
		return t, nil
	}
	state, err := s.store.Task(ctx, s.pool, key.task)
	if err != nil {
		return foldstream.Task{}, err
	}
	s.tasks[key] = foldstream.Task{ID: key.task, Template: foldstream.Template{Key: state.Key, Segments: state.Segments}, Stage: state.Stage}
	return s.tasks[key], nil
}
