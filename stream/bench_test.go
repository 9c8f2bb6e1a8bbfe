package stream_test

import (
	"sync"
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
	for range 16 {
		workers.Go(func() {
			for {
				l, err := p.Fetch(b.Context(), foldstream.Filter{Wait: 50 * time.Millisecond})
				if foldstream.Is(err, foldstream.NotFound) {
					return
				}
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
