package mem

import (
	"context"
	"iter"
	"slices"

	"github.com/foldstream/foldstream"
)

// Newest reads the newest events there were when it was called.
func (s *Store) Newest(ctx context.Context, pool string, ids ...foldstream.TaskID) iter.Seq2[foldstream.Event, error] {
	return func(yield func(foldstream.Event, error) bool) {
		q, unlock, err := s.look(ctx, "newest", pool)
		if err != nil {
			yield(foldstream.Event{}, err)
			return
		}
		var events []foldstream.Event
		for _, t := range q.among(ids) {
			if t.last != 0 {
				events = append(events, s.brief(t))
			}
		}
		unlock()
		for _, e := range events {
			if !yield(e, nil) {
				return
			}
		}
	}
}

// among returns the tasks of those ids, each once; all where none are named.
func (q *queue) among(ids []foldstream.TaskID) []*task {
	if len(ids) == 0 {
		return q.tasks
	}
	var some []*task
	for _, id := range ids {
		if t := q.known[id]; t != nil && !slices.Contains(some, t) {
			some = append(some, t)
		}
	}
	return some
}

// maxTrouble is how much of an error Newest tells.
const maxTrouble = 1 << 10

// brief returns the newest event of a task, which has one. The caller holds mu.
func (s *Store) brief(t *task) foldstream.Event {
	e := s.events[t.last-1]
	if e.Kind == foldstream.EventEnd {
		e.Error = t.err[:min(len(t.err), maxTrouble)]
	}
	return withoutFrames(e)
}

// withoutFrames returns an event whose result has neither frames nor series.
func withoutFrames(e foldstream.Event) foldstream.Event {
	if e.Result != nil {
		r := *e.Result
		r.Frames, r.Series = nil, nil
		e.Result = &r
	}
	return e
}
