package mem

import (
	"context"
	"time"

	"github.com/foldstream/foldstream"
)

// lease is a claim on a task. It holds while the task's token is the claim's.
type lease struct {
	s     *Store
	q     *queue
	t     *task
	view  foldstream.Task
	token foldstream.Cursor

	second   bool // it stands beside another's claim, see second.go
	over     bool // it was given up
	since    time.Time
	progress foldstream.Progress
}

var _ foldstream.Lease = (*lease)(nil)

// Abandon stops the beats of a lease of this package, as the death or the freezing of its worker would: after the lease's
// time another worker may take the task over. The lease's own calls go on to work as they would in a worker that wakes up.
func Abandon(l foldstream.Lease) {
	m := l.(*lease)
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	if m.t.token == m.token && !m.second {
		m.t.expires = m.s.opts.Now().Add(m.q.lease)
		m.s.notify()
	}
}

// Task returns the task as it was claimed.
func (l *lease) Task() foldstream.Task { return l.view.Clone() }

// Extend tells whether the lease holds.
func (l *lease) Extend(ctx context.Context, p foldstream.Progress) error {
	return l.held(ctx, "extend", func() error {
		if l.second {
			l.progress = p
			return nil
		}
		now := l.s.opts.Now()
		l.t.touched, l.t.progress = now, p
		if !l.t.expires.IsZero() {
			l.t.expires = now.Add(l.q.lease)
		}
		return nil
	})
}

// Commit ends the stage.
func (l *lease) Commit(ctx context.Context, r foldstream.Result) error {
	return l.held(ctx, "commit", func() error {
		stored, err := carry("commit", r, l.s.opts.MaxPayload)
		if err != nil {
			return err
		}
		if l.view.LastStage() {
			l.s.record(l.q, l.t, foldstream.Event{Kind: foldstream.EventResult, Status: foldstream.Done, Worker: l.s.opts.Worker, Run: l.view.Run, Result: &stored})
			return nil
		}
		l.s.record(l.q, l.t, foldstream.Event{Kind: foldstream.EventPart, Status: foldstream.PartDone, Worker: l.s.opts.Worker, Run: l.view.Run, Result: &stored})
		l.t.part, l.t.stage, l.t.attempt = &stored, l.t.nextStage(), 1
		l.s.ticket(l.t, l.t.touched)
		return nil
	})
}

// Return gives the task back, in its old place.
func (l *lease) Return(ctx context.Context, why error, after time.Duration) error {
	return l.held(ctx, "return", func() error {
		if l.second {
			return l.giveUp()
		}
		e := foldstream.Event{Kind: foldstream.EventEnd, Status: foldstream.Waiting, Worker: l.s.opts.Worker}
		if why != nil {
			e.Error = why.Error()
		}
		l.s.record(l.q, l.t, e)
		if why != nil {
			l.t.attempt, l.t.err = l.t.attempt+1, e.Error
		}
		l.t.due = l.t.touched.Add(after)
		return nil
	})
}

// Fail ends the task. A nil why is Invalid.
func (l *lease) Fail(ctx context.Context, why error) error {
	if why == nil {
		return foldstream.Errorf(foldstream.Invalid, "fail", "task %s: a task does not fail without a reason", l.view.ID)
	}
	return l.held(ctx, "fail", func() error {
		if l.second {
			return l.giveUp()
		}
		l.t.err = why.Error()
		l.s.record(l.q, l.t, foldstream.Event{Kind: foldstream.EventEnd, Status: foldstream.Dead, Worker: l.s.opts.Worker, Error: l.t.err})
		return nil
	})
}

// held runs do under the store's lock if the lease still holds: the fence. Errors: Conflict, Cancelled, those of do.
func (l *lease) held(ctx context.Context, op string, do func() error) error {
	if err := alive(ctx, op); err != nil {
		return err
	}
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.over || l.t.token != l.token {
		return foldstream.Errorf(foldstream.Conflict, op, "task %s of pool %s: the lease was ended or lost", l.view.ID, l.q.name)
	}
	return do()
}
