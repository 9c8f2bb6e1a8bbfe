package stream

import (
	"context"
	"slices"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

// How a flow is acknowledged: one reply for so many messages, where the server does not want more of them, and so many replies that may be
// waited for.
const (
	flowReply = 500
	flowAhead = 8
)

// leastInFlow is how many tasks are worth a flow: it waits for the first reply, and for the last.
const leastInFlow = 1000

// flows reports whether the orders are to go by flows.
func (p *Pool) flows(orders []*order) bool {
	later := func(o *order) bool { return p.s.until(o.ticket.at) > 0 }
	return p.s.bulk.flows.Load() && len(orders) >= p.s.bulk.least && !slices.ContainsFunc(orders, later)
}

// inFlow makes tasks by fast-ingest publishing (ADR-50), as long as all are new, and returns those that are left. One reply for some hundred
// messages costs the server and the client less than one for each; refused they are alike, but a flow ends with the first that is. What became
// of those behind it, or behind the last reply, is found out when their tasks are made one by one. A flow of which nothing was taken is the last.
func (p *Pool) inFlow(ctx context.Context, orders []*order) ([]*order, error) {
	taken := make(chan int, 1) // the last number alone
	var sending sync.WaitGroup
	sending.Go(func() {
		defer close(taken)
		next := func(i int) (m nats.Msg, more bool) {
			if more = i < len(orders); more {
				orders[i].doubtful, m = true, orders[i].def
			}
			return m, more
		}
		p.s.flow(ctx, next, func(n int) {
			select {
			case <-taken:
			default:
			}
			taken <- n
		})
	})
	defined, err := p.flowTickets(ctx, orders, taken)
	sending.Wait()
	if defined == 0 { // it may not be answered here at all, and waits for that
		p.s.bulk.flows.Store(false)
	}
	return orders[defined:], err
}

// flowTickets gives tickets to the orders whose definitions are taken, of which it hears how many there are so far, and returns how many there were
// at last.
func (p *Pool) flowTickets(ctx context.Context, orders []*order, taken <-chan int) (defined int, err error) {
	next := func(i int) (m nats.Msg, more bool) {
		for more = true; more && i >= defined; {
			var n int
			if n, more = <-taken; more {
				defined = n
			}
		}
		if more && err == nil {
			err = p.s.point("create: defined")
		}
		if more = more && err == nil; more {
			m = *p.firstTicket(orders[i])
		}
		return m, more
	}
	ticketed := 0
	p.s.flow(ctx, next, func(n int) {
		for _, o := range orders[ticketed:n] {
			o.free()
		}
		ticketed = n
	})
	for n := range taken {
		defined = n
	}
	if err != nil {
		return defined, err
	}
	for _, o := range orders[:defined] {
		o.isNew()
	}
	return defined, p.issue(ctx, orders[ticketed:defined])
}

// flow publishes messages in a row until next has no more, and tells how many of them the server has stored so far. It ends early where the
// server refuses one or is not heard of. After a reconnect nothing more is believed: the word of a refusal may be what was lost.
func (s *Store) flow(ctx context.Context, next func(i int) (nats.Msg, bool), stored func(n int)) {
	pub, err := jetstreamext.NewFastPublisher(s.js,
		jetstreamext.FastPublishFlowControl{Flow: flowReply, MaxOutstandingAcks: flowAhead, AckTimeout: s.tryTime()},
		jetstreamext.WithFastPublisherErrorHandler(func(err error) { s.log.Debug("a flow ends", "err", err) }))
	connection, last := s.nc.Stats().Reconnects, uint64(0)
	tell := func(n uint64) {
		if n > last && s.nc.Stats().Reconnects == connection {
			last = n
			stored(int(n))
		}
	}
	m, more := next(0)
	for i := 1; more && err == nil; i++ {
		following, another := next(i)
		more = another && ctx.Err() == nil
		var n uint64
		if n, err = addTo(ctx, pub, &m, !more); err == nil {
			tell(n)
		}
		m = following
	}
	if err != nil {
		s.log.Debug("a flow was not taken as a whole; the rest goes one by one", "err", err)
	}
}

// addTo publishes a message in a flow, which ends with it where it is the last, and returns how many the server is known to have stored.
func addTo(ctx context.Context, flow jetstreamext.FastPublisher, m *nats.Msg, last bool) (uint64, error) {
	if last {
		all, err := flow.CommitMsg(ctx, m)
		if err != nil {
			return 0, err
		}
		return all.BatchSize, nil
	}
	ack, err := flow.AddMsg(m)
	if err != nil {
		return 0, err
	}
	return ack.AckSequence, nil
}
