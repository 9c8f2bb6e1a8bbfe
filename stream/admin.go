package stream

import (
	"context"
	"slices"

	"github.com/foldstream/foldstream"
)

var _ foldstream.Admin = (*Store)(nil)

// Cancel ends open tasks: the end makes every token worthless, then the tickets go.
func (s *Store) Cancel(ctx context.Context, pool, why string, ids ...foldstream.TaskID) (int, error) {
	return s.change(ctx, "cancel", pool, ids, func(ctx context.Context, p *Pool, id foldstream.TaskID) (bool, error) {
		last, ended, err := p.end(ctx, "cancel", id, func(last link) (link, bool, error) {
			return p.ending(last, foldstream.Withdrawn, why), !last.Status.Final(), nil
		})
		if err != nil || last.Status != foldstream.Withdrawn {
			return false, err
		}
		return ended, p.clear(ctx, "cancel", id)
	})
}

// Remove ends the life of tasks. Their dead letters go, too.
func (s *Store) Remove(ctx context.Context, pool, why string, ids ...foldstream.TaskID) (int, error) {
	return s.change(ctx, "remove", pool, ids, func(ctx context.Context, p *Pool, id foldstream.TaskID) (bool, error) {
		last, ended, err := p.end(ctx, "remove", id, func(last link) (link, bool, error) {
			return p.ending(last, foldstream.Removed, why), last.Status != foldstream.Removed, nil
		})
		if err != nil || last.Status != foldstream.Removed {
			return false, err
		}
		return ended, p.sweepOut(ctx, "remove", id)
	})
}

// Retry puts failed and cancelled tasks back to waiting. Lost claims are forgotten, too.
func (s *Store) Retry(ctx context.Context, pool, why string, ids ...foldstream.TaskID) (int, error) {
	return s.change(ctx, "retry", pool, ids, func(ctx context.Context, p *Pool, id foldstream.TaskID) (bool, error) {
		last, ended, err := p.end(ctx, "retry", id, func(last link) (link, bool, error) {
			if last.Status != foldstream.Dead && last.Status != foldstream.Withdrawn {
				return last, false, nil
			}
			def, err := p.definition(ctx, id)
			l := p.ending(last, foldstream.Waiting, why)
			l.Stage, l.Attempt, l.next, l.crashes = firstStage(def.Stages), 1, 1, 0
			return l, true, err
		})
		if err != nil || !ended {
			return p.completed(ctx, last, err)
		}
		if _, err := p.dropLetters(ctx, id); err != nil {
			return false, err
		}
		return true, p.renew(ctx, "retry", id)
	})
}

// Reset puts running tasks back to waiting.
func (s *Store) Reset(ctx context.Context, pool string, force bool, ids ...foldstream.TaskID) (int, error) {
	return s.change(ctx, "reset", pool, ids, func(ctx context.Context, p *Pool, id foldstream.TaskID) (bool, error) {
		last, ended, err := p.end(ctx, "reset", id, func(last link) (link, bool, error) {
			if last.Kind != foldstream.EventClaim {
				return last, false, nil
			}
			rest, err := p.liveFor(ctx, last)
			l := p.ending(last, foldstream.Waiting, "")
			l.next = last.Attempt
			return l, force || rest <= 0, err
		})
		if err != nil || !ended {
			return p.completed(ctx, last, err)
		}
		return true, p.renew(ctx, "reset", id)
	})
}

// sweepOut takes away what is left of a removed task: its tickets and its dead letters.
func (p *Pool) sweepOut(ctx context.Context, op string, id foldstream.TaskID) error {
	if err := p.clear(ctx, op, id); err != nil {
		return err
	}
	if _, err := p.dropLetters(ctx, id); err != nil {
		return err
	}
	return p.s.point(op + ": swept")
}

// change does something to each of the tasks once, and counts those that it changed.
func (s *Store) change(
	ctx context.Context, op, pool string, ids []foldstream.TaskID, do func(context.Context, *Pool, foldstream.TaskID) (bool, error),
) (int, error) {
	p := s.pool(pool)
	if err := p.usable(ctx, op); err != nil {
		return 0, err
	}
	n, err := each(ctx, once(ids), func(ctx context.Context, id foldstream.TaskID) (bool, error) { return do(ctx, p, id) })
	if err == nil {
		err = stopped(ctx, op)
	}
	return n, s.door(ctx, op, err)
}

// once returns the ids that can be a task's, each once, in their order.
func once(ids []foldstream.TaskID) []foldstream.TaskID {
	seen := make(map[foldstream.TaskID]bool, len(ids))
	return slices.DeleteFunc(slices.Clone(ids), func(id foldstream.TaskID) bool {
		again := seen[id] || !id.Valid()
		seen[id] = true
		return again
	})
}

// ending is an end from outside that follows an event. Who worked the task and what it failed of is handed on.
func (p *Pool) ending(last link, status foldstream.Status, why string) link {
	l := link{
		Event: foldstream.Event{
			Pool: p.name, Task: last.Task, Kind: foldstream.EventEnd, Status: status, Stage: last.Stage,
			Attempt: max(last.next, last.Attempt, 1), Worker: last.Worker, Error: clip(why), Expected: last.Seq,
		},
		session: p.s.session, nonce: nonce(), crashes: last.crashes, moved: last.moved, trouble: last.trouble,
	}
	return l
}

// end appends what next makes of the task's last event, as often as another event comes first. It returns the task's last event
// and whether it is this end; the zero link is no task of the pool.
func (p *Pool) end(ctx context.Context, op string, id foldstream.TaskID, next func(last link) (link, bool, error)) (link, bool, error) {
	for t := p.s.trial(); ; {
		last, err := p.stand(ctx, id)
		if err != nil || last.Status == "" {
			return link{}, false, err
		}
		if last.moved, err = p.movedTo(ctx, last); err != nil {
			return link{}, false, err
		}
		l, ok, err := next(last)
		if err != nil || !ok {
			return last, false, err
		}
		seq, err := p.s.append(ctx, op, l)
		if err == nil {
			l.Seq, l.At = foldstream.Cursor(seq), p.s.now()
			return l, true, p.s.point(op + ": ended")
		}
		if !foldstream.Is(err, foldstream.Conflict) || !t.again(ctx) {
			return last, false, err
		}
	}
}

// movedTo returns what a task's next event says of its band. While the task waits its ticket knows: nobody claimed it since it was moved.
func (p *Pool) movedTo(ctx context.Context, last link) (int, error) {
	if last.Status != foldstream.Waiting && last.Status != foldstream.PartDone {
		return last.moved, nil
	}
	m, t, err := p.ticketOf(ctx, last.Task)
	if err != nil || m == nil {
		return last.moved, err
	}
	return t.lane.band + 1, nil
}

// stand returns the task's last event from the leader. A task without events waits for its first stage; an id that the pool does not
// know has the zero link.
func (p *Pool) stand(ctx context.Context, id foldstream.TaskID) (link, error) {
	last, err := p.s.last(ctx, p.name, id)
	if err != nil || last.Seq > 0 {
		return last, err
	}
	def, err := p.definition(ctx, id)
	if err != nil || def.ID == "" {
		return link{}, err
	}
	return link{Event: foldstream.Event{Pool: p.name, Task: id, Status: foldstream.Waiting, Stage: firstStage(def.Stages), Attempt: 1}}, nil
}

// definition reads a task's definition from the leader; the zero Task where there is none.
func (p *Pool) definition(ctx context.Context, id foldstream.TaskID) (foldstream.Task, error) {
	m, err := p.s.newest(ctx, p.s.lay.defs(), p.s.lay.def(p.name, id))
	if err != nil || m == nil {
		return foldstream.Task{}, err
	}
	return readDefinition(m)
}

// clear deletes every ticket and schedule of a task.
func (p *Pool) clear(ctx context.Context, op string, id foldstream.TaskID) error {
	for {
		m, err := p.s.newest(ctx, p.s.lay.work(), p.s.lay.anyTicket(p.name, id))
		if err != nil {
			return err
		}
		if m == nil {
			return p.s.point(op + ": cleared")
		}
		if err := p.s.remove(ctx, p.s.lay.work(), m.seq); err != nil {
			return err
		}
	}
}

// renew gives a task that was put back a fresh ticket. The old ones go first: one whose worker has not answered it yet would be taken
// for the task's own, and vanish with the answer.
func (p *Pool) renew(ctx context.Context, op string, id foldstream.TaskID) error {
	if err := p.clear(ctx, op, id); err != nil {
		return err
	}
	t, open, err := p.resume(ctx, id)
	if err != nil || !open {
		return err
	}
	_, err = p.give(ctx, t)
	return err
}

// completed finishes what an earlier call left undone: a task that was put back and has no ticket gets one.
func (p *Pool) completed(ctx context.Context, last link, err error) (bool, error) {
	if err != nil || last.Kind != foldstream.EventEnd || last.Status != foldstream.Waiting {
		return false, err
	}
	if _, err := p.dropLetters(ctx, last.Task); err != nil {
		return false, err
	}
	return p.mend(ctx, last.Task)
}
