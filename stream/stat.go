package stream

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
)

// manyIDs is up to how many tasks are looked up by their subjects, filtersAtOnce at a time; for more the whole pool is read.
const (
	manyIDs       = 2048
	filtersAtOnce = 256
)

// Stat asks an index. Where nobody keeps one it reads the headers of all definitions and last events, so it takes time with the pool's
// size.
func (p *Pool) Stat(ctx context.Context) (foldstream.Counts, error) {
	if err := p.usable(ctx, "stat"); err != nil {
		return nil, err
	}
	if all, ok := p.s.askStat(ctx, p.name); ok {
		return counted(all, p.name), nil
	}
	counts, err := p.tally(ctx)
	return counts, p.s.door(ctx, "stat", err)
}

// Stat counts the tasks of all pools.
func (s *Store) Stat(ctx context.Context) (map[string]foldstream.Counts, error) {
	names, err := s.Pools(ctx)
	if err != nil {
		return nil, err
	}
	all, ok := s.askStat(ctx, "")
	counts := make(map[string]foldstream.Counts, len(names))
	for _, name := range names {
		if ok {
			counts[name] = counted(all, name)
		} else if counts[name], err = s.Pool(name).Stat(ctx); err != nil {
			return nil, err
		}
	}
	return counts, nil
}

// counted returns the counts of a pool, which may have none.
func counted(all map[string]foldstream.Counts, pool string) foldstream.Counts {
	if all[pool] == nil {
		return foldstream.Counts{}
	}
	return all[pool]
}

// tally counts the tasks that are defined by the status of their last event; one without waits.
func (p *Pool) tally(ctx context.Context) (foldstream.Counts, error) {
	last, counts := map[key]foldstream.Status{}, foldstream.Counts{}
	for l, err := range p.newestLinks(ctx, []string{p.s.lay.event(p.name, "*")}) {
		if err != nil {
			return nil, err
		}
		if k, ok := keyOf(l.Task); ok {
			last[k] = lean(l.Status)
		}
	}
	defs := query{stream: p.s.lay.defs(), filters: []string{p.s.lay.def(p.name, "*")}, last: true, headers: true}
	for m, err := range p.s.scan(ctx, defs) {
		if err != nil {
			return nil, err
		}
		if k, ok := keyOf(foldstream.TaskID(lastToken(m.subject))); ok {
			counts[or(last[k], foldstream.Waiting)]++
		}
	}
	return counts, nil
}

// lean returns a status that holds on to no message.
func lean(s foldstream.Status) foldstream.Status {
	if i := slices.Index(statusRow[:], s); i >= 0 {
		return statusRow[i]
	}
	return foldstream.Status(strings.Clone(string(s)))
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
	for l, err := range p.newestLinks(ctx, filters) {
		if err != nil {
			return err
		}
		last[l.Task] = l
	}
	return nil
}

// newestLinks reads the last event of each task, without its body. Where a stranger stands above it, what is under that counts.
func (p *Pool) newestLinks(ctx context.Context, filters []string) iter.Seq2[link, error] {
	return func(yield func(link, error) bool) {
		for m, err := range p.s.scan(ctx, query{stream: p.s.lay.events(), filters: filters, last: true, headers: true}) {
			if err == nil && !foldstream.TaskID(lastToken(m.subject)).Valid() {
				continue // a stranger
			}
			var l link
			if err == nil {
				l, err = readLink(m)
			}
			if p.s.passes(err) {
				l, err = p.s.under(ctx, err, m.subject)
			}
			if err == nil && l.Seq == 0 {
				continue
			}
			if !yield(l, err) || err != nil {
				return
			}
		}
	}
}
