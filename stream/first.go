package stream

import (
	"context"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

// firsts are the first claims on their way to the server: nobody waits for them, so each says what to do when its reply comes. No
// claim has a goroutine of its own for that, which would cost more than all else that the client does for it.
type firsts struct {
	mu   sync.Mutex
	sent map[*nats.Msg]func(seq uint64, err error)
}

func (f *firsts) put(m *nats.Msg, reply func(seq uint64, err error)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sent[m] = reply
}

// answer hands a message's reply to whom it concerns, once. Most messages concern nobody here, and belong to others again: they are known by
// where they are, and not read.
func (f *firsts) answer(m *nats.Msg, seq uint64, err error) {
	if reply := f.forget(m); reply != nil {
		reply(seq, err)
	}
}

// forget takes a message back, with what was to be told of its reply; nil where nothing is any more.
func (f *firsts) forget(m *nats.Msg) func(seq uint64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	reply := f.sent[m]
	delete(f.sent, m)
	return reply
}

// hear are the options by which JetStream's client tells firsts of replies.
func (f *firsts) hear() []jetstream.JetStreamOpt {
	return []jetstream.JetStreamOpt{
		jetstream.WithPublishAsyncAckHandler(func(_ jetstream.JetStream, m *nats.Msg, ack *jetstream.PubAck) { f.answer(m, ack.Sequence, nil) }),
		jetstream.WithPublishAsyncErrHandler(func(_ jetstream.JetStream, m *nats.Msg, err error) { f.answer(m, 0, err) }),
	}
}

// claimFirst claims by a ticket that comes for the first time: it names the event to follow.
func (p *Pool) claimFirst(d *delivery, task *foldstream.Task) (*lease, error) {
	l := newLease(p, d, task, link{Event: foldstream.Event{Expected: d.expect, Attempt: 1}, trouble: d.trouble})
	m, err := p.s.message("fetch", l.claim)
	if err != nil {
		return nil, err
	}
	expect(m, uint64(d.expect))
	p.hold(l)
	l.sent = m
	p.s.firsts.put(m, func(seq uint64, err error) { p.decide(l, seq, err) })
	if _, err := p.s.send(m); err != nil {
		p.s.firsts.forget(m)
		p.drop(l)
		return nil, err
	}
	return l, nil
}

// decide notes the reply to a first claim. It is called where JetStream's client must not be kept waiting.
func (p *Pool) decide(l *lease, seq uint64, err error) {
	if err == nil {
		l.token = seq
		close(l.claimed)
		return
	}
	p.s.refused(err)
	p.s.background(func(ctx context.Context) {
		l.token, l.refused = p.s.settle(ctx, "fetch", l.claim, l.sent, seq, err)
		if l.refused != nil {
			p.drop(l)
		}
		close(l.claimed)
		if foldstream.Is(l.refused, foldstream.Conflict) {
			p.sortOut(ctx, l.d, l.view)
		}
	})
}

// decided waits until the claim is decided. Errors: Cancelled, Unavailable (the store is closed).
func (l *lease) decided(ctx context.Context, op string) error {
	select {
	case <-l.claimed:
		return nil
	default:
	}
	last := l.p.s.denied.Load()
	for {
		wait, refused := last.patience(l.sent.Subject)
		select {
		case <-l.claimed:
			return nil
		case <-wait:
			l.p.s.firsts.answer(l.sent, 0, refused)
			last = noDenial() // none matters any more
		case <-last.heard:
			last = last.later
		case <-ctx.Done():
			return stopped(ctx, op)
		case <-l.p.s.life().Done():
			return foldstream.Errorf(foldstream.Unavailable, op, "the store is closed")
		}
	}
}

// sortOut answers a ticket whose first claim was refused: the chain knows more than the ticket.
func (p *Pool) sortOut(ctx context.Context, d *delivery, task *foldstream.Task) {
	_, open, err := p.weigh(ctx, d, task)
	if err == nil && open {
		p.s.nak(d.msg, 0)
	}
	if err = p.putOff(ctx, d.msg, err); err != nil && ctx.Err() == nil {
		p.s.log.Warn("a refused ticket goes back", "pool", p.name, "task", string(d.id), "err", err)
	}
}
