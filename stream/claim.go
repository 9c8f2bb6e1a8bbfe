package stream

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// The answers to a ticket.
var (
	ackBody  = []byte("+ACK")
	beatBody = []byte("+WPI")
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

// weigh reads the chain and decides what a ticket is good for. It returns the claim to make, or answers the ticket itself.
func (p *Pool) weigh(ctx context.Context, d *delivery, task *foldstream.Task) (link, bool, error) {
	last, err := p.fresh(ctx, d)
	if err != nil {
		return link{}, false, err
	}
	claim := link{Event: foldstream.Event{Expected: last.Seq, Attempt: 1}, crashes: last.crashes, trouble: last.trouble}
	switch at := stageIndex(task.Stages, last.Stage); {
	case last.Seq == 0:
		return claim, true, nil
	case last.Status.Final():
		return link{}, false, p.finish(ctx, d, last)
	case last.Kind == foldstream.EventPart && nextStage(task.Stages, last.Stage) == "":
		return link{}, false, p.dismiss(ctx, d, last)
	case last.Kind == foldstream.EventPart && at >= stageIndex(task.Stages, d.lane.stage):
		return link{}, false, p.advance(ctx, d, task, last)
	case last.Kind == foldstream.EventPart:
		claim.crashes = 0
		return claim, true, nil
	case last.Kind == foldstream.EventClaim:
		claim.Attempt = last.Attempt
		return p.weighRunning(ctx, d, claim, last)
	}
	claim.Attempt = max(last.next, 1)
	return p.weighReturned(ctx, d, claim, last)
}

// staleTime is how long a leader that was elected just now may not know what the one before it told.
const staleTime = 2 * time.Second

// fresh reads the last event; one that is older than what the ticket names is stale and read again. A ticket that names an
// event which never comes is a stranger's: should it have been ours after all, the reconciler gives the task another.
func (p *Pool) fresh(ctx context.Context, d *delivery) (link, error) {
	for t := p.s.trial(); ; {
		last, err := p.s.last(ctx, p.name, d.id)
		if err != nil || last.Seq >= d.expect {
			return last, err
		}
		if clock.Since(t.since) > staleTime || !t.again(ctx) {
			if ctx.Err() != nil {
				return last, ctx.Err()
			}
			return last, strange(d.stored(), fmt.Errorf("it names event %d, the task's chain ends with %d", d.expect, last.Seq))
		}
	}
}

// dismiss sets an event aside that no worker of the task can have written: the part of a stage that the task does not have, or that is
// its last. The ticket comes again.
func (p *Pool) dismiss(ctx context.Context, d *delivery, event link) error {
	m, err := p.s.at(ctx, p.s.lay.events(), uint64(event.Seq))
	if err == nil && m != nil {
		err = p.s.setAside(ctx, p.s.lay.events(), strange(m, fmt.Errorf("it is the part of stage %q, after which the task has none", event.Stage)))
	}
	if err == nil {
		p.s.nak(d.msg, 0)
	}
	return err
}

// finish drops a ticket of a finished task. A failed one has its copy in the dead letters by then.
func (p *Pool) finish(ctx context.Context, d *delivery, last link) error {
	if last.Status == foldstream.Dead {
		if err := p.s.bury(ctx, last); err != nil {
			return err
		}
		if err := p.s.point("fail: buried"); err != nil {
			return err
		}
	}
	p.s.ack(d.msg)
	return nil
}

// weighReturned decides about a task that was given back.
func (p *Pool) weighReturned(ctx context.Context, d *delivery, claim, last link) (link, bool, error) {
	rest := p.s.until(last.until)
	if last.later {
		m, err := p.s.newest(ctx, p.s.lay.work(), p.s.lay.anyLater(p.name, d.id))
		switch {
		case err != nil:
			return link{}, false, err
		case m != nil && rest > -p.leaseTime():
			p.s.ack(d.msg) // the schedule brings another
			return link{}, false, nil
		case m != nil: // it should have fired: my ticket is in its place
			if err := p.s.remove(ctx, p.s.lay.work(), m.seq); err != nil {
				return link{}, false, err
			}
		}
	}
	if rest > 20*time.Millisecond {
		p.s.nak(d.msg, rest)
		return link{}, false, nil
	}
	return claim, true, nil
}

// weighRunning decides about a task that a claim holds. Nothing is taken from a live worker: one whose entry in Workers lists
// the claim is alive, whatever the ticket says.
func (p *Pool) weighRunning(ctx context.Context, d *delivery, claim, last link) (link, bool, error) {
	rest, err := p.liveFor(ctx, last)
	if err != nil {
		return link{}, false, err
	}
	if last.ticket != d.seq {
		named, err := p.s.at(ctx, p.s.lay.work(), max(last.ticket, 1))
		if err != nil {
			return link{}, false, err
		}
		if named != nil { // mine is a spare
			p.s.ack(d.msg)
			return link{}, false, nil
		}
	}
	if rest > 0 {
		p.s.nak(d.msg, rest)
		return link{}, false, nil
	}
	claim.crashes++
	p.s.log.Warn("taking a task over from a lost worker", "pool", p.name, "task", string(d.id), "worker", last.Worker, "attempt", last.Attempt)
	if claim.crashes >= p.s.cfg.Crashes {
		claim.Worker, claim.moved = last.Worker, d.moved
		return link{}, false, p.crashed(ctx, d, claim)
	}
	return claim, true, nil
}

// liveFor returns for how long the worker of a claim counts as alive; 0 or less when it is provably gone.
func (p *Pool) liveFor(ctx context.Context, claim link) (time.Duration, error) {
	rest, err := p.s.livesOn(ctx, claim)
	return max(rest, p.s.until(claim.At.Add(p.leaseTime()))), err
}

// crashed fails a task whose claims were lost too often.
func (p *Pool) crashed(ctx context.Context, d *delivery, claim link) error {
	l := claim
	l.Pool, l.Task, l.Stage, l.Kind, l.Status = p.name, d.id, d.lane.stage, foldstream.EventEnd, foldstream.Dead
	l.Error = fmt.Sprintf("crashed: %d workers were lost at it", claim.crashes)
	l.trouble = l.Error
	l.session, l.nonce = p.s.session, nonce()
	seq, err := p.s.append(ctx, "fetch", l)
	if err != nil {
		return err
	}
	l.Seq = foldstream.Cursor(seq)
	if err := p.s.point("crash: ended"); err != nil {
		return err
	}
	return p.finish(ctx, d, l)
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

// ack takes a ticket out of the queue. Like all answers to tickets it is not waited for: if it is lost, the ticket comes back and
// is seen as finished.
func (s *Store) ack(m *nats.Msg) { s.answer(m, ackBody) }

// nak gives a ticket back, to come again after a pause.
func (s *Store) nak(m *nats.Msg, after time.Duration) {
	body := []byte("-NAK")
	if after > 0 {
		body = append(body, ` {"delay": `+strconv.FormatInt(after.Nanoseconds(), 10)+`}`...)
	}
	s.answer(m, body)
}

func (s *Store) answer(m *nats.Msg, body []byte) {
	if err := s.nc.Publish(m.Reply, body); err != nil {
		s.log.Warn("a ticket was not answered and runs out", "err", err)
	}
}
