package stream

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/nats-io/nats.go"
)

// pieceSize is how many orders the two halves of the pipeline hand on at once: for each alone one would have to wake the other.
const pieceSize = 256

// How many definitions are sent ahead of the first that is not answered, beside a piece at each end, and how many tickets.
const (
	definitionsInFlight = maxInFlight/2 - 2*pieceSize
	ticketsInFlight     = maxInFlight/2 - pieceSize
)

// pipeline publishes definitions and, behind each that is taken, its ticket. It returns those that were known.
func (p *Pool) pipeline(ctx context.Context, orders []*order) ([]*order, error) {
	if len(orders) == 0 {
		return nil, nil
	}
	sent := make(chan []*order, definitionsInFlight/pieceSize)
	failed := make(chan error, 1)
	var sending sync.WaitGroup
	send := func() {
		defer close(sent)
		for piece := range slices.Chunk(orders, pieceSize) {
			n, err := p.sendDefinitions(ctx, piece)
			sent <- piece[:n]
			if err != nil {
				failed <- err
				return
			}
		}
	}
	if len(orders) <= min(p.s.bulk.first, pieceSize) { // nothing to gain by another goroutine but its delay
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

// sendDefinitions sends the orders' definitions, and returns how many it sent.
func (p *Pool) sendDefinitions(ctx context.Context, orders []*order) (int, error) {
	for i, o := range orders {
		err := ctx.Err()
		if err == nil {
			o.reply, err = p.s.send(&o.def)
		}
		if err != nil {
			return i, err
		}
	}
	return len(orders), nil
}

// follow takes the replies to definitions in order, publishes the tickets of the new ones and returns those that were known.
func (p *Pool) follow(ctx context.Context, sent <-chan []*order) (known []*order, err error) {
	var fresh, doubtful []*order
	for piece := range sent {
		for _, o := range piece {
			switch v, err := p.verdictOn(ctx, o); {
			case err != nil:
				return nil, err
			case v == refused:
				known = append(known, o)
			case v == unsure:
				doubtful = append(doubtful, o)
			default:
				if err := p.sendTicket(ctx, o); err != nil {
					return nil, err
				}
				fresh = append(fresh, o)
			}
		}
		if n := len(fresh) - ticketsInFlight; n > 0 {
			if err := p.ticketed(ctx, fresh[:n]); err != nil {
				return nil, err
			}
			fresh = fresh[n:]
		}
	}
	if err := p.ticketed(ctx, fresh); err != nil {
		return nil, err
	}
	others, err := p.ticketOurs(ctx, doubtful)
	return append(known, others...), err
}

// sendTicket sends the ticket of an order whose definition is new.
func (p *Pool) sendTicket(ctx context.Context, o *order) (err error) {
	o.isNew()
	if err := p.s.point("create: defined"); err != nil {
		return err
	}
	o.reply, err = p.s.send(p.firstTicket(o))
	return p.s.door(ctx, "create", err)
}

// ticketOurs publishes the tickets of those orders whose definitions a lost try of this call has stored, and returns the others.
func (p *Pool) ticketOurs(ctx context.Context, orders []*order) (others []*order, err error) {
	_, err = each(ctx, orders, func(ctx context.Context, o *order) (bool, error) {
		ours, err := p.definedByUs(ctx, o)
		if ours {
			o.isNew()
		}
		return ours, err
	})
	if err != nil {
		return nil, err
	}
	var ours []*order
	for _, o := range orders {
		if !o.made.New {
			others = append(others, o)
			continue
		}
		if err := p.s.point("create: defined"); err != nil {
			return nil, err
		}
		ours = append(ours, o)
	}
	return others, p.issue(ctx, ours)
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

// defined waits until it is known if the order's definition is new.
func (p *Pool) defined(ctx context.Context, o *order) (bool, error) {
	v, err := p.verdictOn(ctx, o)
	if v == unsure {
		return p.definedByUs(ctx, o)
	}
	return v == accepted, err
}

// verdictOn waits until the order's definition is accepted, or refused: as known, or, where a try may have been lost that stored it, as unsure.
func (p *Pool) verdictOn(ctx context.Context, o *order) (verdict, error) {
	_, err := p.s.await(ctx, o.reply)
	lost := o.doubtful
	for t := p.s.trial(); ; {
		switch v := verdictOf(err); v {
		case accepted:
			return accepted, nil
		case refused:
			if lost {
				return unsure, nil
			}
			return refused, nil
		case broken:
			return broken, p.s.door(ctx, "create", err)
		}
		lost = true
		if !t.again(ctx) {
			return broken, p.s.door(ctx, "create", err)
		}
		_, err = p.s.publish(ctx, &o.def)
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
		o.free()
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
