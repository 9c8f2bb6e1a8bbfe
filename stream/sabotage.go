package stream

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go/jetstream"
)

// LoseTicket deletes one of a pool's tickets behind the protocol's back, to see it given again: the first one at or after the part at, from 0 to
// below 1, of the queue's sequences. It reports whether there was one. Errors: Unavailable.
func (s *Store) LoseTicket(ctx context.Context, pool string, at float64) (bool, error) {
	st, err := s.js.Stream(ctx, s.lay.work())
	if err != nil {
		return false, s.door(ctx, "lose", err)
	}
	state := st.CachedInfo().State
	if state.Msgs == 0 {
		return false, nil
	}
	from := state.FirstSeq + uint64(at*float64(state.LastSeq-state.FirstSeq+1))
	m, err := st.GetMsg(ctx, from, jetstream.WithGetMsgSubject(s.lay.allTickets(pool)))
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return false, nil
	}
	if err == nil {
		err = s.remove(ctx, s.lay.work(), m.Sequence)
	}
	return err == nil, s.door(ctx, "lose", err)
}

// Leader names the server that leads the events of tasks; "" where the server is none of a cluster, or nobody leads. Errors: Unavailable.
func (s *Store) Leader(ctx context.Context) (string, error) {
	st, err := s.js.Stream(ctx, s.lay.events())
	if err != nil || st.CachedInfo().Cluster == nil {
		return "", s.door(ctx, "leader", err)
	}
	return st.CachedInfo().Cluster.Leader, nil
}
