package stream

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
)

// Commit ends the stage: it stores the result behind the claim, and only then takes the ticket away.
func (l *lease) Commit(ctx context.Context, r foldstream.Result) error {
	end, err := l.result(r)
	if err != nil {
		return err
	}
	return l.finish(ctx, "commit", end, func(ctx context.Context, end link) error {
		if end.Kind == foldstream.EventPart {
			return l.p.advance(ctx, l.d, l.view, end)
		}
		return l.p.s.through(ctx, l.d)
	})
}

// result makes the event that ends the stage. Of a stage that another follows it has a body, which travels with the next ticket.
func (l *lease) result(r foldstream.Result) (link, error) {
	end := l.link(foldstream.EventResult, foldstream.Done)
	if l.view.LastStage() {
		return end, foldstream.E(foldstream.Invalid, "commit", end.setResult(r))
	}
	end = l.link(foldstream.EventPart, foldstream.PartDone)
	err := end.setResult(r)
	if err == nil && end.body == nil {
		end.body, err = encodeResult(&r)
	}
	if err != nil {
		return end, foldstream.E(foldstream.Invalid, "commit", err)
	}
	next := ticket{pool: l.p.name, lane: l.d.lane, id: l.view.ID, def: l.d.def, part: end.body}
	return end, l.p.s.fits("commit", next.message(l.p.s.lay))
}

// Return gives the task back. A short pause is waited out by the ticket, a long one by a schedule of the server.
func (l *lease) Return(ctx context.Context, why error, after time.Duration) error {
	if l.isSecond() {
		return l.giveUp(ctx, "return")
	}
	end := l.link(foldstream.EventEnd, foldstream.Waiting)
	end.next = l.view.Attempt
	if why != nil {
		end.Error = clip(why.Error())
		end.trouble = end.Error
		end.next++
	}
	if after > 0 {
		end.until, end.later = l.p.s.now().Add(after), after > l.p.s.longDelay
	}
	return l.finish(ctx, "return", end, func(ctx context.Context, end link) error {
		if end.later {
			return l.postpone(ctx, end)
		}
		l.p.s.nak(l.d.msg, after)
		return nil
	})
}

// postpone puts a schedule in the place of the ticket.
func (l *lease) postpone(ctx context.Context, end link) error {
	t := l.d.ticket
	t.expect = end.Seq
	m := t.schedule(l.p.s.lay, end.until)
	l.p.s.expectTicket(m, l.p.name, t.id, l.d.seq)
	_, err := l.p.s.publish(ctx, m)
	if err := l.p.s.issued(ctx, "return", m, err); err != nil {
		l.p.s.nak(l.d.msg, l.p.s.until(end.until))
		return err
	}
	if err := l.p.s.point("return: scheduled"); err != nil {
		return err
	}
	l.p.s.ack(l.d.msg)
	return nil
}

// Fail ends the task as failed.
func (l *lease) Fail(ctx context.Context, why error) error {
	if why == nil {
		return foldstream.Errorf(foldstream.Invalid, "fail", "task %s: a task does not fail without a reason", l.view.ID)
	}
	if l.isSecond() {
		return l.giveUp(ctx, "fail")
	}
	end := l.link(foldstream.EventEnd, foldstream.Dead)
	end.Error = clip(why.Error())
	end.trouble = end.Error
	return l.finish(ctx, "fail", end, func(ctx context.Context, end link) error {
		return l.p.finish(ctx, l.d, end)
	})
}

// maxError is how much of an error's text is kept, so that no error is too large to be told.
const maxError = 16 << 10

func clip(text string) string {
	if len(text) <= maxError {
		return text
	}
	return text[:maxError/2] + " … " + text[len(text)-maxError/2:]
}

// link is an event of this lease, without the token.
func (l *lease) link(kind foldstream.EventKind, status foldstream.Status) link {
	e := l.claim
	e.Kind, e.Status, e.ticket, e.delivery = kind, status, 0, 0
	return e
}

// finish appends the event that ends the lease, then answers the ticket. A refused event leaves the ticket alone: it is somebody
// else's by then. An error of the answer is not the caller's: the event is stored, and the ticket that comes back is seen as what
// it is.
func (l *lease) finish(ctx context.Context, op string, end link, answer func(context.Context, link) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.holds(ctx, op); err != nil {
		return err
	}
	end.Expected = foldstream.Cursor(l.token)
	seq, err := l.p.s.append(ctx, op, end)
	if foldstream.Is(err, foldstream.Conflict) {
		l.p.drop(l)
	}
	if err != nil {
		return err
	}
	l.p.drop(l)
	end.Seq, end.At = foldstream.Cursor(seq), l.p.s.now()
	if err = l.p.s.point(op + ": stored"); err == nil {
		err = answer(ctx, end)
	}
	if err != nil {
		l.p.s.log.Warn("the ticket of an ended lease is left to run out", "pool", l.p.name, "task", string(l.view.ID), "err", err)
	}
	return nil
}

// bury keeps a copy of a failed task's end in the dead letters, once.
func (s *Store) bury(ctx context.Context, end link) error {
	subject := s.lay.letter(end.Pool, end.Stage, end.Task)
	old, err := s.newest(ctx, s.lay.dlq(), subject)
	if err != nil {
		return err
	}
	if old != nil && runOf(old) == end.nonce {
		return nil
	}
	if end.Error == "" && len(end.body) > 0 {
		end.open()
	}
	m, err := s.message("fail", end)
	if err != nil {
		return err
	}
	m.Subject = subject
	return s.deliver(ctx, m)
}

// runOf returns the run that a letter is of; "" where it is none.
func runOf(letter *stored) string {
	var l link
	_ = l.readLine(letter.header.Get(headerEvent)) // what is no event's has no run, or one that nobody asks for
	return l.nonce
}

// deliver publishes a message that may stand twice.
func (s *Store) deliver(ctx context.Context, m *nats.Msg) error {
	_, err := s.publish(ctx, m)
	return s.issued(ctx, "fail", m, err)
}
