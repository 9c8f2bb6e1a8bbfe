package stream

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

// The headers of tickets, beside headerExpected: the event that the ticket's first claim must follow.
const (
	headerPart = "Fold-Part" // where the part begins in the body; absent is no part
	headerRead = "Fold-Read" // the chain must be read before the ticket is claimed, also at its first delivery
)

// ticket is what lets one worker work a task once. It carries the definition, and the part from the second stage on.
type ticket struct {
	pool   string
	lane   laneName
	id     foldstream.TaskID
	def    []byte // encoded
	part   []byte // encoded; nil in the first stage
	expect foldstream.Cursor
	read   bool
	later  bool // it is a schedule that waits for its time

	at      time.Time // not before: until then it is a schedule; zero is no wait
	moved   int       // as in link; set by task
	trouble string    // as in link
}

// message writes a ticket to its lane.
func (t ticket) message(lay layout) *nats.Msg {
	h := nats.Header{headerExpected: {strconv.FormatUint(uint64(t.expect), 10)}}
	body := t.def
	if t.part != nil {
		h.Set(headerPart, strconv.Itoa(len(t.def)))
		body = append(append(make([]byte, 0, len(t.def)+len(t.part)), t.def...), t.part...)
	}
	if t.read {
		h.Set(headerRead, "1")
	}
	setQuoted(h, headerTrouble, t.trouble)
	return &nats.Msg{Subject: lay.ticket(t.pool, t.lane, t.id), Header: h, Data: body}
}

// put writes a ticket to its lane or, where its time is not yet, to the schedules.
func (t ticket) put(lay layout, now time.Time) *nats.Msg {
	if t.at.After(now) {
		return t.schedule(lay, t.at)
	}
	return t.message(lay)
}

// farthest is the latest time of a schedule: the server counts nanoseconds, and what is past 2262 it takes for past.
var farthest = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// schedule writes a ticket that the server brings to its lane at a time. The fired ticket is read before it is claimed.
func (t ticket) schedule(lay layout, at time.Time) *nats.Msg {
	t.read = true
	if at.After(farthest) {
		at = farthest
	}
	m := t.message(lay)
	m.Header.Set(jetstream.ScheduleHeader, "@at "+at.UTC().Format(time.RFC3339Nano))
	m.Header.Set(jetstream.ScheduleTargetHeader, m.Subject)
	m.Subject = lay.later(t.pool, t.lane.band, t.id)
	return m
}

// delivery is a ticket in this process's hands.
type delivery struct {
	ticket
	msg   *nats.Msg
	seq   uint64 // the ticket's sequence
	count uint64 // how often it was delivered, this time included
}

// readDelivery reads a ticket from its message. Errors: a stranger.
func readDelivery(m *nats.Msg) (*delivery, error) {
	meta, err := m.Metadata()
	if err != nil {
		return nil, err
	}
	d := &delivery{msg: m, seq: meta.Sequence.Stream, count: meta.NumDelivered}
	return d, d.parse(d.stored())
}

// stored is the ticket's message as the queue holds it.
func (d *delivery) stored() *stored {
	return &stored{subject: d.msg.Subject, seq: d.seq, header: d.msg.Header, data: d.msg.Data}
}

// parse reads a ticket from where it is stored. Errors: a stranger.
func (t *ticket) parse(m *stored) error {
	err := t.locate(m)
	if err == nil {
		err = m.checkVersion()
	}
	if err == nil {
		err = t.readBody(m)
	}
	return strange(m, err)
}

// locate reads a ticket's subject: prefix.work.pool.stage.band.id. The stage of a schedule is not in it. Errors: a stranger.
func (t *ticket) locate(m *stored) error {
	tokens, err := m.subjectOf(6)
	if err != nil {
		return strange(m, err)
	}
	var ok bool
	if t.lane, ok = laneOf(tokens[3], tokens[4]); !ok {
		return strange(m, fmt.Errorf("%s.%s is no stage and band", tokens[3], tokens[4]))
	}
	t.pool, t.id, t.later = tokens[2], foldstream.TaskID(tokens[5]), tokens[3] == laterToken
	return nil
}

func (t *ticket) readBody(m *stored) error {
	expect, err := strconv.ParseUint(m.header.Get(headerExpected), 10, 64)
	if err != nil {
		return fmt.Errorf("%s: %w", headerExpected, err)
	}
	t.expect, t.read, t.def = foldstream.Cursor(expect), m.header.Get(headerRead) != "", m.data
	t.trouble = quoted(m.header, headerTrouble)
	if text := m.header.Get(headerPart); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > len(m.data) {
			return fmt.Errorf("%s: %.20q is no place in a body of %d bytes", headerPart, text, len(m.data))
		}
		t.def, t.part = m.data[:n:n], m.data[n:]
	}
	return nil
}

// task decodes the ticket's task with its stage and part, and with the priority of the band that the ticket is in. Errors: Invalid.
func (t *ticket) task() (*foldstream.Task, error) {
	task, err := unpack(t.def, taskShape)
	switch {
	case err != nil:
		return nil, err
	case task.ID != t.id:
		return nil, fmt.Errorf("its body is the task %.80q", task.ID)
	case t.lane.stage != firstStage(task.Stages) && !slices.Contains(task.Stages, t.lane.stage):
		return nil, fmt.Errorf("its task has no stage %q", t.lane.stage)
	}
	t.moved = move(task, t.lane.band)
	task.Stage = t.lane.stage
	if t.part != nil {
		task.Part, err = decodeResult(t.part)
	}
	return task, err
}

// move gives a task the priority of a band, and returns what a link says of it: 0 where it is the definition's.
func move(t *foldstream.Task, band int) int {
	if defined, err := t.Band(); err == nil && defined == band {
		return 0
	}
	t.Priority = nil
	if band > 0 {
		p := band - 1 + foldstream.MinPriority
		t.Priority = &p
	}
	return band + 1
}

// place sets in a definition where its task stood at an event.
func place(t *foldstream.Task, at link) {
	if at.moved > 0 {
		move(t, at.moved-1)
	}
	t.Stage, t.Attempt = at.Stage, at.Attempt
}

// bandOf returns the band of a task that may have been moved. Errors: Invalid.
func bandOf(t foldstream.Task, moved int) (int, error) {
	if moved > 0 {
		return moved - 1, nil
	}
	return t.Band()
}
