package stream

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream/internal/clock"
)

// pump asks for what is to be asked next. The caller holds mu.
func (p *Pool) pump() {
	p.handOut()
	if p.probed != nil || p.sub == nil || p.stopped {
		return
	}
	if !p.paused && p.probeNext() {
		return
	}
	p.waiters = slices.DeleteFunc(p.waiters, func(w *waiter) bool {
		over := w.until.IsZero() || w.late
		if over {
			w.ticket <- nil
		}
		return over
	})
	if !p.paused {
		for _, ln := range p.lanes {
			p.parkAt(ln)
		}
	}
}

// probeNext asks the first lane that may have something for somebody.
func (p *Pool) probeNext() bool {
	lanes, most := p.turn()
	for _, ln := range lanes {
		if n := min(p.wanting(ln), most) + p.spare(ln); n > 0 {
			p.startProbe(ln, n)
			return true
		}
	}
	return false
}

// turn returns the lanes in the order in which to ask them now, and how many tickets to ask for at most.
func (p *Pool) turn() ([]*lane, int) {
	most := fairShare - 1 - p.served%fairShare
	switch {
	case len(p.lanes) < 2:
		return p.lanes, len(p.waiters)
	case most > 0:
		return p.lanes, most
	}
	oldest := slices.Clone(p.lanes)
	slices.Reverse(oldest)
	slices.SortStableFunc(oldest, func(a, b *lane) int { return cmp.Compare(a.seen, b.seen) })
	return oldest, 1
}

// wanting counts the waiters that a probe of the lane could serve and that do not know it to be empty.
func (p *Pool) wanting(ln *lane) int {
	if clock.Tick().Before(ln.retry) {
		return 0
	}
	n := 0
	for _, w := range p.waiters {
		if w.wants(ln) && w.since > ln.emptyAt && (ln.park == 0 || w.until.IsZero()) {
			n++
		}
	}
	return n
}

func (p *Pool) startProbe(ln *lane, n int) {
	p.requests++
	p.probed, p.probe, p.probeLeft, p.probeClock, p.probeSince = ln, p.requests, n, p.clock, clock.Tick()
	p.request(ln, p.probe, pullRequest{Batch: n, NoWait: true})
}

// parkAt leaves one pull that waits at an empty lane, while somebody waits for it.
func (p *Pool) parkAt(ln *lane) {
	var until time.Time
	for _, w := range p.waiters {
		if w.wants(ln) && w.until.After(until) {
			until = w.until
		}
	}
	wait := min(clock.Until(until), parkTime)
	if ln.park != 0 || wait <= 0 || clock.Tick().Before(ln.retry) {
		return
	}
	p.requests++
	ln.park, ln.due = p.requests, clock.Tick().Add(wait)
	p.request(ln, ln.park, pullRequest{Batch: 1, Expires: wait})
}

// pullRequest is the body of a pull.
type pullRequest struct {
	Batch     int           `json:"batch"`
	Expires   time.Duration `json:"expires,omitempty"`
	NoWait    bool          `json:"no_wait,omitempty"`
	Heartbeat time.Duration `json:"idle_heartbeat,omitempty"`
}

func (p *Pool) request(ln *lane, number uint64, r pullRequest) {
	err := p.s.pull(p.s.lay.work(), ln.consumer(p.name), p.inbox+strconv.FormatUint(number, 10), r)
	if err != nil {
		p.s.log.Warn("a pull was not sent", "pool", p.name, "err", err) // it is asked again when it is overdue
	}
}

// pull asks a consumer for messages.
func (s *Store) pull(stream, consumer, inbox string, r pullRequest) error {
	body, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return s.nc.PublishRequest(jetstream.DefaultAPIPrefix+"CONSUMER.MSG.NEXT."+stream+"."+consumer, inbox, body)
}
