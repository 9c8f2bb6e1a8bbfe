package streamtest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

var scheduleChecks = []Check{
	{"schedule/kept", scheduleKept},
	{"schedule/refused", scheduleRefused},
	{"schedule/once", scheduleOnce},
	{"schedule/again and again", scheduleEvery},
	{"schedule/missed", scheduleMissed},
	{"schedule/now", scheduleNow},
	{"schedule/forgotten", scheduleForgotten},
}

// second is the shortest period of a schedule.
const second = time.Second

func scheduleOf(name, when string) foldstream.Schedule {
	return foldstream.Schedule{Name: name, When: when, Kind: "test", Order: []byte("do " + name)}
}

// onceIn is the pattern of a schedule that comes due once, so long from now.
func onceIn(after time.Duration) (time.Time, string) {
	t := time.Now().Add(after)
	return t, "@at " + t.UTC().Format(time.RFC3339Nano)
}

func keep(ctx context.Context, h Harness, schedules ...foldstream.Schedule) error {
	for _, s := range schedules {
		if err := admin(h).Schedule(ctx, s, false); err != nil {
			return fmt.Errorf("schedule %s: %w", s.Name, err)
		}
	}
	return nil
}

// scheduled reads how one schedule stands.
func scheduled(ctx context.Context, h Harness, name string) (foldstream.ScheduleState, error) {
	all, err := collect(admin(h).Schedules(ctx))
	if err != nil {
		return foldstream.ScheduleState{}, err
	}
	for _, s := range all {
		if s.Name == name {
			return s, nil
		}
	}
	return foldstream.ScheduleState{}, foldstream.Errorf(foldstream.NotFound, "", "no schedule %s among %d", name, len(all))
}

// orderOf takes the next order, which must come and be of that schedule.
func orderOf(ctx context.Context, s foldstream.Store, name string) (foldstream.Order, error) {
	o, err := s.(foldstream.Scheduler).NextOrder(ctx, patience)
	if err != nil {
		return nil, err
	}
	if got := o.Schedule(); got.Name != name || string(got.Order) != "do "+name || got.Kind != "test" {
		return nil, fmt.Errorf("an order of %+v came, want one of %s", got, name)
	}
	return o, nil
}

// idle fails when an order comes within the time.
func idle(ctx context.Context, s foldstream.Store, within time.Duration) error {
	o, err := s.(foldstream.Scheduler).NextOrder(ctx, within)
	if err == nil {
		return fmt.Errorf("an order of %s, due %v, came; none should", o.Schedule().Name, o.Due())
	}
	return want(err, foldstream.NotFound, "the next order where none is due")
}

// dueAt fails where an order came due before its time, or far behind it.
func dueAt(o foldstream.Order, at time.Time) error {
	if late := o.Due().Sub(at); late < -early || late > second+slack {
		return fmt.Errorf("an order of %s came due %v after its time", o.Schedule().Name, late)
	}
	if time.Since(o.Due()) < -early {
		return fmt.Errorf("an order of %s was handed out %v before it came due", o.Schedule().Name, time.Until(o.Due()))
	}
	return nil
}

func scheduleKept(ctx context.Context, h Harness) error {
	b, a := scheduleOf("b", "@every 1h"), scheduleOf("a", "@every 2h")
	if err := keep(ctx, h, b, a, b); err != nil {
		return err
	}
	all, err := collect(admin(h).Schedules(ctx))
	if err != nil || len(all) != 2 {
		return off(err, "%d schedules, want 2", len(all))
	}
	if err := errors.Join(same("the first by name", all[0].Schedule, a), same("the second", all[1].Schedule, b)); err != nil {
		return err
	}
	if s := all[1]; !s.Active || time.Until(s.Next).Round(time.Minute) != time.Hour || !s.Due.IsZero() || !s.Last.Taken.IsZero() {
		return fmt.Errorf("a schedule that never came due stands as %+v", s)
	}
	other := scheduleOf("b", "@every 3h")
	if err := want(admin(h).Schedule(ctx, other, false), foldstream.Conflict, "another schedule of a name that is taken"); err != nil {
		return err
	}
	if err := admin(h).Schedule(ctx, other, true); err != nil {
		return err
	}
	state, err := scheduled(ctx, h, "b")
	if err != nil || state.When != "@every 3h" {
		return off(err, "the replaced schedule is %q", state.When)
	}
	if err := admin(h).Unschedule(ctx, "a"); err != nil {
		return err
	}
	_, err = scheduled(ctx, h, "a")
	return errors.Join(want(err, foldstream.NotFound, "a schedule that was forgotten"), idle(ctx, h.Store, 0))
}

func scheduleRefused(ctx context.Context, h Harness) error {
	a := admin(h)
	for _, s := range []foldstream.Schedule{
		scheduleOf("a.b", "@every 1h"), scheduleOf("a", "@every 1ms"), scheduleOf("a", "@every soon"), scheduleOf("a", "@at noon"),
		scheduleOf("a", "5 * * * *"), scheduleOf("a", ""), {Name: "a", When: "@every 1h", Kind: ""}, {Name: "a", When: "@every 1h", Kind: "test", Zone: "UTC"},
		scheduleOf("a", "@sometimes"),
	} {
		if err := want(a.Schedule(ctx, s, false), foldstream.Invalid, fmt.Sprintf("schedule %q %q", s.Name, s.When)); err != nil {
			return err
		}
	}
	large := scheduleOf("a", "@every 1h")
	large.Order = []byte(strings.Repeat("x", 2*h.MaxPayload))
	err := errors.Join(
		want(a.Schedule(ctx, large, false), foldstream.TooLarge, "too large an order"),
		want(a.Unschedule(ctx, "a"), foldstream.NotFound, "unschedule what is not there"),
		want(a.OrderNow(ctx, "a"), foldstream.NotFound, "an order of what is not there"),
		want(a.Unschedule(ctx, "a.b"), foldstream.NotFound, "unschedule what has no name"),
	)
	if all, listErr := collect(a.Schedules(ctx)); listErr != nil || len(all) != 0 {
		return off(listErr, "%d schedules were kept", len(all))
	}
	return err
}

// scheduleOnce keeps two schedules that come due at one time each, the later one first.
func scheduleOnce(ctx context.Context, h Harness) error {
	laterAt, later := onceIn(2 * second)
	soonAt, soon := onceIn(second)
	if err := keep(ctx, h, scheduleOf("later", later), scheduleOf("soon", soon)); err != nil {
		return err
	}
	if time.Until(soonAt) > second/2 { // else the machine is too slow to look before its time
		if err := idle(ctx, h.Second, second/4); err != nil {
			return err
		}
	}
	for name, due := range map[string]time.Time{"soon": soonAt, "later": laterAt} {
		if state, err := scheduled(ctx, h, name); err != nil || state.Next.Sub(due).Abs() > early {
			return off(err, "%s comes due at %v, want %v", name, state.Next, due)
		}
	}
	for _, c := range []struct {
		name string
		due  time.Time
	}{{"soon", soonAt}, {"later", laterAt}} {
		o, err := orderOf(ctx, h.Second, c.name)
		if err != nil {
			return err
		}
		if err := errors.Join(dueAt(o, c.due), o.Done(ctx, foldstream.Outcome{Text: "3 new"})); err != nil {
			return err
		}
	}
	state, err := scheduled(ctx, h, "soon")
	if err != nil {
		return err
	}
	if l := state.Last; state.Active || !state.Next.IsZero() || !state.Due.IsZero() || l.Text != "3 new" || l.Error != "" || l.Ended.IsZero() || l.Worker == "" {
		return fmt.Errorf("after its only time the schedule stands as %+v", state)
	}
	return idle(ctx, h.Store, second)
}

func scheduleEvery(ctx context.Context, h Harness) error {
	if err := keep(ctx, h, scheduleOf("a", "@every 1s")); err != nil {
		return err
	}
	var before time.Time
	for range 3 {
		state, err := scheduled(ctx, h, "a")
		if err != nil {
			return err
		}
		o, err := orderOf(ctx, h.Store, "a")
		if err != nil {
			return err
		}
		if state.Due.IsZero() && dueAt(o, state.Next) != nil || !o.Due().After(before) {
			return fmt.Errorf("an order came due at %v, after %v, told for %v", o.Due(), before, state.Next)
		}
		before = o.Due()
		if err := o.Done(ctx, foldstream.Outcome{}); err != nil {
			return err
		}
	}
	if state, err := scheduled(ctx, h, "a"); err != nil || !state.Active || state.Last.Due.Sub(before).Abs() > early {
		return off(err, "after three times the schedule stands as %+v", state)
	}
	return nil
}

// scheduleMissed has nobody there while a schedule comes due again and again: one order waits, the newest.
func scheduleMissed(ctx context.Context, h Harness) error {
	began := time.Now()
	if err := keep(ctx, h, scheduleOf("a", "@every 1s")); err != nil {
		return err
	}
	if err := after(ctx, began.Add(3*second+second/2)); err != nil {
		return err
	}
	o, err := orderOf(ctx, h.Store, "a")
	if err != nil {
		return err
	}
	if missed := o.Due().Sub(began); missed < 2*second {
		return fmt.Errorf("after three times the order of the first %v came", missed)
	}
	state, err := scheduled(ctx, h, "a")
	if late := state.Due.Sub(o.Due()); err != nil || late < -early || late > time.Since(o.Due()) { // one more may have come due since
		return off(err, "the order is due since %v, the schedule says %v", o.Due(), state.Due)
	}
	if err := errors.Join(o.Done(ctx, foldstream.Outcome{}), admin(h).Unschedule(ctx, "a")); err != nil {
		return err
	}
	return idle(ctx, h.Store, second/2)
}

func scheduleNow(ctx context.Context, h Harness) error {
	if err := errors.Join(keep(ctx, h, scheduleOf("a", "@every 1h")), admin(h).OrderNow(ctx, "a"), admin(h).OrderNow(ctx, "a")); err != nil {
		return err
	}
	o, err := orderOf(ctx, h.Store, "a")
	if err != nil {
		return err
	}
	if err := errors.Join(dueAt(o, time.Now().Add(-slack)), o.Done(ctx, foldstream.Outcome{}), idle(ctx, h.Store, second/2)); err != nil {
		return err
	}
	state, err := scheduled(ctx, h, "a")
	if err != nil || !state.Active || time.Until(state.Next).Round(time.Minute) != time.Hour {
		return off(err, "an order beside its time changed when the next one comes: %+v", state)
	}
	return nil
}

// scheduleForgotten forgets schedules whose orders wait, and are executed.
func scheduleForgotten(ctx context.Context, h Harness) error {
	if err := errors.Join(keep(ctx, h, scheduleOf("a", "@every 1h")), admin(h).OrderNow(ctx, "a"), admin(h).Unschedule(ctx, "a"), idle(ctx, h.Store, second/2)); err != nil {
		return err
	}
	if err := errors.Join(keep(ctx, h, scheduleOf("b", "@every 1h")), admin(h).OrderNow(ctx, "b")); err != nil {
		return err
	}
	o, err := orderOf(ctx, h.Store, "b")
	if err != nil {
		return err
	}
	if err := errors.Join(admin(h).Unschedule(ctx, "b"), want(o.Done(ctx, foldstream.Outcome{}), foldstream.Conflict, "the end of a forgotten order")); err != nil {
		return err
	}
	_, err = scheduled(ctx, h, "b")
	return errors.Join(want(err, foldstream.NotFound, "a schedule that was forgotten"), idle(ctx, h.Second, 2*h.Lease))
}
