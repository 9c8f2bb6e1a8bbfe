package streamtest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/foldstream/foldstream"
)

var newestChecks = []Check{
	{"newest/of each status", newestStates},
	{"newest/of some", newestSome},
	{"newest/of many", newestMany},
	{"newest/a large result", newestLarge},
	{"newest/the last error", newestError},
}

// newest reads the newest events by task and fails where a task has two.
func newest(ctx context.Context, h Harness, ids ...foldstream.TaskID) (map[foldstream.TaskID]foldstream.Event, error) {
	found := map[foldstream.TaskID]foldstream.Event{}
	for e, err := range admin(h).Newest(ctx, pool, ids...) {
		if err != nil {
			return nil, err
		}
		if _, twice := found[e.Task]; twice {
			return nil, fmt.Errorf("task %s has two newest events", e.Task)
		}
		found[e.Task] = e
	}
	return found, nil
}

// newestOf wants the newest events of the tasks to be the last of their lives, without frames and series.
func newestOf(ctx context.Context, h Harness, asked, want []foldstream.TaskID) error {
	return Eventually(ctx, func() error {
		got, err := newest(ctx, h, asked...)
		if err != nil {
			return err
		}
		last := map[foldstream.TaskID]foldstream.Event{}
		for _, id := range want {
			events, err := history(ctx, h.Second, id)
			if err != nil || len(events) == 0 {
				return off(err, "task %s has no events", id)
			}
			e := events[len(events)-1]
			if e.Result != nil {
				brief := *e.Result
				brief.Frames, brief.Series, e.Result = nil, nil, &brief
			}
			if e.Kind == foldstream.EventEnd {
				e.Error = got[id].Error // another check's
			}
			last[id] = e
		}
		return same("the newest events", got, last)
	})
}

func newestStates(ctx context.Context, h Harness) error {
	if _, err := everyStatus(ctx, h); err != nil {
		return err
	}
	return newestOf(ctx, h, nil, idsOf(Tasks(2, 5)))
}

func newestSome(ctx context.Context, h Harness) error {
	if _, err := everyStatus(ctx, h); err != nil {
		return err
	}
	asked := []foldstream.TaskID{Task(3).ID, absent, Task(1).ID, Task(2).ID, Task(3).ID}
	if err := newestOf(ctx, h, asked, []foldstream.TaskID{Task(3).ID, Task(2).ID}); err != nil {
		return err
	}
	if err := newestOf(ctx, h, []foldstream.TaskID{Task(1).ID, absent}, nil); err != nil {
		return err
	}
	for range admin(h).Newest(ctx, pool) { //nolint:errcheck // a reader may stop
		break
	}
	_, err := collect(admin(h).Newest(ctx, "no pool"))
	return want(err, foldstream.Invalid, "the newest events of a pool of a bad name")
}

func newestMany(ctx context.Context, h Harness) error {
	const n = 300 // more than a store may ask for at once
	tasks := Tasks(0, n)
	if err := create(ctx, h.Store, tasks...); err != nil {
		return err
	}
	if _, err := drain(ctx, h.Store, n); err != nil {
		return err
	}
	return Eventually(ctx, func() error {
		for _, asked := range [][]foldstream.TaskID{idsOf(tasks), nil} {
			got, err := newest(ctx, h, asked...)
			if err != nil {
				return err
			}
			for _, t := range tasks {
				if e := got[t.ID]; e.Status != foldstream.Done || e.Result == nil || e.Result.Params["by"] != "drain" {
					return fmt.Errorf("the newest event of task %s is %+v", t.ID, e)
				}
			}
		}
		return nil
	})
}

// newestLarge has one result that no header takes, and one with frames.
func newestLarge(ctx context.Context, h Harness) error {
	leases, err := start(ctx, h.Store, Tasks(1, 2)...)
	if err != nil {
		return err
	}
	large, framed := by("large"), by("framed")
	large.Params["text"] = strings.Repeat("x", h.MaxPayload/2)
	framed.Series = pointsOf("a", 0, 3).Series
	framed.Frames = map[string]foldstream.Frame{"pred": {Times: []foldstream.Time{foldstream.DateOf(2020, 1, 2)}, Columns: []foldstream.Column{{Name: "score", Values: []float64{1}}}}}
	if err := errors.Join(leases[0].Commit(ctx, large), leases[1].Commit(ctx, framed)); err != nil {
		return err
	}
	return newestOf(ctx, h, nil, idsOf(Tasks(1, 2)))
}

// newestError wants to be told what the last attempt failed of, also after an end that has no error of its own.
func newestError(ctx context.Context, h Harness) error {
	l, err := startOne(ctx, h.Store, Task(1))
	if err != nil {
		return err
	}
	long := "out of memory\n" + strings.Repeat("x", 5000)
	if err := l.Return(ctx, errors.New(long), 0); err != nil {
		return err
	}
	told := func(cut int) error {
		return Eventually(ctx, func() error {
			got, err := newest(ctx, h)
			if err != nil {
				return err
			}
			if e := got[Task(1).ID]; e.Kind != foldstream.EventEnd || len(e.Error) != cut || !strings.HasPrefix(long, e.Error) {
				return fmt.Errorf("after a failed attempt the newest event is %+v", e)
			}
			return nil
		})
	}
	if err := told(1 << 10); err != nil {
		return err
	}
	if l, err = fetch(ctx, h.Store); err != nil {
		return err
	}
	if err := l.Return(ctx, nil, 0); err != nil {
		return err
	}
	return told(1 << 10)
}
