package streamtest

import (
	"context"
	"maps"

	"github.com/foldstream/foldstream"
)

// Conserved proves of a pool at rest that every task ever created is finished and none has been lost or doubled: each
// definition stands once, each event belongs to a definition and follows the one before it, no life has two results, a final
// event is followed only by a removal, a new life or, where the task is not done, another try, and Stat counts the same. It waits
// for what is not visible yet. Errors: NotConserved.
func Conserved(ctx context.Context, s foldstream.Store, pool string) error {
	return Eventually(ctx, func() error {
		tally, err := audit(ctx, s, pool)
		if err != nil {
			return err
		}
		counts, err := s.Pool(pool).Stat(ctx)
		if err == nil && !maps.Equal(counts, tally) {
			err = lost("pool %s: stat says %v, the events say %v", pool, counts, tally)
		}
		return err
	})
}

// life is what the events of one task say so far.
type life struct {
	last    foldstream.Cursor
	status  foldstream.Status
	results int // in this life
}

// audit reads the definitions and the events of a pool and counts the tasks by their final status.
func audit(ctx context.Context, s foldstream.Store, pool string) (foldstream.Counts, error) {
	lives := map[foldstream.TaskID]*life{}
	for t, err := range s.(foldstream.Archive).Definitions(ctx, pool) {
		if err != nil {
			return nil, err
		}
		if lives[t.ID] != nil {
			return nil, lost("task %s is defined twice", t.ID)
		}
		lives[t.ID] = &life{status: foldstream.Waiting}
	}
	for e, err := range s.Events(ctx, foldstream.EventFilter{Pool: pool}, 0) {
		if err != nil {
			return nil, err
		}
		l := lives[e.Task]
		if l == nil {
			return nil, lost("event %d belongs to task %s, which has no definition", e.Seq, e.Task)
		}
		if err := l.add(e); err != nil {
			return nil, err
		}
	}
	tally := foldstream.Counts{}
	for id, l := range lives {
		if !l.status.Final() {
			return nil, lost("task %s is %s, not finished", id, l.status)
		}
		tally[l.status]++
	}
	return tally, nil
}

// add takes the task's next event. Errors: NotConserved.
func (l *life) add(e foldstream.Event) error {
	if e.Expected != l.last {
		return lost("task %s: event %d (%s) follows event %d, but the one before it is %d", e.Task, e.Seq, e.Kind, e.Expected, l.last)
	}
	if !l.allows(e) {
		return lost("task %s: event %d (%s, %s) comes after it was %s", e.Task, e.Seq, e.Kind, e.Status, l.status)
	}
	if l.status.Final() {
		l.results = 0
	}
	if e.Kind == foldstream.EventResult {
		l.results++
	}
	l.last, l.status = e.Seq, e.Status
	if l.results != 0 != (e.Status == foldstream.Done) {
		return lost("task %s: event %d leaves it %s with %d results", e.Task, e.Seq, e.Status, l.results)
	}
	return nil
}

// allows reports whether the event may come now: what was failed or cancelled is tried again only by an end that says waiting, what
// was removed has a new life, and what is done can only be removed.
func (l *life) allows(e foldstream.Event) bool {
	end := e.Kind == foldstream.EventEnd
	switch l.status {
	case foldstream.Done:
		return end && e.Status == foldstream.Removed
	case foldstream.Dead, foldstream.Withdrawn:
		return end && (e.Status == foldstream.Waiting || e.Status == foldstream.Removed)
	case foldstream.Removed:
		return e.Status != foldstream.Removed
	}
	return true
}

func lost(format string, args ...any) error {
	return foldstream.Errorf(foldstream.NotConserved, "conserved", format, args...)
}
