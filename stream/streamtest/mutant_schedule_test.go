package streamtest_test

import (
	"context"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

var scheduleMutants = []mutant{
	{"a schedule always takes the other's place", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.schedule = func(ctx context.Context, s *mem.Store, sch foldstream.Schedule, _ bool) error {
			return s.Schedule(ctx, sch, true)
		}
	}, []string{"schedule/kept"}},
	{"whatever is written is a schedule", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.schedule = func(ctx context.Context, s *mem.Store, sch foldstream.Schedule, replace bool) error {
			if err := s.Schedule(ctx, sch, replace); !foldstream.Is(err, foldstream.Invalid) {
				return err
			}
			return nil
		}
	}, []string{"schedule/refused"}},
	{"what is kept comes due at once", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.schedule = func(ctx context.Context, s *mem.Store, sch foldstream.Schedule, replace bool) error {
			if err := s.Schedule(ctx, sch, replace); err != nil {
				return err
			}
			return s.OrderNow(ctx, sch.Name)
		}
	}, []string{"schedule/kept", "schedule/once"}},
	{"nothing ever comes due", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.nextOrder = func(context.Context, *mem.Store, time.Duration) (foldstream.Order, error) {
			return nil, foldstream.Errorf(foldstream.NotFound, "", "nothing")
		}
	}, []string{
		"schedule/once", "schedule/again and again", "schedule/missed", "schedule/now", "schedule/forgotten", "order/to one of many",
		"order/kept while its process lives", "order/taken over", "order/given back", "order/failed", "order/overtaken by a newer one",
	}},
	{"orders are old", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.due = func(t time.Time) time.Time { return t.Add(-2 * time.Second) }
	}, []string{"schedule/once", "schedule/again and again", "schedule/missed"}},
	{"each order comes twice", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.done = func(ctx context.Context, o foldstream.Order, out foldstream.Outcome) error {
			if err := o.Done(ctx, out); err != nil {
				return err
			}
			return b.Store.OrderNow(ctx, o.Schedule().Name)
		}
	}, []string{"schedule/once", "schedule/now", "order/kept while its process lives", "order/failed", "order/given back", "order/taken over"}},
	{"unschedule does nothing", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.unschedule = func(context.Context, *mem.Store, string) error { return nil }
	}, []string{"schedule/kept", "schedule/refused", "schedule/missed", "schedule/forgotten"}},
	{"an order that waits is not forgotten", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		var kept foldstream.Order
		b.unschedule = func(ctx context.Context, s *mem.Store, name string) error {
			kept, _ = s.NextOrder(ctx, 0)
			return s.Unschedule(ctx, name)
		}
		b.nextOrder = func(ctx context.Context, s *mem.Store, wait time.Duration) (foldstream.Order, error) {
			if o := kept; o != nil {
				kept = nil
				return o, nil
			}
			return s.NextOrder(ctx, wait)
		}
	}, []string{"schedule/forgotten"}},
	{"every third order is one that is held", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		var mu sync.Mutex
		var held foldstream.Order
		n := 0
		b.nextOrder = func(ctx context.Context, s *mem.Store, wait time.Duration) (foldstream.Order, error) {
			mu.Lock()
			n++
			again, third := held, n%3 == 0
			mu.Unlock()
			if third && again != nil {
				return again, nil
			}
			o, err := s.NextOrder(ctx, wait)
			if err == nil {
				mu.Lock()
				held = o
				mu.Unlock()
			}
			return o, err
		}
	}, []string{"order/to one of many"}},
	{"an abandoned order lives on", mem.Options{}, func(_ *broken, h *streamtest.Harness) {
		h.AbandonOrder = func(foldstream.Order) {}
	}, []string{"order/taken over"}},
	{"an order does not live by itself", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.nextOrder = func(ctx context.Context, s *mem.Store, wait time.Duration) (foldstream.Order, error) {
			o, err := s.NextOrder(ctx, wait)
			if err == nil {
				mem.AbandonOrder(o)
			}
			return o, err
		}
	}, []string{"order/kept while its process lives"}},
	{"a stale end of an order is no error", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.done = func(ctx context.Context, o foldstream.Order, out foldstream.Outcome) error {
			if err := o.Done(ctx, out); !stale(err) {
				return err
			}
			return nil
		}
	}, []string{"order/taken over", "order/kept while its process lives", "schedule/forgotten"}},
	{"an order that was given back comes at once", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.giveBack = func(ctx context.Context, o foldstream.Order, why error, _ time.Duration) error {
			return o.Return(ctx, why, 0)
		}
	}, []string{"order/given back"}},
	{"orders do not fail", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.done = func(ctx context.Context, o foldstream.Order, out foldstream.Outcome) error {
			out.Error = ""
			return o.Done(ctx, out)
		}
	}, []string{"order/failed"}},
	{"nobody knows when", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.scheduled = func(s *foldstream.ScheduleState) { s.Next, s.Due = time.Time{}, time.Time{} }
	}, []string{"schedule/kept", "schedule/once", "schedule/now", "schedule/missed", "order/kept while its process lives"}},
	{"no order comes due beside another", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.orderNow = func(ctx context.Context, s *mem.Store, name string) error {
			for state, err := range s.Schedules(ctx) {
				if err == nil && state.Name == name && !state.Due.IsZero() {
					return nil
				}
			}
			return s.OrderNow(ctx, name)
		}
	}, []string{"order/overtaken by a newer one"}},
}
