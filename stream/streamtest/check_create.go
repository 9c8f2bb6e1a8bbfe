package streamtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
)

var createChecks = []Check{
	{"create/new", createNew},
	{"create/twice", createTwice},
	{"create/duplicates in one call", createDuplicates},
	{"create/two producers at once", createAtOnce},
	{"create/known while running, done and failed", createKnown},
	{"create/again completes what was left", createAgain},
	{"create/pools apart", createApart},
	{"create/nothing", createNothing},
	{"create/invalid", createInvalid},
	{"create/too large", createTooLarge},
	{"create/cancelled", createCancelled},
}

func createNew(ctx context.Context, h Harness) error {
	t := withPriority(Task(1), 3)
	t.Retry = foldstream.Retry{Attempts: 4, Backoff: time.Second}
	t.Stage, t.Attempt, t.Run, t.Part = "bogus", 7, "bogus", &foldstream.Result{}
	if err := create(ctx, h.Store, t); err != nil {
		return err
	}
	l, err := fetch(ctx, h.Second)
	if err != nil {
		return err
	}
	t.Stage, t.Attempt, t.Part = "", 1, nil
	if t.Run = l.Task().Run; t.Run == "" {
		return errors.New("the fetched task's attempt has no name")
	}
	if err := same("the fetched task", l.Task(), t); err != nil {
		return err
	}
	if err := counts(ctx, h.Store, foldstream.Counts{foldstream.Running: 1}); err != nil {
		return err
	}
	if err := l.Commit(ctx, by("me")); err != nil {
		return err
	}
	return done(ctx, h, 1)
}

func createTwice(ctx context.Context, h Harness) error {
	tasks := Tasks(0, 5)
	if err := create(ctx, h.Store, tasks...); err != nil {
		return err
	}
	made, err := h.Second.Pool(pool).Create(ctx, append(Tasks(5, 1), tasks...)...)
	if err != nil {
		return err
	}
	for i, m := range made {
		if m.New != (i == 0) || m.Status != foldstream.Waiting {
			return fmt.Errorf("the second create answered %+v at place %d", m, i)
		}
	}
	if _, err := drain(ctx, h.Store, 6); err != nil {
		return err
	}
	if err := nothing(ctx, h.Store, h.Lease); err != nil {
		return err
	}
	return done(ctx, h, 6)
}

func createDuplicates(ctx context.Context, h Harness) error {
	made, err := h.Store.Pool(pool).Create(ctx, Task(1), Task(2), Task(1), Task(1))
	if err != nil {
		return err
	}
	var fresh []bool
	for _, m := range made {
		fresh = append(fresh, m.New)
	}
	if !slices.Equal(fresh, []bool{true, true, false, false}) {
		return fmt.Errorf("new is %v for the tasks 1, 2, 1, 1", fresh)
	}
	if _, err := drain(ctx, h.Store, 2); err != nil {
		return err
	}
	if err := nothing(ctx, h.Store, h.Lease); err != nil {
		return err
	}
	return done(ctx, h, 2)
}

func createAtOnce(ctx context.Context, h Harness) error {
	const n = 200
	tasks := Tasks(0, n)
	var made [2][]foldstream.Created
	var errs [2]error
	var wg sync.WaitGroup
	for i, s := range []foldstream.Store{h.Store, h.Second} {
		wg.Go(func() { made[i], errs[i] = s.Pool(pool).Create(ctx, tasks...) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	for i := range tasks {
		if made[0][i].New == made[1][i].New {
			return fmt.Errorf("task %d is new to both producers or to none: %v", i, made[0][i].New)
		}
	}
	if _, err := drain(ctx, h.Store, n); err != nil {
		return err
	}
	if err := nothing(ctx, h.Second, h.Lease); err != nil {
		return err
	}
	return done(ctx, h, n)
}

func createKnown(ctx context.Context, h Harness) error {
	leases, err := start(ctx, h.Store, Tasks(0, 3)...)
	if err != nil {
		return err
	}
	if err := leases[1].Commit(ctx, by("me")); err != nil {
		return err
	}
	if err := leases[2].Fail(ctx, fmt.Errorf("no use")); err != nil {
		return err
	}
	want := []foldstream.Status{foldstream.Running, foldstream.Done, foldstream.Dead}
	err = Eventually(ctx, func() error {
		made, err := h.Store.Pool(pool).Create(ctx, leases[0].Task(), leases[1].Task(), leases[2].Task())
		if err != nil {
			return err
		}
		for i, m := range made {
			if m.New || m.Status != want[i] {
				return fmt.Errorf("creating a known task answered %+v, want status %q", m, want[i])
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if err := nothing(ctx, h.Store, h.Lease); err != nil {
		return err
	}
	return leases[0].Commit(ctx, by("me"))
}

// createAgain loses a ticket, as a producer does that dies between a task's two steps: creating again makes it good.
func createAgain(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, Task(1)); err != nil {
		return err
	}
	if err := h.DeleteTicket(ctx, pool, Task(1).ID); err != nil {
		return err
	}
	for range 2 {
		made, err := h.Second.Pool(pool).Create(ctx, Task(1))
		if err != nil || made[0].New {
			return off(err, "creating again answered %+v", made)
		}
	}
	if _, err := drain(ctx, h.Store, 1); err != nil {
		return err
	}
	if err := nothing(ctx, h.Store, h.Lease); err != nil {
		return err
	}
	return done(ctx, h, 1)
}

func createApart(ctx context.Context, h Harness) error {
	for _, name := range []string{"one", "one-more"} {
		made, err := h.Store.Pool(name).Create(ctx, Task(1))
		if err != nil {
			return err
		}
		if !made[0].New {
			return fmt.Errorf("the task is known in pool %s, where it is new", name)
		}
		l, err := h.Store.Pool(name).Fetch(ctx, foldstream.Filter{Wait: patience})
		if err != nil {
			return err
		}
		if err := l.Commit(ctx, by(name)); err != nil {
			return err
		}
	}
	for _, name := range []string{"one", "one-more"} {
		if err := Conserved(ctx, h.Store, name); err != nil {
			return err
		}
	}
	return nil
}

func createNothing(ctx context.Context, h Harness) error {
	made, err := h.Store.Pool(pool).Create(ctx)
	if err != nil || len(made) != 0 {
		return off(err, "creating no tasks answered %v", made)
	}
	return counts(ctx, h.Store, foldstream.Counts{})
}

func createInvalid(ctx context.Context, h Harness) error {
	bad := map[string]foldstream.Task{
		"an empty id":        {},
		"an id in capitals":  {ID: foldstream.TaskID(strings.ToUpper(string(Task(1).ID)))},
		"an id too short":    {ID: Task(1).ID[:25]},
		"an id with a dot":   {ID: Task(1).ID[:25] + "."},
		"priority 10":        withPriority(Task(1), foldstream.MaxPriority+1),
		"priority -10":       withPriority(Task(1), foldstream.MinPriority-1),
		"a stage with a dot": withStages(Task(1), "fit", "pre.dict"),
		"an empty stage":     withStages(Task(1), ""),
		"a stage with a *":   withStages(Task(1), "*"),
	}
	for what, t := range bad {
		_, err := h.Store.Pool(pool).Create(ctx, Task(2), t, Task(3))
		if err := want(err, foldstream.Invalid, "create a task with "+what); err != nil {
			return err
		}
	}
	for _, name := range []string{"", "a.b", "a b", "*", ">", "-a", strings.Repeat("a", 65)} {
		_, err := h.Store.Pool(name).Create(ctx, Task(1))
		if err := want(err, foldstream.Invalid, fmt.Sprintf("create in pool %q", name)); err != nil {
			return err
		}
	}
	_, err := h.Store.Pool(pool).Fetch(ctx, foldstream.Filter{Stage: "no.stage"})
	if err := want(err, foldstream.Invalid, "fetch of a stage with a dot"); err != nil {
		return err
	}
	return untouched(ctx, h)
}

func createTooLarge(ctx context.Context, h Harness) error {
	big := Task(2)
	big.Tags = map[string]string{"note": strings.Repeat("x", 2*h.MaxPayload)}
	_, err := h.Store.Pool(pool).Create(ctx, Task(1), big, Task(3))
	if err := want(err, foldstream.TooLarge, "create a task over the limit"); err != nil {
		return err
	}
	return untouched(ctx, h)
}

func createCancelled(ctx context.Context, h Harness) error {
	over, cancel := context.WithCancel(ctx)
	cancel()
	_, err := h.Store.Pool(pool).Create(over, Task(1))
	if err := want(err, foldstream.Cancelled, "create when the context is over"); err != nil {
		return err
	}
	return untouched(ctx, h)
}

// untouched fails when the pool knows any task.
func untouched(ctx context.Context, h Harness) error {
	if err := nothing(ctx, h.Store, h.Lease/2); err != nil {
		return err
	}
	defs, err := collect(h.Store.(foldstream.Archive).Definitions(ctx, pool))
	if err != nil || len(defs) > 0 {
		return off(err, "%d tasks are defined, none should be", len(defs))
	}
	return counts(ctx, h.Store, foldstream.Counts{})
}
