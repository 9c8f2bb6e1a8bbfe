package streamtest_test

import (
	"context"
	"iter"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
)

// The contracts of administration, as functions to put a fault in.
type (
	endFunc        = func(ctx context.Context, s *mem.Store, pool, why string, ids []foldstream.TaskID) (int, error)
	replaceFunc    = func(ctx context.Context, s *mem.Store, pool, why string, old foldstream.TaskID, t foldstream.Task) (foldstream.Created, error)
	resetFunc      = func(ctx context.Context, s *mem.Store, pool string, force bool, ids []foldstream.TaskID) (int, error)
	prioritizeFunc = func(ctx context.Context, s *mem.Store, pool string, p *int, ids []foldstream.TaskID) (int, error)
	changeFunc     = func(ctx context.Context, s *mem.Store, pool string, change func(*foldstream.PoolSettings)) (foldstream.PoolSettings, error)
	dropFunc       = func(ctx context.Context, s *mem.Store, pool string, ids []foldstream.TaskID) (int, error)
	taskFunc       = func(ctx context.Context, s *mem.Store, pool string, id foldstream.TaskID) (foldstream.TaskState, error)
	workersFunc    = func(iter.Seq2[foldstream.Presence, error]) iter.Seq2[foldstream.Presence, error]
	newestFunc     = func(ctx context.Context, s *mem.Store, pool string, ids []foldstream.TaskID) iter.Seq2[foldstream.Event, error]
	purgeFunc      = func(ctx context.Context, s *mem.Store, pool string, ids []foldstream.TaskID) (int, error)
	resultsFunc    = func(ctx context.Context, s *mem.Store, ids []foldstream.TaskID) iter.Seq2[foldstream.Event, error]
	adoptFunc      = func(ctx context.Context, s *mem.Store, pool string, all []foldstream.Adoption) ([]foldstream.Created, error)
	secondFunc     = func(ctx context.Context, s *mem.Store, pool string, id foldstream.TaskID, f foldstream.Filter) (foldstream.Lease, error)
	lettersFunc    = func(iter.Seq2[foldstream.DeadLetter, error]) iter.Seq2[foldstream.DeadLetter, error]
)

// brokenAdmin are the faults of administration; a nil function is no fault.
type brokenAdmin struct {
	cancel, unmake, retry endFunc
	replace               replaceFunc
	reset                 resetFunc
	prioritize            prioritizeFunc
	change                changeFunc
	state                 func(*foldstream.TaskState)
	find                  taskFunc
	tasks                 func(iter.Seq2[foldstream.TaskState, error]) iter.Seq2[foldstream.TaskState, error]
	query                 func(*foldstream.TaskQuery)
	stats                 func(map[string]foldstream.Counts)
	workers               workersFunc
	letters               lettersFunc
	drop                  dropFunc
	verify                func(*foldstream.Conservation)
	newest                newestFunc
	purge                 purgeFunc
	results               resultsFunc
	adopt                 adoptFunc
	second                secondFunc
	forgets               string // a source of references
	sweep                 func(ctx context.Context, s *mem.Store, b foldstream.Stored) (bool, error)
}

func (b *broken) Second(ctx context.Context, pool string, id foldstream.TaskID, f foldstream.Filter) (foldstream.Lease, error) {
	if b.second != nil {
		return b.second(ctx, b.Store, pool, id, f)
	}
	return b.Store.Second(ctx, pool, id, f)
}

func (b *broken) Referred(ctx context.Context) iter.Seq2[foldstream.Reference, error] {
	return func(yield func(foldstream.Reference, error) bool) {
		for r, err := range b.Store.Referred(ctx) {
			if r.From != b.forgets && !yield(r, err) {
				return
			}
		}
	}
}

func (b *broken) Sweep(ctx context.Context, s foldstream.Stored) (bool, error) {
	if b.sweep != nil {
		return b.sweep(ctx, b.Store, s)
	}
	return b.Store.Sweep(ctx, s)
}

func (b *broken) Cancel(ctx context.Context, pool, why string, ids ...foldstream.TaskID) (int, error) {
	if b.cancel != nil {
		return b.cancel(ctx, b.Store, pool, why, ids)
	}
	return b.Store.Cancel(ctx, pool, why, ids...)
}

func (b *broken) Remove(ctx context.Context, pool, why string, ids ...foldstream.TaskID) (int, error) {
	if b.unmake != nil {
		return b.unmake(ctx, b.Store, pool, why, ids)
	}
	return b.Store.Remove(ctx, pool, why, ids...)
}

func (b *broken) Replace(ctx context.Context, pool, why string, old foldstream.TaskID, t foldstream.Task) (foldstream.Created, error) {
	if b.replace != nil {
		return b.replace(ctx, b.Store, pool, why, old, t)
	}
	return b.Store.Replace(ctx, pool, why, old, t)
}

func (b *broken) Retry(ctx context.Context, pool, why string, ids ...foldstream.TaskID) (int, error) {
	if b.retry != nil {
		return b.retry(ctx, b.Store, pool, why, ids)
	}
	return b.Store.Retry(ctx, pool, why, ids...)
}

func (b *broken) Reset(ctx context.Context, pool string, force bool, ids ...foldstream.TaskID) (int, error) {
	if b.reset != nil {
		return b.reset(ctx, b.Store, pool, force, ids)
	}
	return b.Store.Reset(ctx, pool, force, ids...)
}

func (b *broken) Prioritize(ctx context.Context, pool string, p *int, ids ...foldstream.TaskID) (int, error) {
	if b.prioritize != nil {
		return b.prioritize(ctx, b.Store, pool, p, ids)
	}
	return b.Store.Prioritize(ctx, pool, p, ids...)
}

func (b *broken) Change(ctx context.Context, pool string, change func(*foldstream.PoolSettings)) (foldstream.PoolSettings, error) {
	if b.change != nil {
		return b.change(ctx, b.Store, pool, change)
	}
	return b.Store.Change(ctx, pool, change)
}

func (b *broken) Task(ctx context.Context, pool string, id foldstream.TaskID) (foldstream.TaskState, error) {
	find := b.find
	if find == nil {
		find = func(ctx context.Context, s *mem.Store, pool string, id foldstream.TaskID) (foldstream.TaskState, error) {
			return s.Task(ctx, pool, id)
		}
	}
	state, err := find(ctx, b.Store, pool, id)
	if b.state != nil {
		b.state(&state)
	}
	return state, err
}

func (b *broken) Tasks(ctx context.Context, pool string) iter.Seq2[foldstream.TaskState, error] {
	return b.states(b.Store.Tasks(ctx, pool))
}

func (b *broken) Page(ctx context.Context, pool string, q foldstream.TaskQuery) iter.Seq2[foldstream.TaskState, error] {
	if b.query != nil {
		b.query(&q)
	}
	return b.states(b.Store.Page(ctx, pool, q))
}

func (b *broken) states(seq iter.Seq2[foldstream.TaskState, error]) iter.Seq2[foldstream.TaskState, error] {
	if b.tasks != nil {
		seq = b.tasks(seq)
	}
	return func(yield func(foldstream.TaskState, error) bool) {
		for s, err := range seq {
			if b.state != nil {
				b.state(&s)
			}
			if !yield(s, err) {
				return
			}
		}
	}
}

func (b *broken) Stat(ctx context.Context) (map[string]foldstream.Counts, error) {
	all, err := b.Store.Stat(ctx)
	if b.stats != nil {
		b.stats(all)
	}
	return all, err
}

func (b *broken) Workers(ctx context.Context) iter.Seq2[foldstream.Presence, error] {
	if b.workers != nil {
		return b.workers(b.Store.Workers(ctx))
	}
	return b.Store.Workers(ctx)
}

func (b *broken) Letters(ctx context.Context, pool string) iter.Seq2[foldstream.DeadLetter, error] {
	if b.letters != nil {
		return b.letters(b.Store.Letters(ctx, pool))
	}
	return b.Store.Letters(ctx, pool)
}

func (b *broken) Drop(ctx context.Context, pool string, ids ...foldstream.TaskID) (int, error) {
	if b.drop != nil {
		return b.drop(ctx, b.Store, pool, ids)
	}
	return b.Store.Drop(ctx, pool, ids...)
}

func (b *broken) Verify(ctx context.Context, pool string) (foldstream.Conservation, error) {
	c, err := b.Store.Verify(ctx, pool)
	if b.verify != nil {
		b.verify(&c)
	}
	return c, err
}

func (b *broken) Newest(ctx context.Context, pool string, ids ...foldstream.TaskID) iter.Seq2[foldstream.Event, error] {
	if b.newest != nil {
		return b.newest(ctx, b.Store, pool, ids)
	}
	return b.Store.Newest(ctx, pool, ids...)
}

func (b *broken) Purge(ctx context.Context, pool string, ids ...foldstream.TaskID) (int, error) {
	if b.purge != nil {
		return b.purge(ctx, b.Store, pool, ids)
	}
	return b.Store.Purge(ctx, pool, ids...)
}

func (b *broken) Results(ctx context.Context, ids ...foldstream.TaskID) iter.Seq2[foldstream.Event, error] {
	if b.results != nil {
		return b.results(ctx, b.Store, ids)
	}
	return b.Store.Results(ctx, ids...)
}

func (b *broken) Adopt(ctx context.Context, pool string, all ...foldstream.Adoption) ([]foldstream.Created, error) {
	if b.adopt != nil {
		return b.adopt(ctx, b.Store, pool, all)
	}
	return b.Store.Adopt(ctx, pool, all...)
}
