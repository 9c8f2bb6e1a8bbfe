package mem

import (
	"context"
	"iter"

	"github.com/foldstream/foldstream"
)

// Results reads the results there were when it was called.
func (s *Store) Results(ctx context.Context, ids ...foldstream.TaskID) iter.Seq2[foldstream.Event, error] {
	return func(yield func(foldstream.Event, error) bool) {
		asked := make(map[foldstream.TaskID]bool, len(ids))
		for _, id := range ids {
			asked[id] = true
		}
		events, _ := s.after(0)
		for _, e := range events {
			if e.Kind != foldstream.EventResult || !asked[e.Task] {
				continue
			}
			if err := alive(ctx, "results"); err != nil {
				yield(foldstream.Event{}, err)
				return
			}
			if !yield(withoutFrames(e), nil) {
				return
			}
		}
	}
}

// Adopt makes the tasks known and ends those that wait, at once.
func (s *Store) Adopt(ctx context.Context, pool string, all ...foldstream.Adoption) ([]foldstream.Created, error) {
	tasks := make([]foldstream.Task, len(all))
	for i, a := range all {
		tasks[i] = a.Task
	}
	defs, err := s.prepare(ctx, "adopt", pool, tasks...)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	made := make([]foldstream.Created, len(defs))
	for i, def := range defs {
		made[i] = s.create(pool, def)
		made[i].Status = s.adopt(s.queue(pool), def.ID, all[i].From)
	}
	s.notify()
	return made, nil
}

// adopt ends a task that waits by the result of another. It returns the task's status. The caller holds mu.
func (s *Store) adopt(q *queue, id foldstream.TaskID, from foldstream.Origin) foldstream.Status {
	t := q.known[id]
	if t.status != foldstream.Waiting || from.Seq == 0 || int(from.Seq) > len(s.events) {
		return t.status
	}
	source := s.events[from.Seq-1]
	if source.Kind != foldstream.EventResult || source.Task != id || source.Pool != from.Pool {
		return t.status
	}
	if source.Origin.Seq != 0 {
		from = source.Origin
	}
	t.stage, t.attempt, t.worker = source.Stage, 1, source.Worker
	s.record(q, t, foldstream.Event{Kind: foldstream.EventResult, Status: foldstream.Done, Worker: source.Worker, Result: source.Result, Origin: from})
	return t.status
}
