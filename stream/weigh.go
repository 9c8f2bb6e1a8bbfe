package stream

import (
	"context"
	"fmt"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

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
