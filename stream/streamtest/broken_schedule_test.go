package streamtest_test

import (
	"context"
	"iter"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
)

// brokenScheduler are the faults of schedules; a nil function is no fault.
type brokenScheduler struct {
	schedule   func(ctx context.Context, s *mem.Store, sch foldstream.Schedule, replace bool) error
	unschedule func(ctx context.Context, s *mem.Store, name string) error
	scheduled  func(*foldstream.ScheduleState)
	orderNow   func(ctx context.Context, s *mem.Store, name string) error
	nextOrder  func(ctx context.Context, s *mem.Store, wait time.Duration) (foldstream.Order, error)
	due        func(time.Time) time.Time
	done       func(ctx context.Context, o foldstream.Order, out foldstream.Outcome) error
	giveBack   func(ctx context.Context, o foldstream.Order, why error, after time.Duration) error
}

func (b *broken) Schedule(ctx context.Context, sch foldstream.Schedule, replace bool) error {
	if b.schedule != nil {
		return b.schedule(ctx, b.Store, sch, replace)
	}
	return b.Store.Schedule(ctx, sch, replace)
}

func (b *broken) Unschedule(ctx context.Context, name string) error {
	if b.unschedule != nil {
		return b.unschedule(ctx, b.Store, name)
	}
	return b.Store.Unschedule(ctx, name)
}

func (b *broken) Schedules(ctx context.Context) iter.Seq2[foldstream.ScheduleState, error] {
	return func(yield func(foldstream.ScheduleState, error) bool) {
		for s, err := range b.Store.Schedules(ctx) {
			if b.scheduled != nil {
				b.scheduled(&s)
			}
			if !yield(s, err) {
				return
			}
		}
	}
}

func (b *broken) OrderNow(ctx context.Context, name string) error {
	if b.orderNow != nil {
		return b.orderNow(ctx, b.Store, name)
	}
	return b.Store.OrderNow(ctx, name)
}

func (b *broken) NextOrder(ctx context.Context, wait time.Duration) (o foldstream.Order, err error) {
	if b.nextOrder != nil {
		o, err = b.nextOrder(ctx, b.Store, wait)
	} else {
		o, err = b.Store.NextOrder(ctx, wait)
	}
	if err != nil {
		return nil, err
	}
	return &brokenOrder{o, b}, nil
}

type brokenOrder struct {
	foldstream.Order
	b *broken
}

func (o *brokenOrder) Due() time.Time {
	if o.b.due != nil {
		return o.b.due(o.Order.Due())
	}
	return o.Order.Due()
}

func (o *brokenOrder) Done(ctx context.Context, out foldstream.Outcome) error {
	if o.b.done != nil {
		return o.b.done(ctx, o.Order, out)
	}
	return o.Order.Done(ctx, out)
}

func (o *brokenOrder) Return(ctx context.Context, why error, after time.Duration) error {
	if o.b.giveBack != nil {
		return o.b.giveBack(ctx, o.Order, why, after)
	}
	return o.Order.Return(ctx, why, after)
}
