package stream

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// expect makes the server take m only while the last message of m's subject is the one of that sequence; 0 is none.
func expect(m *nats.Msg, seq uint64) {
	m.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(seq, 10))
}

// expectTicket is expect for the last of all tickets of a task. It knows no other filter than the one: with different filters a cluster
// accepts two.
func (s *Store) expectTicket(m *nats.Msg, pool string, id foldstream.TaskID, seq uint64) {
	m.Header.Set(jetstream.ExpectedLastSubjSeqSubjHeader, s.lay.anyTicket(pool, id))
	expect(m, seq)
}

// send publishes m without waiting for the reply, but where too many are waited for already.
func (s *Store) send(m *nats.Msg) (jetstream.PubAckFuture, error) {
	f, err := s.js.PublishMsgAsync(m)
	if errors.Is(err, jetstream.ErrTooManyStalledMsgs) { // it waited a moment; an option for longer costs each publish its memory
		f, err = s.js.PublishMsgAsync(m, s.stall)
	}
	return f, err
}

// await waits for the reply to a send and returns the message's sequence. What the server refused is told as that.
func (s *Store) await(ctx context.Context, f jetstream.PubAckFuture) (uint64, error) {
	select { // of many that are waited for in a row most are there by then
	case ack := <-f.Ok():
		return ack.Sequence, nil
	default:
	}
	for last := s.denied.Load(); ; last = last.later {
		wait, refused := last.patience(f.Msg().Subject)
		select {
		case ack := <-f.Ok():
			return ack.Sequence, nil
		case err := <-f.Err():
			s.refused(err)
			return 0, err
		case <-wait:
			return 0, refused
		case <-last.heard:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// refused tells the test that listens of a publish that was refused.
func (s *Store) refused(err error) {
	if s.refusals != nil {
		s.refusals(err)
	}
}

// publish sends m and waits.
func (s *Store) publish(ctx context.Context, m *nats.Msg) (uint64, error) {
	f, err := s.send(m)
	if err != nil {
		return 0, err
	}
	return s.await(ctx, f)
}

// fits reports a message that the server would not take. Errors: TooLarge.
func (s *Store) fits(op string, m *nats.Msg) error {
	const envelope = 1024 // what the client and the server add, reply subject and expected sequences; and what a ticket has beside its definition
	if size, limit := m.Size()+envelope, int(s.nc.MaxPayload()); size > limit {
		return foldstream.Errorf(foldstream.TooLarge, op, "%s: a message of %d bytes is over the server's limit of %d", m.Subject, size, limit)
	}
	return nil
}

// trial counts the tries of one operation and the time it may take.
type trial struct {
	s     *Store
	since time.Time
	pause time.Duration
}

func (s *Store) trial() *trial {
	return &trial{s, clock.Tick(), 2 * time.Millisecond}
}

// again waits before the next try and reports whether there is one. What the server denied it denies again.
func (t *trial) again(ctx context.Context) bool {
	if clock.Since(t.since) > t.s.cfg.Patience || t.s.deniedSince(t.since) {
		return false
	}
	select {
	case <-time.After(t.pause):
		t.pause = min(2*t.pause, 250*time.Millisecond)
		return true
	case <-ctx.Done():
		return false
	}
}
