package stream

import (
	"context"
	"slices"

	"github.com/foldstream/foldstream"
)

// manyIDs is up to how many tasks are looked up by their subjects, filtersAtOnce at a time; for more the whole pool is read.
const (
	manyIDs       = 2048
	filtersAtOnce = 256
)

// Stat counts the tasks by the status of their last event; a task without one waits. It reads the headers of the pool's last
// events, so it takes time with the pool's size.
func (p *Pool) Stat(ctx context.Context) (foldstream.Counts, error) {
	if err := p.usable(ctx, "stat"); err != nil {
		return nil, err
	}
	last, err := p.lastLinks(ctx, nil)
	if err == nil {
		err = stopped(ctx, "stat")
	}
	if err != nil {
		return nil, p.s.door(ctx, "stat", err)
	}
	defs, err := p.s.count(ctx, p.s.lay.defs(), p.s.lay.def(p.name, "*"))
	if err != nil {
		return nil, p.s.door(ctx, "stat", err)
	}
	counts := foldstream.Counts{}
	for _, l := range last {
		counts[l.Status]++
	}
	if begun := len(last); defs > begun {
		counts[foldstream.Waiting] += defs - begun
	}
	return counts, nil
}

// lastLinks reads the last events of the tasks, without their bodies; of the whole pool where ids is nil.
func (p *Pool) lastLinks(ctx context.Context, ids []foldstream.TaskID) (map[foldstream.TaskID]link, error) {
	last := make(map[foldstream.TaskID]link, len(ids))
	if ids == nil || len(ids) > manyIDs {
		return last, p.readLinks(ctx, last, []string{p.s.lay.event(p.name, "*")})
	}
	for some := range slices.Chunk(ids, filtersAtOnce) {
		subjects := make([]string, len(some))
		for i, id := range some {
			subjects[i] = p.s.lay.event(p.name, id)
		}
		if err := p.readLinks(ctx, last, subjects); err != nil {
			return nil, err
		}
	}
	return last, nil
}

func (p *Pool) readLinks(ctx context.Context, last map[foldstream.TaskID]link, filters []string) error {
	for m, err := range p.s.scan(ctx, query{stream: p.s.lay.events(), filters: filters, last: true, headers: true}) {
		if err != nil {
			return err
		}
		if !validID(foldstream.TaskID(lastToken(m.subject))) {
			continue // a stranger
		}
		l, err := readLink(m)
		if p.s.passes(err) { // what is under it may be an event
			l, err = p.s.under(ctx, err, m.subject)
		}
		if err != nil {
			return err
		}
		if l.Seq > 0 {
			last[l.Task] = l
		}
	}
	return nil
}

// count counts the messages of a filter.
func (s *Store) count(ctx context.Context, stream, filter string) (int, error) {
	r := reader{s: s, q: query{stream: stream, filters: []string{filter}, headers: true}, todo: -1}
	defer r.release()
	for t := s.trial(); ; {
		err := r.open(ctx)
		if verdictOf(err) != unsure || !t.again(ctx) {
			return max(r.todo, 0), err
		}
	}
}
