package stream

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// Foreign is a message in one of our streams that this program cannot read.
type Foreign struct {
	Stream  string // its full name
	Subject string
	Seq     uint64
	At      time.Time
	Reason  string
	Newer   bool // a newer program wrote it: it is left to that
	Aside   bool // it was set aside: it lies in DLQ, and Subject is the one that it had
}

// Foreign reads all messages that are not ours, stream by stream. Bodies are read where deep; without, subjects and headers alone
// decide, and in WORK subjects alone.
func (s *Store) Foreign(ctx context.Context, deep bool) iter.Seq2[Foreign, error] {
	return func(yield func(Foreign, error) bool) {
		for _, look := range s.looks(deep) {
			for m, err := range look.messages(ctx) {
				why := err
				if err == nil {
					why = look.read(m)
				}
				st, isStranger := strangerIn(why)
				switch {
				case err != nil:
					yield(Foreign{}, s.door(ctx, "look for what is not ours", err))
					return
				case !isStranger:
				case !yield(Foreign{look.stream, m.subject, m.seq, m.at, st.why.Error(), isNewer(why), false}, nil):
					return
				}
			}
		}
		s.aside(ctx, yield)
	}
}

// look is how strangers show in one stream.
type look struct {
	stream   string
	messages func(context.Context) iter.Seq2[*stored, error]
	read     func(*stored) error
}

func (s *Store) looks(deep bool) []look {
	scan := func(q query) look {
		return look{stream: q.stream, messages: func(ctx context.Context) iter.Seq2[*stored, error] { return s.scan(ctx, q) }}
	}
	defs, events := scan(query{stream: s.lay.defs(), headers: !deep}), scan(query{stream: s.lay.events(), headers: !deep})
	defs.read = func(m *stored) error {
		if deep {
			_, err := readDefinition(m)
			return err
		}
		return readSubject(m)
	}
	events.read = func(m *stored) error { return readEvent(m, deep) }
	work := look{s.lay.work(), s.places, readPlace}
	if deep {
		work.messages = func(ctx context.Context) iter.Seq2[*stored, error] { return s.walk(ctx, s.lay.work()) }
		work.read = readTicket
	}
	dlq := scan(query{stream: s.lay.dlq(), headers: true})
	dlq.read = readLetter
	pools := scan((&values{s: s, name: foldstream.Pools}).query(""))
	workers := scan((&values{s: s, name: foldstream.Workers}).query(""))
	pools.read, workers.read = s.readPool, s.readPresence
	return []look{defs, work, events, dlq, pools, workers}
}

// places reads the subjects of WORK, which no consumer can be made for.
func (s *Store) places(ctx context.Context) iter.Seq2[*stored, error] {
	return func(yield func(*stored, error) bool) {
		subjects, err := s.subjects(ctx, s.lay.work(), ">")
		for subject := range subjects {
			if !yield(&stored{subject: subject}, nil) {
				return
			}
		}
		if err != nil {
			yield(nil, err)
		}
	}
}

func readSubject(m *stored) error {
	_, err := m.subjectOf(4)
	if err == nil {
		err = m.checkVersion()
	}
	return strange(m, err)
}

func readPlace(m *stored) error { return (&ticket{}).locate(m) }

// readTicket reads a ticket or a schedule whole.
func readTicket(m *stored) error {
	t, err := placeOf(m)
	if err == nil {
		err = t.readBody(m)
	}
	if err == nil {
		_, err = t.task()
	}
	return strange(m, err)
}

func readEvent(m *stored, deep bool) error {
	l, err := readLink(m)
	if err != nil || !deep {
		return err
	}
	switch l.Kind {
	case foldstream.EventPart, foldstream.EventResult:
		_, err = l.result()
	case foldstream.EventEnd:
		err = decode(l.body, &ending{})
	}
	return strange(m, err)
}

func readLetter(m *stored) error {
	if strings.Count(m.subject, ".") == 5 && strings.Contains(m.subject, ".foreign.") {
		return nil // told of at the end
	}
	tokens, err := m.subjectOf(5)
	if err == nil {
		if _, ok := laneOf(tokens[3], "0"); !ok {
			err = fmt.Errorf("%q is no stage", tokens[3])
		}
	}
	if err == nil {
		err = m.checkVersion()
	}
	return strange(m, err)
}

func (s *Store) readPool(m *stored) error {
	v := s.value(foldstream.Pools, m)
	name, lane, isLane := strings.Cut(v.Key, ".")
	err := foldstream.ValidName("pool", name)
	switch {
	case v.Deleted:
		return nil
	case err != nil:
	case isLane:
		stage, band, _ := strings.Cut(lane, ".")
		if _, ok := laneOf(stage, band); !ok {
			err = errNoLane
		}
	default:
		var set settings
		if err = decode(v.Data, &set); err == nil {
			err = validSettings(set)
		}
	}
	return strange(m, err)
}

func (s *Store) readPresence(m *stored) error {
	v := s.value(foldstream.Workers, m)
	if v.Deleted {
		return nil
	}
	_, err := decodePresence(v.Data)
	return strange(m, err)
}

func (s *Store) value(bucket string, m *stored) foldstream.Value {
	return s.Values(bucket).(*values).read(m)
}

// aside tells of what was set aside.
func (s *Store) aside(ctx context.Context, yield func(Foreign, error) bool) {
	for m, err := range s.scan(ctx, query{stream: s.lay.dlq(), filters: []string{s.lay.allAside()}, headers: true}) {
		if err != nil {
			yield(Foreign{}, s.door(ctx, "look for what is not ours", err))
			return
		}
		tokens := strings.Split(m.subject, ".")
		seq, _ := strconv.ParseUint(tokens[5], 10, 64) // we wrote it
		f := Foreign{Stream: tokens[4], Subject: quoted(m.header, headerSubject), Seq: seq, At: m.at, Reason: quoted(m.header, headerReason), Aside: true}
		if !yield(f, nil) {
			return
		}
	}
}
