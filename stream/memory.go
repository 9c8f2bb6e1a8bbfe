package stream

import (
	"context"
	"iter"
	"slices"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

var _ foldstream.Memory = (*Store)(nil)

// fewIDs is up to how many tasks are looked up in all pools by their subjects. The server goes through the stream for each filtersAtOnce of them: for
// more it is read once.
const fewIDs = 2 * filtersAtOnce

// Results reads the headers of events, whatever their pools: the stream of events is the cache.
func (s *Store) Results(ctx context.Context, ids ...foldstream.TaskID) iter.Seq2[foldstream.Event, error] {
	return func(yield func(foldstream.Event, error) bool) {
		err := s.results(ctx, once(ids), func(e foldstream.Event) bool { return yield(e, nil) })
		if err == nil {
			err = stopped(ctx, "results")
		}
		if err != nil {
			yield(foldstream.Event{}, s.door(ctx, "results", err))
		}
	}
}

// results yields the results of tasks until it is told that this is enough; then it returns nil.
func (s *Store) results(ctx context.Context, ids []foldstream.TaskID, yield func(foldstream.Event) bool) error {
	among := make(map[foldstream.TaskID]bool, len(ids))
	for _, id := range ids {
		among[id] = true
	}
	subjects := [][]string{{s.lay.event("*", "*")}}
	if len(ids) <= fewIDs {
		subjects = nil
		for some := range slices.Chunk(ids, filtersAtOnce) {
			subjects = append(subjects, nil)
			for _, id := range some {
				subjects[len(subjects)-1] = append(subjects[len(subjects)-1], s.lay.event("*", id))
			}
		}
	}
	for _, filters := range subjects {
		for l, err := range s.links(ctx, query{filters: filters, headers: true}) {
			there := err == nil && l.Kind == foldstream.EventResult && among[l.Task]
			if there {
				there, err = s.fillBrief(ctx, &l)
			}
			if err != nil {
				return err
			}
			if there && !yield(l.Event) {
				return nil
			}
		}
	}
	return nil
}

// adoptAtOnce is how many tasks are adopted together: so many results are in memory, and under way.
const adoptAtOnce = 256

// adoption is one task on its way through Adopt.
type adoption struct {
	*order
	from foldstream.Origin
	end  link // the result's event, without the one before it
	sent jetstream.PubAckFuture
	m    *nats.Msg
}

// Adopt publishes definitions, and behind each that is taken the result's event: as Create does, without tickets. What dies in between leaves
// a task that waits without a ticket, which whoever repeats it ends, or else the reconciler gives one.
func (s *Store) Adopt(ctx context.Context, pool string, all ...foldstream.Adoption) ([]foldstream.Created, error) {
	p := s.pool(pool)
	if err := p.usable(ctx, "adopt"); err != nil {
		return nil, err
	}
	tasks := make([]foldstream.Task, len(all))
	for i, a := range all {
		tasks[i] = a.Task
	}
	orders, err := p.queued(ctx, tasks)
	if err != nil {
		return nil, err
	}
	var adoptions []*adoption
	for i, o := range orders {
		if o.same == nil {
			adoptions = append(adoptions, &adoption{order: o, from: all[i].From})
		}
	}
	for some := range slices.Chunk(adoptions, adoptAtOnce) {
		if err := p.adopt(ctx, some); err != nil {
			return nil, s.door(ctx, "adopt", err)
		}
	}
	return answers(orders), nil
}

// adopt makes some tasks and ends them. Those whose source is gone are created.
func (p *Pool) adopt(ctx context.Context, some []*adoption) error {
	orphans, err := p.sources(ctx, some)
	if err != nil {
		return err
	}
	some = slices.DeleteFunc(some, func(a *adoption) bool { return a.end.Kind == "" })
	if err := p.define(ctx, orphans); err != nil {
		return err
	}
	for _, a := range some {
		if a.reply, err = p.s.send(&a.def); err != nil {
			return err
		}
	}
	var known, fresh []*adoption
	for _, a := range some {
		isNew, err := p.defined(ctx, a.order)
		if err != nil {
			return err
		}
		if !isNew {
			known = append(known, a)
			continue
		}
		a.made.New = true
		if err := p.s.point("adopt: defined"); err != nil {
			return err
		}
		if err := p.endBy(a, 0); err != nil {
			return err
		}
		fresh = append(fresh, a)
	}
	for _, a := range fresh {
		if err := p.ended(ctx, a); err != nil {
			return err
		}
	}
	_, err = each(ctx, known, func(ctx context.Context, a *adoption) (bool, error) { return true, p.adoptKnown(ctx, a) })
	return err
}

// sources reads the results that are to be adopted, and returns the orders of those that have none.
func (p *Pool) sources(ctx context.Context, some []*adoption) (orphans []*order, err error) {
	var seqs []uint64
	for _, a := range some {
		if a.from.Seq > 0 {
			seqs = append(seqs, uint64(a.from.Seq))
		}
	}
	found, err := p.s.pick(ctx, p.s.lay.events(), seqs)
	if err != nil {
		return nil, err
	}
	for _, a := range some {
		if m := found[uint64(a.from.Seq)]; m != nil {
			l, err := readLink(m)
			if err == nil && l.Kind == foldstream.EventResult && l.Task == a.ticket.id && l.Pool == a.from.Pool {
				a.end = p.takeOver(a, l)
				_, err = p.s.message("adopt", a.end)
			}
			if err == nil && a.end.Kind != "" {
				continue
			}
			a.end = link{}
		}
		orphans = append(orphans, a.order)
	}
	return orphans, nil
}

// takeOver is the event that ends a task by another's result.
func (p *Pool) takeOver(a *adoption, of link) link {
	l := link{session: p.s.session, nonce: nonce(), brief: of.brief, body: of.body}
	l.Pool, l.Task, l.Kind, l.Status = p.name, a.ticket.id, foldstream.EventResult, foldstream.Done
	l.Stage, l.Attempt, l.Worker = of.Stage, 1, of.Worker
	l.Origin = of.Origin
	if l.Origin.Seq == 0 {
		l.Origin = foldstream.Origin{Pool: of.Pool, Seq: of.Seq}
	}
	return l
}

// endBy sends the result's event, behind the event with that sequence.
func (p *Pool) endBy(a *adoption, after foldstream.Cursor) (err error) {
	a.end.Expected = after
	if a.m, err = p.s.message("adopt", a.end); err == nil {
		expect(a.m, uint64(after))
		a.sent, err = p.s.send(a.m)
	}
	return err
}

// ended waits until the result's event is taken; where another came first, that tells where the task stands.
func (p *Pool) ended(ctx context.Context, a *adoption) error {
	seq, err := p.s.await(ctx, a.sent)
	_, err = p.s.settle(ctx, "adopt", a.end, a.m, seq, err)
	a.made.Status = foldstream.Done
	if foldstream.Is(err, foldstream.Conflict) {
		var last link
		last, err = p.stand(ctx, a.ticket.id)
		a.made.Status = last.Status
	}
	a.end, a.m = link{}, nil
	a.free()
	return err
}

// adoptKnown ends a task that is there already, if it waits or was removed.
func (p *Pool) adoptKnown(ctx context.Context, a *adoption) error {
	last, err := p.stand(ctx, a.ticket.id)
	if err == nil && last.Status == foldstream.Removed {
		last, _, err = p.beginAgain(ctx, a.order)
	}
	if err != nil {
		return err
	}
	if a.made.Status = last.Status; last.Status != foldstream.Waiting {
		return nil
	}
	if err = p.endBy(a, last.Seq); err == nil {
		err = p.ended(ctx, a)
	}
	if err == nil {
		err = p.s.point("adopt: ended")
	}
	if err != nil || a.made.Status != foldstream.Done {
		return err
	}
	return p.clear(ctx, "adopt", a.ticket.id)
}

// answers returns what became of orders.
func answers(orders []*order) []foldstream.Created {
	made := make([]foldstream.Created, len(orders))
	for i, o := range orders {
		made[i] = o.made
		if o.same != nil {
			made[i] = foldstream.Created{ID: o.same.made.ID, Status: o.same.made.Status}
		}
	}
	return made
}
