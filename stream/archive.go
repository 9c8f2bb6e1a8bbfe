package stream

import (
	"context"
	"iter"
	"strings"

	"github.com/foldstream/foldstream"
)

// Definitions reads the permanent definitions of a pool's tasks from the stream DEFS.
func (s *Store) Definitions(ctx context.Context, pool string) iter.Seq2[foldstream.Task, error] {
	return func(yield func(foldstream.Task, error) bool) {
		if err := foldstream.ValidName("pool", pool); err != nil {
			yield(foldstream.Task{}, foldstream.E(foldstream.Invalid, "definitions", err))
			return
		}
		for m, err := range s.scan(ctx, query{stream: s.lay.defs(), filters: []string{s.lay.def(pool, "*")}}) {
			var t foldstream.Task
			if err == nil {
				t, err = readDefinition(m)
			}
			if s.passes(err) {
				continue
			}
			if err != nil {
				yield(foldstream.Task{}, s.door(ctx, "definitions", err))
				return
			}
			if !yield(t, nil) {
				return
			}
		}
	}
}

// Defined asks the leader of DEFS for its subjects: a hundred thousand of them come in one answer.
func (s *Store) Defined(ctx context.Context, pool string) iter.Seq2[foldstream.TaskID, error] {
	return func(yield func(foldstream.TaskID, error) bool) {
		if err := foldstream.ValidName("pool", pool); err != nil {
			yield("", foldstream.E(foldstream.Invalid, "defined", err))
			return
		}
		subjects, err := s.subjects(ctx, s.lay.defs(), s.lay.def(pool, "*"))
		if err != nil {
			yield("", s.door(ctx, "defined", err))
			return
		}
		for subject := range subjects {
			id := foldstream.TaskID(strings.TrimPrefix(subject, s.lay.def(pool, "")))
			if id.Valid() && !yield(id, nil) {
				return
			}
		}
	}
}
