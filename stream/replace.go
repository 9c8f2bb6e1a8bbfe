package stream

import (
	"context"

	"github.com/foldstream/foldstream"
)

var _ foldstream.Replacer = (*Store)(nil)

// Replace ends one task and creates another. Whether the other can be created is known before anything is ended.
func (s *Store) Replace(ctx context.Context, pool, why string, old foldstream.TaskID, t foldstream.Task) (foldstream.Created, error) {
	p := s.pool(pool)
	if err := p.usable(ctx, "replace"); err != nil {
		return foldstream.Created{}, err
	}
	if t.ID == old {
		return foldstream.Created{}, foldstream.Errorf(foldstream.Invalid, "replace", "task %s cannot be put in its own place", old)
	}
	t.Replaces = old
	orders, err := p.orders([]foldstream.Task{t})
	if err != nil {
		return foldstream.Created{}, err
	}
	if err := p.ensureLane(ctx, orders[0].ticket.lane); err != nil {
		return foldstream.Created{}, err
	}
	if err := p.giveWay(ctx, old, t.ID, why); err != nil {
		return foldstream.Created{}, s.door(ctx, "replace", err)
	}
	made, err := p.Create(ctx, t)
	if err != nil {
		return foldstream.Created{}, err
	}
	return made[0], nil
}

// giveWay ends the life of a task for another one, or completes such an end.
func (p *Pool) giveWay(ctx context.Context, old, by foldstream.TaskID, why string) error {
	var last link
	var err error
	if old.Valid() {
		last, _, err = p.end(ctx, "replace", old, func(last link) (link, bool, error) {
			l := p.ending(last, foldstream.Removed, why)
			l.By = by
			return l, last.Status != foldstream.Removed, nil
		})
	}
	switch {
	case err != nil:
		return err
	case last.Status == "":
		return foldstream.Errorf(foldstream.NotFound, "replace", "no task %s in pool %s", old, p.name)
	case last.By != by && last.By == "":
		return foldstream.Errorf(foldstream.Conflict, "replace", "task %s was removed: create the other one", old)
	case last.By != by:
		return foldstream.Errorf(foldstream.Conflict, "replace", "task %s was replaced by task %s", old, last.By)
	}
	return p.sweepOut(ctx, "replace", old)
}
