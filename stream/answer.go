package stream

import (
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
)

// The answers to a ticket.
var (
	ackBody  = []byte("+ACK")
	beatBody = []byte("+WPI")
)

// ack takes a ticket out of the queue. Like all answers to tickets it is not waited for: if it is lost, the ticket comes back and
// is seen as finished.
func (s *Store) ack(m *nats.Msg) { s.answer(m, ackBody) }

// nak gives a ticket back, to come again after a pause.
func (s *Store) nak(m *nats.Msg, after time.Duration) {
	body := []byte("-NAK")
	if after > 0 {
		body = append(body, ` {"delay": `+strconv.FormatInt(after.Nanoseconds(), 10)+`}`...)
	}
	s.answer(m, body)
}

func (s *Store) answer(m *nats.Msg, body []byte) {
	if err := s.nc.Publish(m.Reply, body); err != nil {
		s.log.Warn("a ticket was not answered and runs out", "err", err)
	}
}
