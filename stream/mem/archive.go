package mem

import (
	"context"
	"iter"

	"github.com/foldstream/foldstream"
)

// Definitions reads the pool's tasks in order of creation. A pool without tasks has none.
func (s *Store) Definitions(ctx context.Context, pool string) iter.Seq2[foldstream.Task, error] {
	return func(yield func(foldstream.Task, error) bool) {
		if err := foldstream.ValidName("pool", pool); err != nil {
			yield(foldstream.Task{}, foldstream.E(foldstream.Invalid, "definitions", err))
			return
		}
		for _, def := range s.definitions(pool) {
			if err := alive(ctx, "definitions"); err != nil {
				yield(foldstream.Task{}, err)
				return
			}
			if !yield(def.Clone(), nil) {
				return
			}
		}
	}
}

// Defined names the pool's tasks.
func (s *Store) Defined(ctx context.Context, pool string) iter.Seq2[foldstream.TaskID, error] {
	return func(yield func(foldstream.TaskID, error) bool) {
		for def, err := range s.Definitions(ctx, pool) {
			if !yield(def.ID, err) || err != nil {
				return
			}
		}
	}
}

// Copy reads the tasks that are wanted and creates them, all at a time.
func (s *Store) Copy(ctx context.Context, from, to, experiment string, wanted func(foldstream.TaskID) bool) iter.Seq2[[]foldstream.Created, error] {
	return func(yield func([]foldstream.Created, error) bool) {
		var tasks []foldstream.Task
		for t, err := range s.Definitions(ctx, from) {
			if err != nil {
				yield(nil, err)
				return
			}
			if wanted(t.ID) {
				t.Experiment, t.Replaces = experiment, ""
				tasks = append(tasks, t)
			}
		}
		yield(s.Pool(to).Create(ctx, tasks...))
	}
}

// Reconcile gives a ticket to every open task that has none and that nothing happened to for two leases. A live worker keeps
// its task all the same.
func (s *Store) Reconcile(ctx context.Context, pool string) (int, error) {
	if err := alive(ctx, "reconcile"); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q, now, mended := s.queues[pool], s.opts.Now(), 0
	if q == nil {
		return 0, nil
	}
	for _, t := range q.open {
		if t.order == 0 && now.Sub(t.touched) >= 2*q.lease {
			s.ticket(t, later(now, t.due))
			mended++
		}
	}
	if mended > 0 {
		s.notify()
	}
	return mended, nil
}

// DeleteTicket loses the ticket of a task, as a fault of a store would. Nobody gets the task until it is reconciled or created
// again. Errors: NotFound.
func (s *Store) DeleteTicket(pool string, id foldstream.TaskID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[pool]
	if q == nil || q.open[id] == nil || q.open[id].order == 0 {
		return foldstream.Errorf(foldstream.NotFound, "delete ticket", "task %s of pool %s has no ticket", id, pool)
	}
	q.open[id].order = 0
	return nil
}

func (s *Store) definitions(pool string) []foldstream.Task {
	s.mu.Lock()
	defer s.mu.Unlock()
	var defs []foldstream.Task
	if q := s.queues[pool]; q != nil {
		for _, t := range q.tasks {
			defs = append(defs, t.def)
		}
	}
	return defs
}
