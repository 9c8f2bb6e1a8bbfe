package mem

import (
	"context"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
)

// Tasks reads the states that the pool's tasks had when it was called. Parts are not among them: the events have them.
func (s *Store) Tasks(ctx context.Context, pool string) iter.Seq2[foldstream.TaskState, error] {
	return s.Page(ctx, pool, foldstream.TaskQuery{})
}

// Page reads the states that the tasks had when it was called.
func (s *Store) Page(ctx context.Context, pool string, q foldstream.TaskQuery) iter.Seq2[foldstream.TaskState, error] {
	return func(yield func(foldstream.TaskState, error) bool) {
		states, err := s.page(ctx, pool, q)
		if err != nil {
			yield(foldstream.TaskState{}, err)
			return
		}
		for _, state := range states {
			if !yield(state, nil) {
				return
			}
		}
	}
}

func (s *Store) page(ctx context.Context, pool string, q foldstream.TaskQuery) (states []foldstream.TaskState, err error) {
	if q.Limit < 0 {
		return nil, foldstream.Errorf(foldstream.Invalid, "tasks", "a limit of %d is below 0", q.Limit)
	}
	known, unlock, err := s.look(ctx, "tasks", pool)
	if err != nil {
		return nil, err
	}
	defer unlock()
	tasks := known.tasks
	if q.After != "" {
		if known.known[q.After] == nil {
			return nil, foldstream.Errorf(foldstream.NotFound, "tasks", "no task %s in pool %s", q.After, pool)
		}
		tasks = tasks[slices.Index(tasks, known.known[q.After])+1:]
	}
	for _, t := range tasks {
		if q.Wants(t.status) {
			states = append(states, s.state(t))
		}
		if q.Limit > 0 && len(states) == q.Limit {
			break
		}
	}
	return states, nil
}

// Stat counts the tasks of all pools.
func (s *Store) Stat(ctx context.Context) (map[string]foldstream.Counts, error) {
	names, err := s.Pools(ctx)
	if err != nil {
		return nil, err
	}
	all := make(map[string]foldstream.Counts, len(names))
	for _, name := range names {
		if all[name], err = s.Pool(name).Stat(ctx); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Task reads the state of one task.
func (s *Store) Task(ctx context.Context, pool string, id foldstream.TaskID) (foldstream.TaskState, error) {
	q, unlock, err := s.look(ctx, "task", pool)
	if err != nil {
		return foldstream.TaskState{}, err
	}
	defer unlock()
	t := q.known[id]
	if t == nil {
		return foldstream.TaskState{}, foldstream.Errorf(foldstream.NotFound, "task", "no task %s in pool %s", id, pool)
	}
	return s.state(t), nil
}

// state tells where a task stands. The caller holds mu.
func (s *Store) state(t *task) foldstream.TaskState {
	state := foldstream.TaskState{
		Task: t.view(), Status: t.status, Worker: t.worker, Error: t.err, Crashes: t.crashes, Created: t.created, Updated: t.created,
	}
	state.Stage, state.Attempt, state.Part = "", 0, nil
	if t.last != 0 {
		e := s.events[t.last-1]
		state.Stage, state.Attempt, state.Updated = e.Stage, e.Attempt, e.At
	}
	if t.status == foldstream.Waiting && t.due.After(s.opts.Now()) {
		state.NotBefore = t.due
	}
	return state
}

// Workers reads who is alive: the one worker of this process, while it has tasks in hand. It has no host and no version.
func (s *Store) Workers(ctx context.Context) iter.Seq2[foldstream.Presence, error] {
	return func(yield func(foldstream.Presence, error) bool) {
		if err := alive(ctx, "workers"); err != nil {
			yield(foldstream.Presence{}, err)
		} else if p := s.present(); len(p.Tasks) > 0 {
			yield(p, nil)
		}
	}
}

// present tells what this process works, pool by pool, the oldest claim first.
func (s *Store) present() foldstream.Presence {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.opts.Now()
	p := foldstream.Presence{Worker: s.opts.Worker, Since: s.opened, Heard: now}
	for _, name := range slices.Sorted(maps.Keys(s.queues)) {
		q := s.queues[name]
		held := slices.SortedFunc(maps.Values(q.open), func(a, b *task) int { return int(a.token) - int(b.token) })
		for _, t := range held {
			if !t.heldAt(now) {
				continue
			}
			p.Tasks = append(p.Tasks, foldstream.InHand{
				Pool: name, Task: t.def.ID, Attempt: t.attempt, Since: s.events[t.token-1].At, Progress: t.progress,
			})
			t.seconds = t.standing()
			for _, l := range t.seconds {
				p.Tasks = append(p.Tasks, l.inHand())
			}
			p.Expires = later(p.Expires, t.until(now, q.lease))
		}
	}
	return p
}

// until returns when the task's claim runs out unless its worker is heard of again.
func (t *task) until(now time.Time, lease time.Duration) time.Time {
	if t.expires.IsZero() {
		return now.Add(lease)
	}
	return t.expires
}
