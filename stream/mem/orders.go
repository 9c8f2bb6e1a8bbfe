package mem

import (
	"context"
	"time"

	"github.com/foldstream/foldstream"
)

// order is a due order that somebody took. It holds while the schedule's token is its own.
type order struct {
	s      *Store
	c      *schedule
	kept   foldstream.Schedule
	firing foldstream.Firing
	token  uint64
}

var _ foldstream.Order = (*order)(nil)

// AbandonOrder stops the beats of an order of this package, as the death of its process would.
func AbandonOrder(o foldstream.Order) {
	m := o.(*order)
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	if m.c.token == m.token {
		m.c.expires = m.s.opts.Now().Add(m.s.opts.Lease)
		m.s.notify()
	}
}

// NextOrder leases the order that is due longest.
func (s *Store) NextOrder(ctx context.Context, wait time.Duration) (foldstream.Order, error) {
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for {
		if err := alive(ctx, "next order"); err != nil {
			return nil, err
		}
		o, changed, soonest := s.takeOrder()
		if o != nil {
			return o, nil
		}
		if wait <= 0 {
			return nil, foldstream.Errorf(foldstream.NotFound, "next order", "no order is due")
		}
		select {
		case <-changed:
		case <-soonest:
		case <-timeout.C:
			wait = 0
		case <-ctx.Done():
		}
	}
}

// takeOrder claims an order, or tells what to wait for: a change, and the time when something comes due.
func (s *Store) takeOrder() (foldstream.Order, <-chan struct{}, <-chan time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now()
	var next *schedule
	var soonest time.Time
	for _, c := range s.schedules {
		c.advance(now)
		for _, at := range []time.Time{c.next, c.readyAt()} {
			if at.After(now) && (soonest.IsZero() || at.Before(soonest)) {
				soonest = at
			}
		}
		if at := c.readyAt(); !at.IsZero() && !at.After(now) && (next == nil || c.due.Before(next.due)) {
			next = c
		}
	}
	if next != nil {
		return s.claimOrder(next, now), nil, nil
	}
	if soonest.IsZero() {
		return nil, s.changed, nil
	}
	return nil, s.changed, time.After(soonest.Sub(now))
}

// readyAt returns from when the newest order of a schedule can be had; zero while that cannot be told.
func (c *schedule) readyAt() time.Time {
	switch {
	case c.due.IsZero():
		return time.Time{}
	case c.held == c.seq:
		return c.expires
	}
	return later(c.due, c.after)
}

func (s *Store) claimOrder(c *schedule, now time.Time) *order {
	s.tokens++
	c.held, c.token, c.expires = c.seq, s.tokens, time.Time{}
	c.last = foldstream.Firing{Due: c.due, Worker: s.opts.Worker, Taken: now}
	return &order{s: s, c: c, kept: c.Schedule, firing: c.last, token: c.token}
}

// Schedule returns the schedule as it was.
func (o *order) Schedule() foldstream.Schedule { return o.kept }

// Due returns when it came due.
func (o *order) Due() time.Time { return o.firing.Due }

// Done ends the order. One that came due meanwhile waits.
func (o *order) Done(ctx context.Context, out foldstream.Outcome) error {
	return o.end(ctx, "done", func() {
		if o.c.held == o.c.seq {
			o.c.due = time.Time{}
		}
		o.c.last.Outcome, o.c.last.Ended = out, o.s.opts.Now()
	})
}

// Return gives the order back.
func (o *order) Return(ctx context.Context, why error, after time.Duration) error {
	return o.end(ctx, "return", func() {
		if why != nil {
			o.c.last.Error = why.Error()
		}
		o.c.after = o.s.opts.Now().Add(after)
	})
}

// end does something to the schedule if the order is still this one's. Errors: Conflict, Cancelled.
func (o *order) end(ctx context.Context, op string, do func()) error {
	if err := alive(ctx, op); err != nil {
		return err
	}
	o.s.mu.Lock()
	defer o.s.mu.Unlock()
	if o.s.schedules[o.kept.Name] != o.c || o.c.token != o.token {
		return foldstream.Errorf(foldstream.Conflict, op, "the order of schedule %s was ended or lost", o.kept.Name)
	}
	do()
	o.c.held, o.c.token = 0, 0
	o.s.notify()
	return nil
}
