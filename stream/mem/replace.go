package mem

import (
	"context"

	"github.com/foldstream/foldstream"
)

// Replace removes one task and creates another, at once.
func (s *Store) Replace(ctx context.Context, pool, why string, old foldstream.TaskID, t foldstream.Task) (foldstream.Created, error) {
	t.Replaces = old
	defs, err := s.prepare(ctx, "replace", pool, t)
	if err != nil {
		return foldstream.Created{}, err
	}
	if t.ID == old {
		return foldstream.Created{}, foldstream.Errorf(foldstream.Invalid, "replace", "task %s cannot be put in its own place", old)
	}
	q, unlock, err := s.look(ctx, "replace", pool)
	if err != nil {
		return foldstream.Created{}, err
	}
	defer unlock()
	known := q.known[old]
	switch {
	case known == nil:
		return foldstream.Created{}, foldstream.Errorf(foldstream.NotFound, "replace", "no task %s in pool %s", old, pool)
	case known.status != foldstream.Removed:
		s.record(q, known, foldstream.Event{Kind: foldstream.EventEnd, Status: foldstream.Removed, Error: why, By: t.ID})
	case s.events[known.last-1].By == "":
		return foldstream.Created{}, foldstream.Errorf(foldstream.Conflict, "replace", "task %s was removed: create the other one", old)
	case s.events[known.last-1].By != t.ID:
		return foldstream.Created{}, foldstream.Errorf(foldstream.Conflict, "replace", "task %s was replaced by task %s", old, s.events[known.last-1].By)
	}
	defer s.notify()
	return s.create(pool, defs[0]), nil
}
