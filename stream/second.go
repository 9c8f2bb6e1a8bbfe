package stream

import (
	"context"

	"github.com/foldstream/foldstream"
)

var _ foldstream.Seconder = (*Store)(nil)

// Second leases a task beside the claim that holds it. The lease has the claim's token and its ticket's task, and a nonce of its own: so a
// commit of the one is never taken for the other's.
func (s *Store) Second(ctx context.Context, pool string, id foldstream.TaskID, f foldstream.Filter) (foldstream.Lease, error) {
	p := s.pool(pool)
	err := p.fetchable(ctx, "second", f)
	if err == nil {
		err = p.open(f)
	}
	if err != nil {
		return nil, s.door(ctx, "second", err)
	}
	l, err := p.beside(ctx, id, f)
	if err != nil {
		return nil, s.door(ctx, "second", err)
	}
	p.hold(l)
	return l, nil
}

// open reports why the pool's settings give a fetch nothing now. Errors: Conflict, NotFound (it is paused).
func (p *Pool) open(f foldstream.Filter) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.requires(f)
	if err == nil && p.paused {
		err = foldstream.Errorf(foldstream.NotFound, "second", "pool %s is paused", p.name)
	}
	return err
}

// beside makes a lease that holds as long as the task's present claim. Errors: NotFound.
func (p *Pool) beside(ctx context.Context, id foldstream.TaskID, f foldstream.Filter) (*lease, error) {
	none := foldstream.Errorf(foldstream.NotFound, "second", "task %s of pool %s is in the hands of no worker, or not for this one", id, p.name)
	if !id.Valid() {
		return nil, none
	}
	claim, err := p.s.last(ctx, p.name, id)
	if err != nil || claim.Kind != foldstream.EventClaim || claim.ticket == 0 {
		return nil, or(err, none)
	}
	m, err := p.s.at(ctx, p.s.lay.work(), claim.ticket)
	if err != nil || m == nil { // it ends just now, or its ticket was lost
		return nil, or(err, none)
	}
	d := &delivery{seq: m.seq}
	if err := d.parse(m); err != nil {
		return nil, err
	}
	task, err := d.task()
	if err != nil {
		return nil, strange(m, err)
	}
	if d.id != id || !(&waiter{filter: f}).wants(&lane{laneName: d.lane}) {
		return nil, none
	}
	l := newLease(p, d, task, link{Event: foldstream.Event{Attempt: claim.Attempt}, crashes: claim.crashes, trouble: claim.trouble})
	l.token = uint64(claim.Seq)
	close(l.claimed)
	return l, nil
}

// isSecond reports whether the lease stands beside another's claim: it has no ticket in hand.
func (l *lease) isSecond() bool { return l.d.msg == nil }

// giveUp ends a second lease: the task is its first worker's, and nothing is written. Errors: Conflict.
func (l *lease) giveUp(ctx context.Context, op string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.holds(ctx, op); err != nil {
		return err
	}
	if err := l.check(ctx, op); err != nil {
		return err
	}
	l.p.drop(l)
	return nil
}

// through takes the ticket of a stage that has ended out of the queue. One that another process has in hand is deleted; should that fail, it
// comes again when that process has seen its loss, and is seen as finished.
func (s *Store) through(ctx context.Context, d *delivery) error {
	if d.msg == nil {
		return s.remove(ctx, s.lay.work(), d.seq)
	}
	s.ack(d.msg)
	return nil
}
