package stream

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
)

// link is an event as it is stored: with what the protocol needs beside what the event says.
type link struct {
	foldstream.Event
	ticket   uint64    // of a claim: the ticket's sequence
	delivery uint64    // of a claim: how often the ticket had been delivered
	session  string    // the store that wrote it
	nonce    string    // the claim that wrote it: how a writer knows its own events
	crashes  int       // claims that were lost so far
	next     int       // of a return: the attempt that comes
	until    time.Time // of a return: not before
	later    bool      // of a return: a schedule brings the ticket back
	moved    int       // the band that the task was moved to, plus 1; 0 is the definition's band
	trouble  string    // of the last attempt that failed; travels with the chain, so that a state is read from one event
	brief    string    // of a part or result: see headerBrief
	body     []byte    // of a part or result: the encoded result
	over     error     // a stranger that stands above it on its subject, which nobody can follow it past; nil is none
}

// The headers of events.
const (
	headerKind     = "Fold-Kind"
	headerStatus   = "Fold-Status"
	headerStage    = "Fold-Stage"
	headerAttempt  = "Fold-Attempt"
	headerWorker   = "Fold-Worker"
	headerSession  = "Fold-Session"
	headerTicket   = "Fold-Ticket"
	headerDelivery = "Fold-Delivery"
	headerNonce    = "Fold-Nonce"
	headerExpected = "Fold-Expected"
	headerCrashes  = "Fold-Crashes"
	headerNext     = "Fold-Next"
	headerUntil    = "Fold-Until"
	headerLater    = "Fold-Later"
	headerMoved    = "Fold-Moved"
	headerTrouble  = "Fold-Trouble"
	headerBy       = "Fold-By"
)

// ending is the body of an end.
type ending struct{ Error string }

// message writes a link. Errors: TooLarge.
func (s *Store) message(op string, l link) (*nats.Msg, error) {
	h := nats.Header{
		headerKind:     {string(l.Kind)},
		headerStatus:   {string(l.Status)},
		headerAttempt:  {strconv.Itoa(l.Attempt)},
		headerSession:  {l.session},
		headerNonce:    {l.nonce},
		headerExpected: {strconv.FormatUint(uint64(l.Expected), 10)},
	}
	setText(h, headerStage, l.Stage)
	setText(h, headerWorker, l.Worker)
	setText(h, headerBy, string(l.By))
	setNumber(h, headerTicket, l.ticket)
	setNumber(h, headerDelivery, l.delivery)
	setNumber(h, headerCrashes, uint64(l.crashes))
	setNumber(h, headerNext, uint64(l.next))
	setNumber(h, headerMoved, uint64(l.moved))
	setQuoted(h, headerTrouble, l.trouble)
	if !l.until.IsZero() {
		setText(h, headerUntil, l.until.UTC().Format(time.RFC3339Nano))
	}
	if l.later {
		setText(h, headerLater, "1")
	}
	m := &nats.Msg{Subject: s.lay.event(l.Pool, l.Task), Header: h, Data: l.body}
	if l.Kind == foldstream.EventEnd {
		var err error
		if m.Data, err = encode(ending{l.Error}); err != nil {
			return nil, err
		}
	}
	setText(h, headerBrief, l.brief)
	if s.fits(op, m) != nil { // what is there twice is the first to go
		h.Del(headerBrief)
	}
	return m, s.fits(op, m)
}

// setText and setNumber set a header; what is empty or 0 is left out.
func setText(h nats.Header, key, text string) {
	if text != "" {
		h[key] = []string{text}
	}
}

func setNumber(h nats.Header, key string, n uint64) {
	if n > 0 {
		h[key] = []string{strconv.FormatUint(n, 10)}
	}
}

// maxTrouble is how much of an error a header takes.
const maxTrouble = 1 << 10

// setQuoted sets a header to any text, cut to maxTrouble: the whole of it is in the body of an end.
func setQuoted(h nats.Header, key, text string) {
	if text != "" {
		h[key] = []string{strconv.Quote(text[:min(len(text), maxTrouble)])}
	}
}

// quoted reads what setQuoted set.
func quoted(h nats.Header, key string) string {
	text, err := strconv.Unquote(h.Get(key))
	if err != nil {
		return h.Get(key)
	}
	return text
}

// lives are the statuses that each kind of event may have.
var lives = map[foldstream.EventKind][]foldstream.Status{
	foldstream.EventClaim:  {foldstream.Running},
	foldstream.EventPart:   {foldstream.PartDone},
	foldstream.EventResult: {foldstream.Done},
	foldstream.EventEnd:    {foldstream.Waiting, foldstream.Dead, foldstream.Withdrawn, foldstream.Removed},
}

// readLink reads a stored event without its body. Errors: a stranger.
func readLink(m *stored) (link, error) {
	tokens, err := m.subjectOf(4)
	if err == nil {
		err = m.checkVersion()
	}
	if err != nil {
		return link{}, strange(m, err)
	}
	number := func(key string) uint64 {
		n, _ := strconv.ParseUint(m.header.Get(key), 10, 64) // absent is 0
		return n
	}
	small := func(key string) int { return int(min(number(key), math.MaxInt32)) }
	l := link{
		Event: foldstream.Event{
			Seq: foldstream.Cursor(m.seq), At: m.at, Pool: tokens[2], Task: foldstream.TaskID(tokens[3]),
			Kind: foldstream.EventKind(m.header.Get(headerKind)), Status: foldstream.Status(m.header.Get(headerStatus)),
			Stage: m.header.Get(headerStage), Attempt: small(headerAttempt), Worker: m.header.Get(headerWorker),
			Run: m.header.Get(headerNonce), Expected: foldstream.Cursor(number(headerExpected)), By: foldstream.TaskID(m.header.Get(headerBy)),
		},
		ticket: number(headerTicket), delivery: number(headerDelivery), crashes: small(headerCrashes), next: small(headerNext),
		moved: small(headerMoved), trouble: quoted(m.header, headerTrouble),
		session: m.header.Get(headerSession), nonce: m.header.Get(headerNonce), later: m.header.Get(headerLater) != "",
		brief: m.header.Get(headerBrief), body: m.data,
	}
	if !slices.Contains(lives[l.Kind], l.Status) {
		return l, strange(m, fmt.Errorf("its %s %.20q and %s %.20q are no event's", headerKind, l.Kind, headerStatus, l.Status))
	}
	if l.nonce == "" || l.session == "" || m.header.Get(headerExpected) == "" || uint64(l.Expected) >= m.seq {
		return l, strange(m, fmt.Errorf("it lacks %s, %s or an earlier event in %s", headerNonce, headerSession, headerExpected))
	}
	if l.moved > foldstream.MaxBand+1 {
		return l, strange(m, fmt.Errorf("%s: %d is no band", headerMoved, l.moved))
	}
	if text := m.header.Get(headerUntil); text != "" {
		if l.until, err = time.Parse(time.RFC3339Nano, text); err != nil {
			return l, strange(m, fmt.Errorf("%s: %w", headerUntil, err))
		}
	}
	return l, nil
}

// open reads the link's body into its event. The chain goes by what the headers say: a body that cannot be read is a result without
// content, whose event tells why.
func (l *link) open() {
	var err error
	switch l.Kind {
	case foldstream.EventPart, foldstream.EventResult:
		if l.Result, err = decodeResult(l.body); err != nil {
			l.Result = &foldstream.Result{}
		}
	case foldstream.EventEnd:
		var e ending
		err = decode(l.body, &e)
		l.Error = e.Error
	}
	if err != nil {
		l.Error = "its body cannot be read: " + err.Error()
	}
}

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

// settle follows a try to append up to its decision.
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
			if err := s.setAside(ctx, s.lay.events(), last.over); err != nil {
				return 0, s.door(ctx, op, err)
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
