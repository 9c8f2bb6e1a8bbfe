package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
)

// Recorded is the flags that choose among recorded tasks. The zero Recorded chooses all.
type Recorded struct {
	Where  string `group:"Tasks" placeholder:"EXPR" help:"Only tasks for which this is true: key.alpha == \"10\" and window > 3."`
	Since  string `group:"Tasks" placeholder:"TIME" help:"Only tasks that were recorded then or later: 2026-03-02T18:00:00Z, or 2026-03-02 18:00 in the zone of this machine."`
	Failed bool   `group:"Tasks" help:"Only tasks that failed."`
	Sample int    `group:"Tasks" placeholder:"N" help:"Of those only so many: a fair sample, the same each time."`
}

// filter makes a filter of the flags, without the sample; nil where there is nothing to filter by. Errors: Invalid.
func (s Recorded) filter() (where, error) {
	if s.Sample < 0 {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "--sample %d is below 0", s.Sample)
	}
	expr, err := compileWhere(s.Where)
	if err != nil {
		return nil, err
	}
	since, err := s.since()
	if err != nil || s.Where == "" && !s.Failed && since.IsZero() {
		return nil, err
	}
	return func(pool string, t foldstream.TaskState) (bool, error) {
		if s.Failed && t.Status != foldstream.Dead || t.Created.Before(since) {
			return false, nil
		}
		return expr(pool, t)
	}, nil
}

func (s Recorded) since() (time.Time, error) {
	if s.Since == "" {
		return time.Time{}, nil
	}
	return moment("--since", s.Since, time.Local)
}

// words are the flags as they are written, those that were set.
func (s Recorded) words() (words []string) {
	if s.Where != "" {
		words = append(words, fmt.Sprintf("--where %q", s.Where))
	}
	if since, err := s.since(); err == nil && !since.IsZero() {
		words = append(words, "--since "+since.UTC().Format(time.RFC3339Nano))
	}
	if s.Failed {
		words = append(words, "--failed")
	}
	if s.Sample > 0 {
		words = append(words, fmt.Sprintf("--sample %d", s.Sample))
	}
	return words
}

// selected returns those of the members whose recorded tasks are asked for. Errors: NotFound (none is, or a task is recorded no more).
func (r *replay) selected(ctx context.Context, members []foldstream.Expectation, defined map[foldstream.TaskID]bool) ([]foldstream.Expectation, error) {
	left := tasksOf(members)
	ids, err := r.recorded(ctx, left, defined)
	if err != nil {
		return nil, err
	}
	if err := notRecorded(r.from.Name, left); err != nil {
		return nil, err
	}
	if r.kept == nil && r.sample == 0 {
		return members, nil
	}
	if r.sample > 0 && len(ids) > r.sample { // an id is a digest: those that are lowest are no more alike than any others
		slices.Sort(ids)
		ids = ids[:r.sample]
	}
	kept := make(map[foldstream.TaskID]bool, len(ids))
	for _, id := range ids {
		kept[id] = true
	}
	some := slices.DeleteFunc(slices.Clone(members), func(m foldstream.Expectation) bool { return !kept[m.Task] })
	if len(some) == 0 {
		return nil, foldstream.Errorf(foldstream.NotFound, "", "none of the %s of %s is asked for (%s)", tasksN(len(tasksOf(members))), r.from.Name, r.asked)
	}
	return some, nil
}

// recorded returns which of the tasks that are left are recorded and asked for, and takes those that are recorded from left. Only where
// something is asked of them are they read.
func (r *replay) recorded(ctx context.Context, left, defined map[foldstream.TaskID]bool) (ids []foldstream.TaskID, err error) {
	if r.kept == nil {
		for id := range left {
			if defined[id] {
				ids = append(ids, id)
				delete(left, id)
			}
		}
		return ids, nil
	}
	for t, err := range r.store.Tasks(ctx, r.from.Pool) {
		if err != nil {
			return nil, err
		}
		if !left[t.ID] {
			continue
		}
		delete(left, t.ID)
		keep, err := r.kept(r.from.Pool, t)
		if err != nil {
			return nil, err
		}
		if keep {
			ids = append(ids, t.ID)
		}
	}
	return ids, nil
}

// notRecorded is the error of tasks whose definitions are gone; nil where there are none.
func notRecorded(experiment string, left map[foldstream.TaskID]bool) error {
	if len(left) == 0 {
		return nil
	}
	return foldstream.Errorf(foldstream.NotFound, "", "%s of %s are recorded no more, %s among them", tasksN(len(left)), experiment, slices.Min(slices.Collect(maps.Keys(left))))
}

// weightsOf returns those of the weights that fit a member: the others belong to configurations that are not replayed.
func weightsOf(weights []foldstream.Weight, members []foldstream.Expectation) []foldstream.Weight {
	return slices.DeleteFunc(slices.Clone(weights), func(w foldstream.Weight) bool {
		return !slices.ContainsFunc(members, func(m foldstream.Expectation) bool { return w.Fits(m.Key) })
	})
}
