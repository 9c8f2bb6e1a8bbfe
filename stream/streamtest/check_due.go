package streamtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
)

var dueChecks = []Check{
	{"order/to one of many", dueOnce},
	{"order/kept while its process lives", dueKept},
	{"order/taken over", dueTakenOver},
	{"order/given back", dueReturned},
	{"order/failed", dueFailed},
	{"order/overtaken by a newer one", dueOvertaken},
}

// ordered makes an order of a schedule due and takes it.
func ordered(ctx context.Context, h Harness) (foldstream.Order, error) {
	if err := errors.Join(keep(ctx, h, scheduleOf("a", "@every 1h")), admin(h).OrderNow(ctx, "a")); err != nil {
		return nil, err
	}
	return orderOf(ctx, h.Store, "a")
}

// over wants both ends of an order to be refused.
func over(ctx context.Context, o foldstream.Order) error {
	return errors.Join(
		want(o.Done(ctx, foldstream.Outcome{Text: "stale"}), foldstream.Conflict, "done with an order that is over"),
		want(o.Return(ctx, errors.New("stale"), 0), foldstream.Conflict, "return of an order that is over"),
	)
}

// dueOnce has many wait for orders: each comes to one of them.
func dueOnce(ctx context.Context, h Harness) error {
	const n, daemons = 6, 4
	for i := range n {
		name := fmt.Sprint("s", i)
		if err := errors.Join(keep(ctx, h, scheduleOf(name, "@every 1h")), admin(h).OrderNow(ctx, name)); err != nil {
			return err
		}
	}
	var mu sync.Mutex
	taken := map[string]int{}
	var faults []error
	var wg sync.WaitGroup
	for i := range daemons {
		s := []foldstream.Store{h.Store, h.Second}[i%2].(foldstream.Scheduler)
		wg.Go(func() {
			for {
				o, err := s.NextOrder(ctx, h.Lease)
				if err == nil {
					err = o.Done(ctx, foldstream.Outcome{})
				}
				mu.Lock()
				if foldstream.Is(err, foldstream.NotFound) {
					mu.Unlock()
					return
				}
				if faults = append(faults, err); err == nil {
					taken[o.Schedule().Name]++
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if err := errors.Join(faults...); err != nil {
		return err
	}
	for i := range n {
		if name := fmt.Sprint("s", i); taken[name] != 1 {
			return fmt.Errorf("the order of %s was executed %d times", name, taken[name])
		}
	}
	return nil
}

// dueKept executes an order for several leases.
func dueKept(ctx context.Context, h Harness) error {
	o, err := ordered(ctx, h)
	if err != nil {
		return err
	}
	if err := idle(ctx, h.Second, 4*h.Lease); err != nil {
		return err
	}
	state, err := scheduled(ctx, h, "a")
	if err != nil || state.Due.Sub(o.Due()).Abs() > early || state.Last.Worker == "" || !state.Last.Ended.IsZero() {
		return off(err, "while its order is executed the schedule stands as %+v", state)
	}
	if err := errors.Join(o.Done(ctx, foldstream.Outcome{Text: "done"}), over(ctx, o), idle(ctx, h.Second, 2*h.Lease)); err != nil {
		return err
	}
	return nil
}

// dueTakenOver has the process of an order die, or freeze: another gets the same order, and the first one's words count no more.
func dueTakenOver(ctx context.Context, h Harness) error {
	o, err := ordered(ctx, h)
	if err != nil {
		return err
	}
	h.AbandonOrder(o)
	heir, err := orderOf(ctx, h.Second, "a")
	if err != nil {
		return fmt.Errorf("take over: %w", err)
	}
	if !heir.Due().Equal(o.Due()) {
		return fmt.Errorf("an order that was due %v is due %v to the one who takes it over", o.Due(), heir.Due())
	}
	if err := over(ctx, o); err != nil {
		return err
	}
	h.AbandonOrder(heir)
	third, err := orderOf(ctx, h.Store, "a")
	if err != nil {
		return fmt.Errorf("the order is gone after the stale one's words: %w", err)
	}
	if err := errors.Join(third.Done(ctx, foldstream.Outcome{Text: "by the third"}), over(ctx, heir), idle(ctx, h.Store, 3*h.Lease)); err != nil {
		return err
	}
	state, err := scheduled(ctx, h, "a")
	if err != nil || state.Last.Text != "by the third" {
		return off(err, "the outcome is %+v", state.Last)
	}
	return nil
}

func dueReturned(ctx context.Context, h Harness) error {
	o, err := ordered(ctx, h)
	if err != nil {
		return err
	}
	began, pause := time.Now(), 2*h.Lease
	if err := errors.Join(o.Return(ctx, errors.New("no server"), pause), over(ctx, o)); err != nil {
		return err
	}
	state, err := scheduled(ctx, h, "a")
	if err != nil || state.Last.Error != "no server" || !state.Last.Ended.IsZero() || state.Due.IsZero() {
		return off(err, "after its order was given back the schedule stands as %+v", state)
	}
	again, err := orderOf(ctx, h.Second, "a")
	if err != nil {
		return err
	}
	if waited := time.Since(began); waited < pause-early || !again.Due().Equal(o.Due()) {
		return fmt.Errorf("the order came back after %v, due %v; want after %v, due %v", waited, again.Due(), pause, o.Due())
	}
	return errors.Join(again.Done(ctx, foldstream.Outcome{}), idle(ctx, h.Store, 2*h.Lease))
}

// dueFailed ends an order with an error: it is told, and not tried again.
func dueFailed(ctx context.Context, h Harness) error {
	o, err := ordered(ctx, h)
	if err != nil {
		return err
	}
	if err := errors.Join(o.Done(ctx, foldstream.Outcome{Error: "there is no file"}), idle(ctx, h.Store, 2*h.Lease)); err != nil {
		return err
	}
	state, err := scheduled(ctx, h, "a")
	if err != nil || state.Last.Error != "there is no file" || state.Last.Ended.IsZero() || !state.Due.IsZero() || !state.Active {
		return off(err, "after its order failed the schedule stands as %+v", state)
	}
	return nil
}

// dueOvertaken makes an order due while the one before it is executed: who executes that is heard, and the new one comes.
func dueOvertaken(ctx context.Context, h Harness) error {
	o, err := ordered(ctx, h)
	if err != nil {
		return err
	}
	if err := after(ctx, time.Now().Add(early)); err != nil {
		return err
	}
	if err := errors.Join(admin(h).OrderNow(ctx, "a"), o.Done(ctx, foldstream.Outcome{Text: "first"})); err != nil {
		return err
	}
	state, err := scheduled(ctx, h, "a")
	if err != nil || state.Last.Text != "first" || state.Due.IsZero() {
		return off(err, "between two orders the schedule stands as %+v", state)
	}
	next, err := orderOf(ctx, h.Store, "a")
	if err != nil {
		return err
	}
	if !next.Due().After(o.Due()) {
		return fmt.Errorf("the second order was due %v, the first %v", next.Due(), o.Due())
	}
	return errors.Join(next.Done(ctx, foldstream.Outcome{}), idle(ctx, h.Store, 2*h.Lease))
}
