package stream_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestBatch_Conformance runs the suite's checks of creation with everything going by atomic batches.
func TestBatch_Conformance(t *testing.T) {
	open := harness(streamtest.Server(t).URL(), (*stream.Store).BatchAlways)
	streamtest.RunSome(t, open, func(name string) bool { return strings.HasPrefix(name, "create/") })
}

// TestBatch_Mixed makes known and new tasks in one call: batches are refused, and each task is made once all the same.
func TestBatch_Mixed(t *testing.T) {
	s := batching(t, streamtest.Server(t).URL())
	createMixed(t, s)
	if n, err := s.Batched(t.Context(), "p"); err != nil || n != 600 {
		t.Errorf("%d tasks came in batches (%v); want the 100 of before and the 500 before the first that is known", n, err)
	}
}

// createMixed makes 1700 tasks in one call, of which the 100 from 600 on are known.
func createMixed(t *testing.T, s *stream.Store) {
	t.Helper()
	all := streamtest.Tasks(0, 1700)
	create(t, s, all[600:700]...)
	made, err := s.Pool("p").Create(t.Context(), all...)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range made {
		if known := i >= 600 && i < 700; m.New == known || m.ID != all[i].ID || m.Status != foldstream.Waiting {
			t.Fatalf("task %d: %+v", i, m)
		}
	}
	verify(t, s, foldstream.Counts{foldstream.Waiting: 1700})
}

// TestBatch_Race has two producers make the same tasks at once.
func TestBatch_Race(t *testing.T) {
	url := streamtest.Server(t).URL()
	createAtOnce(t, batching(t, url), batching(t, url), streamtest.Tasks(0, 2000))
}

// createAtOnce has both make the same tasks at the same time: each is new for one of them.
func createAtOnce(t *testing.T, one, other *stream.Store, all []foldstream.Task) {
	t.Helper()
	var fresh [2]int
	var producers sync.WaitGroup
	for i, s := range []*stream.Store{one, other} {
		producers.Go(func() {
			made, err := s.Pool("p").Create(t.Context(), all...)
			if err != nil {
				t.Error(err)
			}
			for _, m := range made {
				if m.New {
					fresh[i]++
				}
			}
		})
	}
	producers.Wait()
	if fresh[0]+fresh[1] != len(all) {
		t.Errorf("%d and %d tasks were new, of %d", fresh[0], fresh[1], len(all))
	}
	verify(t, one, foldstream.Counts{foldstream.Waiting: len(all)})
}

// TestBatch_Died ends the producer between a batch of definitions and that of their tickets; creating again completes it.
func TestBatch_Died(t *testing.T) {
	url := streamtest.Server(t).URL()
	dying := batching(t, url)
	died := errors.New("died")
	dying.Between(func(step string) error { return map[string]error{"create: defined": died}[step] })
	all := streamtest.Tasks(0, 700)
	if _, err := dying.Pool("p").Create(t.Context(), all...); !errors.Is(err, died) {
		t.Fatal("the producer lives:", err)
	}
	s := batching(t, url)
	if n, err := s.Tickets(t.Context()); err != nil || n != 0 {
		t.Fatalf("%d tickets (%v): it died too late", n, err)
	}
	made, err := s.Pool("p").Create(t.Context(), all...)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(slices.DeleteFunc(made, func(c foldstream.Created) bool { return !c.New })); n != 200 {
		t.Errorf("%d tasks are new; want the 200 behind the first batch", n)
	}
	verify(t, s, foldstream.Counts{foldstream.Waiting: 700})
}

// TestBatch_Slow has a server that flushes before each acknowledgement: where that takes its time, batches are used by themselves.
func TestBatch_Slow(t *testing.T) {
	s := open(t, streamtest.Server(t).URL(), stream.Config{})
	s.SetSlow(time.Nanosecond)
	create(t, s, streamtest.Tasks(0, 600)...)
	if n, err := s.Batched(t.Context(), "p"); err != nil || n != 600-stream.FirstOfBulk {
		t.Errorf("%d tasks came in batches (%v)", n, err)
	}
	fast := open(t, streamtest.Server(t).URL(), stream.Config{})
	fast.SetSlow(time.Hour)
	create(t, fast, streamtest.Tasks(0, 300)...)
	fast.SetSlow(time.Nanosecond) // it was quick once
	create(t, fast, streamtest.Tasks(300, 300)...)
	if n, err := fast.Batched(t.Context(), "p"); err != nil || n != 0 {
		t.Errorf("%d tasks came in batches (%v)", n, err)
	}
}

func batching(t *testing.T, url string) *stream.Store {
	t.Helper()
	s := open(t, url, stream.Config{})
	s.BatchAlways()
	return s
}

// verify wants a pool that lost and doubled nothing and has these counts.
func verify(t *testing.T, s *stream.Store, want foldstream.Counts) {
	t.Helper()
	c, err := s.Verify(t.Context(), "p")
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Faults) > 0 || c.Tickets != want.Open() || c.Counts.Total() != want.Total() {
		t.Errorf("%+v; want %v", c, want)
	}
}
