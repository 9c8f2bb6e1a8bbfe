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

// TestStock_GivenBack works half of a pool by a store that is closed then. What it had fetched ahead comes to another at once, not after a
// lease, and no attempt is used.
func TestStock_GivenBack(t *testing.T) {
	const n = 1000
	url := streamtest.Server(t).URL()
	first, second := open(t, url, stream.Config{Lease: 2 * time.Minute}), open(t, url, stream.Config{})
	create(t, first, streamtest.Tasks(0, n)...)
	first.FetchAhead("p", 100)
	workOff(t, first, n/2)
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	workOff(t, second, n/2)
	verify(t, second, foldstream.Counts{foldstream.Done: n})
}

// TestStock_Expires leaves what was fetched ahead lying; it comes to another worker.
func TestStock_Expires(t *testing.T) {
	const n = 300
	url := streamtest.Server(t).URL()
	first, second := open(t, url, stream.Config{Lease: 2 * time.Minute}), open(t, url, stream.Config{})
	create(t, first, streamtest.Tasks(0, n)...)
	first.FetchAhead("p", 100)
	workOff(t, first, 100)
	workOff(t, second, n-100)
	verify(t, second, foldstream.Counts{foldstream.Done: n})
}

// TestStock_Bands has nothing fetched ahead where there are bands: an urgent task starts next.
func TestStock_Bands(t *testing.T) {
	s := open(t, streamtest.Server(t).URL(), stream.Config{})
	create(t, s, streamtest.Tasks(0, 400)...)
	s.FetchAhead("p", 100)
	workOff(t, s, 200)
	high := 3
	urgent := streamtest.Task(5000)
	urgent.Priority = &high
	create(t, s, urgent)
	if l := fetch(t, s); l.Task().ID != urgent.ID {
		t.Errorf("task %s came before the urgent one", l.Task().ID)
	}
}

// workOff commits n tasks by some workers.
func workOff(t *testing.T, s *stream.Store, n int) {
	t.Helper()
	var left atomic.Int64
	left.Store(int64(n))
	var workers sync.WaitGroup
	for range 16 {
		workers.Go(func() {
			for left.Add(-1) >= 0 {
				l, err := s.Pool("p").Fetch(t.Context(), soon)
				if err == nil {
					err = l.Commit(t.Context(), foldstream.Result{})
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	workers.Wait()
}
