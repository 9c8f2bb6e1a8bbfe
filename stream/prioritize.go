package stream

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

// Prioritize puts a ticket of the new band in the place of the old one. A worker who takes the old one meanwhile keeps the task: the
// new ticket is then a spare, which drops itself.
func (s *Store) Prioritize(ctx context.Context, pool string, priority *int, ids ...foldstream.TaskID) (int, error) {
	band, err := foldstream.Task{Priority: priority}.Band()
	if err != nil {
		return 0, foldstream.Errorf(foldstream.Invalid, "prioritize", "priority %d is not between %d and %d", *priority, foldstream.MinPriority, foldstream.MaxPriority)
	}
	return s.change(ctx, "prioritize", pool, ids, func(ctx context.Context, p *Pool, id foldstream.TaskID) (bool, error) {
		for t := s.trial(); ; {
			moved, again, err := p.prioritize(ctx, id, band)
			if err != nil || !again {
				return moved, err
			}
			if !t.again(ctx) {
				return false, nats.ErrTimeout
			}
		}
	})
}

// prioritize tries once; again says that the task's ticket became another meanwhile.
func (p *Pool) prioritize(ctx context.Context, id foldstream.TaskID, band int) (moved, again bool, err error) {
	last, err := p.stand(ctx, id)
	if err != nil || last.Status != foldstream.Waiting && last.Status != foldstream.PartDone {
		return false, false, err
	}
	old, t, err := p.ticketOf(ctx, id)
	if err != nil {
		return false, false, err
	}
	if old == nil {
		moved, err = p.giveIn(ctx, id, band)
		return moved, false, err
	}
	if t.lane.band == band {
		return false, false, p.dropOlder(ctx, id, old.seq)
	}
	m, lane := p.moveTicket(old, t, band)
	if err := p.ensureLane(ctx, lane); err != nil {
		return false, false, err
	}
	p.s.expectTicket(m, p.name, id, old.seq)
	_, err = p.s.publish(ctx, m)
	switch verdictOf(err) {
	case refused, unsure: // where it came to be after all, the next try sees it in its band
		return false, true, nil
	case broken:
		return false, false, err
	}
	if err := p.s.point("prioritize: given"); err != nil {
		return false, false, err
	}
	moved, err = p.outdate(ctx, id, old.seq)
	return moved, false, err
}

// outdate takes away a ticket that is no longer its task's newest. It reports false where a worker was faster.
func (p *Pool) outdate(ctx context.Context, id foldstream.TaskID, seq uint64) (bool, error) {
	now, err := p.s.last(ctx, p.name, id)
	if err != nil || now.Kind == foldstream.EventClaim && now.ticket == seq {
		return false, err
	}
	return true, p.s.remove(ctx, p.s.lay.work(), seq)
}

// dropOlder takes away what a call left that ended behind the task's new ticket.
func (p *Pool) dropOlder(ctx context.Context, id foldstream.TaskID, newest uint64) error {
	for {
		m, err := p.s.oldest(ctx, p.s.lay.work(), p.s.lay.anyTicket(p.name, id))
		if err != nil || m == nil || m.seq >= newest {
			return err
		}
		if gone, err := p.outdate(ctx, id, m.seq); err != nil || !gone {
			return err
		}
	}
}

// moveTicket writes a ticket again for another band. The chain is read before it is claimed: what the old one waits for, it must, too.
func (p *Pool) moveTicket(old *stored, t ticket, band int) (*nats.Msg, laneName) {
	m := &nats.Msg{Header: nats.Header{headerRead: {"1"}}, Data: old.data}
	for _, key := range []string{headerExpected, headerPart, headerTrouble, jetstream.ScheduleHeader} {
		setText(m.Header, key, old.header.Get(key))
	}
	lane := laneName{t.lane.stage, band}
	m.Subject = p.s.lay.ticket(p.name, lane, t.id)
	if t.later {
		setText(m.Header, jetstream.ScheduleTargetHeader, m.Subject)
		m.Subject = p.s.lay.later(p.name, band, t.id)
	}
	return m, lane
}

// ticketOf returns the ticket or schedule that a task has, at the leader, and where it is, or for a schedule where it will be; nil where
// there is none. What is none and stands in its place is set aside.
func (p *Pool) ticketOf(ctx context.Context, id foldstream.TaskID) (*stored, ticket, error) {
	for {
		m, err := p.s.newest(ctx, p.s.lay.work(), p.s.lay.anyTicket(p.name, id))
		if err != nil || m == nil {
			return nil, ticket{}, err
		}
		t, err := placeOf(m)
		if err == nil {
			return m, t, nil
		}
		if err := p.s.setAside(ctx, p.s.lay.work(), err); err != nil {
			return nil, ticket{}, err
		}
	}
}

// placeOf reads where a ticket is; of a schedule, where it will be: with a stage, and later. Errors: a stranger.
func placeOf(m *stored) (ticket, error) {
	var t ticket
	err := t.locate(m)
	if err == nil {
		err = strange(m, m.checkVersion())
	}
	if err != nil || !t.later {
		return t, err
	}
	if _, err := due(m); err != nil {
		return t, strange(m, fmt.Errorf("%s: %w", jetstream.ScheduleHeader, err))
	}
	var target ticket
	err = target.locate(&stored{subject: m.header.Get(jetstream.ScheduleTargetHeader)})
	if err != nil || target.later || target.pool != t.pool || target.id != t.id {
		return t, strange(m, fmt.Errorf("%s: %.80q is no place for a ticket of its task", jetstream.ScheduleTargetHeader, m.header.Get(jetstream.ScheduleTargetHeader)))
	}
	t.lane = target.lane
	return t, nil
}

// giveIn gives a task that lost its ticket one in a band.
func (p *Pool) giveIn(ctx context.Context, id foldstream.TaskID, band int) (bool, error) {
	t, open, err := p.resume(ctx, id)
	if err != nil || !open {
		return false, err
	}
	t.lane.band = band
	return p.give(ctx, t)
}

// due returns when a schedule brings its ticket.
func due(m *stored) (time.Time, error) {
	return time.Parse(time.RFC3339Nano, strings.TrimPrefix(m.header.Get(jetstream.ScheduleHeader), "@at "))
}
