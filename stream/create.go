package stream

import (
	"cmp"
	"context"
	"runtime"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// order is one task on its way through Create.
type order struct {
	ticket ticket
	def    nats.Msg
	reply  jetstream.PubAckFuture
	made   foldstream.Created
	same   *order // the same task, earlier in the arguments; nil is none

	doubtful bool // an earlier try to define it may have succeeded
}

// Create publishes the definitions, and the tickets right behind, without waiting for one before the next.
func (p *Pool) Create(ctx context.Context, tasks ...foldstream.Task) ([]foldstream.Created, error) {
	if err := p.usable(ctx, "create"); err != nil {
		return nil, err
	}
	orders, err := p.queued(ctx, tasks)
	if err != nil {
		return nil, err
	}
	if err := p.define(ctx, orders); err != nil {
		return nil, err
	}
	return answers(orders), nil
}

// queued checks and encodes all tasks, and makes the lanes that their tickets come to.
func (p *Pool) queued(ctx context.Context, tasks []foldstream.Task) ([]*order, error) {
	orders, err := p.orders(tasks)
	if err != nil {
		return nil, err
	}
	return orders, p.ensureLanes(ctx, orders)
}

// orders checks all tasks and encodes them, on all processors. Errors: Invalid, TooLarge.
func (p *Pool) orders(tasks []foldstream.Task) ([]*order, error) {
	orders, all, header := make([]*order, len(tasks)), make([]order, len(tasks)), headerOfNew()
	first := make(map[foldstream.TaskID]*order, len(tasks))
	for i := range tasks {
		t, o := &tasks[i], &all[i]
		if err := foldstream.E(foldstream.Invalid, "create", t.Check()); err != nil {
			return nil, err
		}
		orders[i], o.same = o, first[t.ID]
		if o.same == nil {
			first[t.ID] = o
		}
	}
	err := inParts(len(tasks), func(i int) error {
		if orders[i].same != nil {
			return nil
		}
		body, err := encodeTask(&tasks[i])
		if err != nil {
			return foldstream.Errorf(foldstream.Invalid, "create", "task %s: %w", tasks[i].ID, err)
		}
		return orders[i].fill(p, &tasks[i], body, header)
	})
	if err != nil {
		return nil, err
	}
	return orders, nil
}

// inParts does something with the numbers below n, on all processors where they are many. It returns the error of the lowest number, of those that
// failed, and then has not done it with all.
func inParts(n int, do func(i int) error) error {
	const few = 256
	parts := max(1, min(runtime.GOMAXPROCS(0), n/few))
	errs := make([]error, parts)
	doPart := func(part int) {
		for i := n * part / parts; i < n*(part+1)/parts && errs[part] == nil; i++ {
			errs[part] = do(i)
		}
	}
	var work sync.WaitGroup
	for part := range parts - 1 {
		work.Go(func() { doPart(part) })
	}
	doPart(parts - 1)
	work.Wait()
	return cmp.Or(errs...)
}

// headerOfNew is the header that the definitions of one call have in common. It says whose they are, and that there must be none before.
func headerOfNew() nats.Header {
	return nats.Header{headerNonce: {nonce()}, jetstream.ExpectedLastSubjSeqHeader: {"0"}}
}

// fill makes the definition of a task that is checked, and its ticket; both have the body. The header is not written to. Errors: TooLarge.
func (o *order) fill(p *Pool, t *foldstream.Task, body []byte, header nats.Header) error {
	band, _ := t.Band() // checked before
	o.made.ID = t.ID
	o.ticket = ticket{pool: p.name, lane: laneName{firstStage(t.Stages), band}, id: t.ID, def: body, at: t.NotBefore}
	o.def = nats.Msg{Subject: p.s.lay.def(p.name, t.ID), Header: header, Data: body}
	return p.s.fits("create", &o.def) // its ticket is longer by less than what the check leaves
}

// ensureLanes makes the lanes that the tickets come to.
func (p *Pool) ensureLanes(ctx context.Context, orders []*order) error {
	for ln := range lanesOf(orders) {
		if err := p.ensureLane(ctx, ln); err != nil {
			return err
		}
	}
	return nil
}

// isNew notes that an order's definition is taken.
func (o *order) isNew() { o.made.New, o.made.Status = true, foldstream.Waiting }

// free drops an order's messages, which are done with: there may be many.
func (o *order) free() { o.def, o.ticket.def, o.reply = nats.Msg{}, nil, nil }

// define publishes all definitions, and for each that is taken its ticket.
func (p *Pool) define(ctx context.Context, orders []*order) error {
	var once []*order
	for _, o := range orders {
		if o.same == nil {
			once = append(once, o)
		}
	}
	known, rest, err := p.tryOut(ctx, once)
	if err != nil {
		return err
	}
	more, err := p.pipeline(ctx, rest)
	if err != nil {
		return err
	}
	return p.complete(ctx, append(known, more...))
}

// tryOut makes the first tasks, and where all of them are new the others as well, in the way that is best here. It returns those that were known,
// and those that are left.
func (p *Pool) tryOut(ctx context.Context, orders []*order) (known, rest []*order, err error) {
	b := &p.s.bulk
	first := orders[:min(len(orders), b.first)]
	rest = orders[len(first):]
	flows := p.flows(rest)
	if b.quick.Load() && !flows { // there is one way
		return nil, orders, nil
	}
	began := clock.Tick()
	known, err = p.pipeline(ctx, first)
	if err != nil || len(known) > 0 {
		return known, rest, err
	}
	slow := clock.Since(began) >= b.slow*time.Duration(len(first))
	if !slow && len(first) == b.first {
		b.quick.Store(true)
	}
	switch {
	case slow && !b.quick.Load():
		rest, err = p.inBatches(ctx, rest)
	case flows:
		rest, err = p.inFlow(ctx, rest)
	}
	return known, rest, err
}

// complete answers for known tasks and gives those that are open and have no ticket a new one.
func (p *Pool) complete(ctx context.Context, known []*order) error {
	if len(known) == 0 {
		return nil
	}
	ids := make([]foldstream.TaskID, len(known))
	for i, o := range known {
		ids[i] = o.ticket.id
	}
	last, err := p.lastLinks(ctx, ids)
	if err != nil {
		return p.s.door(ctx, "create", err)
	}
	var waiting, removed []*order
	var open []foldstream.TaskID
	for _, o := range known {
		l, begun := last[o.ticket.id]
		switch {
		case l.Status == foldstream.Removed:
			removed = append(removed, o)
		case !begun:
			o.made.Status, o.ticket.read = foldstream.Waiting, true
			waiting = append(waiting, o)
		case !l.Status.Final():
			open = append(open, o.ticket.id)
			fallthrough
		default:
			o.made.Status = l.Status
		}
	}
	if err := p.issue(ctx, waiting); err != nil {
		return err
	}
	if err := p.reviveAll(ctx, removed); err != nil {
		return p.s.door(ctx, "create", err)
	}
	_, err = each(ctx, open, p.mend)
	return p.s.door(ctx, "create", err)
}

func firstStage(stages []string) string {
	if len(stages) == 0 {
		return ""
	}
	return stages[0]
}

func lanesOf(orders []*order) map[laneName]bool {
	lanes := map[laneName]bool{}
	for _, o := range orders {
		if o.same == nil {
			lanes[o.ticket.lane] = true
		}
	}
	return lanes
}
