package work

import (
	"context"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// secondEvery is how long a consumer with nothing to do waits before it looks for another straggler.
const secondEvery = 3 * time.Second

// secondLook lets one slot at a time look for a straggler.
type secondLook struct {
	mu   sync.Mutex
	last time.Time // when one looked last and found none
}

// find asks for a second lease; nil where there is none, or another slot looks, or one did just now.
func (p *process) findSecond(ctx context.Context) foldstream.Lease {
	if p.Second == nil || !p.second.mu.TryLock() {
		return nil
	}
	defer p.second.mu.Unlock()
	if !p.second.last.IsZero() && clock.Since(p.second.last) < secondEvery {
		return nil
	}
	f := p.Filter
	f.Code = p.declared()
	lease, err := p.Second(ctx, f)
	if err == nil {
		p.second.last = time.Time{}
		return lease
	}
	p.second.last = clock.Tick()
	if !foldstream.Is(err, foldstream.NotFound) && ctx.Err() == nil {
		p.log.Warn("no straggler can be looked for; trying again", "err", err)
	}
	return nil
}

// workSecond works the second copy of a straggler, if there is one of which nobody has a second copy yet.
func (p *process) workSecond(fetching, working context.Context) {
	lease := p.findSecond(fetching)
	if lease == nil {
		return
	}
	p.attempt(fetching, working, job{lease, func(ctx context.Context, t foldstream.Task) (*permit, error) {
		held, err := p.limits.take(ctx, t, maximum{secondKey(t.ID), 1})
		if err != nil {
			return nil, err
		}
		// Whoever had the place before may have ended the task since it was leased.
		if err := lease.Extend(ctx, foldstream.Progress{}); err != nil {
			held.release()
			return nil, lostOrNot(err)
		}
		p.log.Info("working a second copy of a task that takes long", "task", t.ID, "attempt", t.Attempt, "worker", t.Worker)
		return held, nil
	}, true})
}

// secondKey stands for the second copy of a task among the keys. No key of a task is written so.
func secondKey(id foldstream.TaskID) string { return "_second-" + string(id) }

// lostOrNot marks the error of an Extend that says that the lease is another's.
func lostOrNot(err error) error {
	if foldstream.Is(err, foldstream.Conflict) {
		return lost{err}
	}
	return foldstream.Snooze(putOff, err.Error())
}
