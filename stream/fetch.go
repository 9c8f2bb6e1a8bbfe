package stream

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// fairShare is how often a fetch takes the oldest band first, so that nothing starves.
const fairShare = 20

// The dispatcher's patience: how long a parked pull lasts before it is renewed (a pull that was lost costs no more than that),
// how long a probe may take, and how often it looks.
const (
	parkTime   = 5 * time.Second
	probeTime  = 2 * time.Second
	lookEvery  = 250 * time.Millisecond
	retryAfter = 250 * time.Millisecond
)

// dispatcher hands tickets to the fetches that wait in this process, and asks the server for no more than there are fetches.
// Pool.mu guards it.
//
// It asks one lane at a time, the highest band first, by a pull that does not wait (a probe). A lane found empty gets one pull
// that waits (it is parked) while a fetch waits for it, so that an urgent task starts at once. What comes when nobody waits any
// more goes back.
type dispatcher struct {
	waiters []*waiter
	lanes   []*lane // the highest band first
	clock   uint64  // counts the fetches
	served  int     // tickets handed out
	stock

	inbox    string
	sub      *nats.Subscription
	requests uint64 // numbers the pulls

	probed     *lane // the one lane asked now; nil is none
	probe      uint64
	probeLeft  int
	probeClock uint64
	probeSince time.Time
	watched    bool
	stopped    bool
	answered   chan struct{} // closed when a stopped pool has the answer to its last probe; nil where nobody waits for that
}

// waiter is one fetch.
type waiter struct {
	filter foldstream.Filter
	since  uint64         // the dispatcher's clock when it came
	until  time.Time      // when it leaves; zero: it leaves when there is nothing
	late   bool           // its time is over: it leaves when each lane was looked at once
	ticket chan *nats.Msg // nil is nothing there; holds one
}

// lane is what the dispatcher knows of one consumer.
type lane struct {
	laneName
	emptyAt uint64    // the clock of the last probe that found nothing
	park    uint64    // the pull that waits; 0 is none
	due     time.Time // when that pull ends
	retry   time.Time // after an error: not before
	seen    uint64    // the youngest ticket that came
}

func (w *waiter) wants(ln *lane) bool {
	return ln.band >= w.filter.MinBand && (w.filter.Stage == "" || w.filter.Stage == ln.stage)
}

// addLane makes a lane known.
func (p *Pool) addLane(name laneName) {
	if slices.ContainsFunc(p.lanes, func(ln *lane) bool { return ln.laneName == name }) {
		return
	}
	// Of the stages of a band the one that came later comes first: what is begun is finished first.
	at, _ := slices.BinarySearchFunc(p.lanes, name, func(ln *lane, n laneName) int { return cmp.Compare(n.band, ln.band) })
	p.lanes = slices.Insert(p.lanes, at, &lane{laneName: name})
}

// take waits for a ticket. Errors: NotFound, Conflict, Unavailable, Cancelled.
func (p *Pool) take(ctx context.Context, f foldstream.Filter, until time.Time) (*nats.Msg, error) {
	w := &waiter{filter: f, ticket: make(chan *nats.Msg, 1)}
	patience := p.s.cfg.Patience
	if f.Wait > 0 {
		w.until, patience = until, clock.Until(until)
	}
	if err := p.join(w); err != nil {
		return nil, p.s.door(ctx, "fetch", err)
	}
	select {
	case m := <-w.ticket: // it was in stock
		return p.handed(m)
	default:
	}
	since, last, timeout := clock.Tick(), p.s.denied.Load(), time.NewTimer(patience)
	defer timeout.Stop()
	for waiting := true; waiting; {
		select {
		case m := <-w.ticket:
			return p.handed(m)
		case <-timeout.C:
			waiting = p.lastLook(w)
			timeout.Reset(p.s.tryTime())
		case <-last.heard:
			last = last.later
			waiting = !last.refuses(jetstream.DefaultAPIPrefix + "CONSUMER.MSG.NEXT." + p.s.lay.work() + "." + p.name + "=")
		case <-ctx.Done():
			waiting = false
		case <-p.s.life().Done():
			waiting = false
		}
	}
	if !p.leave(w) {
		if m := <-w.ticket; m != nil && ctx.Err() == nil {
			return m, nil
		} else if m != nil {
			p.s.nak(m, 0)
		}
	}
	switch {
	case ctx.Err() != nil:
		return nil, stopped(ctx, "fetch")
	case p.s.life().Err() != nil:
		return nil, foldstream.Errorf(foldstream.Unavailable, "fetch", "the store was closed")
	case !p.s.nc.IsConnected(), f.Wait <= 0, p.s.deniedSince(since):
		return nil, p.s.door(ctx, "fetch", nats.ErrTimeout)
	}
	return p.handed(nil)
}

func (p *Pool) handed(m *nats.Msg) (*nats.Msg, error) {
	if m == nil {
		return nil, foldstream.Errorf(foldstream.NotFound, "fetch", "no task waits in pool %s", p.name)
	}
	return m, nil
}

func (p *Pool) join(w *waiter) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.stopped {
		return nats.ErrConnectionClosed
	}
	if err := p.requires(w.filter); err != nil {
		return err
	}
	if p.sub == nil {
		if err := p.subscribe(); err != nil {
			return err
		}
	}
	if !p.watched {
		p.watched = true
		p.s.background(p.watch)
	}
	if p.known {
		p.startBeat()
	}
	p.clock++
	w.since = p.clock
	p.paced(clock.Tick())
	p.waiters = append(p.waiters, w)
	p.pump()
	return nil
}

// lastLook keeps a waiter whose time is over until the lanes that were not looked at since it came are, and reports whether to wait for
// that. Where a look takes long, those who wait shortly would see the first lanes only, and the tasks of the last would be nobody's.
func (p *Pool) lastLook(w *waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.late || w.until.IsZero() || !p.s.nc.IsConnected() {
		return false
	}
	w.late = true
	p.pump()
	return true
}

// requires reports why the pool's settings give a fetch nothing. Errors: Conflict. The caller holds mu.
func (p *Pool) requires(f foldstream.Filter) error {
	return foldstream.PoolSettings{Code: p.code}.CheckCode(p.name, f.Code)
}

// sendAway sends those away, with nothing, whose code is not the pool's any more. The caller holds mu.
func (p *Pool) sendAway() {
	p.waiters = slices.DeleteFunc(p.waiters, func(w *waiter) bool {
		other := p.requires(w.filter) != nil
		if other {
			w.ticket <- nil
		}
		return other
	})
}

// leave takes a waiter off the list; false when it was already served.
func (p *Pool) leave(w *waiter) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.waiters, w)
	if i >= 0 {
		p.waiters = slices.Delete(p.waiters, i, i+1)
	}
	return i >= 0
}
