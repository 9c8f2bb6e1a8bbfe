package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
)

// A stranger is a message on one of our subjects that is not one of ours: of another program, broken, or planted. Nobody stops for one.
//
//   - In WORK one that is delivered is set aside by who fetches it, and one that stands in the place of a task's ticket by who looks
//     for that ticket. What no consumer takes stays where it harms nobody.
//   - In EVENTS all readers pass over it. Who is kept by it from writing to a task's chain sets it aside.
//   - In DEFS all readers pass over it; the reconciler sets aside what stands in the place of a definition.
//   - In the buckets of values and in DLQ it is passed over.
//
// A message of a newer version is no stranger's and is left where it is: see newer. Doctor shows both.
type stranger struct {
	m   *stored
	why error
}

func (s *stranger) Error() string {
	return fmt.Sprintf("message %d of %s: %v", s.m.seq, s.m.subject, s.why)
}

func (s *stranger) Unwrap() error { return s.why }

// strange makes the error of a message that is none of ours; an error that says so already stays.
func strange(m *stored, why error) error {
	if why == nil {
		return nil
	}
	if _, already := strangerIn(why); already {
		return why
	}
	return foldstream.E(foldstream.Invalid, "", &stranger{m, why})
}

// strangerIn returns the stranger that an error is about.
func strangerIn(err error) (*stranger, bool) { return errors.AsType[*stranger](err) }

// headerVersion is the version of a message of DEFS, WORK or EVENTS; absent is 1, codecVersion. A program leaves alone what is
// of a version that it does not know.
const headerVersion = "Fold-Version"

// newer is the version of what a program of a later time wrote.
type newer int

func (v newer) Error() string {
	return fmt.Sprintf("it is of version %d, which a newer program wrote; this one reads version %d", int(v), codecVersion)
}

func isNewer(err error) bool {
	_, yes := errors.AsType[newer](err)
	return yes
}

// checkVersion reports a message of a newer version.
func (m *stored) checkVersion() error {
	text := m.header.Get(headerVersion)
	if text == "" {
		return nil
	}
	if v, err := strconv.Atoi(text); err == nil && v > codecVersion {
		return newer(v)
	}
	return nil
}

// subjectOf splits the subject of a task's message: prefix.what.pool[.stage.band].id.
func (m *stored) subjectOf(tokens int) ([]string, error) {
	parts := strings.Split(m.subject, ".")
	switch {
	case len(parts) != tokens:
		return nil, errors.New("no subject of ours has this form")
	case foldstream.ValidName("pool", parts[2]) != nil:
		return nil, fmt.Errorf("%q is no pool", parts[2])
	case !foldstream.TaskID(parts[tokens-1]).Valid():
		return nil, fmt.Errorf("%q is no task's id", parts[tokens-1])
	}
	return parts, nil
}

// readDefinition reads a message of DEFS. Errors: a stranger.
func readDefinition(m *stored) (t foldstream.Task, err error) {
	err = m.asDefinition(func() (id foldstream.TaskID, err error) {
		t, err = decodeTask(m.data)
		return t.ID, err
	})
	return t, err
}

// asDefinition has a message of DEFS read, which must be that of its subject's task. Errors: a stranger.
func (m *stored) asDefinition(read func() (foldstream.TaskID, error)) error {
	tokens, err := m.subjectOf(4)
	if err == nil {
		err = m.checkVersion()
	}
	var id foldstream.TaskID
	if err == nil {
		id, err = read()
	}
	if err == nil && string(id) != tokens[3] {
		err = fmt.Errorf("it defines the task %.80q", id)
	}
	return strange(m, err)
}

// meetings remembers strangers that were told of. The zero value works.
type meetings struct {
	mu   sync.Mutex
	told map[string]bool
}

// mostMeetings bounds what is remembered; after that all is told once more.
const mostMeetings = 10_000

func (m *meetings) first(what string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.told == nil || len(m.told) >= mostMeetings {
		m.told = map[string]bool{}
	}
	first := !m.told[what]
	m.told[what] = true
	return first
}

// tell logs a value that is none of ours, once.
func (m *meetings) tell(log *slog.Logger, v foldstream.Value, why error) {
	if m.first(fmt.Sprintf("%s %d", v.Key, v.Revision)) {
		log.Warn("passing over a value that this program cannot read", "key", v.Key, "revision", v.Revision, "err", why)
	}
}

// passes reports whether err is about a stranger, whom the reader passes over; the log tells of each once.
func (s *Store) passes(err error) bool {
	st, yes := strangerIn(err)
	if yes && s.met.first(st.m.subject+" "+strconv.FormatUint(st.m.seq, 10)) {
		s.log.Warn("passing over a message that this program cannot read", "subject", st.m.subject, "seq", st.m.seq, "err", st.why)
	}
	return yes
}

// The headers of what was set aside; those that it had itself follow with headerWas before their names: some are orders to the server.
const (
	headerReason  = "Fold-Reason"
	headerSubject = "Fold-Subject"
	headerWas     = "Fold-Was-"
)

// How much of a stranger is kept: bytes of its body, headers, and bytes of each.
const (
	maxAside         = 256 << 10
	mostAsideHeaders = 32
	maxAsideHeader   = 256
)

// aside is where a message of a stream is kept after it was set aside.
func (l layout) aside(pool, stream string, seq uint64) string {
	return l.prefix + ".dlq." + pool + ".foreign." + stream + "." + strconv.FormatUint(seq, 10)
}

// allAside is the filter of what was set aside. No letter has as many tokens.
func (l layout) allAside() string { return l.prefix + ".dlq.*.foreign.*.*" }

// setAside moves a stranger to the stream DLQ, with the reason. Whoever dies in between repeats it: the copy stands once.
func (s *Store) setAside(ctx context.Context, stream string, err error) error {
	st, ok := strangerIn(err)
	if !ok || isNewer(err) {
		return err
	}
	c := s.asideOf(stream, st)
	expect(c, 0)
	_, err = s.publish(ctx, c)
	if err = s.issued(ctx, "set aside", c, err); err != nil {
		return err
	}
	if err = s.remove(ctx, stream, st.m.seq); err == nil {
		s.log.Warn("a message that is not ours was set aside", "subject", st.m.subject, "seq", st.m.seq, "to", c.Subject, "err", st.why)
	}
	return err
}

func (s *Store) asideOf(stream string, st *stranger) *nats.Msg {
	pool := "_"
	if tokens := strings.Split(st.m.subject, "."); len(tokens) > 2 && foldstream.ValidName("pool", tokens[2]) == nil {
		pool = tokens[2]
	}
	c := &nats.Msg{Subject: s.lay.aside(pool, stream, st.m.seq), Header: nats.Header{headerSubject: {strconv.QuoteToASCII(st.m.subject)}}}
	setQuoted(c.Header, headerReason, st.why.Error())
	kept := 0
	for key, values := range st.m.header {
		if kept++; kept <= mostAsideHeaders && validKey(key) {
			v := strings.Join(values, ", ")
			c.Header.Set(headerWas+key, strconv.QuoteToASCII(v[:min(len(v), maxAsideHeader)]))
		}
	}
	room := int(s.nc.MaxPayload()) - c.Size() - maxAsideHeader
	c.Data = st.m.data[:max(0, min(len(st.m.data), maxAside, room))]
	return c
}
