package streamtest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/foldstream/foldstream"
)

// adoptions are of tasks by their results.
func adoptions(from map[foldstream.TaskID]foldstream.Origin, tasks ...foldstream.Task) (all []foldstream.Adoption) {
	for _, t := range tasks {
		all = append(all, foldstream.Adoption{Task: t, From: from[t.ID]})
	}
	return all
}

// adopted wants the last event of a task to be the result from elsewhere, whole, and to say so.
func adopted(ctx context.Context, h Harness, id foldstream.TaskID, from foldstream.Origin) error {
	events, err := history(ctx, h.Second, id)
	if err != nil || len(events) == 0 {
		return off(err, "the adopted task %s has no events", id)
	}
	last := events[len(events)-1]
	if last.Kind != foldstream.EventResult || last.Run == "" || last.Result == nil {
		return fmt.Errorf("the last event of an adopted task is %+v", last)
	}
	return errors.Join(
		same("where an adopted result is from", last.Origin, from), same("the adopted frame", last.Result.Frames["pred"].Len(), 1),
		same("the adopted result", last.Result.Params["by"], "before"))
}

func adoptNew(ctx context.Context, h Harness) error {
	tasks := Tasks(1, 3)
	tasks[1], tasks[2] = withStages(tasks[1], stages...), withPriority(tasks[2], 3)
	from, err := worked(ctx, h, tasks...)
	if err != nil {
		return err
	}
	made, err := admin(h).Adopt(ctx, pool, adoptions(from, append(slices.Clone(tasks), tasks[0])...)...)
	if err != nil {
		return err
	}
	var want []foldstream.Created
	for _, t := range append(slices.Clone(tasks), tasks[0]) {
		want = append(want, foldstream.Created{ID: t.ID, Status: foldstream.Done, New: len(want) < 3})
	}
	if err := same("what adopt answers", made, want); err != nil {
		return err
	}
	for _, t := range tasks {
		if err := errors.Join(adopted(ctx, h, t.ID, from[t.ID]), stands(ctx, h, t.ID, foldstream.Done)); err != nil {
			return err
		}
	}
	return errors.Join(nothing(ctx, h.Store, h.Lease), stand(ctx, h, foldstream.Counts{foldstream.Done: 3}))
}

// adoptAgain repeats it, and creates the tasks besides: nothing is changed by either.
func adoptAgain(ctx context.Context, h Harness) error {
	from, err := worked(ctx, h, Task(1))
	if err != nil {
		return err
	}
	if _, err := admin(h).Adopt(ctx, pool, adoptions(from, Task(1))...); err != nil {
		return err
	}
	known := []foldstream.Created{{ID: Task(1).ID, Status: foldstream.Done}}
	for range 2 {
		made, err := admin(h).Adopt(ctx, pool, adoptions(from, Task(1))...)
		if err := errors.Join(err, same("adopted again", made, known)); err != nil {
			return err
		}
		made, err = h.Second.Pool(pool).Create(ctx, Task(1))
		if err := errors.Join(err, same("created again", made, known)); err != nil {
			return err
		}
	}
	return errors.Join(nothing(ctx, h.Store, h.Lease), stand(ctx, h, foldstream.Counts{foldstream.Done: 1}))
}

// adoptAny adopts for tasks that are there already: those that wait or were removed are ended, the others stay.
func adoptAny(ctx context.Context, h Harness) error {
	tasks := Tasks(1, 7)
	from, err := worked(ctx, h, tasks...)
	if err != nil {
		return err
	}
	running, err := everyStatus(ctx, h)
	if err == nil {
		err = errors.Join(create(ctx, h.Store, Task(7)), did("remove", 1)(admin(h).Remove(ctx, pool, "cleared", Task(7).ID)))
	}
	if err != nil {
		return err
	}
	made, err := admin(h).Adopt(ctx, pool, adoptions(from, tasks...)...)
	if err != nil {
		return err
	}
	var want []foldstream.Created
	for i, status := range []foldstream.Status{foldstream.Done, foldstream.Running, foldstream.Done, foldstream.Dead, foldstream.Withdrawn, foldstream.PartDone, foldstream.Done} {
		want = append(want, foldstream.Created{ID: tasks[i].ID, Status: status, New: i == 6})
	}
	if err := errors.Join(same("what adopt answers", made, want), resultBy(ctx, h.Store, Task(3).ID, "me")); err != nil {
		return err
	}
	for _, t := range []foldstream.Task{tasks[0], tasks[6]} {
		if err := adopted(ctx, h, t.ID, from[t.ID]); err != nil {
			return err
		}
	}
	if err := running.Commit(ctx, by("me")); err != nil {
		return fmt.Errorf("the running task lost its lease: %w", err)
	}
	return errors.Join(works(ctx, h, Task(6).ID, "me"), nothing(ctx, h.Store, h.Lease),
		stand(ctx, h, foldstream.Counts{foldstream.Done: 5, foldstream.Dead: 1, foldstream.Withdrawn: 1}))
}

// adoptAdopted adopts in a third pool what was adopted in the second: it is from the first.
func adoptAdopted(ctx context.Context, h Harness) error {
	from, err := worked(ctx, h, Task(1))
	if err != nil {
		return err
	}
	if _, err := admin(h).Adopt(ctx, "between", adoptions(from, Task(1))...); err != nil {
		return err
	}
	second, err := origins(ctx, h, "between", Task(1).ID)
	if err != nil {
		return err
	}
	if _, err := admin(h).Adopt(ctx, pool, adoptions(second, Task(1))...); err != nil {
		return err
	}
	return errors.Join(adopted(ctx, h, Task(1).ID, from[Task(1).ID]), stand(ctx, h, foldstream.Counts{foldstream.Done: 1}))
}

// adoptNothing has sources that are none: of another task, of another pool, no result, not there. Such tasks are created.
func adoptNothing(ctx context.Context, h Harness) error {
	from, err := worked(ctx, h, Task(1), Task(9))
	if err != nil {
		return err
	}
	if _, err := admin(h).Adopt(ctx, pool, foldstream.Adoption{Task: withPriority(Task(1), 10), From: from[Task(1).ID]}); !foldstream.Is(err, foldstream.Invalid) {
		return off(err, "a bad priority was adopted")
	}
	seq := from[Task(1).ID].Seq
	all := []foldstream.Adoption{
		{Task: Task(2), From: from[Task(9).ID]}, {Task: Task(1), From: foldstream.Origin{Pool: pool, Seq: seq}},
		{Task: Task(3), From: foldstream.Origin{Pool: elsewhere, Seq: seq - 1}}, {Task: Task(4), From: foldstream.Origin{Pool: elsewhere, Seq: 1 << 40}}, {Task: Task(5)},
	}
	made, err := admin(h).Adopt(ctx, pool, all...)
	if err != nil {
		return err
	}
	for _, c := range made {
		if c.Status != foldstream.Waiting || !c.New {
			return fmt.Errorf("adopt without a source answered %+v", c)
		}
	}
	if _, err := drain(ctx, h.Store, 5); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 5})
}

// adoptAtOnce has two stores adopt and one work the same tasks: each has one result.
func adoptAtOnce(ctx context.Context, h Harness) error {
	const n = 30
	tasks := Tasks(0, n)
	from, err := worked(ctx, h, tasks...)
	if err != nil {
		return err
	}
	errs := make(chan error, 3)
	for _, s := range []foldstream.Store{h.Store, h.Second} {
		go func() {
			_, err := s.(Administered).Adopt(ctx, pool, adoptions(from, tasks...)...)
			errs <- err
		}()
	}
	go func() {
		_, err := h.Store.Pool(pool).Create(ctx, tasks...)
		for err == nil {
			var l foldstream.Lease
			if l, err = h.Store.Pool(pool).Fetch(ctx, foldstream.Filter{}); err == nil {
				if err = l.Commit(ctx, by("me")); foldstream.Is(err, foldstream.Conflict) {
					err = nil
				}
			}
		}
		if foldstream.Is(err, foldstream.NotFound) {
			err = nil
		}
		errs <- err
	}()
	if err := errors.Join(<-errs, <-errs, <-errs); err != nil {
		return err
	}
	for { // what was fetched and lost by then may come once more
		if err := nothing(ctx, h.Store, 2*h.Lease); err == nil {
			break
		}
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: n})
}
