package mem_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

func start(t *testing.T, s *mem.Store, tasks ...foldstream.Task) foldstream.Lease {
	t.Helper()
	if _, err := s.Pool("p").Create(t.Context(), tasks...); err != nil {
		t.Fatal(err)
	}
	l, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func lastEvent(t *testing.T, s *mem.Store) (last foldstream.Event) {
	t.Helper()
	for e, err := range s.Events(t.Context(), foldstream.EventFilter{}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		last = e
	}
	return last
}

// TestStore_OwnsItsData changes what went in and what came out: the store does not notice.
func TestStore_OwnsItsData(t *testing.T) {
	s := mem.New(mem.Options{})
	task := streamtest.Task(1)
	l := start(t, s, task)
	task.Task["model"] = "changed"
	l.Task().Tags["n"] = "changed"
	result := foldstream.Result{Params: map[string]string{"k": "v"}}
	if err := l.Commit(t.Context(), result); err != nil {
		t.Fatal(err)
	}
	result.Params["k"] = "changed"
	if got := lastEvent(t, s).Result.Params["k"]; got != "v" {
		t.Errorf("the stored result says %q", got)
	}
	for def, err := range s.Definitions(t.Context(), "p") {
		if diff := cmp.Diff(streamtest.Task(1), def, cmp.Comparer(func(a, b foldstream.Time) bool { return a == b })); diff != "" || err != nil {
			t.Errorf("the definition changed: %v\n%s", err, diff)
		}
	}
	data := []byte("v")
	values := s.Values(foldstream.Collections)
	if _, err := values.Put(t.Context(), foldstream.Value{Key: "k", Data: data}); err != nil {
		t.Fatal(err)
	}
	data[0] = 'x'
	for range 2 {
		v, err := values.Get(t.Context(), "k")
		if err != nil || string(v.Data) != "v" {
			t.Errorf("the stored value is %q, %v", v.Data, err)
		}
		v.Data[0] = 'y'
	}
}

// TestOptions_Now lets an injected clock decide when a lease runs out and a pause is over.
func TestOptions_Now(t *testing.T) {
	now := time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC)
	s := mem.New(mem.Options{Lease: time.Minute, Now: func() time.Time { return now }, Worker: "w7"})
	l := start(t, s, streamtest.Task(1))
	if e := lastEvent(t, s); !e.At.Equal(now) || e.Worker != "w7" {
		t.Errorf("the claim is by %q at %v, want w7 at %v", e.Worker, e.At, now)
	}
	mem.Abandon(l)
	taken := func(want bool) foldstream.Lease {
		t.Helper()
		l, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{})
		if (err == nil) != want {
			t.Fatalf("fetch at %v: %v; want a task: %v", now, err, want)
		}
		return l
	}
	now = now.Add(59 * time.Second)
	taken(false)
	if err := l.Extend(t.Context(), foldstream.Progress{}); err != nil { // the frozen worker wakes up for a moment
		t.Fatal(err)
	}
	now = now.Add(59 * time.Second)
	taken(false)
	now = now.Add(time.Second)
	heir := taken(true)
	if err := heir.Return(t.Context(), errors.New("later"), time.Hour); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Hour - 1)
	taken(false)
	now = now.Add(1)
	taken(true)
}

// TestStore_ManyAtOnce has producers, workers, readers and writers at it together, for the race detector.
func TestStore_ManyAtOnce(t *testing.T) {
	const producers, workers, each = 4, 4, 50
	s := mem.New(mem.Options{})
	p := s.Pool("p")
	var wg sync.WaitGroup
	for i := range producers {
		wg.Go(func() {
			if _, err := p.Create(t.Context(), streamtest.Tasks(i*each/2, each)...); err != nil {
				t.Error(err)
			}
		})
	}
	for range workers {
		wg.Go(func() { workAll(t, p) })
	}
	wg.Go(func() {
		for _, err := range s.Events(t.Context(), foldstream.EventFilter{}, 0) {
			if err != nil {
				t.Error(err)
			}
		}
	})
	wg.Wait()
	if err := streamtest.Conserved(t.Context(), s, "p"); err != nil {
		t.Error(err)
	}
	if got := lastEvent(t, s).Seq; got != 2*(producers+1)*each/2 {
		t.Errorf("%d events, want a claim and a result for each of %d tasks", got, (producers+1)*each/2)
	}
}

func workAll(t *testing.T, p foldstream.Pool) {
	for {
		l, err := p.Fetch(t.Context(), foldstream.Filter{Wait: 200 * time.Millisecond})
		if foldstream.Is(err, foldstream.NotFound) {
			return
		}
		if err == nil {
			err = l.Commit(t.Context(), foldstream.Result{})
		}
		if err != nil {
			t.Error(err)
			return
		}
	}
}

func TestLease_ErrFailWithoutReason(t *testing.T) {
	s := mem.New(mem.Options{})
	l := start(t, s, streamtest.Task(1))
	if err := l.Fail(t.Context(), nil); !foldstream.Is(err, foldstream.Invalid) {
		t.Errorf("got %v, want an error of kind invalid", err)
	}
	if err := l.Commit(t.Context(), foldstream.Result{}); err != nil {
		t.Errorf("the lease is lost by it: %v", err)
	}
}

func TestStore_ErrCancelled(t *testing.T) {
	s := mem.New(mem.Options{})
	l := start(t, s, streamtest.Task(1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, listed := s.Pools(ctx)
	_, reconciled := s.Reconcile(ctx, "p")
	_, got := s.Values(foldstream.Locks).Get(ctx, "k")
	_, counted := s.Pool("p").Stat(ctx)
	for i, err := range []error{listed, reconciled, got, counted, l.Commit(ctx, foldstream.Result{}), l.Extend(ctx, foldstream.Progress{})} {
		if !foldstream.Is(err, foldstream.Cancelled) {
			t.Errorf("call %d: got %v, want an error of kind cancelled", i, err)
		}
	}
}
