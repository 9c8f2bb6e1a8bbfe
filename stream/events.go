package stream

import (
	"context"
	"iter"

	"github.com/foldstream/foldstream"
)

// Events reads events in order from the stream EVENTS. With f.Follow it outlives a server that is away for a while.
func (s *Store) Events(ctx context.Context, f foldstream.EventFilter, from foldstream.Cursor) iter.Seq2[foldstream.Event, error] {
	return func(yield func(foldstream.Event, error) bool) {
		q, err := s.eventQuery(f, from)
		if err != nil {
			yield(foldstream.Event{}, err)
			return
		}
		read := s.links
		if f.Task != "" && !f.Follow {
			read = s.oneByOne
		}
		for l, err := range read(ctx, q) {
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				yield(foldstream.Event{}, s.door(ctx, "events", err))
				return
			}
			l.open()
			if !yield(l.Event, nil) {
				return
			}
		}
	}
}

func (s *Store) eventQuery(f foldstream.EventFilter, from foldstream.Cursor) (query, error) {
	q := query{from: uint64(from) + 1, follow: f.Follow}
	switch {
	case f.Task != "" && f.Pool == "":
		return q, foldstream.Errorf(foldstream.Invalid, "events", "a filter by task %s needs its pool", f.Task)
	case f.Task != "" && !f.Task.Valid():
		return q, foldstream.Errorf(foldstream.Invalid, "events", "task id %q is not 26 characters of lower-case base32", f.Task)
	case f.Task != "":
		q.filters = []string{s.lay.event(f.Pool, f.Task)}
	case f.Pool != "":
		q.filters = []string{s.lay.event(f.Pool, "*")}
	}
	if f.Pool != "" {
		if err := foldstream.ValidName("pool", f.Pool); err != nil {
			return q, foldstream.E(foldstream.Invalid, "events", err)
		}
	}
	if f.Idle != nil {
		q.idle = func(upTo uint64) { f.Idle(foldstream.Cursor(upTo)) }
	}
	return q, nil
}

// links reads events as they are stored, and passes over strangers.
func (s *Store) links(ctx context.Context, q query) iter.Seq2[link, error] {
	q.stream = s.lay.events()
	return func(yield func(link, error) bool) {
		for m, err := range s.scan(ctx, q) {
			var l link
			if err == nil {
				l, err = readLink(m)
			}
			if s.passes(err) {
				continue
			}
			if !yield(l, err) || err != nil {
				return
			}
		}
	}
}

// oneByOne is links for one task, that does not follow: a life is short, and asking the leader for one event after the other costs less than a
// consumer.
func (s *Store) oneByOne(ctx context.Context, q query) iter.Seq2[link, error] {
	return func(yield func(link, error) bool) {
		for ctx.Err() == nil {
			m, err := s.oldestFrom(ctx, s.lay.events(), q.filters[0], max(q.from, 1))
			if ctx.Err() != nil || err == nil && m == nil {
				return
			}
			var l link
			if err == nil {
				l, err = readLink(m)
				q.from = m.seq + 1
			}
			if s.passes(err) {
				continue
			}
			if !yield(l, err) || err != nil {
				return
			}
		}
	}
}
