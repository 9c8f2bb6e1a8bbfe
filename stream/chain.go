package stream

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
)

// last returns the task's last event, from the leader; the zero link where there is none. A stranger above it is in over. Errors: a
// stranger of a newer version.
func (s *Store) last(ctx context.Context, pool string, id foldstream.TaskID) (link, error) {
	m, err := s.newest(ctx, s.lay.events(), s.lay.event(pool, id))
	if err != nil || m == nil {
		return link{}, err
	}
	l, err := readLink(m)
	if _, isStranger := strangerIn(err); isStranger && !isNewer(err) {
		return s.under(ctx, err, m.subject)
	}
	return l, err
}

// under returns the last event below a stranger on a task's subject.
func (s *Store) under(ctx context.Context, over error, subject string) (last link, err error) {
	for l, err := range s.links(ctx, query{filters: []string{subject}}) {
		if err != nil {
			return link{}, err
		}
		last = l
	}
	last.over = over
	return last, ctx.Err()
}

// append adds an event to its task's chain by a compare-and-set and returns its sequence. A try that was lost or not decided is
// settled by reading: an event with the link's nonce and kind is this one. Errors: Conflict (the chain moved), TooLarge.
func (s *Store) append(ctx context.Context, op string, l link) (uint64, error) {
	m, err := s.message(op, l)
	if err != nil {
		return 0, err
	}
	expect(m, uint64(l.Expected))
	seq, err := s.publish(ctx, m)
	return s.settle(ctx, op, l, m, seq, err)
}

// settle follows a try to append up to its decision. A stranger that may not be set aside is the task's misfortune, not the process's: Invalid.
func (s *Store) settle(ctx context.Context, op string, l link, m *nats.Msg, seq uint64, err error) (uint64, error) {
	lost := false
	for t := s.trial(); ; {
		v := verdictOf(err)
		switch v {
		case accepted:
			return seq, nil
		case broken:
			return 0, s.door(ctx, op, err)
		}
		lost = lost || v == unsure
		last, readErr := s.last(ctx, l.Pool, l.Task)
		switch {
		case readErr != nil:
			return 0, s.door(ctx, op, readErr)
		case last.nonce == l.nonce && last.Kind == l.Kind:
			return uint64(last.Seq), nil
		case last.Seq > l.Expected || last.Seq == 0 && l.Expected != 0:
			return s.find(ctx, op, l, lost)
		case last.over != nil:
			if err := s.door(ctx, op, s.setAside(ctx, s.lay.events(), last.over)); foldstream.Is(err, foldstream.Denied) {
				return 0, foldstream.Errorf(foldstream.Invalid, op, "task %s of pool %s: a message that is not ours stands above its events, and this user may not set it aside: %w", l.Task, l.Pool, err)
			} else if err != nil {
				return 0, err
			}
		}
		if !t.again(ctx) {
			return 0, s.door(ctx, op, errors.Join(err, nats.ErrTimeout))
		}
		seq, err = s.publish(ctx, m)
	}
}

// find looks for an event of ours that others have followed since; without a lost reply there is none.
func (s *Store) find(ctx context.Context, op string, l link, lost bool) (uint64, error) {
	if lost {
		for other, err := range s.links(ctx, query{filters: []string{s.lay.event(l.Pool, l.Task)}, headers: true}) {
			if err != nil {
				return 0, s.door(ctx, op, err)
			}
			if other.nonce == l.nonce && other.Kind == l.Kind {
				return uint64(other.Seq), nil
			}
		}
	}
	return 0, foldstream.Errorf(foldstream.Conflict, op, "task %s of pool %s: the lease was ended or lost", l.Task, l.Pool)
}
