package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// bodySize is about what a definition takes as it is stored, in bytes; the floor's messages have as many.
const bodySize = 2000

// lull is how long no task may come until a drain is over. It is not counted.
const lull = 500 * time.Millisecond

// pool is the client on Foldstream's pool.
type pool struct {
	nc    *nats.Conn
	store *stream.Store
	foldstream.Pool
}

func openPool(ctx context.Context, nc *nats.Conn) (*pool, error) {
	s, err := stream.Open(ctx, nc, stream.Config{Patience: time.Minute})
	if err != nil {
		return nil, err
	}
	return &pool{nc, s, s.Pool("bench")}, nil
}

// besideNotes is what a definition takes without its notes.
const besideNotes = 150

// tasks makes tasks whose definitions take about bodySize.
func tasks(from, n int) []foldstream.Task {
	all := streamtest.Tasks(from, n)
	for i := range all {
		all[i].Task["notes"] = strings.Repeat("x", bodySize-besideNotes)
	}
	return all
}

// noop is a result of about 200 bytes.
func noop() foldstream.Result {
	return foldstream.Result{Metrics: map[string]float64{"ic": 0.05}, Worker: "bench", Code: "0"}
}

// atOnce is how many tasks one call creates: a producer holds what it creates at once.
const atOnce = 100_000

func (p *pool) create(ctx context.Context, n int) (r report, err error) {
	var took time.Duration // not the making of the tasks
	for from := 0; from < n; from += atOnce {
		all := tasks(from, min(atOnce, n-from))
		began := time.Now()
		made, err := p.Create(ctx, all...)
		if err != nil {
			return r, err
		}
		took += time.Since(began)
		r.Done += len(made)
	}
	r.Ended = time.Now()
	r.Began = r.Ended.Add(-took)
	return r, nil
}

func (p *pool) insert(ctx context.Context, n int) (r report, err error) {
	all := tasks(0, n)
	r.Began = time.Now()
	for _, t := range all {
		if _, err := p.Create(ctx, t); err != nil {
			return r, err
		}
		r.Done++
	}
	r.Ended = time.Now()
	return r, nil
}

func (p *pool) drain(ctx context.Context, workers int) (report, error) {
	return spread(workers, func(done func()) error { return drainOne(ctx, p.Pool, lull, done) })
}

// drainOne works a pool's tasks until none came for a while.
func drainOne(ctx context.Context, p foldstream.Pool, wait time.Duration, done func()) error {
	for {
		l, err := p.Fetch(ctx, foldstream.Filter{Wait: wait})
		if foldstream.Is(err, foldstream.NotFound) {
			return nil
		}
		if err == nil {
			err = l.Commit(ctx, noop())
		}
		if err != nil {
			return err
		}
		done()
	}
}

// spread runs work in some goroutines and notes when the last task was done.
func spread(workers int, work func(done func()) error) (report, error) {
	var (
		group sync.WaitGroup
		count atomic.Int64
		last  atomic.Int64
		fault atomic.Pointer[error]
	)
	began := time.Now()
	for range workers {
		group.Go(func() {
			err := work(func() {
				count.Add(1)
				last.Store(int64(time.Since(began)))
			})
			if err != nil {
				fault.Store(&err)
			}
		})
	}
	group.Wait()
	r := report{Done: int(count.Load()), Began: began, Ended: began.Add(time.Duration(last.Load()))}
	if err := fault.Load(); err != nil {
		return r, *err
	}
	return r, nil
}

// idle makes one task at a time while a worker waits for it and a reader for its result.
func (p *pool) idle(ctx context.Context, n int) (report, error) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	started, seen := make(chan time.Time, 1), make(chan time.Time, 1)
	var group sync.WaitGroup
	group.Go(func() {
		for ev, err := range p.store.Events(ctx, foldstream.EventFilter{Pool: "bench", Follow: true}, 0) {
			if err == nil && ev.Kind == foldstream.EventResult {
				seen <- time.Now()
			}
		}
	})
	group.Go(func() {
		for ctx.Err() == nil {
			l, err := p.Fetch(ctx, foldstream.Filter{Wait: time.Second})
			if err != nil {
				continue
			}
			started <- time.Now()
			_ = l.Commit(ctx, noop()) // a refused one is never seen, and the run hangs until its deadline
		}
	})
	r, err := latencies(n, started, seen, func(i int) error {
		_, err := p.Create(ctx, tasks(i, 1)...)
		return err
	})
	stop()
	group.Wait()
	return r, err
}

// settle is how long the idle system is left alone before the next task.
const settle = 5 * time.Millisecond

// latencies measures, for each of n tasks, how long after the beginning of its creation it starts and its result is seen.
func latencies(n int, started, seen <-chan time.Time, create func(i int) error) (report, error) {
	const warm = 20
	starts, results := make([]time.Duration, 0, n), make([]time.Duration, 0, n)
	for i := range n + warm {
		<-time.After(settle)
		began := time.Now()
		if err := create(i); err != nil {
			return report{}, err
		}
		start, result := (<-started).Sub(began), (<-seen).Sub(began)
		if i >= warm {
			starts, results = append(starts, start), append(results, result)
		}
	}
	return report{Done: n, P50: map[string]time.Duration{"start": median(starts), "result": median(results)}}, nil
}

// look measures how long it takes to count the tasks and to ask for one of them, beside an index as every aggregator keeps one.
func (p *pool) look(ctx context.Context, n int) (report, error) {
	stop := p.serveIndex(ctx)
	defer stop()
	if err := p.indexed(ctx); err != nil {
		return report{}, err
	}
	one := tasks(n/2, 1)[0].ID
	stat, err := timed(15, func() error { _, err := p.Stat(ctx); return err })
	if err != nil {
		return report{}, err
	}
	query, err := timed(200, func() error { _, err := p.store.Task(ctx, "bench", one); return err })
	return report{Done: n, P50: map[string]time.Duration{"stat": stat, "query": query}}, err
}

// serveIndex serves an index until it is stopped.
func (p *pool) serveIndex(ctx context.Context) (stop func()) {
	ctx, end := context.WithCancel(ctx)
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := p.store.ServeIndex(ctx); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", err)
		}
	})
	return func() {
		end()
		serving.Wait()
	}
}

// indexed waits until the index is filled.
func (p *pool) indexed(ctx context.Context) error {
	for {
		m, err := p.nc.RequestWithContext(ctx, "fold.index.stat", nil)
		if err == nil && m.Header.Get(micro.ErrorCodeHeader) == "" {
			return nil
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// timed returns the median time of some calls.
func timed(n int, call func() error) (time.Duration, error) {
	all := make([]time.Duration, 0, n)
	for range n {
		began := time.Now()
		if err := call(); err != nil {
			return 0, err
		}
		all = append(all, time.Since(began))
	}
	return median(all), nil
}

func median[T time.Duration | float64 | int64](all []T) T {
	if len(all) == 0 {
		return 0
	}
	all = slices.Sorted(slices.Values(all))
	return all[len(all)/2]
}
