package mem

import (
	"context"
	"slices"

	"github.com/foldstream/foldstream"
)

// Purge forgets removed tasks. Their events keep their places in the order, empty.
func (s *Store) Purge(ctx context.Context, pool string, ids ...foldstream.TaskID) (int, error) {
	return s.change(ctx, "purge", pool, ids, func(q *queue, t *task) bool {
		if t.status != foldstream.Removed {
			return false
		}
		q.tasks = slices.DeleteFunc(slices.Clone(q.tasks), func(other *task) bool { return other == t })
		delete(q.known, t.def.ID)
		for i, e := range s.events {
			if e.Pool == pool && e.Task == t.def.ID {
				s.events[i] = foldstream.Event{Seq: e.Seq}
			}
		}
		return true
	})
}
