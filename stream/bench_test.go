package stream_test

import (
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// BenchmarkCreate makes b.N tasks in one call.
func BenchmarkCreate(b *testing.B) {
	s := open(b, streamtest.Server(b).URL(), stream.Config{})
	tasks := streamtest.Tasks(0, b.N)
	b.ResetTimer()
	if _, err := s.Pool("p").Create(b.Context(), tasks...); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
}

// BenchmarkDrain takes b.N tasks through their lives with 16 workers.
func BenchmarkDrain(b *testing.B) {
	s := open(b, streamtest.Server(b).URL(), stream.Config{})
	p := s.Pool("p")
	if _, err := p.Create(b.Context(), streamtest.Tasks(0, b.N)...); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	var workers sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(b.N))
	for range 16 {
		workers.Go(func() {
			for left.Add(-1) >= 0 {
				l, err := p.Fetch(b.Context(), foldstream.Filter{Wait: time.Minute})
				if err == nil {
					err = l.Commit(b.Context(), foldstream.Result{Metrics: map[string]float64{"ic": 0.05}})
				}
				if err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
}

// BenchmarkIdleStart makes one task at a time while a fetch waits: how soon the work starts.
func BenchmarkIdleStart(b *testing.B) {
	url := streamtest.Server(b).URL()
	producer, consumer := open(b, url, stream.Config{}), open(b, url, stream.Config{})
	if _, err := producer.Pool("p").Create(b.Context(), streamtest.Task(-1)); err != nil {
		b.Fatal(err)
	}
	got := make(chan error)
	worker := func() {
		l, err := consumer.Pool("p").Fetch(b.Context(), foldstream.Filter{Wait: time.Minute})
		got <- err
		if err == nil {
			err = l.Commit(b.Context(), foldstream.Result{})
		}
		got <- err
	}
	var starts []time.Duration
	for i := range b.N + 1 {
		go worker()
		if i > 0 {
			if err := consumer.Parked(b.Context(), "p"); err != nil {
				b.Fatal(err)
			}
			begin := time.Now()
			if _, err := producer.Pool("p").Create(b.Context(), streamtest.Task(i)); err != nil {
				b.Fatal(err)
			}
			if err := <-got; err != nil {
				b.Fatal(err)
			}
			starts = append(starts, time.Since(begin))
		} else if err := <-got; err != nil {
			b.Fatal(err)
		}
		if err := <-got; err != nil {
			b.Fatal(err)
		}
	}
	slices.Sort(starts)
	b.ReportMetric(float64(starts[len(starts)/2].Microseconds()), "µs-p50")
}
