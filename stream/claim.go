package stream

import (
	"context"
	"slices"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// Fetch leases the next task. The claim is sent and not waited for: the work begins while the server decides, and a claim that
// is refused shows as a lost lease.
func (p *Pool) Fetch(ctx context.Context, f foldstream.Filter) (foldstream.Lease, error) {
	if err := p.fetchable(ctx, "fetch", f); err != nil {
		return nil, err
	}
	until := clock.Tick().Add(f.Wait)
	for {
		if err := p.s.silenced("fetch", ofTickets); err != nil {
			return nil, err
		}
		m, err := p.take(ctx, f, until)
		if err != nil {
			return nil, err
		}
		l, err := p.claim(ctx, m)
		if l != nil {
			return l, nil
		}
		if err = p.putOff(ctx, m, err); err != nil {
			return nil, p.s.door(ctx, "fetch", err)
		}
	}
}

// fetchable reports why a fetch cannot begin. Errors: Invalid.
func (p *Pool) fetchable(ctx context.Context, op string, f foldstream.Filter) error {
	if err := p.usable(ctx, op); err != nil || f.Stage == "" {
		return err
	}
	return foldstream.E(foldstream.Invalid, op, foldstream.ValidName("stage", f.Stage))
}

// putOff answers a ticket that was not claimed because of err, so that it comes again. Only an error of the store is the fetch's, too:
// one ticket does not keep a pool from the others.
func (p *Pool) putOff(ctx context.Context, m *nats.Msg, err error) error {
	if err == nil {
		return nil
	}
	if _, isStranger := strangerIn(err); isStranger {
		p.refuse(ctx, m, err)
		return nil
	}
	switch kind := foldstream.KindOf(p.s.door(ctx, "fetch", err)); kind {
	case foldstream.Invalid, foldstream.Internal, foldstream.NotFound, foldstream.TooLarge:
		p.s.log.Error("a ticket cannot be worked; it is left for a while", "pool", p.name, "subject", m.Subject, "err", err)
		p.s.nak(m, p.leaseTime())
		return nil
	}
	p.s.nak(m, 0)
	return err
}

// refuse sets a ticket aside that is none of ours; one of a newer program is left to that.
func (p *Pool) refuse(ctx context.Context, m *nats.Msg, err error) {
	asideErr := err
	if !isNewer(err) {
		asideErr = p.s.setAside(ctx, p.s.lay.work(), err)
	}
	if asideErr == nil {
		return
	}
	p.s.passes(err)
	if !isNewer(err) {
		p.s.log.Error("a message that is no ticket cannot be set aside; it is left for a while", "pool", p.name, "subject", m.Subject, "err", asideErr)
	}
	p.s.nak(m, p.leaseTime())
}

// claim turns a ticket into a lease; nil when the ticket is not to be worked now.
func (p *Pool) claim(ctx context.Context, m *nats.Msg) (*lease, error) {
	d, task, err := p.read(m)
	if err != nil {
		return nil, err
	}
	if d.count == 1 && !d.read {
		return p.claimFirst(d, task)
	}
	base, ok, err := p.weigh(ctx, d, task)
	if err != nil || !ok {
		return nil, err
	}
	l := newLease(p, d, task, base)
	l.token, err = p.s.append(ctx, "fetch", l.claim)
	close(l.claimed)
	if err == nil {
		p.hold(l)
		return l, nil
	}
	if foldstream.Is(err, foldstream.Conflict) { // the chain moved since it was read: weigh again
		p.s.nak(m, 0)
		return nil, nil
	}
	return nil, err
}

// read reads a ticket and its task. Errors: a stranger.
func (p *Pool) read(m *nats.Msg) (*delivery, *foldstream.Task, error) {
	d, err := readDelivery(m)
	if err != nil {
		return nil, nil, err
	}
	task, err := d.task()
	if err != nil {
		return nil, nil, strange(d.stored(), err)
	}
	return d, task, nil
}

// advance publishes the ticket of the stage after the part that is stored, in the place of this one.
func (p *Pool) advance(ctx context.Context, d *delivery, task *foldstream.Task, part link) error {
	next := nextStage(task.Stages, part.Stage)
	if next == "" {
		return foldstream.Errorf(foldstream.Internal, "fetch", "task %s: nothing follows the part of stage %q", d.id, part.Stage)
	}
	t := ticket{pool: p.name, lane: laneName{next, d.lane.band}, id: d.id, def: d.def, part: part.body, expect: part.Seq, trouble: part.trouble}
	if err := p.ensureLane(ctx, t.lane); err != nil {
		return err
	}
	m := t.message(p.s.lay)
	p.s.expectTicket(m, p.name, d.id, d.seq)
	_, err := p.s.publish(ctx, m)
	if err := p.s.issued(ctx, "fetch", m, err); err != nil {
		return err
	}
	if err := p.s.point("commit: given"); err != nil {
		return err
	}
	return p.s.through(ctx, d)
}

// nextStage returns the stage after one; "" where that is the task's last, or none of its.
func nextStage(stages []string, stage string) string {
	if next := slices.Index(stages, stage) + 1; next > 0 && next < len(stages) {
		return stages[next]
	}
	return ""
}

// stageIndex returns the place of a stage in the task's row; 0 where it names none.
func stageIndex(stages []string, stage string) int { return max(slices.Index(stages, stage), 0) }
