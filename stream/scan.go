package stream

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// query says which messages of a stream to read, in order.
type query struct {
	stream  string
	filters []string // subjects; none is all
	from    uint64   // the first sequence; 0 is the start
	last    bool     // only the last message of each subject
	headers bool     // without bodies
	follow  bool     // go on with messages to come
	idle    func(upTo uint64)
	batch   int    // how many are asked for at a time; 0 is scanBatch
	lost    func() // called when the reader lost its place, before it goes on; nil is nobody
}

// The reader asks for scanBatch messages at a time; a server that says nothing for two heartbeats is asked again.
const (
	scanBatch     = 2000
	scanHeartbeat = 2 * time.Second
	scanExpires   = 20 * time.Second
)

// errGap is a consumer that lost its place: a missed message, a missed heartbeat, a consumer that is gone.
var errGap = errors.New("the reader lost its place")

// scan reads messages in order, each once. A consumer that loses its place is replaced by one that starts behind the last
// message read. Without follow the sequence ends when all that were there at the start are read, and with an error when the server
// does not answer for the store's patience, or ctx ends: who decides by what was read must know that it is not all. With follow only
// a closed connection is an error.
func (s *Store) scan(ctx context.Context, q query) iter.Seq2[*stored, error] {
	return func(yield func(*stored, error) bool) {
		r := reader{s: s, q: q}
		defer r.release()
		t := s.trial()
		for ctx.Err() == nil {
			m, err := r.next(ctx)
			switch {
			case ctx.Err() != nil:
				continue
			case err == nil && m == nil:
				return
			case err == nil:
				t = s.trial()
				if !yield(m, nil) {
					return
				}
				continue
			}
			r.release()
			if q.lost != nil {
				q.lost()
			}
			lost := (errors.Is(err, errGap) || verdictOf(err) == unsure) && !s.nc.IsClosed()
			if lost && t.again(ctx) || ctx.Err() != nil {
				continue
			}
			if !lost || !q.follow || s.deniedSince(t.since) {
				yield(nil, err)
				return
			}
			s.log.Warn("the server does not answer a reader, which goes on asking", "stream", q.stream, "err", err)
			t = s.trial()
		}
		if !q.follow {
			yield(nil, ctx.Err())
		}
	}
}

// reader is a scan's place. Its consumer lives for one generation.
type reader struct {
	s     *Store
	q     query
	aimed bool
	goal  uint64 // the newest message at the start; a replica that the consumer sits on may not have it yet. 0 is none
	buoy  string // of several filters: the goal's subject, which is read with them, so that the goal comes

	consumer string
	sub      *nats.Subscription
	place    uint64 // of the consumer's last message
	asked    int    // messages asked for and not come
	pending  uint64 // messages the server has left
	told     bool   // idle was called and nothing came since
}

// next returns the next message; nil when there is none and the scan does not follow.
func (r *reader) next(ctx context.Context) (*stored, error) {
	if !r.aimed {
		if err := r.aim(ctx); err != nil {
			return nil, err
		}
	}
	for r.q.follow || !r.reached() {
		if r.sub == nil {
			if err := r.open(ctx); err != nil {
				return nil, err
			}
		}
		if r.reached() && r.pending == 0 && !r.told {
			r.told = true
			if r.q.idle != nil {
				r.q.idle(max(r.q.from, 1) - 1)
			}
		}
		if !r.q.follow && r.reached() { // opening found nothing
			return nil, nil
		}
		if err := r.ask(); err != nil {
			return nil, err
		}
		m, err := r.receive(ctx)
		switch {
		case err != nil:
			return nil, err
		case m != nil && r.asks(m.subject):
			return m, nil
		case m == nil && !r.reached(): // nothing came for a while: the goal may be gone
			if err := r.aim(ctx); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

// asks reports whether a message is asked for, or only comes to show how far the reader is.
func (r *reader) asks(subject string) bool {
	return subject != r.buoy || slices.ContainsFunc(r.q.filters, func(f string) bool { return covers(f, subject) })
}

// covers reports whether a filter, in which a * stands for any one word, lets a subject through.
func covers(filter, subject string) bool {
	for {
		f, filterRest, more := strings.Cut(filter, ".")
		s, subjectRest, goesOn := strings.Cut(subject, ".")
		if f != "*" && f != s || more != goesOn {
			return false
		}
		if !more {
			return true
		}
		filter, subject = filterRest, subjectRest
	}
}

// aim finds the goal; found again, it does not move on. A leader tells the newest message of one filter; for several it is the newest
// of all.
func (r *reader) aim(ctx context.Context) error {
	filter := ">"
	if len(r.q.filters) == 1 {
		filter = r.q.filters[0]
	}
	m, err := r.s.newest(ctx, r.q.stream, filter)
	switch {
	case err != nil:
		return err
	case m == nil:
		r.goal = 0
	case !r.aimed || m.seq < r.goal:
		r.goal = m.seq
		if len(r.q.filters) > 1 {
			r.release() // a consumer keeps its filters
			r.buoy = m.subject
		}
	}
	r.aimed = true
	return nil
}

// reached reports whether all that was there at the start is read.
func (r *reader) reached() bool { return r.goal < max(r.q.from, 1) }

// open makes the generation's consumer.
func (r *reader) open(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, r.s.tryTime())
	defer cancel()
	name := nonce()
	var cons jetstream.Consumer
	err := r.s.calling(ctx, "CONSUMER.CREATE."+r.q.stream+"."+name, func(ctx context.Context) (err error) {
		cons, err = r.s.js.CreateConsumer(ctx, r.q.stream, r.config(name))
		return err
	})
	if err != nil {
		return err
	}
	r.consumer, r.place, r.asked, r.told = name, 0, 0, false
	r.pending = cons.CachedInfo().NumPending
	r.sub, err = r.s.nc.SubscribeSync(r.s.nc.NewInbox())
	if err == nil {
		err = r.sub.SetPendingLimits(-1, -1)
	}
	return err
}

// await waits for what comes next. A generation that may not ask for messages hears it while it waits for its first.
func (r *reader) await(ctx context.Context) (m *nats.Msg, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*scanHeartbeat)
	defer cancel()
	receive := func(ctx context.Context) (err error) {
		if m, err = r.sub.NextMsgWithContext(ctx); err != nil {
			err = errors.Join(errGap, err)
		}
		return err
	}
	if r.place > 0 {
		err = receive(ctx)
	} else {
		err = r.s.calling(ctx, "CONSUMER.MSG.NEXT."+r.q.stream+"."+r.consumer, receive)
	}
	return m, err
}

func (r *reader) config(name string) jetstream.ConsumerConfig {
	c := jetstream.ConsumerConfig{
		Name: name, AckPolicy: jetstream.AckNonePolicy, MemoryStorage: true, Replicas: 1,
		InactiveThreshold: time.Minute, HeadersOnly: r.q.headers,
		DeliverPolicy: jetstream.DeliverAllPolicy,
	}
	switch {
	case r.q.from > 0:
		c.DeliverPolicy, c.OptStartSeq = jetstream.DeliverByStartSequencePolicy, r.q.from
	case r.q.last:
		c.DeliverPolicy = jetstream.DeliverLastPerSubjectPolicy
	}
	switch {
	case len(r.q.filters) == 1:
		c.FilterSubject = r.q.filters[0]
	case r.buoy == "", r.asks(r.buoy):
		c.FilterSubjects = r.q.filters
	default:
		c.FilterSubjects = append(slices.Clone(r.q.filters), r.buoy)
	}
	return c
}

// ask keeps between one and two batches asked for.
func (r *reader) ask() error {
	if r.asked > 0 {
		return nil
	}
	r.asked = or(r.q.batch, scanBatch)
	return r.s.pull(r.q.stream, r.consumer, r.sub.Subject, pullRequest{
		Batch: r.asked, Expires: scanExpires, Heartbeat: scanHeartbeat,
	})
}

// receive waits for one message or status of the server; nil is a status that only says to go on.
func (r *reader) receive(ctx context.Context) (*stored, error) {
	m, err := r.await(ctx)
	if err != nil {
		return nil, err
	}
	if status := m.Header.Get("Status"); status != "" && len(m.Data) == 0 && m.Reply == "" {
		switch status {
		case "100":
		case "408", "404":
			r.asked = 0
		default:
			return nil, errGap
		}
		return nil, nil
	}
	meta, err := m.Metadata()
	if err != nil {
		return nil, err
	}
	if meta.Sequence.Consumer != r.place+1 {
		return nil, errGap
	}
	r.place, r.pending, r.told = meta.Sequence.Consumer, meta.NumPending, false
	r.q.from = meta.Sequence.Stream + 1
	r.asked--
	return &stored{subject: m.Subject, seq: meta.Sequence.Stream, at: meta.Timestamp, header: m.Header, data: m.Data}, nil
}

// release gives the generation's consumer up. The server forgets it by itself should the request not reach it.
func (r *reader) release() {
	if r.sub != nil {
		_ = r.sub.Unsubscribe()
		_ = r.s.nc.Publish(jetstream.DefaultAPIPrefix+"CONSUMER.DELETE."+r.q.stream+"."+r.consumer, nil)
	}
	r.sub = nil
}
