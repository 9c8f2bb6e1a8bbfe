package stream

import (
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream/internal/clock"
)

// The stock has as many tickets as were fetched in the stockTime before, if those were at least stockLeast. No ticket lies in it for longer
// than stockLife and a round of the watch.
const (
	stockTime  = 20 * time.Millisecond
	stockLeast = 8
	stockMost  = 256
	stockLife  = 100 * time.Millisecond
)

// stock is tickets that were asked for before a fetch waited for them. Without it every worker of tasks shorter than a round trip waits
// for one, and the server answers a pull for every few tickets. Workers of longer tasks have no stock: for them a ticket is asked for when
// there is a slot for it. A pool with more than one lane has none either, because what lies in it would go before a ticket of a
// higher band.
type stock struct {
	shelf []stocked // the oldest first
	level int       // how many to have
	since time.Time // when the counting began
	count int       // fetches since then
}

// stocked is one ticket with the time it came.
type stocked struct {
	msg   *nats.Msg
	since time.Time
}

// paced notes that a fetch came.
func (s *stock) paced(now time.Time) {
	if passed := now.Sub(s.since); passed > stockTime {
		s.level = min(int(time.Duration(s.count)*stockTime/passed), stockMost)
		if s.level < stockLeast {
			s.level = 0
		}
		s.since, s.count = now, 0
	}
	s.count++
}

// stocks reports whether the pool may have a stock now.
func (p *Pool) stocks() bool { return len(p.lanes) == 1 && !p.paused }

// spare is how many tickets to ask a lane for beyond those that are waited for.
func (p *Pool) spare(ln *lane) int {
	if !p.stocks() || ln.emptyAt >= p.clock {
		return 0
	}
	if lack := p.level - len(p.shelf); lack > p.level/2 {
		return lack
	}
	return 0
}

// shelve takes a ticket that nobody waits for, if there is room.
func (p *Pool) shelve(m *nats.Msg) bool {
	room := p.stocks() && p.level > 0 && !p.stopped && len(p.shelf) < 2*stockMost
	if room {
		p.shelf = append(p.shelf, stocked{m, clock.Tick()})
	}
	return room
}

// handOut serves those who wait from the stock. One that may have none any more goes back.
func (p *Pool) handOut() {
	if !p.stocks() {
		p.clearStock(0)
	}
	for len(p.shelf) > 0 && p.serve(p.lanes[0], p.shelf[0].msg) {
		p.shelf = p.shelf[1:]
	}
}

// clearStock gives tickets back that lie in stock for as long as life, or longer.
func (p *Pool) clearStock(life time.Duration) {
	for len(p.shelf) > 0 && clock.Since(p.shelf[0].since) >= life {
		p.s.nak(p.shelf[0].msg, 0)
		p.shelf = p.shelf[1:]
	}
}
