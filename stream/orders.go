package stream

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// ordersConsumer is the durable that all who execute orders share.
const ordersConsumer = "orders"

// dueOrder is one order in this process's hands. It holds while its claim is the schedule's last.
type dueOrder struct {
	s     *Store
	msg   *nats.Msg
	claim firing

	silent atomic.Bool // beats have stopped: the process plays dead for it

	mu    sync.Mutex
	token uint64        // of the claim; 0 once it is over
	ended chan struct{} // closed then
}

var _ foldstream.Order = (*dueOrder)(nil)

// NextOrder pulls one order and claims it.
func (s *Store) NextOrder(ctx context.Context, wait time.Duration) (foldstream.Order, error) {
	if err := s.openSchedules(ctx, "next order"); err != nil {
		return nil, err
	}
	t := s.trial()
	for until := clock.Tick().Add(wait); ; {
		if err := s.silenced("next order", ofOrders); err != nil {
			return nil, err
		}
		m, err := s.pullOrder(ctx, max(clock.Until(until), 0))
		if verdictOf(err) == unsure && t.again(ctx) { // the consumer has no leader yet, or nobody made it
			continue
		}
		if err != nil {
			return nil, s.door(ctx, "next order", err)
		}
		o, err := s.takeOrder(ctx, m)
		if err != nil {
			s.nak(m, 0)
			return nil, s.door(ctx, "next order", err)
		}
		if o != nil {
			return o, nil
		}
	}
}

// pullOrder waits for a message of what is due. Errors: NotFound.
func (s *Store) pullOrder(ctx context.Context, wait time.Duration) (*nats.Msg, error) {
	sub, err := s.nc.SubscribeSync(s.nc.NewInbox())
	if err != nil {
		return nil, err
	}
	defer func() { _ = sub.Unsubscribe() }()
	if err := s.ensureOrders(ctx); err != nil {
		return nil, err
	}
	request := pullRequest{Batch: 1, Expires: wait}
	if wait < time.Millisecond {
		request = pullRequest{Batch: 1, NoWait: true}
	}
	if err := s.pull(s.lay.schedules(), ordersConsumer, sub.Subject, request); err != nil {
		return nil, err
	}
	answered, cancel := context.WithTimeout(ctx, wait+s.tryTime())
	defer cancel()
	m, err := sub.NextMsgWithContext(answered)
	switch {
	case err != nil:
		return nil, err
	case m.Header.Get("Status") == "404" || m.Header.Get("Status") == "408":
		return nil, foldstream.Errorf(foldstream.NotFound, "next order", "no order is due")
	case m.Header.Get("Status") != "":
		s.ordering.Store(false) // somebody deleted the consumer
		return nil, nats.ErrTimeout
	}
	return m, nil
}

// ensureOrders makes the consumer; one that exists keeps its lease.
func (s *Store) ensureOrders(ctx context.Context) error {
	if s.ordering.Load() {
		return nil
	}
	config := jetstream.ConsumerConfig{
		Durable: ordersConsumer, FilterSubject: s.lay.schedule("*", duePart), AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: s.cfg.Lease, DeliverPolicy: jetstream.DeliverAllPolicy, MaxDeliver: -1, MaxAckPending: -1,
	}
	err := s.retry(ctx, "CONSUMER.CREATE."+s.lay.schedules()+".", func(ctx context.Context) error {
		_, err := s.js.CreateConsumer(ctx, s.lay.schedules(), config)
		return err
	})
	if err == nil || errors.Is(err, jetstream.ErrConsumerExists) {
		s.ordering.Store(true)
		return nil
	}
	return err
}

// takeOrder claims an order; nil where it is not to be executed any more.
func (s *Store) takeOrder(ctx context.Context, m *nats.Msg) (*dueOrder, error) {
	meta, err := m.Metadata()
	if err != nil {
		return nil, err
	}
	name := nameOfSchedule(m.Subject)
	claim := firing{Seq: meta.Sequence.Stream, Due: meta.Timestamp, Next: timeOf(m.Header), Worker: s.cfg.Worker, Taken: s.now(), Nonce: nonce()}
	if err := decode(m.Data, &claim.Of); err != nil {
		return nil, err
	}
	for t := s.trial(); ; {
		old, err := s.newest(ctx, s.lay.schedules(), s.lay.schedule(name, lastPart))
		if err != nil {
			return nil, err
		}
		var last firing
		if old != nil {
			if last, err = readFiring(old); err != nil {
				return nil, err
			}
		}
		switch {
		case last.Nonce == claim.Nonce: // an earlier try, whose reply was lost
			return s.holdOrder(m, claim, old.seq)
		case last.endedSeq() >= claim.Seq || last.Seq > claim.Seq:
			s.ack(m)
			return nil, nil
		}
		token, err := s.recordFiring(ctx, claim, seqOf(old))
		switch v := verdictOf(err); {
		case v == accepted:
			return s.holdOrder(m, claim, token)
		case v == broken || !t.again(ctx):
			return nil, err
		}
	}
}

// holdOrder begins to beat for an order.
func (s *Store) holdOrder(m *nats.Msg, claim firing, token uint64) (*dueOrder, error) {
	o := &dueOrder{s: s, msg: m, claim: claim, token: token, ended: make(chan struct{})}
	s.background(o.beat)
	return o, s.point("order: claimed")
}

// beat says that the order is being executed, until it is over or its context ends.
func (o *dueOrder) beat(ctx context.Context) {
	tick := time.NewTicker(o.s.cfg.Lease / 3)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if !o.silent.Load() {
				o.s.answer(o.msg, beatBody)
			}
		case <-o.ended:
			return
		case <-ctx.Done():
			return
		}
	}
}

// Schedule returns the schedule as the order carries it.
func (o *dueOrder) Schedule() foldstream.Schedule { return o.claim.Of }

// Due returns when the server stored the order.
func (o *dueOrder) Due() time.Time { return o.claim.Due }

// Done stores the outcome behind the claim, and only then takes the order away.
func (o *dueOrder) Done(ctx context.Context, out foldstream.Outcome) error {
	f := o.claim
	f.Ended, f.Text, f.Error = o.s.now(), clip(out.Text), clip(out.Error)
	return o.end(ctx, "done", f, func() { o.s.ack(o.msg) })
}

// Return stores why, and gives the order back.
func (o *dueOrder) Return(ctx context.Context, why error, after time.Duration) error {
	f := o.claim
	if why != nil {
		f.Error = clip(why.Error())
	}
	return o.end(ctx, "return", f, func() { o.s.nak(o.msg, after) })
}

// end stores what came of the order, if it is still this claim's, and then answers its message. A refused one is left alone.
func (o *dueOrder) end(ctx context.Context, op string, f firing, answer func()) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	lost := foldstream.Errorf(foldstream.Conflict, op, "the order of schedule %s was ended or lost", f.Of.Name)
	if o.token == 0 {
		return lost
	}
	for t := o.s.trial(); ; {
		_, err := o.s.recordFiring(ctx, f, o.token)
		stored, err := o.settle(ctx, err)
		switch {
		case foldstream.Is(err, foldstream.Conflict):
			o.over()
			return lost
		case err != nil:
			return o.s.door(ctx, op, err)
		case stored:
			o.over()
			if err := o.s.point("order: ended"); err == nil {
				answer()
			}
			return nil
		case !t.again(ctx):
			return o.s.door(ctx, op, nats.ErrTimeout)
		}
	}
}

// settle tells whether a try to store what came of the order was accepted; neither that nor an error is one to be made again.
func (o *dueOrder) settle(ctx context.Context, err error) (stored bool, _ error) {
	switch verdictOf(err) {
	case accepted:
		return true, nil
	case broken:
		return false, err
	}
	m, err := o.s.newest(ctx, o.s.lay.schedules(), o.s.lay.schedule(o.claim.Of.Name, lastPart))
	if err != nil {
		return false, err
	}
	var last firing
	if m != nil {
		if last, err = readFiring(m); err != nil {
			return false, err
		}
	}
	if last.Nonce != o.claim.Nonce {
		return false, foldstream.Errorf(foldstream.Conflict, "", "another has it")
	}
	return m.seq > o.token, nil
}

// over ends the beats. The caller holds mu.
func (o *dueOrder) over() {
	o.token = 0
	close(o.ended)
}
