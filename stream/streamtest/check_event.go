package streamtest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/foldstream/foldstream"
)

var eventChecks = []Check{
	{"event/a life as a chain", eventChain},
	{"event/one run an attempt", eventRun},
	{"event/cursor and filter", eventCursor},
	{"event/follow", eventFollow},
	{"event/a task needs its pool", eventInvalid},
}

func eventChain(ctx context.Context, h Harness) error {
	l, err := startOne(ctx, h.Store, withStages(Task(1), "fit", "predict"))
	if err != nil {
		return err
	}
	if err := l.Return(ctx, errors.New("busy"), 0); err != nil {
		return err
	}
	for _, stage := range []string{"fit", "predict"} {
		if l, err = fetch(ctx, h.Store); err != nil {
			return err
		}
		if err := l.Commit(ctx, by(stage)); err != nil {
			return err
		}
	}
	if err := resultBy(ctx, h.Store, Task(1).ID, "predict"); err != nil {
		return err
	}
	events, err := history(ctx, h.Store, Task(1).ID)
	if err != nil {
		return err
	}
	var got []string
	var last foldstream.Cursor
	for _, e := range events {
		got = append(got, fmt.Sprintf("%s %s %s %v", e.Kind, e.Status, e.Stage, e.Result != nil))
		if e.Expected != last || e.Seq <= last || e.At.IsZero() || e.Pool != pool || e.Task != Task(1).ID {
			return fmt.Errorf("event %+v does not follow event %d of task %s in pool %s", e, last, Task(1).ID, pool)
		}
		if (e.Kind == foldstream.EventClaim || e.Result != nil) && e.Worker == "" {
			return fmt.Errorf("event %d (%s) names no worker", e.Seq, e.Kind)
		}
		last = e.Seq
	}
	return same("the events", got, []string{
		"claim running fit false", "end waiting fit false", "claim running fit false", "part part_done fit true",
		"claim running predict false", "result done predict true",
	})
}

// eventRun has an attempt that is given back, one that is lost with its worker, and one that commits.
func eventRun(ctx context.Context, h Harness) error {
	first, err := startOne(ctx, h.Store, Task(1))
	if err != nil {
		return err
	}
	if err := first.Return(ctx, nil, 0); err != nil {
		return err
	}
	lost, err := fetch(ctx, h.Store)
	if err != nil {
		return err
	}
	h.Abandon(lost)
	last, err := fetch(ctx, h.Second)
	if err != nil {
		return err
	}
	if err := last.Commit(ctx, by("me")); err != nil {
		return err
	}
	var want, got []string
	for _, l := range []foldstream.Lease{first, lost, last} {
		run := l.Task().Run
		if run == "" || slices.Contains(want, run) {
			return fmt.Errorf("the attempt is called %q, those before it %q", run, want)
		}
		if want = append(want, run); l != lost {
			want = append(want, run) // by its claim and its end
		}
	}
	events, err := history(ctx, h.Second, Task(1).ID)
	for _, e := range events {
		got = append(got, e.Run)
	}
	if err == nil {
		err = same("the runs of the events", got, want)
	}
	return err
}

func eventCursor(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, Tasks(0, 3)...); err != nil {
		return err
	}
	if _, err := drain(ctx, h.Store, 3); err != nil {
		return err
	}
	if _, err := h.Store.Pool("other").Create(ctx, Task(9)); err != nil {
		return err
	}
	if err := done(ctx, h, 3); err != nil {
		return err
	}
	all, err := collect(h.Store.Events(ctx, foldstream.EventFilter{}, 0))
	if err != nil {
		return err
	}
	if len(all) != 6 {
		return fmt.Errorf("%d events of 3 tasks, want 6", len(all))
	}
	inOrder := slices.IsSortedFunc(all, func(a, b foldstream.Event) int { return int(a.Seq) - int(b.Seq) })
	rest, err := collect(h.Store.Events(ctx, foldstream.EventFilter{Pool: pool}, all[2].Seq))
	if err != nil || !inOrder || len(rest) != 3 || rest[0].Seq != all[3].Seq {
		return off(err, "after cursor %d came %d events (in order: %v), want the 3 after it", all[2].Seq, len(rest), inOrder)
	}
	none, err := collect(h.Store.Events(ctx, foldstream.EventFilter{Pool: "other"}, 0))
	if err != nil || len(none) > 0 {
		return off(err, "%d events of a pool where nothing was worked", len(none))
	}
	for e, err := range h.Store.Events(ctx, foldstream.EventFilter{Pool: pool}, all[5].Seq) {
		return off(err, "after the last event came %+v", e)
	}
	return nil
}

// eventFollow follows from before the first task to after the last.
func eventFollow(ctx context.Context, h Harness) error {
	following, stop := context.WithCancel(ctx)
	defer stop()
	events, idle, ended := make(chan foldstream.Event, 16), make(chan foldstream.Cursor, 64), make(chan error, 1)
	go func() {
		f := foldstream.EventFilter{Pool: pool, Follow: true, Idle: func(c foldstream.Cursor) {
			select {
			case idle <- c:
			default:
			}
		}}
		for e, err := range h.Second.Events(following, f, 0) {
			if err != nil {
				ended <- err
				return
			}
			events <- e
		}
		ended <- nil
	}()
	if err := receive(ctx, idle, func(foldstream.Cursor) bool { return true }, "a call of Idle with nothing to read"); err != nil {
		return err
	}
	if err := create(ctx, h.Store, Task(1)); err != nil {
		return err
	}
	if _, err := drain(ctx, h.Store, 1); err != nil {
		return err
	}
	var last foldstream.Cursor
	isResult := func(e foldstream.Event) bool { last = e.Seq; return e.Kind == foldstream.EventResult }
	if err := receive(ctx, events, isResult, "the result"); err != nil {
		return err
	}
	if err := receive(ctx, idle, func(c foldstream.Cursor) bool { return c >= last }, "a call of Idle after the result"); err != nil {
		return err
	}
	stop()
	return receive(ctx, ended, func(err error) bool { return err == nil }, "an end without an error when the context ends")
}

func eventInvalid(ctx context.Context, h Harness) error {
	_, err := collect(h.Store.Events(ctx, foldstream.EventFilter{Task: Task(1).ID}, 0))
	return want(err, foldstream.Invalid, "events of a task of no pool")
}

// receive reads from a channel until what it gives is the thing.
func receive[T any](ctx context.Context, from <-chan T, isIt func(T) bool, what string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		select {
		case v := <-from:
			if isIt(v) {
				return nil
			}
		case <-ctx.Done():
			return fmt.Errorf("waited in vain for %s", what)
		}
	}
}
