package mem

import (
	"context"
	"fmt"

	"github.com/foldstream/foldstream"
)

// ledger is what the events of one task say, read one by one.
type ledger struct {
	last    foldstream.Cursor
	status  foldstream.Status
	results int                  // of the present life
	kind    foldstream.EventKind // of the last event
}

// Verify replays the events of a pool and compares them with where its tasks stand.
func (s *Store) Verify(ctx context.Context, pool string) (foldstream.Conservation, error) {
	c := foldstream.Conservation{Pool: pool, Counts: foldstream.Counts{}}
	q, unlock, err := s.look(ctx, "verify", pool)
	if err != nil {
		return c, err
	}
	defer unlock()
	fault := func(id foldstream.TaskID, format string, args ...any) {
		c.Faults = append(c.Faults, fmt.Sprintf("task %s: ", id)+fmt.Sprintf(format, args...))
	}
	ledgers := map[foldstream.TaskID]*ledger{}
	for _, t := range q.tasks {
		ledgers[t.def.ID] = &ledger{status: foldstream.Waiting}
	}
	for _, e := range s.events {
		if e.Pool != pool {
			continue
		}
		if l := ledgers[e.Task]; l == nil {
			fault(e.Task, "event %d is of a task that was never created", e.Seq)
		} else if wrong := l.add(e); wrong != "" {
			fault(e.Task, "event %d (%s) %s", e.Seq, e.Kind, wrong)
		}
	}
	for _, t := range q.tasks {
		l := ledgers[t.def.ID]
		if l.status != t.status {
			fault(t.def.ID, "it is %s, its events say %s", t.status, l.status)
		}
		if !t.status.Final() && t.order == 0 {
			fault(t.def.ID, "it is %s and has no ticket", t.status)
		}
		if t.order != 0 {
			c.Tickets++
		}
		c.Created++
		c.Counts[t.status]++
		c.Results += l.results
	}
	return c, nil
}

// add takes the task's next event and returns what is wrong with it, "" where nothing is.
func (l *ledger) add(e foldstream.Event) (wrong string) {
	back := e.Kind == foldstream.EventEnd && e.Status == foldstream.Waiting
	switch {
	case e.Expected != l.last:
		wrong = fmt.Sprintf("follows event %d, but the one before it is %d", e.Expected, l.last)
	case l.status.Final() && e.Status != foldstream.Removed && (!back || l.status == foldstream.Done):
		wrong = fmt.Sprintf("comes after it was %s", l.status)
	}
	if e.Status == foldstream.Removed {
		l.results = 0
	}
	if e.Kind == foldstream.EventResult {
		l.results++
	}
	if e.Kind == foldstream.EventResult && e.Origin.Seq == 0 && l.kind != foldstream.EventClaim && e.Expected == l.last {
		wrong = "is the result of no claim and was not taken over"
	}
	if l.results > 1 {
		wrong = fmt.Sprintf("is result %d of one life", l.results)
	}
	l.last, l.status, l.kind = e.Seq, e.Status, e.Kind
	return wrong
}
