package streamtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/foldstream/foldstream"
)

// pages reads the pool page by page and returns the ids in order.
func pages(ctx context.Context, h Harness, q foldstream.TaskQuery) ([]foldstream.TaskID, error) {
	var ids []foldstream.TaskID
	for {
		states, err := collect(admin(h).Page(ctx, pool, q))
		if err != nil {
			return nil, err
		}
		if len(states) > q.Limit {
			return nil, fmt.Errorf("a page of %d tasks, with a limit of %d", len(states), q.Limit)
		}
		for _, s := range states {
			if !q.Wants(s.Status) {
				return nil, fmt.Errorf("task %s is %s on a page of those %v", s.ID, s.Status, q.Statuses)
			}
			if slices.Contains(ids, s.ID) {
				return nil, fmt.Errorf("task %s is on two pages", s.ID)
			}
			ids, q.After = append(ids, s.ID), s.ID
		}
		if len(states) < q.Limit {
			return ids, nil
		}
	}
}

// paged waits until the pages have these tasks in this order.
func paged(ctx context.Context, h Harness, q foldstream.TaskQuery, want ...foldstream.TaskID) error {
	return Eventually(ctx, func() error {
		got, err := pages(ctx, h, q)
		if err != nil {
			return err
		}
		return same(fmt.Sprintf("the tasks in pages of %d, %v", q.Limit, q.Statuses), got, want)
	})
}

func indexPages(ctx context.Context, h Harness) error {
	tasks := Tasks(0, 23)
	if err := create(ctx, h.Store, tasks...); err != nil {
		return err
	}
	for _, limit := range []int{1, 7, 23, 100} {
		if err := paged(ctx, h, foldstream.TaskQuery{Limit: limit}, idsOf(tasks)...); err != nil {
			return err
		}
	}
	rest, err := collect(admin(h).Page(ctx, pool, foldstream.TaskQuery{After: tasks[19].ID}))
	if err != nil || len(rest) != 3 || rest[0].ID != tasks[20].ID {
		return off(err, "behind the 20th of 23 tasks are %d", len(rest))
	}
	return nil
}

func indexPagesOf(ctx context.Context, h Harness) error {
	if _, err := everyStatus(ctx, h); err != nil {
		return err
	}
	ids := func(n ...int) (ids []foldstream.TaskID) {
		for _, i := range n {
			ids = append(ids, Task(i).ID)
		}
		return ids
	}
	for _, limit := range []int{1, 2, 10} {
		err := errors.Join(
			paged(ctx, h, foldstream.TaskQuery{Limit: limit}, ids(3, 4, 6, 5, 2, 1)...),
			paged(ctx, h, foldstream.TaskQuery{Limit: limit, Statuses: []foldstream.Status{foldstream.Running}}, ids(2)...),
			paged(ctx, h, foldstream.TaskQuery{Limit: limit, Statuses: []foldstream.Status{foldstream.Removed}}),
			paged(ctx, h, foldstream.TaskQuery{
				Limit: limit, Statuses: []foldstream.Status{foldstream.Waiting, foldstream.Dead, foldstream.PartDone},
			}, ids(4, 6, 1)...),
			paged(ctx, h, foldstream.TaskQuery{Limit: limit, After: Task(6).ID, Statuses: []foldstream.Status{foldstream.Dead, foldstream.Running}}, ids(2)...),
		)
		if err != nil {
			return err
		}
	}
	return nil
}

// indexNewLife removes the first of three tasks and creates it again.
func indexNewLife(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, Tasks(1, 3)...); err != nil {
		return err
	}
	if err := did("remove", 1)(admin(h).Remove(ctx, pool, "again", Task(1).ID)); err != nil {
		return err
	}
	removed := []foldstream.Status{foldstream.Removed}
	if err := paged(ctx, h, foldstream.TaskQuery{Limit: 2, Statuses: removed}, Task(1).ID); err != nil {
		return err
	}
	if err := create(ctx, h.Store, Task(1)); err != nil {
		return err
	}
	return errors.Join(
		paged(ctx, h, foldstream.TaskQuery{Limit: 2}, Task(2).ID, Task(3).ID, Task(1).ID),
		paged(ctx, h, foldstream.TaskQuery{Limit: 2, Statuses: removed}),
	)
}

func indexNoPage(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, Task(1)); err != nil {
		return err
	}
	for _, id := range []foldstream.TaskID{absent, "nonsense"} {
		_, err := collect(admin(h).Page(ctx, pool, foldstream.TaskQuery{After: id}))
		if err := want(err, foldstream.NotFound, "a page behind a task that was never created"); err != nil {
			return err
		}
	}
	_, err := collect(admin(h).Page(ctx, pool, foldstream.TaskQuery{Limit: -1}))
	if err := want(err, foldstream.Invalid, "a page of -1 tasks"); err != nil {
		return err
	}
	none, err := collect(admin(h).Page(ctx, "other", foldstream.TaskQuery{Limit: 3}))
	if err != nil || len(none) > 0 {
		return off(err, "a page of a pool without tasks has %d", len(none))
	}
	return nil
}

func indexAllPools(ctx context.Context, h Harness) error {
	if err := errors.Join(finished(ctx, h, Task(1), "me"), create(ctx, h.Store, Tasks(2, 3)...)); err != nil {
		return err
	}
	if _, err := h.Store.Pool("other").Create(ctx, Task(1), Task(9)); err != nil {
		return err
	}
	return Eventually(ctx, func() error {
		all, err := admin(h).Stat(ctx)
		want := map[string]foldstream.Counts{pool: {foldstream.Done: 1, foldstream.Waiting: 3}, "other": {foldstream.Waiting: 2}}
		if err == nil && !maps.EqualFunc(all, want, maps.Equal[foldstream.Counts, foldstream.Counts]) {
			err = fmt.Errorf("the counts of all pools are %v, want %v", all, want)
		}
		return err
	})
}
