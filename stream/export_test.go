package stream

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

// Abandon stops all that keeps a lease of this package alive, as the death or the freezing of its worker would.
func Abandon(l foldstream.Lease) { l.(*lease).silent.Store(true) }

// DeleteTicket deletes every ticket of a task from the queue behind the protocol's back.
func (s *Store) DeleteTicket(ctx context.Context, pool string, id foldstream.TaskID) error {
	for {
		m, err := s.newest(ctx, s.lay.work(), s.lay.anyTicket(pool, id))
		if err != nil || m == nil {
			return err
		}
		if err := s.remove(ctx, s.lay.work(), m.seq); err != nil {
			return err
		}
	}
}

// Corrupt changes a byte of an artifact: it stores the object's chunks again with another first byte, under the same names.
func Corrupt(ctx context.Context, js jetstream.JetStream, prefix string, d foldstream.Digest) error {
	bucket := newLayout(prefix).artifacts()
	objects, err := js.ObjectStore(ctx, bucket)
	if err != nil {
		return err
	}
	info, err := objects.GetInfo(ctx, string(d))
	if err != nil {
		return err
	}
	chunks := "$O." + bucket + ".C." + info.NUID
	st, err := js.Stream(ctx, "OBJ_"+bucket)
	if err != nil {
		return err
	}
	var bodies [][]byte
	var at uint64
	for range info.Chunks {
		m, err := st.GetMsg(ctx, at+1, jetstream.WithGetMsgSubject(chunks))
		if err != nil {
			return err
		}
		bodies, at = append(bodies, m.Data), m.Sequence
	}
	if err := st.Purge(ctx, jetstream.WithPurgeSubject(chunks)); err != nil {
		return err
	}
	bodies[0][0] ^= 1
	for _, b := range bodies {
		if _, err := js.Publish(ctx, chunks, b); err != nil {
			return err
		}
	}
	return nil
}

// Tickets counts the messages in the queue.
func (s *Store) Tickets(ctx context.Context) (uint64, error) {
	st, err := s.js.Stream(ctx, s.lay.work())
	if err != nil {
		return 0, err
	}
	return st.CachedInfo().State.Msgs, nil
}
