package streamtest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/foldstream/foldstream"
)

var replaceChecks = []Check{
	{"replace/any status", replaceAny},
	{"replace/again", replaceAgain},
	{"replace/by a known task", replaceKnown},
	{"replace/there and back", replaceBack},
	{"replace/refused", replaceRefused},
}

// replaces is the answer to a replacement that began a life.
func replaces(ctx context.Context, h Harness, old foldstream.TaskID, t foldstream.Task) error {
	made, err := admin(h).Replace(ctx, pool, "other data", old, t)
	if err != nil {
		return fmt.Errorf("replace %s: %w", old, err)
	}
	return same("what replace answers", made, foldstream.Created{ID: t.ID, Status: foldstream.Waiting, New: true})
}

// linked wants the removal of one task to name the other, and the other to name the one.
func linked(ctx context.Context, h Harness, old, by foldstream.TaskID) error {
	events, err := history(ctx, h.Store, old)
	if err != nil || len(events) == 0 {
		return off(err, "task %s has no history", old)
	}
	last := events[len(events)-1]
	if last.Status != foldstream.Removed || last.By != by || last.Error != "other data" {
		return fmt.Errorf("the replaced task's last event is %+v, want a removal by %s", last, by)
	}
	state, err := admin(h).Task(ctx, pool, by)
	if err != nil {
		return err
	}
	return same("the task that it was replaced by replaces", state.Replaces, old)
}

func replaceAny(ctx context.Context, h Harness) error {
	l, err := everyStatus(ctx, h)
	if err != nil {
		return err
	}
	for i, t := range Tasks(1, 6) {
		if err := errors.Join(replaces(ctx, h, t.ID, Task(11+i)), linked(ctx, h, t.ID, Task(11+i).ID)); err != nil {
			return err
		}
	}
	if err := refused(ctx, l); err != nil {
		return err
	}
	if _, err := letters(ctx, h); err != nil {
		return err
	}
	if err := stand(ctx, h, foldstream.Counts{foldstream.Removed: 6, foldstream.Waiting: 6}); err != nil {
		return err
	}
	worked, err := drain(ctx, h.Store, 6)
	if err != nil {
		return err
	}
	if err := errors.Join(same("the tasks that are worked", worked, idsOf(Tasks(11, 6))), nothing(ctx, h.Store, 2*h.Lease)); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Removed: 6, foldstream.Done: 6})
}

// replaceAgain repeats a replacement before and after the new task is done.
func replaceAgain(ctx context.Context, h Harness) error {
	if err := errors.Join(create(ctx, h.Store, Task(1)), replaces(ctx, h, Task(1).ID, Task(2))); err != nil {
		return err
	}
	for _, status := range []foldstream.Status{foldstream.Waiting, foldstream.Done} {
		made, err := admin(h).Replace(ctx, pool, "once more", Task(1).ID, Task(2))
		if err := errors.Join(err, same("the same again", made, foldstream.Created{ID: Task(2).ID, Status: status})); err != nil {
			return err
		}
		if status == foldstream.Waiting {
			if err := errors.Join(works(ctx, h, Task(2).ID, "me"), stands(ctx, h, Task(2).ID, foldstream.Done)); err != nil {
				return err
			}
		}
	}
	if err := linked(ctx, h, Task(1).ID, Task(2).ID); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Removed: 1, foldstream.Done: 1})
}

// replaceKnown replaces by a task that is done, which stays so, and by one that was removed, which begins a new life.
func replaceKnown(ctx context.Context, h Harness) error {
	err := errors.Join(
		finished(ctx, h, Task(2), "me"), create(ctx, h.Store, Task(1), Task(3), Task(4)),
		did("remove", 1)(admin(h).Remove(ctx, pool, "cleared", Task(4).ID)))
	if err != nil {
		return err
	}
	made, err := admin(h).Replace(ctx, pool, "other data", Task(1).ID, Task(2))
	if err := errors.Join(err, same("replaced by a done task", made, foldstream.Created{ID: Task(2).ID, Status: foldstream.Done})); err != nil {
		return err
	}
	if err := errors.Join(replaces(ctx, h, Task(3).ID, Task(4)), linked(ctx, h, Task(3).ID, Task(4).ID)); err != nil {
		return err
	}
	if err := errors.Join(works(ctx, h, Task(4).ID, "me"), nothing(ctx, h.Store, h.Lease), resultBy(ctx, h.Store, Task(2).ID, "me")); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Removed: 2, foldstream.Done: 2})
}

// replaceBack puts a task in another's place and back: the first begins a new life with the definition that is given then.
func replaceBack(ctx context.Context, h Harness) error {
	back := withPriority(Task(1), 3)
	err := errors.Join(create(ctx, h.Store, Task(1)), replaces(ctx, h, Task(1).ID, Task(2)), replaces(ctx, h, Task(2).ID, back), linked(ctx, h, Task(2).ID, Task(1).ID))
	if err != nil {
		return err
	}
	l, err := one(ctx, h, "", 1)
	if err != nil {
		return err
	}
	if err := errors.Join(same("the new life's priority", l.Task().Priority, priority(3)), l.Commit(ctx, by("me"))); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Removed: 1, foldstream.Done: 1})
}

// replaceRefused tries what is not to be: nothing is changed by it.
func replaceRefused(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, Tasks(1, 3)...); err != nil {
		return err
	}
	a := admin(h)
	if err := errors.Join(did("remove", 1)(a.Remove(ctx, pool, "cleared", Task(2).ID)), replaces(ctx, h, Task(3).ID, Task(4))); err != nil {
		return err
	}
	large, unfit, nameless := Task(9), withPriority(Task(9), 10), Task(9)
	large.Tags = map[string]string{"x": strings.Repeat("x", 2*h.MaxPayload)}
	nameless.ID = "nobody"
	for what, c := range map[string]struct {
		old  foldstream.TaskID
		by   foldstream.Task
		kind foldstream.Kind
	}{
		"itself": {Task(1).ID, Task(1), foldstream.Invalid}, "a bad priority": {Task(1).ID, unfit, foldstream.Invalid},
		"no id": {Task(1).ID, nameless, foldstream.Invalid}, "too large": {Task(1).ID, large, foldstream.TooLarge},
		"an unknown task": {absent, Task(9), foldstream.NotFound}, "what is no id": {"nobody", Task(9), foldstream.NotFound},
		"a removed task": {Task(2).ID, Task(9), foldstream.Conflict}, "a replaced task": {Task(3).ID, Task(9), foldstream.Conflict},
	} {
		_, err := a.Replace(ctx, pool, "no reason", c.old, c.by)
		if err := want(err, c.kind, "replace: "+what); err != nil {
			return err
		}
	}
	if _, err := a.Task(ctx, pool, Task(9).ID); !foldstream.Is(err, foldstream.NotFound) {
		return off(err, "a refused replacement created its task")
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Waiting: 2, foldstream.Removed: 2})
}
