package stream

import (
	"context"
	"errors"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
)

// pipeline publishes definitions and, behind each that is taken, its ticket. It returns those that were known.
func (p *Pool) pipeline(ctx context.Context, orders []*order) ([]*order, error) {
	if len(orders) == 0 {
		return nil, nil
	}
	sent := make(chan *order, min(len(orders), maxInFlight))
	failed := make(chan error, 1)
	var sending sync.WaitGroup
	send := func() {
		defer close(sent)
		for _, o := range orders {
			var err error
			if o.reply, err = p.s.send(o.def); err == nil {
				err = ctx.Err()
			}
			if err != nil {
				failed <- err
				return
			}
			sent <- o
		}
	}
	if len(orders) <= p.s.bulk.first { // nothing to gain by another goroutine but its delay
		send()
	} else {
		sending.Go(send)
	}
	known, err := p.follow(ctx, sent)
	for range sent { // after an error the sender must come to its end
	}
	sending.Wait()
	select {
	case sendErr := <-failed:
		err = p.s.door(ctx, "create", sendErr)
	default:
	}
	return known, err
}

// follow takes the replies to definitions in order, publishes the tickets of the new ones and returns those that were known.
func (p *Pool) follow(ctx context.Context, sent <-chan *order) (known []*order, err error) {
	var fresh []*order
	for o := range sent {
		if len(fresh) == maxInFlight {
			if err := p.ticketed(ctx, fresh); err != nil {
				return nil, err
			}
			fresh = fresh[:0]
		}
		isNew, err := p.defined(ctx, o)
		if err != nil {
			return nil, err
		}
		if !isNew {
			known = append(known, o)
			continue
		}
		o.made.New, o.made.Status = true, foldstream.Waiting
		if err := p.s.point("create: defined"); err != nil {
			return nil, err
		}
		if o.reply, err = p.s.send(p.firstTicket(o)); err != nil {
			return nil, p.s.door(ctx, "create", err)
		}
		fresh = append(fresh, o)
	}
	return known, p.ticketed(ctx, fresh)
}

// issue publishes the orders' tickets.
func (p *Pool) issue(ctx context.Context, orders []*order) (err error) {
	for i, o := range orders {
		if o.reply, err = p.s.send(p.firstTicket(o)); err != nil {
			return errors.Join(p.ticketed(ctx, orders[:i]), p.s.door(ctx, "create", err))
		}
	}
	return p.ticketed(ctx, orders)
}

// firstTicket is the message of an order's ticket, which is taken only while the task has none.
func (p *Pool) firstTicket(o *order) *nats.Msg {
	m := o.ticket.put(p.s.lay, p.s.now())
	p.s.expectTicket(m, p.name, o.ticket.id, 0)
	return m
}

// defined waits until it is decided if the order's definition is new.
func (p *Pool) defined(ctx context.Context, o *order) (bool, error) {
	_, err := p.s.await(ctx, o.reply)
	lost := o.doubtful
	for t := p.s.trial(); ; {
		switch verdictOf(err) {
		case accepted:
			return true, nil
		case refused:
			if !lost {
				return false, nil
			}
			return p.definedByUs(ctx, o)
		case broken:
			return false, p.s.door(ctx, "create", err)
		}
		lost = true
		if !t.again(ctx) {
			return false, p.s.door(ctx, "create", err)
		}
		_, err = p.s.publish(ctx, o.def)
	}
}

// definedByUs settles a definition whose reply was lost.
func (p *Pool) definedByUs(ctx context.Context, o *order) (bool, error) {
	m, err := p.s.newest(ctx, p.s.lay.defs(), o.def.Subject)
	if err != nil {
		return false, p.s.door(ctx, "create", err)
	}
	return m != nil && m.header.Get(headerNonce) == o.def.Header.Get(headerNonce), nil
}

// ticketed waits until each order's task has a ticket: the one that was sent, or one that was there.
func (p *Pool) ticketed(ctx context.Context, orders []*order) error {
	for _, o := range orders {
		_, err := p.s.await(ctx, o.reply)
		if err != nil {
			err = p.s.issued(ctx, "create", p.firstTicket(o), err)
		}
		if err != nil {
			return err
		}
		o.def, o.ticket.def, o.reply = nil, nil, nil // done with; there may be many
	}
	return nil
}

// issued follows a try to publish a ticket up to its decision. A refusal is none to worry about: the task has a ticket.
func (s *Store) issued(ctx context.Context, op string, m *nats.Msg, err error) error {
	for t := s.trial(); ; {
		switch verdictOf(err) {
		case accepted, refused:
			return nil
		case broken:
			return s.door(ctx, op, err)
		}
		if !t.again(ctx) {
			return s.door(ctx, op, err)
		}
		_, err = s.publish(ctx, m)
	}
}
