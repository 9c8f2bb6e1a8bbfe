package stream

import (
	"context"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
)

var _ foldstream.Purger = (*Store)(nil)

// Purge deletes the definition, then the events. What dies in between leaves events of a task that is not defined; repeating it takes
// them away. The other way round the reconciler would take the definition for a task that waits.
func (s *Store) Purge(ctx context.Context, pool string, ids ...foldstream.TaskID) (int, error) {
	return s.change(ctx, "purge", pool, ids, func(ctx context.Context, p *Pool, id foldstream.TaskID) (bool, error) {
		last, err := s.last(ctx, pool, id)
		if err != nil || last.Status != foldstream.Removed {
			return false, err
		}
		if err := p.clear(ctx, "purge", id); err != nil {
			return false, err
		}
		if _, err := p.dropLetters(ctx, id); err != nil {
			return false, err
		}
		return p.purge(ctx, last)
	})
}

// purge deletes what there is of a task that was removed by an event. A new life that begins meanwhile follows that event: it keeps
// what came after it, and gets its definition back.
func (p *Pool) purge(ctx context.Context, removed link) (bool, error) {
	def, err := p.s.newest(ctx, p.s.lay.defs(), p.s.lay.def(p.name, removed.Task))
	if err != nil {
		return false, err
	}
	if def != nil {
		if err := p.s.remove(ctx, p.s.lay.defs(), def.seq); err != nil {
			return false, err
		}
	}
	if err := p.s.point("purge: undefined"); err != nil {
		return false, err
	}
	subject := p.s.lay.event(p.name, removed.Task)
	if err := p.s.purge(ctx, p.s.lay.events(), purgeRequest{Filter: subject, Before: uint64(removed.Seq) + 1}); err != nil {
		return false, err
	}
	last, err := p.s.last(ctx, p.name, removed.Task)
	if err != nil || last.Seq == 0 || def == nil {
		return err == nil && last.Seq == 0, err
	}
	m := &nats.Msg{Subject: p.s.lay.def(p.name, removed.Task), Header: def.header, Data: def.data}
	expect(m, 0)
	_, err = p.s.publish(ctx, m)
	return false, p.s.issued(ctx, "purge", m, err)
}
