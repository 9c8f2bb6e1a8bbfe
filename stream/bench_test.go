package stream_test

import (
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
