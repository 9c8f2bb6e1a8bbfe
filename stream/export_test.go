package stream

import (
	"context"
	"errors"
	"iter"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// Faulty reports whether the doctor has something against a stream of the store.
func Faulty(s *Store, is jetstream.StreamConfig) bool {
	for _, want := range (&examination{Store: s}).wanted() {
		if want.Name == is.Name {
			level, _ := compare(is, want)
			return level != Good
		}
	}
	return true
}

// Abandon stops all that keeps a lease of this package alive, as the death or the freezing of its worker would.
func Abandon(l foldstream.Lease) { l.(*lease).silent.Store(true) }

// AbandonAll is Abandon for all leases of a store.
func AbandonAll(s *Store) {
	for _, p := range s.allPools() {
		for _, l := range p.leases() {
			Abandon(l)
		}
	}
}

// ErrDied is what an operation fails with whose process dies in it.
var ErrDied = errors.New("the process died")

// DieAt has the store's process die at a step: its connection is gone, so that nothing it does from then on reaches the server.
func (s *Store) DieAt(step string) (died *atomic.Bool) {
	died = &atomic.Bool{}
	s.between = func(at string) error {
		if at != step && !died.Load() {
			return nil
		}
		died.Store(true)
		s.nc.Close()
		return ErrDied
	}
	return died
}

// Steps notes every step at which the store's process could have died; seen returns them in order of their names.
func (s *Store) Steps() (seen func() []string) {
	var mu sync.Mutex
	steps := map[string]bool{}
	s.between = func(at string) error {
		mu.Lock()
		defer mu.Unlock()
		steps[at] = true
		return nil
	}
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Sorted(maps.Keys(steps))
	}
}

// DeleteTicket deletes every ticket of a task from the queue behind the protocol's back.
func (s *Store) DeleteTicket(ctx context.Context, pool string, id foldstream.TaskID) error {
	for {
		m, err := s.newest(ctx, s.lay.work(), s.lay.anyTicket(pool, id))
		if err != nil || m == nil {
			return err
		}
		if err := s.remove(ctx, s.lay.work(), m.seq); err != nil {
			return err
		}
	}
}

// Corrupt changes a byte of an artifact: it stores the object's chunks again with another first byte, under the same names.
func Corrupt(ctx context.Context, js jetstream.JetStream, prefix string, d foldstream.Digest) error {
	bucket := newLayout(prefix).artifacts()
	objects, err := js.ObjectStore(ctx, bucket)
	if err != nil {
		return err
	}
	info, err := objects.GetInfo(ctx, string(d))
	if err != nil {
		return err
	}
	chunks := "$O." + bucket + ".C." + info.NUID
	st, err := js.Stream(ctx, "OBJ_"+bucket)
	if err != nil {
		return err
	}
	var bodies [][]byte
	var at uint64
	for range info.Chunks {
		m, err := st.GetMsg(ctx, at+1, jetstream.WithGetMsgSubject(chunks))
		if err != nil {
			return err
		}
		bodies, at = append(bodies, m.Data), m.Sequence
	}
	if err := st.Purge(ctx, jetstream.WithPurgeSubject(chunks)); err != nil {
		return err
	}
	bodies[0][0] ^= 1
	for _, b := range bodies {
		if _, err := js.Publish(ctx, chunks, b); err != nil {
			return err
		}
	}
	return nil
}

// Tickets counts the messages in the queue.
func (s *Store) Tickets(ctx context.Context) (uint64, error) {
	st, err := s.js.Stream(ctx, s.lay.work())
	if err != nil {
		return 0, err
	}
	return st.CachedInfo().State.Msgs, nil
}

// SetLongDelay sets the longest pause that a ticket waits out in its consumer.
func (s *Store) SetLongDelay(d time.Duration) { s.longDelay = d }

// AbandonOrder is Abandon for an order.
func AbandonOrder(o foldstream.Order) { o.(*dueOrder).silent.Store(true) }

// NakTicket gives a lease's ticket back without the lease, as a server does that forgot its beats.
func NakTicket(l foldstream.Lease) { l.(*lease).p.s.nak(l.(*lease).d.msg, 0) }

// KeepTicket has all further answers to a lease's ticket go astray.
func KeepTicket(l foldstream.Lease) {
	Abandon(l)
	m := *l.(*lease).d.msg
	m.Reply = "astray"
	l.(*lease).d.msg = &m
}

// TicketSchedules counts the schedules of a task's tickets.
func (s *Store) TicketSchedules(ctx context.Context, pool string, id foldstream.TaskID) (int, error) {
	m, err := s.newest(ctx, s.lay.work(), s.lay.anyTicket(pool, id))
	if err != nil || m == nil || m.header.Get(jetstream.ScheduleHeader) == "" {
		return 0, err
	}
	return 1, nil
}

// Parked waits until a fetch of the pool waits at each of its lanes.
func (s *Store) Parked(ctx context.Context, pool string) error {
	p := s.pool(pool)
	for t := s.trial(); ; {
		p.mu.Lock()
		parked := len(p.waiters) > 0 && !slices.ContainsFunc(p.lanes, func(ln *lane) bool { return ln.park == 0 })
		p.mu.Unlock()
		if parked {
			return nil
		}
		if !t.again(ctx) {
			return errors.New("no fetch waits")
		}
	}
}

// DeleteConsumers deletes the consumers of all lanes.
func (s *Store) DeleteConsumers(ctx context.Context) error { return s.DeleteConsumersOf(ctx, "") }

// DeleteConsumersOf deletes the consumers of a pool's lanes; "" is all pools.
func (s *Store) DeleteConsumersOf(ctx context.Context, pool string) error {
	st, err := s.js.Stream(ctx, s.lay.work())
	if err != nil {
		return err
	}
	for name := range st.ConsumerNames(ctx).Name() {
		if pool != "" && !strings.HasPrefix(name, pool+"=") {
			continue
		}
		if err := st.DeleteConsumer(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// BatchAlways has Create publish everything that is new by atomic batches.
func (s *Store) BatchAlways() { s.bulk = bulk{} }

// FlowAlways has Create publish all but the first task by flows.
func (s *Store) FlowAlways() { s.bulk.first, s.bulk.slow, s.bulk.least = 1, time.Hour, 1 }

// Flow sends definitions in a flow, and nothing else; before is called for each.
func (s *Store) Flow(ctx context.Context, tasks []foldstream.Task, before func(i int), stored func(n int)) {
	orders, err := s.pool("p").orders(tasks)
	if err != nil {
		panic(err)
	}
	s.flow(ctx, func(i int) (m nats.Msg, more bool) {
		if more = i < len(orders); more {
			before(i)
			m = orders[i].def
		}
		return m, more
	}, stored)
}

// Reconnect makes the store's connection anew, and waits for that.
func (s *Store) Reconnect(t *testing.T) {
	t.Helper()
	again := s.nc.StatusChanged(nats.CONNECTED)
	defer s.nc.RemoveStatusListener(again)
	if err := s.nc.ForceReconnect(); err != nil {
		t.Fatal(err)
	}
	<-again
}

// Received counts the messages that the store's connection received.
func (s *Store) Received() uint64 { return s.nc.Stats().InMsgs }

// SetSlow sets the time a task from which on batches are worth it.
func (s *Store) SetSlow(d time.Duration) { s.bulk.slow = d }

// FirstOfBulk is how many tasks go before a batch.
const FirstOfBulk = firstOfBulk

// Between has f called between the steps of operations; its error ends the operation there, as the death of the process would.
func (s *Store) Between(f func(step string) error) { s.between = f }

// Batched counts the definitions of a pool that came in an atomic batch.
func (s *Store) Batched(ctx context.Context, pool string) (n int, err error) {
	for m, err := range s.scan(ctx, query{stream: s.lay.defs(), filters: []string{s.lay.def(pool, "*")}, headers: true}) {
		if err != nil {
			return n, err
		}
		if m.header.Get(jetstreamext.BatchIDHeader) != "" {
			n++
		}
	}
	return n, nil
}

// FetchAhead has a pool fetch n tickets ahead, however fast its workers are.
func (s *Store) FetchAhead(pool string, n int) {
	p := s.pool(pool)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.level, p.since = n, clock.Tick().Add(time.Hour)
}

// EncodeTask writes a task as it is stored.
func EncodeTask(t foldstream.Task) ([]byte, error) { return encodeTask(&t) }

// Prefix returns the prefix of the store's subjects.
func (s *Store) Prefix() string { return s.lay.prefix }

// AskStat counts a pool's tasks by an index, or all pools' for ""; false where none answers.
func (s *Store) AskStat(ctx context.Context, pool string) (map[string]foldstream.Counts, bool) {
	return s.askStat(ctx, pool)
}

// ReadStat counts a pool's tasks by the streams, as where nobody keeps an index.
func (s *Store) ReadStat(ctx context.Context, pool string) (foldstream.Counts, error) {
	return s.pool(pool).tally(ctx)
}

// Finish has tasks claimed and done, by events alone: their tickets stay.
func (s *Store) Finish(ctx context.Context, pool string, ids ...foldstream.TaskID) error {
	var sent []jetstream.PubAckFuture
	for _, id := range ids {
		for _, l := range []link{
			{Event: foldstream.Event{Pool: pool, Task: id, Kind: foldstream.EventClaim, Status: foldstream.Running, Attempt: 1, Worker: "host-1"}},
			{Event: foldstream.Event{Pool: pool, Task: id, Kind: foldstream.EventResult, Status: foldstream.Done, Attempt: 1, Worker: "host-1"}},
		} {
			m, err := s.message("finish", l)
			if err != nil {
				return err
			}
			f, err := s.send(m)
			if err != nil {
				return err
			}
			sent = append(sent, f)
		}
	}
	for _, f := range sent {
		if _, err := s.await(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// Deaf makes the store ask no index: it reads the streams.
func (s *Store) Deaf() { s.muted.Store(math.MaxInt64) }

// DeleteDefinition deletes the definition of a task behind the protocol's back.
func (s *Store) DeleteDefinition(ctx context.Context, pool string, id foldstream.TaskID) error {
	m, err := s.newest(ctx, s.lay.defs(), s.lay.def(pool, id))
	if err != nil || m == nil {
		return err
	}
	return s.remove(ctx, s.lay.defs(), m.seq)
}

// Forget deletes what the store holds of a task, or of all tasks for "*", but for its tickets.
func (s *Store) Forget(ctx context.Context, pool string, id foldstream.TaskID) error {
	for stream, subject := range map[string]string{s.lay.defs(): s.lay.def(pool, id), s.lay.events(): s.lay.event(pool, id)} {
		st, err := s.js.Stream(ctx, stream)
		if err == nil {
			err = st.Purge(ctx, jetstream.WithPurgeSubject(subject))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// HearRefusals has f called with the server's error code of each publish that it refuses.
func (s *Store) HearRefusals(f func(code int)) {
	s.refusals = func(err error) {
		var api *jetstream.APIError
		if errors.As(err, &api) {
			f(int(api.ErrorCode))
		}
	}
}

// ReadReplicas plants a fault: what decides is read from any replica.
func (s *Store) ReadReplicas() {
	s.get = func(ctx context.Context, stream string, query []byte) (*stored, error) {
		m, err := s.nc.RequestWithContext(ctx, jetstream.DefaultAPIPrefix+"DIRECT.GET."+stream, query)
		if err != nil || m.Header.Get("Status") == "404" {
			return nil, err
		}
		return readDirect(m)
	}
}

// Plant publishes a message as any other program may.
func (s *Store) Plant(ctx context.Context, m *nats.Msg) error {
	_, err := s.js.PublishMsg(ctx, m)
	return err
}

// SetWall has the store's machine show another time, before the store is used.
func (s *Store) SetWall(wall func() time.Time) { s.wall = wall }

// BelieveWall plants a fault: what is decided is decided by this machine's clock.
func (s *Store) BelieveWall() {
	s.clock.mu.Lock()
	defer s.clock.mu.Unlock()
	s.clock.at = time.Time{}
}

// DeniedFor reports whether something was forbidden within a time that makes what is not answered count as forbidden.
func (s *Store) DeniedFor(lately time.Duration) bool { return s.deniedSince(clock.Tick().Add(-lately)) }

// Ahead is ahead.
func Ahead[T any](ctx context.Context, atOnce int, read func(ctx context.Context) iter.Seq2[T, error]) iter.Seq2[[]T, error] {
	return ahead(ctx, atOnce, read)
}
