package stream

import (
	"strconv"
	"strings"
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
func (t ticket) put(lay layout) *nats.Msg {
	if time.Until(t.at) > 0 {
		return t.schedule(lay, t.at)
	}
	return t.message(lay)
}

// schedule writes a ticket that the server brings to its lane at a time. The fired ticket is read before it is claimed.
func (t ticket) schedule(lay layout, at time.Time) *nats.Msg {
	t.read = true
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

// readDelivery reads a ticket from its message.
func readDelivery(m *nats.Msg) (*delivery, error) {
	meta, err := m.Metadata()
	if err != nil {
		return nil, err
	}
	d := &delivery{msg: m, seq: meta.Sequence.Stream, count: meta.NumDelivered}
	if err := d.locate(m.Subject); err != nil {
		return nil, err
	}
	return d, d.readBody()
}

// locate reads a ticket's subject: prefix.work.pool.stage.band.id. The stage of a schedule is not in it.
func (t *ticket) locate(subject string) error {
	tokens := strings.Split(subject, ".")
	if len(tokens) != 6 {
		return foldstream.Errorf(foldstream.Invalid, "fetch", "%s is no subject of a ticket", subject)
	}
	band, err := strconv.Atoi(tokens[4])
	if err != nil {
		return foldstream.Errorf(foldstream.Invalid, "fetch", "%s: %w", subject, err)
	}
	t.pool, t.lane, t.id = tokens[2], laneName{stageOf(tokens[3]), band}, foldstream.TaskID(tokens[5])
	t.later = tokens[3] == laterToken
	return nil
}

func (d *delivery) readBody() error {
	expect, err := strconv.ParseUint(d.msg.Header.Get(headerExpected), 10, 64)
	if err != nil {
		return foldstream.Errorf(foldstream.Invalid, "fetch", "%s: %s: %w", d.msg.Subject, headerExpected, err)
	}
	d.expect, d.read, d.def = foldstream.Cursor(expect), d.msg.Header.Get(headerRead) != "", d.msg.Data
	d.trouble = quoted(d.msg.Header, headerTrouble)
	if text := d.msg.Header.Get(headerPart); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > len(d.msg.Data) {
			return foldstream.Errorf(foldstream.Invalid, "fetch", "%s: %s: %q is no place in a body of %d bytes", d.msg.Subject, headerPart, text, len(d.msg.Data))
		}
		d.def, d.part = d.msg.Data[:n:n], d.msg.Data[n:]
	}
	return nil
}

// task decodes the ticket's task with its stage and part, and with the priority of the band that the ticket is in.
func (t *ticket) task() (foldstream.Task, error) {
	task, err := decodeTask(t.def)
	if err != nil {
		return task, err
	}
	t.moved = move(&task, t.lane.band)
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
