package stream

import (
	"context"

	"github.com/foldstream/foldstream"
)

// mend gives an open task without a live ticket a new one, which is read against the chain before it is claimed. It reports
// whether there was something to mend. A task of a newer program is left to that.
func (p *Pool) mend(ctx context.Context, id foldstream.TaskID) (bool, error) {
	mended, err := p.mendOne(ctx, id)
	if p.s.passes(err) {
		return false, nil
	}
	return mended, err
}

func (p *Pool) mendOne(ctx context.Context, id foldstream.TaskID) (bool, error) {
	m, at, err := p.ticketOf(ctx, id)
	if err != nil {
		return false, err
	}
	if m != nil {
		dead, err := p.isDead(ctx, m, at)
		if err != nil || !dead {
			return false, err
		}
		if err := p.s.remove(ctx, p.s.lay.work(), m.seq); err != nil {
			return false, err
		}
	}
	t, open, err := p.resume(ctx, id)
	if err != nil || !open {
		return false, err
	}
	return p.give(ctx, t)
}

// give publishes a ticket for a task that must have none. It reports whether the task got it: somebody else's is as good.
func (p *Pool) give(ctx context.Context, t ticket) (bool, error) {
	if err := p.ensureLane(ctx, t.lane); err != nil {
		return false, err
	}
	m := t.put(p.s.lay, p.s.now())
	p.s.expectTicket(m, p.name, t.id, 0)
	_, err := p.s.publish(ctx, m)
	if verdictOf(err) == refused {
		return false, nil
	}
	return true, p.s.issued(ctx, "give a ticket", m, err)
}

// isDead reports whether a ticket can never be delivered: a schedule long past its time, or a ticket at or below its consumer's
// ack floor, which a killed server brought back after it had been acknowledged. t is where it is, by placeOf.
func (p *Pool) isDead(ctx context.Context, m *stored, t ticket) (bool, error) {
	if t.later {
		at, err := due(m)
		return err == nil && p.s.until(at) < -2*p.leaseTime(), nil
	}
	if err := p.ensureLane(ctx, t.lane); err != nil {
		return false, err
	}
	info, err := p.consumerInfo(ctx, t.lane)
	return err == nil && m.seq <= info.AckFloor.Stream, err
}

// resume builds the ticket with which an open task goes on; false for a task that is finished.
func (p *Pool) resume(ctx context.Context, id foldstream.TaskID) (ticket, bool, error) {
	m, err := p.s.newest(ctx, p.s.lay.defs(), p.s.lay.def(p.name, id))
	if err != nil || m == nil {
		return ticket{}, false, err
	}
	task, err := readDefinition(m)
	if err != nil {
		return ticket{}, false, p.s.setAside(ctx, p.s.lay.defs(), err)
	}
	last, err := p.s.last(ctx, p.name, id)
	if err != nil || last.Status.Final() {
		return ticket{}, false, err
	}
	band, err := bandOf(task, last.moved)
	t := ticket{pool: p.name, lane: laneName{firstStage(task.Stages), band}, id: id, def: m.data, expect: last.Seq, read: true, at: last.until}
	if last.Seq == 0 {
		t.at = task.NotBefore
	}
	if err != nil || last.Seq == 0 || len(task.Stages) == 0 {
		return t, err == nil, err
	}
	at := stageIndex(task.Stages, last.Stage)
	if last.Kind == foldstream.EventPart {
		at++
	}
	t.lane.stage = task.Stages[min(at, len(task.Stages)-1)]
	if at > 0 {
		t.part, err = p.partOf(ctx, id, task.Stages[at-1])
	}
	return t, err == nil, err
}

// partOf reads the last part of a stage from the task's history.
func (p *Pool) partOf(ctx context.Context, id foldstream.TaskID, stage string) (part []byte, err error) {
	for l, err := range p.s.links(ctx, query{filters: []string{p.s.lay.event(p.name, id)}}) {
		if err != nil {
			return nil, err
		}
		if l.Kind == foldstream.EventPart && l.Stage == stage {
			part = l.body
		}
	}
	if part == nil {
		err = foldstream.Errorf(foldstream.Internal, "reconcile", "task %s: its history does not reach back to the part of stage %q", id, stage)
	}
	return part, err
}
