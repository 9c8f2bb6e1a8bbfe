package stream

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
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

// The headers of events, beside headerBrief. One holds all that is short, as each header costs its reader and the server a search:
//
//	claim running run=NONCE by=SESSION after=7 attempt=1 worker=host-12 ticket=9 delivery=1
//
// What is empty or 0 is left out, but for the sequence of the event before.
const (
	headerEvent   = "Fold-Event"
	headerTrouble = "Fold-Trouble"
)

// The headers of other messages: who wrote it, and the sequence of the event that it follows.
const (
	headerNonce    = "Fold-Nonce"
	headerExpected = "Fold-Expected"
)

// ending is the body of an end.
type ending struct{ Error string }

// line says all of a link that stands in headerEvent.
func (l link) line() string {
	b := make([]byte, 0, 256)
	b = append(append(append(b, l.Kind...), ' '), l.Status...)
	text := func(key, value string) {
		if value != "" {
			b = append(append(b, key...), escapeWord(value)...)
		}
	}
	number := func(key string, n uint64) {
		if n > 0 {
			b = strconv.AppendUint(append(b, key...), n, 10)
		}
	}
	text(" run=", l.nonce)
	text(" by=", l.session)
	b = strconv.AppendUint(append(b, " after="...), uint64(l.Expected), 10)
	number(" attempt=", uint64(l.Attempt))
	text(" worker=", l.Worker)
	number(" ticket=", l.ticket)
	number(" delivery=", l.delivery)
	text(" stage=", l.Stage)
	text(" replaced=", string(l.By))
	number(" crashes=", uint64(l.crashes))
	number(" next=", uint64(l.next))
	number(" moved=", uint64(l.moved))
	text(" of=", l.Origin.Pool)
	number(" from=", uint64(l.Origin.Seq))
	if !l.until.IsZero() {
		text(" until=", l.until.UTC().Format(time.RFC3339Nano))
	}
	if l.later {
		b = append(b, " later"...)
	}
	return string(b)
}

// words escapes what would end a word or a header.
var words = strings.NewReplacer("%", "%25", " ", "%20", "\r", "%0D", "\n", "%0A")

var unwords = strings.NewReplacer("%25", "%", "%20", " ", "%0D", "\r", "%0A", "\n")

func escapeWord(s string) string {
	if strings.ContainsAny(s, "% \r\n") {
		return words.Replace(s)
	}
	return s
}

func unescapeWord(s string) string {
	if strings.Contains(s, "%") {
		return unwords.Replace(s)
	}
	return s
}

// message writes a link. Errors: TooLarge.
func (s *Store) message(op string, l link) (*nats.Msg, error) {
	h := nats.Header{headerEvent: {l.line()}}
	setQuoted(h, headerTrouble, l.trouble)
	setText(h, headerBrief, l.brief)
	m := &nats.Msg{Subject: s.lay.event(l.Pool, l.Task), Header: h, Data: l.body}
	if l.Kind == foldstream.EventEnd {
		var err error
		if m.Data, err = encode(ending{l.Error}); err != nil {
			return nil, err
		}
	}
	if l.brief != "" && len(l.body) > 0 && s.fits(op, m) != nil { // what is there twice is the first to go
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
	l := link{
		Event:   foldstream.Event{Seq: foldstream.Cursor(m.seq), At: m.at, Pool: tokens[2], Task: foldstream.TaskID(tokens[3])},
		trouble: quoted(m.header, headerTrouble), brief: m.header.Get(headerBrief), body: m.data,
	}
	if err := l.readLine(m.header.Get(headerEvent)); err != nil {
		return l, strange(m, err)
	}
	return l, nil
}

// readLine reads what line wrote.
func (l *link) readLine(line string) error {
	kind, rest, _ := strings.Cut(line, " ")
	status, rest, _ := strings.Cut(rest, " ")
	l.Kind, l.Status = foldstream.EventKind(kind), foldstream.Status(status)
	if !slices.Contains(lives[l.Kind], l.Status) {
		return fmt.Errorf("%s: %.20q and %.20q are no event's", headerEvent, kind, status)
	}
	follows := false
	for rest != "" {
		var word string
		word, rest, _ = strings.Cut(rest, " ")
		key, value, _ := strings.Cut(word, "=")
		if err := l.readWord(key, value); err != nil {
			return fmt.Errorf("%s: %s: %w", headerEvent, key, err)
		}
		follows = follows || key == "after"
	}
	switch {
	case l.nonce == "" || l.session == "":
		return fmt.Errorf("%s: it lacks run or by", headerEvent)
	case !follows || l.Expected >= l.Seq:
		return fmt.Errorf("%s: it comes after no earlier event", headerEvent)
	case l.moved > foldstream.MaxBand+1:
		return fmt.Errorf("%s: %d is no band", headerEvent, l.moved)
	}
	return nil
}

// readWord reads one word of a line. A word that this program does not know changes nothing: what would has another version.
func (l *link) readWord(key, value string) (err error) {
	number := func(at *uint64) { *at, err = strconv.ParseUint(value, 10, 64) }
	small := func(at *int) {
		var n uint64
		number(&n)
		*at = int(min(n, math.MaxInt32))
	}
	switch key {
	case "run":
		l.nonce = unescapeWord(value)
		l.Run = l.nonce
	case "by":
		l.session = unescapeWord(value)
	case "after":
		number((*uint64)(&l.Expected))
	case "attempt":
		small(&l.Attempt)
	case "worker":
		l.Worker = unescapeWord(value)
	case "ticket":
		number(&l.ticket)
	case "delivery":
		number(&l.delivery)
	case "stage":
		l.Stage = unescapeWord(value)
	case "replaced":
		l.By = foldstream.TaskID(unescapeWord(value))
	case "crashes":
		small(&l.crashes)
	case "next":
		small(&l.next)
	case "moved":
		small(&l.moved)
	case "of":
		l.Origin.Pool = unescapeWord(value)
	case "from":
		number((*uint64)(&l.Origin.Seq))
	case "until":
		l.until, err = time.Parse(time.RFC3339Nano, value)
	case "later":
		l.later = true
	}
	return err
}

// open reads the link's body into its event. The chain goes by what the headers say: a body that cannot be read is a result without
// content, whose event tells why.
func (l *link) open() {
	var err error
	switch l.Kind {
	case foldstream.EventPart, foldstream.EventResult:
		if l.Result, err = l.result(); err != nil {
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

// errNoBody is an event that has to have a body and has none.
var errNoBody = errors.New("it has no body and no brief")
