package streamtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/foldstream/foldstream"
)

// The steps that the checks of administration are made of.

// admin returns the store's administration, as an operator at another machine has it.
func admin(h Harness) Administered { return h.Second.(Administered) }

// did fails when a change was refused or did not count as many tasks.
func did(what string, want int) func(n int, err error) error {
	return func(n int, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if n != want {
			return fmt.Errorf("%s changed %d tasks, want %d", what, n, want)
		}
		return nil
	}
}

// running starts one task and waits until everybody can see that it runs.
func running(ctx context.Context, h Harness, t foldstream.Task) (foldstream.Lease, error) {
	l, err := startOne(ctx, h.Store, t)
	if err != nil {
		return nil, err
	}
	return l, stands(ctx, h, t.ID, foldstream.Running)
}

// stands waits until the index says that the task has the status.
func stands(ctx context.Context, h Harness, id foldstream.TaskID, want foldstream.Status) error {
	return Eventually(ctx, func() error {
		got, err := admin(h).Task(ctx, pool, id)
		if err == nil && got.Status != want {
			err = fmt.Errorf("task %s is %s in the index, want %s", id, got.Status, want)
		}
		return err
	})
}

// works fetches a task, which must be that one, and commits each of its stages that are left. On a cluster the ticket of a task that was
// ended a moment ago may still be on its way: a lease of it must be lost.
func works(ctx context.Context, h Harness, id foldstream.TaskID, who string) error {
	for {
		l, err := fetch(ctx, h.Store)
		if err != nil {
			return err
		}
		if got := l.Task().ID; got != id {
			if err := want(l.Extend(ctx, foldstream.Progress{}), foldstream.Conflict, "extend where task "+string(id)+" was to come"); err != nil {
				return err
			}
			continue
		}
		if err := l.Commit(ctx, by(who)); err != nil || l.Task().LastStage() {
			return err
		}
	}
}

// one is a fetch of the task that must come next, at this stage and attempt.
func one(ctx context.Context, h Harness, stage string, attempt int) (foldstream.Lease, error) {
	l, err := fetch(ctx, h.Store)
	if err != nil {
		return nil, err
	}
	if t := l.Task(); t.Stage != stage || t.Attempt != attempt {
		return nil, fmt.Errorf("fetched stage %q, attempt %d; want %q, %d", t.Stage, t.Attempt, stage, attempt)
	}
	return l, nil
}

// stand waits until the pool's tasks stand so, in the words of Stat and of Verify, and nothing is lost or doubled.
func stand(ctx context.Context, h Harness, want foldstream.Counts) error {
	if err := counts(ctx, h.Store, want); err != nil {
		return err
	}
	err := Eventually(ctx, func() error {
		c, err := admin(h).Verify(ctx, pool)
		switch {
		case err != nil:
			return err
		case len(c.Faults) > 0:
			return fmt.Errorf("verify found: %s", strings.Join(c.Faults, "; "))
		case c.Pool != pool || c.Created != want.Total() || !maps.Equal(c.Counts, want):
			return fmt.Errorf("verify says pool %s: created %d, %v; want %v", c.Pool, c.Created, c.Counts, want)
		case c.Tickets != want.Open() || c.Results != want[foldstream.Done]:
			return fmt.Errorf("verify says %d tickets and %d results, want %d and %d", c.Tickets, c.Results, want.Open(), want[foldstream.Done])
		}
		return nil
	})
	if err != nil || want.Open() > 0 {
		return err
	}
	return Conserved(ctx, h.Store, pool)
}

// failed starts a task and fails it.
func failed(ctx context.Context, h Harness, t foldstream.Task) error {
	l, err := startOne(ctx, h.Store, t)
	if err != nil {
		return err
	}
	return l.Fail(ctx, errors.New("no use"))
}

// finished starts a task without stages and commits it.
func finished(ctx context.Context, h Harness, t foldstream.Task, who string) error {
	l, err := startOne(ctx, h.Store, t)
	if err != nil {
		return err
	}
	return l.Commit(ctx, by(who))
}

// toldOf waits for an end of the task with this status and these words.
func toldOf(ctx context.Context, h Harness, id foldstream.TaskID, status foldstream.Status, words string) error {
	return Eventually(ctx, func() error {
		events, err := history(ctx, h.Store, id)
		if err != nil {
			return err
		}
		for _, e := range events {
			if e.Kind == foldstream.EventEnd && e.Status == status && strings.Contains(e.Error, words) {
				return nil
			}
		}
		return fmt.Errorf("no end of task %s with status %s and %q in %d events", id, status, words, len(events))
	})
}

func priority(p int) *int { return &p }
