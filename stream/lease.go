package stream

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
)

// lease is a claim on a task. It holds while the claim is the chain's last event.
type lease struct {
	p     *Pool
	d     *delivery
	view  *foldstream.Task
	claim link // as sent; its nonce marks all events of this lease
	since time.Time

	sent    *nats.Msg     // the claim's message, of a first claim
	claimed chan struct{} // closed when the claim is decided; token and refused are set then
	token   uint64
	refused error

	gone     atomic.Bool // lost, or ended
	silent   atomic.Bool // beats have stopped: the process plays dead for it
	progress atomic.Pointer[foldstream.Progress]

	mu sync.Mutex // one call at a time decides
}

var _ foldstream.Lease = (*lease)(nil)

// newLease makes a lease whose claim follows base: its expected event, attempt and crashes.
func newLease(p *Pool, d *delivery, task *foldstream.Task, base link) *lease {
	task.Attempt = base.Attempt
	l := &lease{p: p, d: d, view: task, claim: base, since: p.s.now(), claimed: make(chan struct{})}
	c := &l.claim
	c.Pool, c.Task, c.Stage, c.Worker = p.name, d.id, d.lane.stage, p.s.cfg.Worker
	c.Kind, c.Status = foldstream.EventClaim, foldstream.Running
	c.ticket, c.delivery, c.session, c.nonce, c.moved = d.seq, d.count, p.s.session, nonce(), d.moved
	l.view.Run = c.nonce
	return l
}

// Task returns the task as it was claimed.
func (l *lease) Task() foldstream.Task { return l.view.Clone() }

// Extend renews the lease and asks the server if it still holds. The progress is seen in the bucket Workers.
func (l *lease) Extend(ctx context.Context, p foldstream.Progress) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.holds(ctx, "extend"); err != nil {
		return err
	}
	l.progress.Store(&p)
	l.beat()
	return l.check(ctx, "extend")
}

// beat renews the ticket; a second lease has none.
func (l *lease) beat() {
	if !l.isSecond() {
		l.p.s.answer(l.d.msg, beatBody)
	}
}

// check compares the token with the chain. Errors: Conflict.
func (l *lease) check(ctx context.Context, op string) error {
	last, err := l.p.s.last(ctx, l.p.name, l.view.ID)
	if err != nil {
		return l.p.s.door(ctx, op, err)
	}
	if uint64(last.Seq) != l.token {
		l.p.drop(l)
		return l.lost(op)
	}
	return nil
}

// holds waits until the claim is decided. Errors: Conflict (it was refused, or the lease is over), Cancelled.
func (l *lease) holds(ctx context.Context, op string) error {
	if err := stopped(ctx, op); err != nil {
		return err
	}
	if err := l.decided(ctx, op); err != nil {
		return err
	}
	switch {
	case l.refused != nil && l.p.s.life().Err() != nil:
		return foldstream.Errorf(foldstream.Unavailable, op, "the store is closed")
	case l.refused != nil && !foldstream.Is(l.refused, foldstream.Conflict):
		return l.refused
	case l.gone.Load():
		return l.lost(op)
	}
	return nil
}

func (l *lease) lost(op string) error {
	return foldstream.Errorf(foldstream.Conflict, op, "task %s of pool %s: the lease was ended or lost", l.view.ID, l.p.name)
}

// hold begins to beat for a lease.
func (p *Pool) hold(l *lease) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held[l] = struct{}{}
	p.startBeat()
}

// startBeat begins to say that this worker lives. The caller holds mu.
func (p *Pool) startBeat() {
	if !p.beating {
		p.beating = true
		p.s.background(p.beat)
	}
}

// drop ends the beats for a lease: it is over, or lost.
func (p *Pool) drop(l *lease) {
	l.gone.Store(true)
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.held, l)
}

// checkEvery is after how many beats a lease is compared with its chain.
const checkEvery = 3

// beat keeps the pool's leases alive until its context ends.
func (p *Pool) beat(ctx context.Context) {
	p.s.present()
	next := time.NewTimer(p.beatEvery())
	defer next.Stop()
	for n := 1; ; n++ {
		select {
		case <-next.C:
			next.Reset(p.beatEvery())
		case <-ctx.Done():
			return
		}
		for _, l := range p.leases() {
			l.beat()
		}
		p.s.present()
		if n%checkEvery == 0 {
			p.compare(ctx)
		}
	}
}

func (p *Pool) beatEvery() time.Duration { return min(p.leaseTime()/3, workersTTL/4) }

// leases returns those to beat for.
func (p *Pool) leases() []*lease {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := make([]*lease, 0, len(p.held))
	for l := range p.held {
		if !l.silent.Load() {
			all = append(all, l)
		}
	}
	return all
}

// compare drops the leases that were lost: their beats would keep a ticket from the one who has it now. Who works finds out by the next call.
func (p *Pool) compare(ctx context.Context) {
	for _, l := range p.leases() {
		select {
		case <-l.claimed:
			_ = l.check(ctx, "beat")
		default:
		}
	}
}
