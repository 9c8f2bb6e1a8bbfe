package mem

import (
	"context"
	"iter"
	"strconv"

	"github.com/foldstream/foldstream"
)

// record appends an event that follows the task's last one and moves the task to its status; a claim is over by it. The
// caller holds mu and sets what differs: Kind, Status, Worker, Error, Result.
func (s *Store) record(q *queue, t *task, e foldstream.Event) {
	e.Seq, e.At, e.Pool, e.Task = foldstream.Cursor(len(s.events)+1), s.opts.Now(), q.name, t.def.ID
	e.Stage, e.Attempt, e.Expected = t.stage, t.attempt, t.last
	switch {
	case e.Kind == foldstream.EventClaim:
		e.Run = runOf(e.Seq)
	case e.Run != "":
	case e.Origin.Seq != 0:
		e.Run = "adopted" + strconv.FormatUint(uint64(e.Seq), 10)
	case e.Worker != "":
		e.Run = runOf(t.token)
	}
	s.events = append(s.events, e)
	t.status, t.last, t.touched, t.token, t.letter = e.Status, e.Seq, e.At, 0, 0
	if e.Status == foldstream.Dead {
		t.letter = e.Seq
	}
	if e.Status.Final() {
		t.order = 0
		delete(q.open, t.def.ID)
	}
	s.notify()
}

// runOf names an attempt by its claim.
func runOf(claim foldstream.Cursor) string { return "claim" + strconv.FormatUint(uint64(claim), 10) }

// Events reads the events after the cursor.
func (s *Store) Events(ctx context.Context, f foldstream.EventFilter, from foldstream.Cursor) iter.Seq2[foldstream.Event, error] {
	return func(yield func(foldstream.Event, error) bool) {
		if f.Task != "" && f.Pool == "" {
			yield(foldstream.Event{}, foldstream.Errorf(foldstream.Invalid, "events", "a filter by task %s needs its pool", f.Task))
			return
		}
		for at := from; ; {
			events, changed := s.after(at)
			for _, e := range events {
				at = e.Seq
				if ctx.Err() != nil || (wanted(f, e) && !yield(e, nil)) {
					return
				}
			}
			if !f.Follow {
				return
			}
			if f.Idle != nil {
				f.Idle(at)
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}
}

// after returns the events there are after the cursor, and a channel closed at the next change.
func (s *Store) after(at foldstream.Cursor) ([]foldstream.Event, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events[min(at, foldstream.Cursor(len(s.events))):], s.changed
}

func wanted(f foldstream.EventFilter, e foldstream.Event) bool {
	return e.Kind != "" && (f.Pool == "" || f.Pool == e.Pool) && (f.Task == "" || f.Task == e.Task)
}
