package streamtest_test

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// The contracts, as functions to put a fault in. Each gets the sound thing first.
type (
	createFunc  = func(ctx context.Context, p foldstream.Pool, tasks []foldstream.Task) ([]foldstream.Created, error)
	fetchFunc   = func(ctx context.Context, p foldstream.Pool, f foldstream.Filter) (foldstream.Lease, error)
	commitFunc  = func(ctx context.Context, l foldstream.Lease, r foldstream.Result) error
	returnFunc  = func(ctx context.Context, l foldstream.Lease, why error, after time.Duration) error
	eventsFunc  = func(ctx context.Context, s *mem.Store, f foldstream.EventFilter, from foldstream.Cursor) iter.Seq2[foldstream.Event, error]
	watchFunc   = func(ctx context.Context, v foldstream.Values, prefix string) iter.Seq2[foldstream.Value, error]
	putFunc     = func(ctx context.Context, v foldstream.Values, val foldstream.Value) (uint64, error)
	putBlobFunc = func(ctx context.Context, a foldstream.Artifacts, r io.Reader) (foldstream.Digest, int64, error)
)

// broken is a sound Store with a fault; a nil function is no fault.
type broken struct {
	*mem.Store
	brokenAdmin
	brokenScheduler
	rename func(pool string) string

	create createFunc
	fetch  fetchFunc
	stat   func(foldstream.Counts)

	task   func(foldstream.Task) foldstream.Task
	commit commitFunc
	giveUp returnFunc // Return
	fail   func(ctx context.Context, l foldstream.Lease, why error) error

	events      eventsFunc
	definitions func(iter.Seq2[foldstream.Task, error]) iter.Seq2[foldstream.Task, error]
	defined     func(all iter.Seq2[foldstream.TaskID, error], s *mem.Store) iter.Seq2[foldstream.TaskID, error]
	copies      func(ctx context.Context, s *mem.Store, from, to, experiment string, wanted func(foldstream.TaskID) bool) iter.Seq2[[]foldstream.Created, error]
	reconcile   func(n int) int

	put    putFunc
	remove func(ctx context.Context, v foldstream.Values, key string, revision uint64) error
	list   func(iter.Seq2[foldstream.Value, error]) iter.Seq2[foldstream.Value, error]
	watch  watchFunc

	publish func(ctx context.Context, m foldstream.Metrics, p foldstream.Points) error
	points  func(ctx context.Context, m foldstream.Metrics, f foldstream.MetricFilter) iter.Seq2[foldstream.Points, error]
	forget  func(ctx context.Context, m foldstream.Metrics, experiment, recorder string) error

	putBlob    putBlobFunc
	openBlob   func(io.ReadCloser) io.ReadCloser
	deleteBlob func(ctx context.Context, a foldstream.Artifacts, d foldstream.Digest) error
}

// harness returns the broken store as the suite wants it.
func (b *broken) harness(opts mem.Options) streamtest.Harness {
	const payload, crashes = 1 << 16, 5
	if opts.MaxCrashes == 0 {
		opts.MaxCrashes = crashes
	}
	if opts.MaxPayload == 0 {
		opts.MaxPayload = payload
	}
	opts.Lease = time.Second
	b.Store = mem.New(opts)
	return streamtest.Harness{
		Store: b, Second: b, Lease: opts.Lease, MaxPayload: payload, MaxCrashes: crashes,
		Abandon:      func(l foldstream.Lease) { mem.Abandon(l.(*brokenLease).Lease) },
		AbandonOrder: func(o foldstream.Order) { mem.AbandonOrder(o.(*brokenOrder).Order) },
		DeleteTicket: func(_ context.Context, pool string, id foldstream.TaskID) error {
			return b.DeleteTicket(pool, id)
		},
		Corrupt: func(_ context.Context, d foldstream.Digest) error { return b.Corrupt(d) },
	}
}

func (b *broken) Pool(name string) foldstream.Pool {
	if b.rename != nil {
		name = b.rename(name)
	}
	return &brokenPool{b.Store.Pool(name), b}
}

func (b *broken) Events(ctx context.Context, f foldstream.EventFilter, from foldstream.Cursor) iter.Seq2[foldstream.Event, error] {
	if b.events != nil {
		return b.events(ctx, b.Store, f, from)
	}
	return b.Store.Events(ctx, f, from)
}

func (b *broken) Definitions(ctx context.Context, pool string) iter.Seq2[foldstream.Task, error] {
	if b.definitions != nil {
		return b.definitions(b.Store.Definitions(ctx, pool))
	}
	return b.Store.Definitions(ctx, pool)
}

func (b *broken) Defined(ctx context.Context, pool string) iter.Seq2[foldstream.TaskID, error] {
	if b.defined != nil {
		return b.defined(b.Store.Defined(ctx, pool), b.Store)
	}
	return b.Store.Defined(ctx, pool)
}

func (b *broken) Copy(ctx context.Context, from, to, experiment string, wanted func(foldstream.TaskID) bool) iter.Seq2[[]foldstream.Created, error] {
	if b.copies != nil {
		return b.copies(ctx, b.Store, from, to, experiment, wanted)
	}
	return b.Store.Copy(ctx, from, to, experiment, wanted)
}

func (b *broken) Reconcile(ctx context.Context, pool string) (int, error) {
	if b.reconcile == nil {
		return b.Store.Reconcile(ctx, pool)
	}
	return b.reconcile(0), nil
}

func (b *broken) Values(bucket string) foldstream.Values {
	return &brokenValues{b.Store.Values(bucket), b}
}

func (b *broken) Artifacts() foldstream.Artifacts { return &brokenArtifacts{b.Store.Artifacts(), b} }

func (b *broken) Metrics() foldstream.Metrics { return &brokenMetrics{b.Store.Metrics(), b} }

type brokenMetrics struct {
	foldstream.Metrics
	b *broken
}

func (m *brokenMetrics) Publish(ctx context.Context, p foldstream.Points) error {
	if m.b.publish != nil {
		return m.b.publish(ctx, m.Metrics, p)
	}
	return m.Metrics.Publish(ctx, p)
}

func (m *brokenMetrics) Read(ctx context.Context, f foldstream.MetricFilter) iter.Seq2[foldstream.Points, error] {
	if m.b.points != nil {
		return m.b.points(ctx, m.Metrics, f)
	}
	return m.Metrics.Read(ctx, f)
}

func (m *brokenMetrics) Delete(ctx context.Context, experiment, recorder string) error {
	if m.b.forget != nil {
		return m.b.forget(ctx, m.Metrics, experiment, recorder)
	}
	return m.Metrics.Delete(ctx, experiment, recorder)
}

type brokenPool struct {
	foldstream.Pool
	b *broken
}

func (p *brokenPool) Create(ctx context.Context, tasks ...foldstream.Task) ([]foldstream.Created, error) {
	if p.b.create != nil {
		return p.b.create(ctx, p.Pool, tasks)
	}
	return p.Pool.Create(ctx, tasks...)
}

func (p *brokenPool) Fetch(ctx context.Context, f foldstream.Filter) (l foldstream.Lease, err error) {
	if p.b.fetch != nil {
		l, err = p.b.fetch(ctx, p.Pool, f)
	} else {
		l, err = p.Pool.Fetch(ctx, f)
	}
	if err != nil {
		return nil, err
	}
	return &brokenLease{l, p.b}, nil
}

func (p *brokenPool) Stat(ctx context.Context) (foldstream.Counts, error) {
	c, err := p.Pool.Stat(ctx)
	if err == nil && p.b.stat != nil {
		p.b.stat(c)
	}
	return c, err
}

type brokenLease struct {
	foldstream.Lease
	b *broken
}

func (l *brokenLease) Task() foldstream.Task {
	t := l.Lease.Task()
	if l.b.task != nil {
		t = l.b.task(t)
	}
	return t
}

func (l *brokenLease) Commit(ctx context.Context, r foldstream.Result) error {
	if l.b.commit != nil {
		return l.b.commit(ctx, l.Lease, r)
	}
	return l.Lease.Commit(ctx, r)
}

func (l *brokenLease) Return(ctx context.Context, why error, after time.Duration) error {
	if l.b.giveUp != nil {
		return l.b.giveUp(ctx, l.Lease, why, after)
	}
	return l.Lease.Return(ctx, why, after)
}

func (l *brokenLease) Fail(ctx context.Context, why error) error {
	if l.b.fail != nil {
		return l.b.fail(ctx, l.Lease, why)
	}
	return l.Lease.Fail(ctx, why)
}

type brokenValues struct {
	foldstream.Values
	b *broken
}

func (v *brokenValues) Put(ctx context.Context, val foldstream.Value) (uint64, error) {
	if v.b.put != nil {
		return v.b.put(ctx, v.Values, val)
	}
	return v.Values.Put(ctx, val)
}

func (v *brokenValues) Delete(ctx context.Context, key string, revision uint64) error {
	if v.b.remove != nil {
		return v.b.remove(ctx, v.Values, key, revision)
	}
	return v.Values.Delete(ctx, key, revision)
}

func (v *brokenValues) List(ctx context.Context, prefix string) iter.Seq2[foldstream.Value, error] {
	if v.b.list != nil {
		return v.b.list(v.Values.List(ctx, prefix))
	}
	return v.Values.List(ctx, prefix)
}

func (v *brokenValues) Watch(ctx context.Context, prefix string) iter.Seq2[foldstream.Value, error] {
	if v.b.watch != nil {
		return v.b.watch(ctx, v.Values, prefix)
	}
	return v.Values.Watch(ctx, prefix)
}

type brokenArtifacts struct {
	foldstream.Artifacts
	b *broken
}

func (a *brokenArtifacts) Put(ctx context.Context, r io.Reader) (foldstream.Digest, int64, error) {
	if a.b.putBlob != nil {
		return a.b.putBlob(ctx, a.Artifacts, r)
	}
	return a.Artifacts.Put(ctx, r)
}

func (a *brokenArtifacts) Open(ctx context.Context, d foldstream.Digest) (io.ReadCloser, error) {
	r, err := a.Artifacts.Open(ctx, d)
	if err == nil && a.b.openBlob != nil {
		r = a.b.openBlob(r)
	}
	return r, err
}

func (a *brokenArtifacts) Delete(ctx context.Context, d foldstream.Digest) error {
	if a.b.deleteBlob != nil {
		return a.b.deleteBlob(ctx, a.Artifacts, d)
	}
	return a.Artifacts.Delete(ctx, d)
}
