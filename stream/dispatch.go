package stream

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream/internal/clock"
)

// subscribe opens the inbox that tickets come to. The caller holds mu.
func (p *Pool) subscribe() error {
	inbox := p.s.nc.NewInbox() + "."
	sub, err := p.s.nc.Subscribe(inbox+"*", func(m *nats.Msg) { p.arrived(inbox, m) })
	if err != nil {
		return err
	}
	p.inbox, p.sub = inbox, sub
	return sub.SetPendingLimits(-1, -1)
}

// arrived takes a ticket or a status of the server.
func (p *Pool) arrived(inbox string, m *nats.Msg) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if number, isStatus := strings.CutPrefix(m.Subject, inbox); isStatus {
		if n, err := strconv.ParseUint(number, 10, 64); err == nil && inbox == p.inbox {
			p.status(n, m.Header.Get("Status"))
		}
	} else {
		p.ticketCame(m)
	}
	p.pump()
	if p.probed == nil && p.answered != nil {
		close(p.answered)
		p.answered = nil
	}
}

// ticketCame hands a ticket to the first that waits for its lane, or lays it in stock, or gives it back, as all that come after the pool
// was paused.
func (p *Pool) ticketCame(m *nats.Msg) {
	ln := p.laneOf(m.Subject)
	if ln != nil {
		p.counted(ln, m)
		p.handOut() // what came before goes before
		if p.serve(ln, m) || p.shelve(m) {
			return
		}
	}
	p.s.nak(m, 0)
}

// serve hands a ticket of a lane to the first that waits for it.
func (p *Pool) serve(ln *lane, m *nats.Msg) bool {
	for i, w := range p.waiters {
		if w.wants(ln) && !p.paused {
			p.waiters = slices.Delete(p.waiters, i, i+1)
			p.served++
			w.ticket <- m
			return true
		}
	}
	return false
}

// counted notes which of the lane's pulls is answered by a ticket. While a lane is parked and probed at once that cannot be
// told: it then counts for both, and a pull too many is all that comes of it.
func (p *Pool) counted(ln *lane, m *nats.Msg) {
	ln.park = 0
	if p.probed == ln {
		if p.probeLeft--; p.probeLeft == 0 {
			p.probed = nil
		}
	}
	if meta, err := m.Metadata(); err == nil {
		ln.seen = max(ln.seen, meta.Sequence.Stream)
	}
}

// status takes the end of a pull.
func (p *Pool) status(number uint64, code string) {
	ln := p.probed
	if ln != nil && number == p.probe {
		p.probed, ln.emptyAt = nil, p.probeClock
	} else if i := slices.IndexFunc(p.lanes, func(ln *lane) bool { return ln.park == number }); i >= 0 {
		ln = p.lanes[i]
		ln.park = 0
	} else {
		return
	}
	if code == "404" || code == "408" { // no messages, or not in time
		return
	}
	ln.retry = clock.Tick().Add(retryAfter)
	p.s.log.Warn("a pull was refused", "pool", p.name, "lane", ln.consumer(p.name), "err", code)
	p.ready[ln.laneName] = false
	p.s.background(func(ctx context.Context) {
		if err := p.ensureLane(ctx, ln.laneName); err != nil && ctx.Err() == nil {
			p.s.log.Error("a lane has no consumer", "pool", p.name, "lane", ln.consumer(p.name), "err", err)
		}
	})
}

// laneOf finds the lane of a ticket's subject.
func (p *Pool) laneOf(subject string) *lane {
	rest, ok := strings.CutPrefix(subject, p.s.lay.prefix+".work."+p.name+".")
	if !ok {
		return nil
	}
	stage, rest, _ := strings.Cut(rest, ".")
	text, _, _ := strings.Cut(rest, ".")
	band, err := strconv.Atoi(text)
	name := laneName{stageOf(stage), band}
	for _, ln := range p.lanes {
		if err == nil && ln.laneName == name {
			return ln
		}
	}
	return nil
}

// watch looks after pulls that the server forgot, until its context ends.
func (p *Pool) watch(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			p.look(clock.Tick())
		case <-ctx.Done():
			return
		}
	}
}

// look asks again what was not answered: a stalled pull is restarted on a new inbox.
func (p *Pool) look(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	overdue := p.probed != nil && now.Sub(p.probeSince) > probeTime
	for _, ln := range p.lanes {
		overdue = overdue || ln.park != 0 && now.Sub(ln.due) > probeTime
	}
	if overdue && p.s.nc.IsConnected() {
		p.s.log.Warn("a pull was not answered; asking again", "pool", p.name)
		p.restart()
	}
	p.clearStock(stockLife)
	p.pump()
}

// reset forgets what was asked: the server did, too.
func (p *Pool) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.restart()
	p.pump()
}

// restart drops the inbox with all that was asked for on it. The caller holds mu.
func (p *Pool) restart() {
	if p.sub == nil || p.stopped {
		return
	}
	old := p.sub
	if err := p.subscribe(); err != nil {
		return // closed: nothing comes any more
	}
	_ = old.Unsubscribe()
	p.probed = nil
	for _, ln := range p.lanes {
		ln.park, ln.emptyAt = 0, 0
	}
}

// lastAnswer is how long a pool that stops waits for the tickets it asked for.
const lastAnswer = 250 * time.Millisecond

// stop ends the dispatcher. The tickets it has, and those that still come, go back.
func (p *Pool) stop() {
	p.mu.Lock()
	p.stopped = true
	p.clearStock(0)
	if p.probed != nil {
		p.answered = make(chan struct{})
	}
	sub, answered := p.sub, p.answered
	p.mu.Unlock()
	if answered != nil {
		select {
		case <-answered:
		case <-time.After(lastAnswer): // what comes later is left to run out
		}
	}
	if sub != nil {
		_ = sub.Unsubscribe()
	}
}
