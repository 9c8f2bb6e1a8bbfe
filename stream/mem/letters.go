package mem

import (
	"cmp"
	"context"
	"iter"
	"slices"

	"github.com/foldstream/foldstream"
)

// Letters reads the dead letters there were when it was called.
func (s *Store) Letters(ctx context.Context, pool string) iter.Seq2[foldstream.DeadLetter, error] {
	return func(yield func(foldstream.DeadLetter, error) bool) {
		q, unlock, err := s.look(ctx, "letters", pool)
		if err != nil {
			yield(foldstream.DeadLetter{}, err)
			return
		}
		letters := s.letters(q)
		unlock()
		for _, l := range letters {
			if !yield(l, nil) {
				return
			}
		}
	}
}

// Drop removes dead letters.
func (s *Store) Drop(ctx context.Context, pool string, ids ...foldstream.TaskID) (int, error) {
	return s.change(ctx, "drop", pool, ids, func(_ *queue, t *task) bool {
		there := t.letter != 0
		t.letter = 0
		return there
	})
}

// letters returns the dead letters of a pool in order. The caller holds mu.
func (s *Store) letters(q *queue) []foldstream.DeadLetter {
	failed := slices.DeleteFunc(slices.Clone(q.tasks), func(t *task) bool { return t.letter == 0 })
	slices.SortFunc(failed, func(a, b *task) int { return cmp.Compare(a.letter, b.letter) })
	letters := make([]foldstream.DeadLetter, len(failed))
	for i, t := range failed {
		e := s.events[t.letter-1]
		letters[i] = foldstream.DeadLetter{Task: t.view(), At: e.At, Worker: t.worker, Error: e.Error, Events: s.life(t)}
	}
	return letters
}

// life returns the events of a task's present life, without results. The caller holds mu.
func (s *Store) life(t *task) (events []foldstream.Event) {
	for at := t.last; at != 0; {
		e := s.events[at-1]
		if e.Status == foldstream.Removed {
			break
		}
		e.Result = nil
		events, at = append(events, e), e.Expected
	}
	slices.Reverse(events)
	return events
}
