package stream

import (
	"context"
	"errors"
	"maps"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
)

// reviveAll begins new lives of tasks that were removed.
func (p *Pool) reviveAll(ctx context.Context, orders []*order) error {
	_, err := each(ctx, orders, func(ctx context.Context, o *order) (bool, error) { return true, p.revive(ctx, o) })
	return err
}

// revive begins a new life of a removed task: its definition takes the place of the old one, an end says that it waits again, and it
// gets a ticket. Of two who do it at once, the end is one's. Whoever dies before it has done nothing; after it, the reconciler or
// who creates the task again gives the ticket.
func (p *Pool) revive(ctx context.Context, o *order) error {
	last, began, err := p.beginAgain(ctx, o)
	if err != nil || !began {
		return err
	}
	o.ticket.expect = last.Seq
	_, err = p.give(ctx, o.ticket)
	return err
}

// beginAgain is revive without the ticket. It returns the task's last event, and whether this call began the life.
func (p *Pool) beginAgain(ctx context.Context, o *order) (link, bool, error) {
	def, err := decodeTask(o.ticket.def)
	if err != nil {
		return link{}, false, err
	}
	last, began, err := p.end(ctx, "create", o.ticket.id, func(last link) (link, bool, error) {
		if last.Status != foldstream.Removed {
			return last, false, nil
		}
		l := p.ending(link{Event: last.Event}, foldstream.Waiting, "created again")
		l.Stage, l.Attempt, l.Worker, l.next = firstStage(def.Stages), 1, "", 1
		l.until, l.later = def.NotBefore, !def.NotBefore.IsZero()
		return l, true, p.redefine(ctx, o)
	})
	if err != nil && kindOf(err) == foldstream.Denied { // nothing has changed but a definition that counts with the next life alone
		err = foldstream.Errorf(foldstream.Denied, "create", "task %s was removed, and only who may write events, as an admin, begins a new life of it: %w", o.ticket.id, err)
	}
	if err != nil {
		return last, false, err
	}
	if last.Status == "" {
		return last, false, foldstream.Errorf(foldstream.Unavailable, "create", "task %s was purged at the same moment; create it again", o.ticket.id)
	}
	o.made.Status, o.made.New = last.Status, began
	if began {
		err = p.clear(ctx, "create", o.ticket.id)
	}
	return last, began, err
}

// redefine puts the order's definition in the place of the one there is.
func (p *Pool) redefine(ctx context.Context, o *order) error {
	o.def.Header = maps.Clone(o.def.Header) // the others of its call go on with theirs
	for t := p.s.trial(); ; {
		old, err := p.s.newest(ctx, p.s.lay.defs(), o.def.Subject)
		if err != nil {
			return err
		}
		if old != nil && old.header.Get(headerNonce) == o.def.Header.Get(headerNonce) {
			return p.s.point("create: defined")
		}
		seq := uint64(0)
		if old != nil {
			seq = old.seq
		}
		expect(&o.def, seq)
		_, err = p.s.publish(ctx, &o.def)
		switch verdictOf(err) {
		case accepted:
			return p.s.point("create: defined")
		case broken:
			return err
		}
		if !t.again(ctx) {
			return errors.Join(err, nats.ErrTimeout)
		}
	}
}
