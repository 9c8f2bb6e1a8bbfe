package stream

import (
	"context"
	"errors"
	"math"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// denial is a permission that the server refused. It comes beside all replies, and what it refused is never answered: who waits for that
// answer hears of the denials that come after the one it knew.
type denial struct {
	at         time.Time // zero where nothing fails of it
	reconnects uint64    // how often the connection had been made anew
	err        error
	heard      chan struct{} // closed when there is a later one
	later      *denial       // set by then
}

// noDenial is where a store begins.
func noDenial() *denial { return &denial{heard: make(chan struct{})} }

// watchDenials puts a handler before the connection's own and returns how to take it away.
func (s *Store) watchDenials() (undo func()) {
	before := s.nc.ErrorHandler()
	s.nc.SetErrorHandler(func(nc *nats.Conn, sub *nats.Subscription, err error) {
		if errors.Is(err, nats.ErrPermissionViolation) {
			d := noDenial()
			d.err, d.reconnects = err, nc.Stats().Reconnects
			switch {
			case s.refusesIndex(err):
				s.muted.Store(math.MaxInt64)
			case d.refuses(jetstream.DefaultAPIPrefix + "STREAM.MSG.DELETE." + s.lay.events()): // of a stranger: who asks hears of it
			default:
				d.at = clock.Tick()
			}
			if d.refuses(ackSubject) || d.refuses(s.lay.kvPrefix(foldstream.Workers)) {
				s.unheard.Store(d)
			}
			last := s.denied.Swap(d)
			last.later = d
			close(last.heard)
		}
		if before != nil {
			before(nc, sub, err)
		}
	})
	return func() { s.nc.SetErrorHandler(before) }
}

// ackSubject begins the subjects that tickets and orders are answered on.
const ackSubject = "$JS.ACK."

// silenced reports that this user may not publish to a subject that begins as one of these, on which it waits for no reply: what it takes would
// come again for ever. It is asked at each fetch, so that they are made where something was denied alone. Errors: Denied.
func (s *Store) silenced(op string, subjects func(layout) []string) error {
	d := s.unheard.Load()
	if d.err == nil {
		return nil
	}
	for _, subject := range subjects(s.lay) {
		if d.refuses(subject) {
			return foldstream.E(foldstream.Denied, op, d.err)
		}
	}
	return nil
}

// ofTickets and ofOrders are the subjects that who takes such answers on, and who takes tickets shows on that it lives.
func ofTickets(l layout) []string {
	return []string{ackSubject + l.work() + ".", l.kvPrefix(foldstream.Workers)}
}
func ofOrders(l layout) []string { return []string{ackSubject + l.schedules() + "."} }

// since reports whether a permission was refused after a time.
func (d *denial) since(t time.Time) bool { return d.at.After(t) }

// refuses reports whether it is of a subject that begins so.
func (d *denial) refuses(subject string) bool {
	return d.err != nil && strings.Contains(d.err.Error(), `"`+subject)
}

// How long a denial is news to who published before it came, and how long who published to a neighbour of its subject waits for the reply:
// of many denials that come at once only the last is there to be seen.
const (
	denialNews = time.Second
	denialTime = 250 * time.Millisecond
)

// patience is how long to wait for the reply to what was published to a subject, and the error then; without a denial that concerns it, for ever.
func (d *denial) patience(subject string) (<-chan time.Time, error) {
	switch {
	case !d.since(clock.Tick().Add(-denialNews)):
	case d.refuses(subject + `"`):
		return time.After(0), d.err
	case d.refuses(subject[:strings.LastIndexByte(subject, '.')+1]):
		return time.After(denialTime), nats.ErrTimeout
	}
	return nil, nil
}

// next waits for a denial of a subject that begins so; nil when ctx ended first.
func (d *denial) next(ctx context.Context, subject string) error {
	for {
		select {
		case <-d.heard:
			if d = d.later; d.refuses(subject) {
				return d.err
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// deniedSince reports whether the server refused a permission since a time. One that it refused on a connection which was lost says
// nothing of what was not answered: that may be the loss.
func (s *Store) deniedSince(t time.Time) bool {
	d := s.denied.Load()
	return d.since(t) && s.nc.IsConnected() && s.nc.Stats().Reconnects == d.reconnects
}

// heeding makes a request, which ends with the denial when the server refuses what is published to a subject that begins so.
func (s *Store) heeding(ctx context.Context, subject string, request func(ctx context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	last := s.denied.Load()
	var watch sync.WaitGroup
	watch.Go(func() {
		if denied := last.next(ctx, subject); denied != nil {
			cancel(denied)
		}
	})
	err := request(ctx)
	cancel(nil)
	watch.Wait()
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, nats.ErrPermissionViolation) {
		return cause
	}
	return err
}

// calling is heeding for a call of the JetStream API.
func (s *Store) calling(ctx context.Context, call string, request func(ctx context.Context) error) error {
	return s.heeding(ctx, jetstream.DefaultAPIPrefix+call, request)
}
