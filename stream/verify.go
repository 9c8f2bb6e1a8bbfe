package stream

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

var _ foldstream.Verifier = (*Store)(nil)

// Verify reads the definitions, events and tickets of a pool. What looks wrong is looked at again, at the leader, until a moment has
// passed: the pool may be at work.
func (s *Store) Verify(ctx context.Context, pool string) (foldstream.Conservation, error) {
	p := s.pool(pool)
	if err := p.usable(ctx, "verify"); err != nil {
		return foldstream.Conservation{}, err
	}
	v := verification{p: p, ledgers: map[key]*ledger{}, ticketed: map[key]bool{}}
	c, err := v.run(ctx)
	if err == nil {
		err = stopped(ctx, "verify")
	}
	return c, s.door(ctx, "verify", err)
}

// verification is one reading of a pool.
type verification struct {
	p        *Pool
	ledgers  map[key]*ledger // of all tasks that are defined
	ticketed map[key]bool
	tickets  int
	doubts   []foldstream.TaskID
	faults   []string
}

// The looks at what seems to be wrong: an operation that is under way is over by the last.
const (
	looks    = 5
	lookWait = 100 * time.Millisecond
)

func (v *verification) run(ctx context.Context) (foldstream.Conservation, error) {
	c := foldstream.Conservation{Pool: v.p.name, Counts: foldstream.Counts{}}
	for _, read := range []func(context.Context) error{v.readDefinitions, v.readEvents, v.readTickets, v.readDead} {
		if err := read(ctx); err != nil {
			return c, err
		}
	}
	for k, l := range v.ledgers {
		if !l.status.Final() && !v.ticketed[k] {
			v.doubt(k.id())
		}
	}
	if err := v.settle(ctx); err != nil {
		return c, err
	}
	for _, l := range v.ledgers {
		c.Created++
		c.Counts[l.status]++
		c.Results += l.results
	}
	c.Tickets, c.Faults = v.tickets, v.faults
	return c, nil
}

func (v *verification) readDefinitions(ctx context.Context) error {
	q := query{stream: v.p.s.lay.defs(), filters: []string{v.p.s.lay.def(v.p.name, "*")}, headers: true}
	for m, err := range v.p.s.scan(ctx, q) {
		if err != nil {
			return err
		}
		if k, ok := keyOf(foldstream.TaskID(lastToken(m.subject))); ok { // else a stranger
			v.ledgers[k] = &ledger{status: foldstream.Waiting}
		}
	}
	return nil
}

func (v *verification) readEvents(ctx context.Context) error {
	for l, err := range v.p.s.links(ctx, query{filters: []string{v.p.s.lay.event(v.p.name, "*")}, headers: true}) {
		if err != nil {
			return err
		}
		k, _ := keyOf(l.Task) // links reads no other
		led := v.ledgers[k]
		if led == nil || led.add(l.Event) != "" {
			v.doubt(l.Task)
		}
	}
	return nil
}

// readTickets asks the leader for the subjects in the queue.
func (v *verification) readTickets(ctx context.Context) error {
	subjects, err := v.p.s.subjects(ctx, v.p.s.lay.work(), v.p.s.lay.allTickets(v.p.name))
	for subject := range subjects {
		var t ticket
		if t.locate(&stored{subject: subject}) != nil {
			continue // a stranger
		}
		k, _ := keyOf(t.id)
		v.ticketed[k] = true
		v.tickets++
	}
	return err
}

// readDead doubts the tasks whose tickets can never be delivered.
func (v *verification) readDead(ctx context.Context) error {
	for _, name := range v.p.laneNames() {
		info, err := v.p.consumerInfo(ctx, name)
		if err != nil {
			return err
		}
		for seq := uint64(1); seq <= info.AckFloor.Stream; seq++ {
			m, err := v.p.s.oldestFrom(ctx, v.p.s.lay.work(), v.p.s.lay.laneTickets(v.p.name, name), seq)
			if err != nil {
				return err
			}
			if m == nil || m.seq > info.AckFloor.Stream {
				break
			}
			v.doubt(foldstream.TaskID(lastToken(m.subject)))
			seq = m.seq
		}
	}
	return nil
}

func (v *verification) doubt(id foldstream.TaskID) { v.doubts = append(v.doubts, id) }

func (v *verification) fault(format string, args ...any) {
	v.faults = append(v.faults, fmt.Sprintf(format, args...))
}

// settle looks at all doubtful tasks, and again at those with which something is wrong, and names what stays wrong.
func (v *verification) settle(ctx context.Context) error {
	slices.Sort(v.doubts)
	doubts := slices.Compact(v.doubts)
	for n := 1; ; n++ {
		var wrong []foldstream.TaskID
		for _, id := range doubts {
			what, err := v.look(ctx, id)
			switch {
			case err != nil:
				return err
			case what != "" && n == looks:
				v.fault("task %s: %s", id, what)
			case what != "":
				wrong = append(wrong, id)
			}
		}
		if doubts = wrong; len(doubts) == 0 {
			return nil
		}
		select {
		case <-time.After(lookWait):
		case <-ctx.Done():
			return nil
		}
	}
}

// look reads all there is of one task and notes it; "" is nothing wrong.
func (v *verification) look(ctx context.Context, id foldstream.TaskID) (wrong string, err error) {
	led, wrong, err := v.examine(ctx, id)
	k, _ := keyOf(id) // it was one when it was doubted
	switch {
	case err != nil:
		return "", err
	case led != nil:
		v.ledgers[k] = led
	default:
		delete(v.ledgers, k) // a stranger stands in the place of a definition
	}
	return wrong, nil
}

// examine reads all there is of one task. The ledger is nil where the task is not defined.
func (v *verification) examine(ctx context.Context, id foldstream.TaskID) (*ledger, string, error) {
	var wrong []string
	led := &ledger{status: foldstream.Waiting}
	for l, err := range v.p.s.links(ctx, query{filters: []string{v.p.s.lay.event(v.p.name, id)}, headers: true}) {
		if err != nil {
			return nil, "", err
		}
		if w := led.add(l.Event); w != "" {
			wrong = append(wrong, fmt.Sprintf("event %d (%s) %s", l.Seq, l.Kind, w))
		}
	}
	def, err := v.p.s.newest(ctx, v.p.s.lay.defs(), v.p.s.lay.def(v.p.name, id))
	if err != nil {
		return nil, "", err
	}
	if def != nil {
		_, err = readDefinition(def)
	}
	switch stranger := v.p.s.passes(err); {
	case err != nil && !stranger:
		return nil, "", err
	case stranger && led.last == 0:
		return nil, "", nil
	case def == nil || stranger:
		return nil, fmt.Sprintf("event %d is of a task that was never created", led.last), nil
	}
	lost, err := v.lost(ctx, id)
	if err == nil && lost && !led.status.Final() {
		wrong = append(wrong, fmt.Sprintf("it is %s and has no ticket", led.status))
	}
	return led, strings.Join(wrong, "; "), err
}

// lost reports whether a task has no ticket that can be delivered.
func (v *verification) lost(ctx context.Context, id foldstream.TaskID) (bool, error) {
	m, err := v.p.s.newest(ctx, v.p.s.lay.work(), v.p.s.lay.anyTicket(v.p.name, id))
	if err != nil || m == nil {
		return m == nil, err
	}
	at, err := placeOf(m)
	if v.p.s.passes(err) {
		return true, nil
	}
	return v.p.isDead(ctx, m, at)
}
