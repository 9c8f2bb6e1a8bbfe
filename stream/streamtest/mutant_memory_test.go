package streamtest_test

import (
	"context"
	"iter"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// adopting changes every adoption before the store sees it.
func adopting(change func(*foldstream.Adoption)) func(*broken, *streamtest.Harness) {
	return func(b *broken, _ *streamtest.Harness) {
		b.adopt = func(ctx context.Context, s *mem.Store, pool string, all []foldstream.Adoption) ([]foldstream.Created, error) {
			for i := range all {
				change(&all[i])
			}
			return s.Adopt(ctx, pool, all...)
		}
	}
}

// memoryMutants are faults in what is known of results, and in how they are taken over.
var memoryMutants = []mutant{
	{"results of this pool alone are known", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.results = func(ctx context.Context, s *mem.Store, ids []foldstream.TaskID) iter.Seq2[foldstream.Event, error] {
			return kept(s.Results(ctx, ids...), func(e foldstream.Event) bool { return e.Pool == "windows" })
		}
	}, []string{
		"memory/results of all pools and lives", "memory/many", "memory/adopt new tasks", "memory/adopt again", "memory/adopt any status",
		"memory/adopt what was adopted", "memory/adopt nothing", "memory/two adopt and one works",
	}},
	{"results of lives that are over are forgotten", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.results = func(ctx context.Context, s *mem.Store, ids []foldstream.TaskID) iter.Seq2[foldstream.Event, error] {
			return kept(s.Results(ctx, ids...), func(e foldstream.Event) bool { return e.Result.Params["by"] != "first life" })
		}
	}, []string{"memory/results of all pools and lives"}},
	{"nothing is taken over", mem.Options{}, adopting(func(a *foldstream.Adoption) { a.From = foldstream.Origin{} }), []string{
		"memory/many", "memory/adopt new tasks", "memory/adopt again", "memory/adopt any status", "memory/adopt what was adopted",
	}},
	{"what runs is ended", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.adopt = func(ctx context.Context, s *mem.Store, pool string, all []foldstream.Adoption) ([]foldstream.Created, error) {
			for _, a := range all {
				if _, err := s.Reset(ctx, pool, true, a.Task.ID); err != nil {
					return nil, err
				}
			}
			return s.Adopt(ctx, pool, all...)
		}
	}, []string{"memory/adopt any status"}},
	{"a task is ended by any result", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.adopt = func(ctx context.Context, s *mem.Store, pool string, all []foldstream.Adoption) ([]foldstream.Created, error) {
			for i := range all {
				for e, err := range s.Results(ctx, all[i].Task.ID) {
					if err != nil {
						return nil, err
					}
					all[i].From = foldstream.Origin{Pool: e.Pool, Seq: e.Seq}
				}
			}
			return s.Adopt(ctx, pool, all...)
		}
	}, []string{"memory/adopt nothing"}},
	{"an adopted result comes from its adopter", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.events = func(ctx context.Context, s *mem.Store, f foldstream.EventFilter, from foldstream.Cursor) iter.Seq2[foldstream.Event, error] {
			return changed(s.Events(ctx, f, from), func(e *foldstream.Event) {
				if e.Origin.Seq != 0 {
					e.Origin.Seq++
				}
			})
		}
	}, []string{"memory/adopt new tasks", "memory/adopt any status", "memory/adopt what was adopted"}},
	{"an adoption leaves a second task", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.adopt = func(ctx context.Context, s *mem.Store, pool string, all []foldstream.Adoption) ([]foldstream.Created, error) {
			made, err := s.Adopt(ctx, pool, all...)
			if err == nil {
				_, err = s.Pool(pool).Create(ctx, streamtest.Task(99))
			}
			return made, err
		}
	}, []string{
		"memory/adopt new tasks", "memory/adopt again", "memory/adopt any status", "memory/adopt what was adopted", "memory/adopt nothing",
		"memory/two adopt and one works",
	}},
}

// kept leaves some of a sequence.
func kept[T any](seq iter.Seq2[T, error], keep func(T) bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range seq {
			if (err != nil || keep(v)) && !yield(v, err) {
				return
			}
		}
	}
}
