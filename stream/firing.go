package stream

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

// firing is the body of a schedule's last: one order that somebody took.
type firing struct {
	Of     foldstream.Schedule
	Seq    uint64    // of the order
	Due    time.Time // when the server stored it
	Next   time.Time // when the next one comes, as the server said with it
	Worker string
	Taken  time.Time
	Ended  time.Time
	Text   string
	Error  string
	Nonce  string // of the process that took it, for this once: how it knows its own words
}

func (f firing) told() foldstream.Firing {
	return foldstream.Firing{
		Due: f.Due, Worker: f.Worker, Taken: f.Taken, Ended: f.Ended, Outcome: foldstream.Outcome{Text: f.Text, Error: f.Error},
	}
}

// endedSeq is the order up to which all are ended.
func (f firing) endedSeq() uint64 {
	if f.Ended.IsZero() {
		return max(f.Seq, 1) - 1
	}
	return f.Seq
}

func readFiring(m *stored) (firing, error) {
	var f firing
	err := decode(m.data, &f)
	return f, err
}

// recordFiring publishes a schedule's last in the place of another.
func (s *Store) recordFiring(ctx context.Context, f firing, expected uint64) (uint64, error) {
	body, err := encode(&f)
	if err != nil {
		return 0, err
	}
	m := &nats.Msg{
		Subject: s.lay.schedule(f.Of.Name, lastPart), Header: nats.Header{jetstream.MsgRollup: {jetstream.MsgRollupSubject}}, Data: body,
	}
	expect(m, expected)
	return s.publish(ctx, m)
}
