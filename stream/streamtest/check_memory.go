package streamtest

import (
	"context"
	"errors"
	"fmt"

	"github.com/foldstream/foldstream"
)

var memoryChecks = []Check{
	{"memory/results of all pools and lives", memoryResults},
	{"memory/many", memoryMany},
	{"memory/adopt new tasks", adoptNew},
	{"memory/adopt again", adoptAgain},
	{"memory/adopt any status", adoptAny},
	{"memory/adopt what was adopted", adoptAdopted},
	{"memory/adopt nothing", adoptNothing},
	{"memory/two adopt and one works", adoptAtOnce},
}

// elsewhere is another pool.
const elsewhere = "elsewhere"

// worked works tasks in another pool, each by a worker of its own name, and returns where their results are.
func worked(ctx context.Context, h Harness, tasks ...foldstream.Task) (map[foldstream.TaskID]foldstream.Origin, error) {
	p := h.Store.Pool(elsewhere)
	if _, err := p.Create(ctx, tasks...); err != nil {
		return nil, err
	}
	for range tasks {
		for {
			l, err := p.Fetch(ctx, foldstream.Filter{Wait: patience})
			if err != nil {
				return nil, err
			}
			r := by("before")
			r.Code, r.Data, r.Environment = "v1", foldstream.DataDigest(l.Task().Data), "here"
			r.Frames = map[string]foldstream.Frame{"pred": {Times: []foldstream.Time{foldstream.DateOf(2020, 1, 2)}, Columns: []foldstream.Column{{Name: "score", Values: []float64{1}}}}}
			if err := l.Commit(ctx, r); err != nil {
				return nil, err
			}
			if l.Task().LastStage() {
				break
			}
		}
	}
	return origins(ctx, h, elsewhere, idsOf(tasks)...)
}

// origins waits for the newest results of tasks in a pool.
func origins(ctx context.Context, h Harness, pool string, ids ...foldstream.TaskID) (found map[foldstream.TaskID]foldstream.Origin, err error) {
	err = Eventually(ctx, func() error {
		found = map[foldstream.TaskID]foldstream.Origin{}
		for e, err := range admin(h).Results(ctx, ids...) {
			if err != nil {
				return err
			}
			if e.Pool == pool {
				found[e.Task] = foldstream.Origin{Pool: e.Pool, Seq: e.Seq}
			}
		}
		if len(found) < len(ids) {
			return fmt.Errorf("%d results of %d tasks of pool %s are known", len(found), len(ids), pool)
		}
		return nil
	})
	return found, err
}

// memoryResults has results in two pools, of two lives, and of tasks that are not asked for.
func memoryResults(ctx context.Context, h Harness) error {
	if _, err := worked(ctx, h, Tasks(1, 3)...); err != nil {
		return err
	}
	err := errors.Join(finished(ctx, h, Task(1), "first life"), did("remove", 1)(admin(h).Remove(ctx, pool, "again", Task(1).ID)))
	if err == nil {
		err = errors.Join(finished(ctx, h, Task(1), "second life"), create(ctx, h.Store, Task(4)))
	}
	if err != nil {
		return err
	}
	return Eventually(ctx, func() error {
		got := map[foldstream.TaskID][]string{}
		for e, err := range admin(h).Results(ctx, Task(2).ID, Task(1).ID, absent, Task(4).ID, Task(1).ID) {
			if err != nil {
				return err
			}
			if e.Result == nil || len(e.Result.Frames) > 0 || e.Kind != foldstream.EventResult {
				return fmt.Errorf("one of the results is %+v", e)
			}
			got[e.Task] = append(got[e.Task], e.Pool+" "+e.Result.Params["by"]+" "+e.Result.Key().Code)
		}
		return same("the results", got, map[foldstream.TaskID][]string{
			Task(1).ID: {"elsewhere before v1", pool + " first life ", pool + " second life "}, Task(2).ID: {"elsewhere before v1"},
		})
	})
}

// memoryMany adopts more tasks than a store may handle at once.
func memoryMany(ctx context.Context, h Harness) error {
	tasks := Tasks(0, 300)
	from, err := worked(ctx, h, tasks...)
	if err != nil {
		return err
	}
	made, err := admin(h).Adopt(ctx, pool, adoptions(from, tasks...)...)
	if err != nil {
		return err
	}
	for i, c := range made {
		if c != (foldstream.Created{ID: tasks[i].ID, Status: foldstream.Done, New: true}) {
			return fmt.Errorf("adopt answered %+v for task %s", c, tasks[i].ID)
		}
	}
	err = Eventually(ctx, func() error { // asked for many more than there are
		all, err := collect(admin(h).Results(ctx, idsOf(Tasks(0, 600))...))
		if err != nil || len(all) != 600 {
			return off(err, "%d results are known of 300 in two pools", len(all))
		}
		return nil
	})
	return errors.Join(err, stand(ctx, h, foldstream.Counts{foldstream.Done: 300}))
}
