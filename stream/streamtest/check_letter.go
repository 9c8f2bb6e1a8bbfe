package streamtest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/foldstream/foldstream"
)

var letterChecks = []Check{
	{"letter/read", letterRead},
	{"letter/dropped", letterDropped},
	{"letter/gone when the task is not failed any more", letterGone},
}

// letters waits until the dead letters are those of these tasks, in order, and returns them.
func letters(ctx context.Context, h Harness, want ...foldstream.TaskID) ([]foldstream.DeadLetter, error) {
	var got []foldstream.DeadLetter
	err := Eventually(ctx, func() (err error) {
		if got, err = collect(admin(h).Letters(ctx, pool)); err != nil {
			return err
		}
		var ids []foldstream.TaskID
		for _, l := range got {
			ids = append(ids, l.Task.ID)
		}
		return same("the dead letters, oldest first", ids, want)
	})
	return got, err
}

func letterRead(ctx context.Context, h Harness) error {
	if _, err := letters(ctx, h); err != nil {
		return err
	}
	if err := failed(ctx, h, Task(2)); err != nil {
		return err
	}
	_, second, err := secondStage(ctx, h)
	if err != nil {
		return err
	}
	if err := second.Fail(ctx, errors.New("singular matrix")); err != nil {
		return err
	}
	got, err := letters(ctx, h, Task(2).ID, Task(1).ID)
	if err != nil {
		return err
	}
	for i, words := range []string{"no use", "singular matrix"} {
		events, err := history(ctx, h.Store, got[i].Task.ID)
		if err != nil {
			return err
		}
		l, last := got[i], events[len(events)-1]
		if !strings.Contains(l.Error, words) || l.Worker == "" || l.At.Sub(last.At).Abs() > slack {
			return fmt.Errorf("dead letter %d, of a task that failed of %q at %v, is %+v", i, words, last.At, l)
		}
		if len(l.Events) != len(events) || l.Events[len(events)-1].Seq != last.Seq {
			return fmt.Errorf("dead letter %d tells %d events of %d", i, len(l.Events), len(events))
		}
		for _, e := range l.Events {
			if e.Result != nil {
				return fmt.Errorf("dead letter %d carries the result of event %d", i, e.Seq)
			}
		}
		if err := same("the definition in the dead letter", l.Task.Task, Task([]int{2, 1}[i]).Task); err != nil {
			return err
		}
	}
	return nil
}

func letterDropped(ctx context.Context, h Harness) error {
	if err := errors.Join(failed(ctx, h, Task(1)), failed(ctx, h, Task(2)), finished(ctx, h, Task(3), "me")); err != nil {
		return err
	}
	if _, err := letters(ctx, h, Task(1).ID, Task(2).ID); err != nil {
		return err
	}
	a := admin(h)
	err := errors.Join(
		did("drop", 1)(a.Drop(ctx, pool, Task(1).ID, Task(3).ID, absent)),
		did("drop twice", 0)(a.Drop(ctx, pool, Task(1).ID)),
		did("drop without ids", 0)(a.Drop(ctx, pool)),
	)
	if err != nil {
		return err
	}
	if _, err := letters(ctx, h, Task(2).ID); err != nil {
		return err
	}
	if err := stand(ctx, h, foldstream.Counts{foldstream.Dead: 2, foldstream.Done: 1}); err != nil {
		return err
	}
	if err := did("retry without a dead letter", 1)(a.Retry(ctx, pool, "mended", Task(1).ID)); err != nil {
		return err
	}
	if err := works(ctx, h, Task(1).ID, "again"); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Dead: 1, foldstream.Done: 2})
}

func letterGone(ctx context.Context, h Harness) error {
	for i := range 3 {
		if err := failed(ctx, h, Task(i)); err != nil {
			return err
		}
	}
	if _, err := letters(ctx, h, idsOf(Tasks(0, 3))...); err != nil {
		return err
	}
	a := admin(h)
	err := errors.Join(
		did("retry", 1)(a.Retry(ctx, pool, "mended", Task(0).ID)),
		did("remove", 1)(a.Remove(ctx, pool, "cleared", Task(1).ID)),
	)
	if err != nil {
		return err
	}
	if _, err := letters(ctx, h, Task(2).ID); err != nil {
		return err
	}
	l, err := fetch(ctx, h.Store)
	if err != nil {
		return err
	}
	if err := l.Fail(ctx, errors.New("still no use")); err != nil {
		return err
	}
	if _, err := letters(ctx, h, Task(2).ID, Task(0).ID); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Dead: 2, foldstream.Removed: 1})
}
