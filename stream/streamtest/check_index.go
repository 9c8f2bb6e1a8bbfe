package streamtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
)

var indexChecks = []Check{
	{"index/tasks in each status", indexStates},
	{"index/follows the events", indexEvents},
	{"index/prioritized and delayed", indexWaiting},
	{"index/many", indexMany},
	{"index/not there", indexNotFound},
	{"index/workers", indexWorkers},
	{"index/pages", indexPages},
	{"index/pages of a status", indexPagesOf},
	{"index/a new life comes last", indexNewLife},
	{"index/no page", indexNoPage},
	{"index/all pools", indexAllPools},
}

func indexStates(ctx context.Context, h Harness) error {
	if _, err := everyStatus(ctx, h); err != nil {
		return err
	}
	want := []string{
		"3 done worked ", "4 failed worked no use", "6 part_done worked ", "5 cancelled - ", "2 running worked ", "1 waiting - ",
	}
	return Eventually(ctx, func() error {
		states, err := collect(admin(h).Tasks(ctx, pool))
		if err != nil {
			return err
		}
		var got []string
		for _, s := range states {
			worked := "-"
			if s.Worker != "" {
				worked = "worked"
			}
			got = append(got, fmt.Sprintf("%s %s %s %s", s.Tags["n"], s.Status, worked, s.Error))
			if s.Created.IsZero() {
				return fmt.Errorf("the index does not say when task %s was created", s.ID)
			}
		}
		return same("the tasks in order of creation", got, want)
	})
}

// indexEvents compares each state with the last event of its task, over several attempts and stages.
func indexEvents(ctx context.Context, h Harness) error {
	follows := func(what string) error { return Eventually(ctx, func() error { return asOf(ctx, h, what) }) }
	if err := create(ctx, h.Store, withPriority(withStages(Task(1), "fit", "predict"), 2)); err != nil {
		return err
	}
	if err := follows("created"); err != nil {
		return err
	}
	for _, step := range []func(foldstream.Lease) error{
		func(l foldstream.Lease) error { return l.Return(ctx, errors.New("busy"), 0) },
		func(l foldstream.Lease) error { return l.Commit(ctx, by("fit")) },
		func(l foldstream.Lease) error { return l.Return(ctx, nil, 0) },
		func(l foldstream.Lease) error { return l.Return(ctx, errors.New("singular matrix"), 0) },
		func(l foldstream.Lease) error { return l.Fail(ctx, errors.New("singular matrix again")) },
	} {
		l, err := fetch(ctx, h.Store)
		if err != nil {
			return err
		}
		if err := stands(ctx, h, Task(1).ID, foldstream.Running); err != nil {
			return err
		}
		if err := errors.Join(follows("claimed"), step(l), follows("given up")); err != nil {
			return err
		}
	}
	state, err := admin(h).Task(ctx, pool, Task(1).ID)
	if err != nil || state.Error != "singular matrix again" || state.Attempt != 2 || state.Crashes != 0 {
		return off(err, "the failed task has attempt %d, %d crashes and error %q", state.Attempt, state.Crashes, state.Error)
	}
	return nil
}

// asOf wants the state of Task(1) to be as of its last event.
func asOf(ctx context.Context, h Harness, what string) error {
	state, err := admin(h).Task(ctx, pool, Task(1).ID)
	if err != nil {
		return err
	}
	events, err := history(ctx, h.Second, Task(1).ID)
	if err != nil {
		return err
	}
	def := withPriority(withStages(Task(1), "fit", "predict"), 2)
	if len(events) == 0 {
		if state.Status != foldstream.Waiting || !state.Updated.Equal(state.Created) || state.Worker != "" {
			return fmt.Errorf("%s: the index says %+v of a task without events", what, state)
		}
		return nil
	}
	e := events[len(events)-1]
	if state.Stage != e.Stage || state.Attempt != e.Attempt || state.Status != e.Status || !state.Updated.Equal(e.At) || state.Worker == "" {
		return fmt.Errorf("%s: the index says %+v, the last event is %+v", what, state, e)
	}
	state.Stage, state.Attempt, state.Part = "", 0, nil
	return same(what+": the task in the index", state.Task, def)
}

func indexWaiting(ctx context.Context, h Harness) error {
	l, err := running(ctx, h, Task(1))
	if err != nil {
		return err
	}
	back := time.Now().Add(time.Hour)
	if err := errors.Join(l.Return(ctx, errors.New("busy"), time.Hour), create(ctx, h.Store, Task(2))); err != nil {
		return err
	}
	if err := did("prioritize", 1)(admin(h).Prioritize(ctx, pool, priority(3), Task(2).ID)); err != nil {
		return err
	}
	return Eventually(ctx, func() error {
		states, err := collect(admin(h).Tasks(ctx, pool))
		if err != nil || len(states) != 2 {
			return off(err, "the index has %d tasks, want 2", len(states))
		}
		delayed, moved := states[0], states[1]
		if off := delayed.NotBefore.Sub(back).Abs(); off > 10*time.Second || delayed.Status != foldstream.Waiting || delayed.Error != "busy" {
			return fmt.Errorf("a task returned for an hour is in the index as %+v", delayed)
		}
		if moved.Priority == nil || *moved.Priority != 3 || !moved.NotBefore.IsZero() {
			return fmt.Errorf("a task moved to priority 3 is in the index as %+v", moved)
		}
		return nil
	})
}

func indexMany(ctx context.Context, h Harness) error {
	const n = 700
	tasks := Tasks(0, n)
	if err := create(ctx, h.Store, tasks[:n/2]...); err != nil {
		return err
	}
	if err := create(ctx, h.Store, tasks[n/2:]...); err != nil {
		return err
	}
	return Eventually(ctx, func() error {
		var ids []foldstream.TaskID
		for s, err := range admin(h).Tasks(ctx, pool) {
			if err != nil {
				return err
			}
			ids = append(ids, s.ID)
		}
		if !slices.Equal(ids, idsOf(tasks)) {
			return fmt.Errorf("the index has %d tasks of %d, or not in order of creation", len(ids), n)
		}
		for range admin(h).Tasks(ctx, pool) { //nolint:errcheck // a reader may stop
			break
		}
		return nil
	})
}

func indexNotFound(ctx context.Context, h Harness) error {
	_, err := admin(h).Task(ctx, pool, Task(1).ID)
	if err := want(err, foldstream.NotFound, "a task of a pool without tasks"); err != nil {
		return err
	}
	if err := create(ctx, h.Store, Task(2)); err != nil {
		return err
	}
	_, err = admin(h).Task(ctx, pool, Task(1).ID)
	if err := want(err, foldstream.NotFound, "a task that was never created"); err != nil {
		return err
	}
	states, err := collect(admin(h).Tasks(ctx, "other"))
	if err != nil || len(states) > 0 {
		return off(err, "the index has %d tasks of a pool without tasks", len(states))
	}
	return nil
}

// indexWorkers looks at who is alive while a task is worked and after its worker stopped.
func indexWorkers(ctx context.Context, h Harness) error {
	l, err := running(ctx, h, Task(1))
	if err != nil {
		return err
	}
	progress := foldstream.Progress{Percent: 40, Step: 2, Message: "fit"}
	if err := l.Extend(ctx, progress); err != nil {
		return err
	}
	err = Eventually(ctx, func() error {
		p, task, err := inHand(ctx, h)
		switch {
		case err != nil:
			return err
		case task == nil:
			return errors.New("no worker has the task in hand that runs")
		case p.Worker == "" || p.Since.IsZero() || !p.Expires.After(time.Now()) || task.Since.IsZero() || task.Pool != pool || task.Attempt != 1:
			return fmt.Errorf("a worker is shown as %+v", p)
		}
		return same("the progress", task.Progress, progress)
	})
	if err != nil {
		return err
	}
	h.Abandon(l)
	return Eventually(ctx, func() error {
		p, task, err := inHand(ctx, h)
		if err == nil && task != nil {
			err = fmt.Errorf("worker %s stopped and still has task %s in hand", p.Worker, task.Task)
		}
		return err
	})
}

// inHand returns the live worker of Task(1), and what is known of its work; nil where nobody has it.
func inHand(ctx context.Context, h Harness) (foldstream.Presence, *foldstream.InHand, error) {
	for p, err := range admin(h).Workers(ctx) {
		if err != nil {
			return p, nil, err
		}
		for _, t := range p.Tasks {
			if t.Task == Task(1).ID {
				return p, &t, nil
			}
		}
	}
	return foldstream.Presence{}, nil, nil
}
