package stream_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// hourly is a schedule whose own time no test lives to see.
var hourly = foldstream.Schedule{Name: "nightly", When: "@every 1h", Kind: "test", Order: []byte("x")}

// dueNow keeps the schedule and makes an order of it due.
func dueNow(ctx context.Context, t *testing.T, s *stream.Store) {
	t.Helper()
	if err := s.Schedule(ctx, hourly, false); err != nil {
		t.Fatal(err)
	}
	if err := s.OrderNow(ctx, hourly.Name); err != nil {
		t.Fatal(err)
	}
}

// noOrder wants none to come within the time.
func noOrder(ctx context.Context, s *stream.Store, within time.Duration) error {
	o, err := s.NextOrder(ctx, within)
	if err == nil {
		return fmt.Errorf("an order of %s, due %v, came", o.Schedule().Name, o.Due())
	}
	if !foldstream.Is(err, foldstream.NotFound) {
		return err
	}
	return nil
}

// TestOrder_Dies kills the process that has an order after each of its steps.
func TestOrder_Dies(t *testing.T) {
	cfg := stream.Config{Lease: crashLease}
	t.Run("order: claimed", func(t *testing.T) {
		t.Parallel()
		url := streamtest.Server(t).URL()
		s, victim := open(t, url, cfg), openVictim(t, url)
		dueNow(t.Context(), t, s)
		died := victim.DieAt("order: claimed")
		if _, err := victim.NextOrder(t.Context(), time.Second); err == nil || !died.Load() {
			t.Fatalf("the victim lived on: %v", err)
		}
		o, err := s.NextOrder(t.Context(), soon.Wait)
		if err != nil {
			t.Fatal("the order is lost:", err)
		}
		if err := o.Done(t.Context(), foldstream.Outcome{Text: "by the heir"}); err != nil {
			t.Error(err)
		}
		if err := noOrder(t.Context(), s, 3*crashLease); err != nil {
			t.Error(err)
		}
	})
	t.Run("order: ended", func(t *testing.T) {
		t.Parallel()
		url := streamtest.Server(t).URL()
		s, victim := open(t, url, cfg), openVictim(t, url)
		dueNow(t.Context(), t, s)
		o, err := victim.NextOrder(t.Context(), time.Second)
		if err != nil {
			t.Fatal(err)
		}
		died := victim.DieAt("order: ended")
		if err := o.Done(t.Context(), foldstream.Outcome{Text: "by the victim"}); err != nil || !died.Load() {
			t.Fatalf("the victim lived on: %v", err)
		}
		if err := noOrder(t.Context(), s, 4*crashLease); err != nil { // it is brought again, and seen as ended
			t.Error(err)
		}
		for state, err := range s.Schedules(t.Context()) {
			if err != nil || state.Last.Text != "by the victim" || !state.Due.IsZero() {
				t.Errorf("%+v, %v", state, err)
			}
		}
	})
}

// TestSchedule_Cron has the server keep a cron in a zone, and refuse what is none.
func TestSchedule_Cron(t *testing.T) {
	s := open(t, streamtest.Server(t).URL(), stream.Config{Lease: crashLease})
	every := foldstream.Schedule{Name: "c", When: "* * * * * *", Zone: "Asia/Shanghai", Kind: "test"}
	for want, bad := range map[string]foldstream.Schedule{
		`when: the server knows no "* * * * * x"`:            {Name: "c", When: "* * * * * x", Kind: "test"},
		`zone: the server knows no time zone "Mars/Olympus"`: {Name: "c", When: every.When, Zone: "Mars/Olympus", Kind: "test"},
		`when: the server knows no "@sometimes"`:             {Name: "c", When: "@sometimes", Kind: "test"},
	} {
		if err := s.Schedule(t.Context(), bad, false); !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, not %s", bad, err, want)
		}
	}
	if err := s.Schedule(t.Context(), every, false); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		o, err := s.NextOrder(t.Context(), soon.Wait)
		if err != nil {
			t.Fatal(err)
		}
		if late := o.Due().Sub(o.Due().Truncate(time.Second)); late > 900*time.Millisecond {
			t.Errorf("due %v", o.Due())
		}
		if err := o.Done(t.Context(), foldstream.Outcome{}); err != nil {
			t.Error(err)
		}
		for state, err := range s.Schedules(t.Context()) {
			if err != nil || !state.Active || !state.Next.After(o.Due()) || state.Zone != "Asia/Shanghai" {
				t.Errorf("%+v, %v", state, err)
			}
		}
	}
}

// TestSchedule_ServerKilled kills the server with SIGKILL while orders wait, are executed and are done: none is lost, and none of those that a
// newer one rolled up, or that are done, comes back.
func TestSchedule_ServerKilled(t *testing.T) {
	server := streamtest.ServerProcess(t, t.TempDir())
	s := open(t, server.URL(), stream.Config{Lease: time.Second, Patience: 30 * time.Second})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	restart := func() {
		t.Helper()
		if err := server.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
	}
	for range 5 {
		dueNow(ctx, t, s)
	}
	restart()
	take := func() foldstream.Order {
		t.Helper()
		var o foldstream.Order
		err := eventually(ctx, func() (err error) {
			o, err = s.NextOrder(ctx, 2*time.Second)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	o := take()
	restart()
	err := o.Done(ctx, foldstream.Outcome{Text: "over a restart"})
	if foldstream.Is(err, foldstream.Conflict) { // the lease ran out while the server was away
		err = take().Done(ctx, foldstream.Outcome{Text: "over a restart"})
	}
	if err != nil {
		t.Error(err)
	}
	restart()
	for err = noOrder(ctx, s, 3*time.Second); foldstream.Is(err, foldstream.Unavailable); {
		err = noOrder(ctx, s, 3*time.Second)
	}
	if err != nil {
		t.Error(err)
	}
	for state, err := range s.Schedules(ctx) {
		if err != nil || state.Last.Text != "over a restart" || !state.Due.IsZero() || !state.Active {
			t.Errorf("%+v, %v", state, err)
		}
	}
}
