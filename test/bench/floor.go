package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

// floor is the client on JetStream as it is, for the same guarantees: a task is made by two publishes, each expecting that there is none
// of it, and is worked by two more, the second expecting the first, before its ticket is acknowledged.
type floor struct {
	nc *nats.Conn
	js jetstream.JetStream
	job
	body []byte
}

// The floor's streams are set up as the pool's are.
var floorStreams = []jetstream.StreamConfig{
	{Name: "RAW_DEFS", Subjects: []string{"raw.def.>"}, MaxMsgsPerSubject: 1, AllowDirect: true, AllowAtomicPublish: true},
	{Name: "RAW_WORK", Subjects: []string{"raw.work.>"}, MaxMsgsPerSubject: 1, AllowDirect: true, AllowMsgSchedules: true, AllowAtomicPublish: true, Retention: jetstream.WorkQueuePolicy},
	{Name: "RAW_EVENTS", Subjects: []string{"raw.event.>"}, MaxMsgsPerSubject: 64, AllowDirect: true},
}

const floorInFlight = 8192

func openFloor(ctx context.Context, nc *nats.Conn, j job) (*floor, error) {
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(floorInFlight))
	if err != nil {
		return nil, err
	}
	for _, c := range floorStreams {
		if _, err := js.CreateStream(ctx, c); err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return nil, err
		}
	}
	_, err = js.CreateConsumer(ctx, "RAW_WORK", jetstream.ConsumerConfig{
		Durable: "work", AckPolicy: jetstream.AckExplicitPolicy, AckWait: 10 * time.Second, MaxAckPending: 1 << 20,
	})
	if errors.Is(err, jetstream.ErrConsumerExists) {
		err = nil
	}
	return &floor{nc: nc, js: js, job: j, body: make([]byte, bodySize)}, err
}

// message is a publish that expects the last sequence on a filter; "" is its own subject.
func message(subject, filter string, expect uint64, body []byte) *nats.Msg {
	h := nats.Header{jetstream.ExpectedLastSubjSeqHeader: {strconv.FormatUint(expect, 10)}}
	if filter != "" {
		h[jetstream.ExpectedLastSubjSeqSubjHeader] = []string{filter}
	}
	return &nats.Msg{Subject: subject, Header: h, Data: body}
}

func (f *floor) def(i int) *nats.Msg {
	return message(fmt.Sprintf("raw.def.bench.%026d", i), "", 0, f.body)
}

func (f *floor) ticket(i int) *nats.Msg {
	return message(fmt.Sprintf("raw.work.bench._.0.%026d", i), fmt.Sprintf("raw.work.bench.*.*.%026d", i), 0, f.body)
}

// alone is a ticket without a definition, which expects nothing.
func (f *floor) alone(i int) *nats.Msg {
	return &nats.Msg{Subject: f.ticket(i).Subject, Data: f.body}
}

// create sends definitions, and the ticket of each behind its acknowledgement.
func (f *floor) create(ctx context.Context, n int) (r report, err error) {
	r.Began = time.Now()
	switch {
	case f.Batch > 0:
		err = f.createInBatches(ctx, n)
	case f.Single:
		err = f.createSingly(ctx, n)
	default:
		err = f.createAsync(ctx, n)
	}
	r.Ended, r.Done = time.Now(), n
	return r, err
}

func (f *floor) createAsync(ctx context.Context, n int) error {
	sent := make(chan jetstream.PubAckFuture, floorInFlight)
	var sending sync.WaitGroup
	var sendErr error
	sending.Go(func() {
		defer close(sent)
		for i := range n {
			ack, err := f.js.PublishMsgAsync(f.def(i), jetstream.WithStallWait(time.Minute))
			if err != nil {
				sendErr = err
				return
			}
			sent <- ack
		}
	})
	tickets := make([]jetstream.PubAckFuture, 0, n)
	for ack := range sent {
		if _, err := await(ctx, ack); err != nil {
			return err
		}
		ticket, err := f.js.PublishMsgAsync(f.ticket(len(tickets)), jetstream.WithStallWait(time.Minute))
		if err != nil {
			return err
		}
		tickets = append(tickets, ticket)
	}
	sending.Wait()
	for _, ticket := range tickets {
		if _, err := await(ctx, ticket); err != nil {
			return err
		}
	}
	return sendErr
}

// createSingly sends tickets alone.
func (f *floor) createSingly(ctx context.Context, n int) error {
	for i := range n {
		if _, err := f.js.PublishMsgAsync(f.alone(i), jetstream.WithStallWait(time.Minute)); err != nil {
			return err
		}
	}
	select {
	case <-f.js.PublishAsyncComplete():
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func await(ctx context.Context, f jetstream.PubAckFuture) (uint64, error) {
	select {
	case ack := <-f.Ok():
		return ack.Sequence, nil
	case err := <-f.Err():
		return 0, err
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}

func (f *floor) insert(ctx context.Context, n int) (r report, err error) {
	r.Began = time.Now()
	for i := range n {
		if _, err := f.js.PublishMsg(ctx, f.def(i)); err != nil {
			return r, err
		}
		if _, err := f.js.PublishMsg(ctx, f.ticket(i)); err != nil {
			return r, err
		}
		r.Done++
	}
	r.Ended = time.Now()
	return r, nil
}

// drain consumes with the library's own prefetch.
func (f *floor) drain(ctx context.Context, workers int) (report, error) {
	queue := make(chan jetstream.Msg, 1024)
	c, err := f.js.Consumer(ctx, "RAW_WORK", "work")
	if err != nil {
		return report{}, err
	}
	messages, err := c.Consume(func(m jetstream.Msg) { queue <- m })
	if err != nil {
		return report{}, err
	}
	defer func() {
		messages.Stop()
		<-messages.Closed()
	}()
	return spread(workers, func(done func()) error {
		for {
			select {
			case m := <-queue:
				if err := f.work(ctx, m); err != nil {
					return err
				}
				done()
			case <-time.After(lull):
				return nil
			}
		}
	})
}

var (
	claimBody  = make([]byte, 100)
	resultBody = make([]byte, 200)
)

func (f *floor) work(ctx context.Context, m jetstream.Msg) error {
	subject := "raw.event.bench." + m.Subject()[len(m.Subject())-26:]
	if f.Single {
		if _, err := f.publish(ctx, &nats.Msg{Subject: subject, Data: resultBody}); err != nil {
			return err
		}
		return m.Ack()
	}
	claim, err := f.publish(ctx, message(subject, "", 0, claimBody))
	if err != nil {
		return err
	}
	if _, err := f.publish(ctx, message(subject, "", claim, resultBody)); err != nil {
		return err
	}
	return m.Ack()
}

func (f *floor) publish(ctx context.Context, m *nats.Msg) (uint64, error) {
	ack, err := f.js.PublishMsgAsync(m, jetstream.WithStallWait(time.Minute))
	if err != nil {
		return 0, err
	}
	return await(ctx, ack)
}

// idle has one worker and one subscriber wait.
func (f *floor) idle(ctx context.Context, n int) (report, error) {
	started, seen := make(chan time.Time, 1), make(chan time.Time, 1)
	c, err := f.js.Consumer(ctx, "RAW_WORK", "work")
	if err != nil {
		return report{}, err
	}
	work, err := c.Consume(func(m jetstream.Msg) {
		started <- time.Now()
		_ = f.work(ctx, m) // a refused one is never seen, and the run hangs until its deadline
	}, jetstream.PullMaxMessages(1))
	if err != nil {
		return report{}, err
	}
	defer work.Stop()
	reader, err := f.js.OrderedConsumer(ctx, "RAW_EVENTS", jetstream.OrderedConsumerConfig{})
	if err != nil {
		return report{}, err
	}
	events, err := reader.Consume(func(m jetstream.Msg) {
		if len(m.Data()) == len(resultBody) {
			seen <- time.Now()
		}
	})
	if err != nil {
		return report{}, err
	}
	defer events.Stop()
	return latencies(n, started, seen, func(i int) error {
		if f.Single {
			_, err := f.js.PublishMsg(ctx, f.alone(i))
			return err
		}
		if _, err := f.js.PublishMsg(ctx, f.def(i)); err != nil {
			return err
		}
		_, err := f.js.PublishMsg(ctx, f.ticket(i))
		return err
	})
}

// look counts by consumer info, and reads one definition and one event from the leader.
func (f *floor) look(ctx context.Context, n int) (report, error) {
	c, err := f.js.Consumer(ctx, "RAW_WORK", "work")
	if err != nil {
		return report{}, err
	}
	stat, err := timed(15, func() error { _, err := c.Info(ctx); return err })
	if err != nil {
		return report{}, err
	}
	defs, err := f.js.Stream(ctx, "RAW_DEFS")
	if err != nil {
		return report{}, err
	}
	query, err := timed(200, func() error { _, err := defs.GetLastMsgForSubject(ctx, f.def(n/2).Subject); return err })
	return report{Done: n, P50: map[string]time.Duration{"stat": stat, "query": query}}, err
}

// createInBatches sends atomic batches of definitions, then of their tickets.
func (f *floor) createInBatches(ctx context.Context, n int) error {
	for from := 0; from < n; from += f.Batch {
		for _, make := range []func(int) *nats.Msg{f.def, f.ticket} {
			batch := []*nats.Msg{}
			for i := from; i < min(from+f.Batch, n); i++ {
				batch = append(batch, make(i))
			}
			if _, err := jetstreamext.PublishMsgBatch(ctx, f.js, batch); err != nil {
				return err
			}
		}
	}
	return nil
}
