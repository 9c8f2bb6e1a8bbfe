package mem

import (
	"context"
	"slices"
	"strconv"

	"github.com/foldstream/foldstream"
)

var _ foldstream.Seconder = (*Store)(nil)

// Second leases a task beside the claim that holds it.
func (s *Store) Second(ctx context.Context, pool string, id foldstream.TaskID, f foldstream.Filter) (foldstream.Lease, error) {
	if err := fetchable(ctx, "second", pool, f); err != nil {
		return nil, err
	}
	if err := s.settled(pool).CheckCode(pool, f.Code); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	q := s.queues[pool]
	if q == nil || q.known[id] == nil || q.known[id].token == 0 || !q.known[id].matches(f) || s.settings[pool].Paused {
		return nil, foldstream.Errorf(foldstream.NotFound, "second", "task %s of pool %s is in the hands of no worker, or not for this one", id, pool)
	}
	t := q.known[id]
	s.copies++
	l := &lease{s: s, q: q, t: t, view: t.view(), token: t.token, second: true, since: s.opts.Now()}
	l.view.Run = "second" + strconv.Itoa(s.copies)
	t.seconds = append(t.standing(), l)
	return l, nil
}

// giveUp ends a second lease. The caller holds mu.
func (l *lease) giveUp() error {
	l.over = true
	return nil
}

// standing are the second leases beside the task's claim. The caller holds mu.
func (t *task) standing() []*lease {
	return slices.DeleteFunc(t.seconds, func(l *lease) bool { return l.over || l.token != t.token })
}

func (l *lease) inHand() foldstream.InHand {
	return foldstream.InHand{Pool: l.q.name, Task: l.view.ID, Attempt: l.view.Attempt, Since: l.since, Second: true, Progress: l.progress}
}
