package mem

import (
	"context"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
)

// fairShare is how often a fetch takes the oldest ticket of all bands, so that no band starves.
const fairShare = 20

type pool struct {
	s    *Store
	name string
}

var _ foldstream.Pool = (*pool)(nil)

// Create makes the tasks known and queues the new ones, all or none.
func (p *pool) Create(ctx context.Context, tasks ...foldstream.Task) ([]foldstream.Created, error) {
	defs, err := p.s.prepare(ctx, "create", p.name, tasks...)
	if err != nil {
		return nil, err
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	made := make([]foldstream.Created, len(defs))
	for i, def := range defs {
		made[i] = p.s.create(p.name, def)
	}
	p.s.notify()
	return made, nil
}

// prepare checks tasks and makes definitions of them. Errors: Cancelled, Invalid, TooLarge.
func (s *Store) prepare(ctx context.Context, op, pool string, tasks ...foldstream.Task) ([]foldstream.Task, error) {
	if err := usable(ctx, op, pool); err != nil {
		return nil, err
	}
	defs := make([]foldstream.Task, len(tasks))
	for i, t := range tasks {
		if err := foldstream.E(foldstream.Invalid, "create", t.Check()); err != nil {
			return nil, err
		}
		t.Stage, t.Attempt, t.Run, t.Part = "", 0, "", nil
		var err error
		if defs[i], err = carry(op, t, s.opts.MaxPayload); err != nil {
			return nil, err
		}
	}
	return defs, nil
}

// Fetch leases the next task.
func (p *pool) Fetch(ctx context.Context, f foldstream.Filter) (foldstream.Lease, error) {
	if err := fetchable(ctx, "fetch", p.name, f); err != nil {
		return nil, err
	}
	timeout := time.NewTimer(f.Wait)
	defer timeout.Stop()
	for {
		if err := p.s.settled(p.name).CheckCode(p.name, f.Code); err != nil {
			return nil, err
		}
		l, changed, due := p.s.take(p.name, f)
		if l != nil {
			return l, nil
		}
		if f.Wait <= 0 {
			return nil, foldstream.Errorf(foldstream.NotFound, "fetch", "no task waits in pool %s", p.name)
		}
		select {
		case <-changed:
		case <-due:
		case <-timeout.C:
			f.Wait = 0
		case <-ctx.Done():
			return nil, alive(ctx, "fetch")
		}
	}
}

// Stat counts the tasks by status.
func (p *pool) Stat(ctx context.Context) (foldstream.Counts, error) {
	if err := usable(ctx, "stat", p.name); err != nil {
		return nil, err
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	counts := foldstream.Counts{}
	if q := p.s.queues[p.name]; q != nil {
		for _, t := range q.tasks {
			counts[t.status]++
		}
	}
	return counts, nil
}

func usable(ctx context.Context, op, pool string) error {
	if err := alive(ctx, op); err != nil {
		return err
	}
	return foldstream.E(foldstream.Invalid, op, foldstream.ValidName("pool", pool))
}

// fetchable reports why a fetch cannot begin. Errors: Invalid, Cancelled.
func fetchable(ctx context.Context, op, pool string, f foldstream.Filter) error {
	if err := usable(ctx, op, pool); err != nil || f.Stage == "" {
		return err
	}
	return foldstream.E(foldstream.Invalid, op, foldstream.ValidName("stage", f.Stage))
}

// create makes one task known. The caller holds mu.
func (s *Store) create(pool string, def foldstream.Task) foldstream.Created {
	q, now := s.queue(pool), s.opts.Now()
	t := q.known[def.ID]
	if t != nil && t.status != foldstream.Removed {
		if t.order == 0 && !t.status.Final() {
			s.ticket(t, later(now, t.due)) // creating again completes what was left
		}
		return foldstream.Created{ID: def.ID, Status: t.status}
	}
	again := t != nil
	if again {
		q.tasks = slices.DeleteFunc(q.tasks, func(old *task) bool { return old == t })
	} else {
		t = &task{status: foldstream.Waiting}
		q.known[def.ID] = t
	}
	q.tasks = append(q.tasks, t)
	t.def, t.priority, t.created, t.touched = def, def.Priority, now, now
	t.worker, t.err = "", ""
	t.rewind()
	if again {
		s.record(q, t, foldstream.Event{Kind: foldstream.EventEnd, Status: foldstream.Waiting, Error: "created again"})
	}
	q.open[def.ID] = t
	s.ticket(t, later(now, def.NotBefore))
	return foldstream.Created{ID: def.ID, Status: t.status, New: true}
}

// queue returns the state of a pool and makes it where there is none. The caller holds mu.
func (s *Store) queue(pool string) *queue {
	q := s.queues[pool]
	if q == nil {
		kept := s.settings[pool]
		if kept.Lease == 0 {
			kept.Lease = s.opts.Lease
		}
		s.settings[pool] = kept
		q = &queue{name: pool, lease: kept.Lease, known: map[foldstream.TaskID]*task{}, open: map[foldstream.TaskID]*task{}}
		s.queues[pool] = q
	}
	return q
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// ticket puts the task at the end of its band. The caller holds mu.
func (s *Store) ticket(t *task, due time.Time) {
	s.orders++
	t.order, t.due = s.orders, due
}

// take claims the next task for f. Where there is none it returns what to wait for: any change, and the moment when the next
// task is due, nil where none will be.
func (s *Store) take(pool string, f foldstream.Filter) (foldstream.Lease, <-chan struct{}, <-chan time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[pool]
	if q == nil || s.settings[pool].Paused {
		return nil, s.changed, nil
	}
	for {
		t, due := q.pick(f, s.opts.Now())
		if t == nil {
			return nil, s.changed, due
		}
		if t.token != 0 && s.crashed(q, t) {
			continue
		}
		q.fetched++
		s.record(q, t, foldstream.Event{Kind: foldstream.EventClaim, Status: foldstream.Running, Worker: s.opts.Worker})
		t.token, t.expires, t.worker, t.progress = t.last, time.Time{}, s.opts.Worker, foldstream.Progress{}
		l := &lease{s: s, q: q, t: t, view: t.view(), token: t.token}
		l.view.Run = runOf(t.token)
		return l, nil, nil
	}
}

// crashed counts a claim that ran out and reports whether the task failed by it. The caller holds mu.
func (s *Store) crashed(q *queue, t *task) bool {
	t.crashes++
	if t.crashes < s.opts.MaxCrashes {
		return false
	}
	s.opts.Log.Warn("task failed: its workers crashed", "pool", q.name, "task", t.def.ID, "attempt", t.attempt)
	err := foldstream.Errorf(foldstream.Failed, "", "crashed: %d workers were lost at it", t.crashes)
	t.err = err.Error()
	s.record(q, t, foldstream.Event{Kind: foldstream.EventEnd, Status: foldstream.Dead, Error: t.err})
	return true
}

// pick returns the ready task that is next, or else when one will be.
func (q *queue) pick(f foldstream.Filter, now time.Time) (next *task, due <-chan time.Time) {
	fair := (q.fetched+1)%fairShare == 0
	var soonest time.Time
	for _, t := range q.open {
		at, ok := t.readyAt()
		switch {
		case !ok || !t.matches(f):
		case at.After(now):
			if soonest.IsZero() || at.Before(soonest) {
				soonest = at
			}
		case next == nil || t.before(next, fair):
			next = t
		}
	}
	if next == nil && !soonest.IsZero() {
		due = time.After(soonest.Sub(now))
	}
	return next, due
}

// before reports whether t is served before u: the higher band first, then the older ticket; by age alone where fair.
func (t *task) before(u *task, fair bool) bool {
	if a, b := t.band(), u.band(); a != b && !fair {
		return a > b
	}
	return t.order < u.order
}
