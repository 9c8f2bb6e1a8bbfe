package stream

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
)

var _ foldstream.Index = (*Store)(nil)

// Tasks reads all tasks of a pool.
func (s *Store) Tasks(ctx context.Context, pool string) iter.Seq2[foldstream.TaskState, error] {
	return s.Page(ctx, pool, foldstream.TaskQuery{})
}

// Page asks an index which tasks to read, and reads those. Where nobody keeps an index it joins the definitions, as they come, with the
// last event of each. A task whose life began anew while it reads may be left out.
func (s *Store) Page(ctx context.Context, pool string, q foldstream.TaskQuery) iter.Seq2[foldstream.TaskState, error] {
	return func(yield func(foldstream.TaskState, error) bool) {
		p := s.pool(pool)
		err := p.usable(ctx, "tasks")
		if err == nil {
			l := listing{p: p, q: q, left: q.Limit, yield: func(t foldstream.TaskState) bool { return yield(t, nil) }}
			err = l.run(ctx)
		}
		if err != nil {
			yield(foldstream.TaskState{}, s.door(ctx, "tasks", err))
		}
	}
}

// placeAll sets in a page the priority of the tickets of those that wait.
func (p *Pool) placeAll(ctx context.Context, page []foldstream.TaskState) error {
	var waiting []foldstream.TaskID
	for _, state := range page {
		if state.Status == foldstream.Waiting || state.Status == foldstream.PartDone {
			waiting = append(waiting, state.ID)
		}
	}
	bands, err := p.bands(ctx, waiting)
	for i := range page {
		if band, ok := bands[page[i].ID]; ok {
			move(&page[i].Task, band)
		}
	}
	return err
}

// tell sets where a task stands now by its last event; the zero link is none.
func tell(state *foldstream.TaskState, last link, now time.Time) {
	state.Status, state.Updated = foldstream.Waiting, state.Created
	until := state.Task.NotBefore
	if last.Seq > 0 {
		place(&state.Task, last)
		state.Status, state.Updated = last.Status, last.At
		state.Worker, state.Error, state.Crashes, until = last.Worker, last.trouble, last.crashes, last.until
	}
	if state.Status == foldstream.Waiting && until.After(now) {
		state.NotBefore = until
	}
}

// bands returns the bands that the tickets of tasks are in; what has no ticket is left out.
func (p *Pool) bands(ctx context.Context, ids []foldstream.TaskID) (map[foldstream.TaskID]int, error) {
	bands, seqs := make(map[foldstream.TaskID]int, len(ids)), make(map[foldstream.TaskID]uint64, len(ids))
	for some := range slices.Chunk(ids, filtersAtOnce) {
		filters := make([]string, len(some))
		for i, id := range some {
			filters[i] = p.s.lay.anyTicket(p.name, id)
		}
		for m, err := range p.s.peek(ctx, p.s.lay.work(), filters) {
			var t ticket
			if err == nil {
				err = t.locate(m)
			}
			if p.s.passes(err) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if m.seq > seqs[t.id] { // of two, the younger
				bands[t.id], seqs[t.id] = t.lane.band, m.seq
			}
		}
	}
	return bands, nil
}

// Task reads the state of one task, from the leader.
func (s *Store) Task(ctx context.Context, pool string, id foldstream.TaskID) (foldstream.TaskState, error) {
	p := s.pool(pool)
	if err := p.usable(ctx, "task"); err != nil {
		return foldstream.TaskState{}, err
	}
	var state foldstream.TaskState
	var err error
	if id.Valid() {
		state, err = p.state(ctx, id)
	}
	if err == nil && state.ID == "" {
		err = foldstream.Errorf(foldstream.NotFound, "task", "no task %s in pool %s", id, pool)
	}
	return state, s.door(ctx, "task", err)
}

// state reads where one task stands; the zero state where the pool does not know it.
func (p *Pool) state(ctx context.Context, id foldstream.TaskID) (foldstream.TaskState, error) {
	m, err := p.s.newest(ctx, p.s.lay.defs(), p.s.lay.def(p.name, id))
	if err != nil || m == nil {
		return foldstream.TaskState{}, err
	}
	t, err := readDefinition(m)
	if err != nil {
		return foldstream.TaskState{}, err
	}
	last, err := p.s.last(ctx, p.name, id)
	if err != nil {
		return foldstream.TaskState{}, err
	}
	state := foldstream.TaskState{Task: t, Created: m.at}
	if tell(&state, last, p.s.now()); state.Status != foldstream.Waiting && state.Status != foldstream.PartDone {
		return state, nil
	}
	m, err = p.s.newest(ctx, p.s.lay.work(), p.s.lay.anyTicket(p.name, id))
	if err != nil || m == nil {
		return state, err
	}
	var at ticket
	if err = at.locate(m); err == nil {
		move(&state.Task, at.lane.band)
	}
	if p.s.passes(err) {
		err = nil
	}
	return state, err
}
