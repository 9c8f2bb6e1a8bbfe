package mem

import (
	"context"

	"github.com/foldstream/foldstream"
)

// Cancel ends open tasks.
func (s *Store) Cancel(ctx context.Context, pool, why string, ids ...foldstream.TaskID) (int, error) {
	return s.change(ctx, "cancel", pool, ids, func(q *queue, t *task) bool {
		if t.status.Final() {
			return false
		}
		s.record(q, t, foldstream.Event{Kind: foldstream.EventEnd, Status: foldstream.Withdrawn, Error: why})
		return true
	})
}

// Remove ends the life of tasks.
func (s *Store) Remove(ctx context.Context, pool, why string, ids ...foldstream.TaskID) (int, error) {
	return s.change(ctx, "remove", pool, ids, func(q *queue, t *task) bool {
		if t.status == foldstream.Removed {
			return false
		}
		s.record(q, t, foldstream.Event{Kind: foldstream.EventEnd, Status: foldstream.Removed, Error: why})
		return true
	})
}

// Retry puts failed and cancelled tasks back to waiting, at the end of their bands. Lost claims are forgotten too.
func (s *Store) Retry(ctx context.Context, pool, why string, ids ...foldstream.TaskID) (int, error) {
	return s.change(ctx, "retry", pool, ids, func(q *queue, t *task) bool {
		if t.status != foldstream.Dead && t.status != foldstream.Withdrawn {
			return false
		}
		t.rewind()
		s.record(q, t, foldstream.Event{Kind: foldstream.EventEnd, Status: foldstream.Waiting, Error: why})
		q.open[t.def.ID] = t
		s.ticket(t, t.touched)
		return true
	})
}

// Reset puts running tasks back to waiting, in their old places. A worker is gone when its lease has run out.
func (s *Store) Reset(ctx context.Context, pool string, force bool, ids ...foldstream.TaskID) (int, error) {
	return s.change(ctx, "reset", pool, ids, func(q *queue, t *task) bool {
		if t.status != foldstream.Running || t.heldAt(s.opts.Now()) && !force {
			return false
		}
		s.record(q, t, foldstream.Event{Kind: foldstream.EventEnd, Status: foldstream.Waiting})
		if t.due = t.touched; t.order == 0 {
			s.ticket(t, t.due)
		}
		return true
	})
}

// Prioritize moves tasks that wait, also for their next stage, to the end of the band of a priority. Those that have it stay
// where they are.
func (s *Store) Prioritize(ctx context.Context, pool string, priority *int, ids ...foldstream.TaskID) (int, error) {
	if _, err := (foldstream.Task{Priority: priority}).Band(); err != nil {
		return 0, foldstream.Errorf(foldstream.Invalid, "prioritize", "priority %d is not between %d and %d", *priority, foldstream.MinPriority, foldstream.MaxPriority)
	}
	if priority != nil {
		p := *priority
		priority = &p
	}
	return s.change(ctx, "prioritize", pool, ids, func(_ *queue, t *task) bool {
		before := t.band()
		if t.status != foldstream.Waiting && t.status != foldstream.PartDone {
			return false
		}
		if t.priority = priority; t.band() == before {
			return false
		}
		if t.order != 0 { // a lost ticket is the reconciler's
			s.ticket(t, t.due)
		}
		return true
	})
}

// change runs do on each of the tasks that the pool knows, once, and counts those that it changed.
func (s *Store) change(ctx context.Context, op, pool string, ids []foldstream.TaskID, do func(q *queue, t *task) bool) (int, error) {
	q, unlock, err := s.look(ctx, op, pool)
	if err != nil {
		return 0, err
	}
	defer unlock()
	changed, seen := 0, map[foldstream.TaskID]bool{}
	for _, id := range ids {
		if t := q.known[id]; t != nil && !seen[id] && do(q, t) {
			changed++
		}
		seen[id] = true
	}
	if changed > 0 {
		s.notify()
	}
	return changed, nil
}

// look locks the store and returns the state of a pool, an empty one where the pool has no tasks. Errors: Cancelled, Invalid.
func (s *Store) look(ctx context.Context, op, pool string) (*queue, func(), error) {
	if err := usable(ctx, op, pool); err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	if q := s.queues[pool]; q != nil {
		return q, s.mu.Unlock, nil
	}
	return &queue{name: pool}, s.mu.Unlock, nil
}
