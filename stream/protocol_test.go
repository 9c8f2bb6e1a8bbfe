package stream_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// soon is the filter of fetches whose task must come.
var soon = foldstream.Filter{Wait: 15 * time.Second}

// fetch leases the next task of the pool "p".
func fetch(t *testing.T, s *stream.Store) foldstream.Lease {
	t.Helper()
	l, err := s.Pool("p").Fetch(t.Context(), soon)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func create(t *testing.T, s *stream.Store, tasks ...foldstream.Task) {
	t.Helper()
	if _, err := s.Pool("p").Create(t.Context(), tasks...); err != nil {
		t.Fatal(err)
	}
}

// TestCreate_NothingOfWhatIsBad creates many tasks of which some cannot be encoded: the first is named, and none is created.
func TestCreate_NothingOfWhatIsBad(t *testing.T) {
	s := open(t, streamtest.Server(t).URL(), stream.Config{})
	tasks := streamtest.Tasks(0, 2000)
	for _, i := range []int{1700, 900, 901} {
		tasks[i].Task = map[string]any{"f": func() {}}
	}
	_, err := s.Pool("p").Create(t.Context(), tasks...)
	if !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), string(tasks[900].ID)) {
		t.Errorf("%v; want the fault of task %s", err, tasks[900].ID)
	}
	if n, err := s.Pool("p").Stat(t.Context()); err != nil || n.Total() != 0 {
		t.Errorf("%v tasks were created (%v)", n, err)
	}
}

// TestLease_Fence has a worker that lost its lease commit as the first thing it does, beside the one that took over.
func TestLease_Fence(t *testing.T) {
	for name, end := range map[string]func(l foldstream.Lease) error{
		"commit": func(l foldstream.Lease) error { return l.Commit(t.Context(), foldstream.Result{Worker: "stale"}) },
		"return": func(l foldstream.Lease) error { return l.Return(t.Context(), errors.New("stale"), 0) },
		"fail":   func(l foldstream.Lease) error { return l.Fail(t.Context(), errors.New("stale")) },
	} {
		t.Run(name, func(t *testing.T) {
			url := streamtest.Server(t).URL()
			cfg := stream.Config{Lease: 300 * time.Millisecond}
			first, second := open(t, url, cfg), open(t, url, cfg)
			create(t, first, streamtest.Task(1))
			stale := fetch(t, first)
			stream.Abandon(stale)
			quick := fetch(t, second)
			if err := end(stale); !foldstream.Is(err, foldstream.Conflict) {
				t.Errorf("the stale worker's %s: %v; want a conflict", name, err)
			}
			if err := quick.Commit(t.Context(), foldstream.Result{Worker: "quick"}); err != nil {
				t.Error("the live worker's commit:", err)
			}
			if err := streamtest.Conserved(t.Context(), second, "p"); err != nil {
				t.Error(err)
			}
			if err := nothingLeft(t.Context(), second); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLease_LiveWorker keeps a lease far beyond its time by beats alone, over a restart of what the server knows of deliveries:
// a ticket that comes back early does not take the task from a worker whose entry in Workers lists it.
func TestLease_LiveWorker(t *testing.T) {
	url := streamtest.Server(t).URL()
	cfg := stream.Config{Lease: 300 * time.Millisecond}
	first, second := open(t, url, cfg), open(t, url, cfg)
	create(t, first, streamtest.Task(1))
	held := fetch(t, first)
	if err := held.Extend(t.Context(), foldstream.Progress{}); err != nil {
		t.Fatal(err)
	}
	for range 8 { // each answer brings the ticket to somebody else at once
		stream.NakTicket(held)
		l, err := second.Pool("p").Fetch(t.Context(), foldstream.Filter{Wait: 200 * time.Millisecond})
		if err == nil {
			t.Fatalf("attempt %d was leased beside a live worker", l.Task().Attempt)
		}
	}
	if err := held.Commit(t.Context(), foldstream.Result{}); err != nil {
		t.Error(err)
	}
}

// TestReturn_Schedule gives a task back for longer than a ticket waits.
func TestReturn_Schedule(t *testing.T) {
	const pause = time.Second
	s := open(t, streamtest.Server(t).URL(), stream.Config{Lease: 300 * time.Millisecond})
	s.SetLongDelay(pause / 2)
	task := streamtest.Task(1)
	task.Stages = []string{"later", "score"}
	create(t, s, task)
	if err := fetch(t, s).Commit(t.Context(), foldstream.Result{Code: "part"}); err != nil {
		t.Fatal(err)
	}
	l, start := fetch(t, s), time.Now()
	if err := l.Return(t.Context(), errors.New("not yet"), pause); err != nil {
		t.Fatal(err)
	}
	if n, err := s.TicketSchedules(t.Context(), "p", task.ID); err != nil || n != 1 {
		t.Errorf("%d schedules, %v; want 1", n, err)
	}
	if made, err := s.Pool("p").Create(t.Context(), task); err != nil || made[0].New {
		t.Errorf("created again while it waits: %+v, %v", made, err)
	}
	again := fetch(t, s)
	if waited := time.Since(start); waited < pause-20*time.Millisecond {
		t.Errorf("it came back after %v, not %v", waited, pause)
	}
	if got := again.Task(); got.Attempt != 2 || got.Stage != "score" || got.Part == nil || got.Part.Code != "part" {
		t.Errorf("it came back as attempt %d of stage %q with part %+v", got.Attempt, got.Stage, got.Part)
	}
	if err := again.Commit(t.Context(), foldstream.Result{}); err != nil {
		t.Error(err)
	}
	if err := nothingLeft(t.Context(), s); err != nil {
		t.Error(err)
	}
}

// TestReturn_Died leaves the schedule and the old ticket both, as a worker that dies between the two; the old one drops itself.
func TestReturn_Died(t *testing.T) {
	const pause = 1500 * time.Millisecond
	s := open(t, streamtest.Server(t).URL(), stream.Config{Lease: 300 * time.Millisecond})
	s.SetLongDelay(pause / 2)
	create(t, s, streamtest.Task(1))
	l, start := fetch(t, s), time.Now()
	stream.KeepTicket(l)
	if err := l.Return(t.Context(), nil, pause); err != nil {
		t.Fatal(err)
	}
	again := fetch(t, s)
	if waited := time.Since(start); waited < pause-20*time.Millisecond || again.Task().Attempt != 1 {
		t.Errorf("it came back after %v as attempt %d, not after %v as attempt 1", waited, again.Task().Attempt, pause)
	}
	if err := again.Commit(t.Context(), foldstream.Result{}); err != nil {
		t.Error(err)
	}
	if err := nothingLeft(t.Context(), s); err != nil {
		t.Error(err)
	}
}

// TestFetch_NewBand starts an urgent task on a band that nobody knew while a fetch waits on another: it is brought, not found by
// the next look.
func TestFetch_NewBand(t *testing.T) {
	url := streamtest.Server(t).URL()
	producer, consumer := open(t, url, stream.Config{}), open(t, url, stream.Config{})
	create(t, producer, streamtest.Task(1))
	if err := fetch(t, consumer).Commit(t.Context(), foldstream.Result{}); err != nil {
		t.Fatal(err)
	}
	got := make(chan error, 1)
	var started time.Time
	go func() {
		_, err := consumer.Pool("p").Fetch(t.Context(), soon)
		started = time.Now()
		got <- err
	}()
	if err := consumer.Parked(t.Context(), "p"); err != nil {
		t.Fatal(err)
	}
	urgent, highest := streamtest.Task(2), foldstream.MaxPriority
	urgent.Priority = &highest
	begin := time.Now()
	create(t, producer, urgent)
	if err := <-got; err != nil {
		t.Fatal(err)
	}
	if took := started.Sub(begin); took > 2*time.Second {
		t.Errorf("the urgent task started after %v", took)
	}
}

// TestFetch_LostConsumer has somebody delete the consumers behind the store's back.
func TestFetch_LostConsumer(t *testing.T) {
	s := open(t, streamtest.Server(t).URL(), stream.Config{Lease: 300 * time.Millisecond})
	create(t, s, streamtest.Tasks(0, 3)...)
	for i := range 3 {
		if err := s.DeleteConsumers(t.Context()); err != nil {
			t.Fatal(err)
		}
		if i == 2 {
			if _, err := s.Reconcile(t.Context(), "p"); err != nil {
				t.Error(err)
			}
		}
		if err := fetch(t, s).Commit(t.Context(), foldstream.Result{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := streamtest.Conserved(t.Context(), s, "p"); err != nil {
		t.Error(err)
	}
}

// TestDenied has a user who may not do what is needed.
func TestDenied(t *testing.T) {
	s := deniedServer(t, "fold.def.>")
	_, err := s.Pool("p").Create(t.Context(), streamtest.Task(1))
	if !foldstream.Is(err, foldstream.Denied) {
		t.Errorf("create: %v; want denied", err)
	}
	_, err = s.Pool("p").Fetch(t.Context(), foldstream.Filter{})
	if !foldstream.Is(err, foldstream.NotFound) && !foldstream.Is(err, foldstream.Denied) {
		t.Errorf("fetch: %v", err)
	}
}

// TestUnavailable has a server that is gone, and comes back.
func TestUnavailable(t *testing.T) {
	server := streamtest.ServerProcess(t, t.TempDir())
	s := open(t, server.URL(), stream.Config{Lease: 300 * time.Millisecond, Patience: 400 * time.Millisecond})
	create(t, s, streamtest.Task(1), streamtest.Task(2))
	l := fetch(t, s)
	if err := l.Extend(t.Context(), foldstream.Progress{}); err != nil {
		t.Fatal(err)
	}
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"create": func() error { _, err := s.Pool("p").Create(t.Context(), streamtest.Task(3)); return err }(),
		"fetch":  func() error { _, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{}); return err }(),
		"stat":   func() error { _, err := s.Pool("p").Stat(t.Context()); return err }(),
		"commit": l.Commit(t.Context(), foldstream.Result{}),
		"get":    func() error { _, err := s.Values(foldstream.Pools).Get(t.Context(), "p"); return err }(),
	} {
		if !foldstream.Is(err, foldstream.Unavailable) {
			t.Errorf("%s: %v; want unavailable", name, err)
		}
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err := eventually(ctx, func() error { // the same commit again: it counts once, whatever became of the first
		err := l.Commit(ctx, foldstream.Result{})
		if foldstream.Is(err, foldstream.Conflict) {
			return nil // the lease ran out while the server was away
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if _, err := s.Pool("p").Stat(ctx); err != nil && !errors.Is(err, nats.ErrTimeout) {
		t.Error(err)
	}
}
