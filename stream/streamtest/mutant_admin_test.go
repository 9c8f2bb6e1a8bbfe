package streamtest_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// claimed says it changed all tasks, and does nothing.
func claimed(_ context.Context, _ *mem.Store, _, _ string, ids []foldstream.TaskID) (int, error) {
	return len(ids), nil
}

// unlinked removes one task and creates another, and neither tells of the other.
func unlinked(ctx context.Context, s *mem.Store, pool, why string, old foldstream.TaskID, t foldstream.Task) (foldstream.Created, error) {
	if _, err := s.Remove(ctx, pool, why, old); err != nil {
		return foldstream.Created{}, err
	}
	made, err := s.Pool(pool).Create(ctx, t)
	return made[0], err
}

// skipping leaves the tasks of a status alone.
func skipping(status foldstream.Status, do func(s *mem.Store) func(context.Context, string, string, ...foldstream.TaskID) (int, error)) endFunc {
	return func(ctx context.Context, s *mem.Store, pool, why string, ids []foldstream.TaskID) (int, error) {
		ids = slices.DeleteFunc(slices.Clone(ids), func(id foldstream.TaskID) bool {
			state, err := s.Task(ctx, pool, id)
			return err == nil && state.Status == status
		})
		return do(s)(ctx, pool, why, ids...)
	}
}

// later makes every task come with one attempt more once *on is set.
func later(on *bool) func(foldstream.Task) foldstream.Task {
	return func(t foldstream.Task) foldstream.Task {
		if *on {
			t.Attempt++
		}
		return t
	}
}

// forgetful reads no references of a source.
func forgetful(source string) mutant {
	return mutant{"no references of " + source, mem.Options{}, func(b *broken, _ *streamtest.Harness) { b.forgets = source }, []string{"sweep/everything refers"}}
}

var adminMutants = []mutant{
	{"a sweep of what was stored again", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.sweep = func(ctx context.Context, s *mem.Store, listed foldstream.Stored) (bool, error) {
			for now, err := range s.Stored(ctx) {
				if err != nil || now.Digest == listed.Digest {
					swept, _ := s.Sweep(ctx, now)
					return swept, err
				}
			}
			return false, nil
		}
	}, []string{"sweep/stored again since"}},
	{"a sweep that sweeps nothing", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.sweep = func(context.Context, *mem.Store, foldstream.Stored) (bool, error) { return true, nil }
	}, []string{"sweep/what was listed", "sweep/stored again since"}},
	forgetful(foldstream.FromDefinitions), forgetful(foldstream.FromEvents), forgetful(foldstream.FromSchedules),
	forgetful(foldstream.Experiments), forgetful(foldstream.Collections),
	{"no fence: a stale commit is no error, of a task that was taken away", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.commit = func(ctx context.Context, l foldstream.Lease, r foldstream.Result) error {
			if err := l.Commit(ctx, r); !stale(err) {
				return err
			}
			return nil
		}
	}, []string{
		"cancel/running", "remove/any status", "remove/a worker of the life before", "retry/cancelled", "reset/by force", "reset/a dead worker",
		"admin/storm",
	}},
	{"cancel does nothing", mem.Options{}, func(b *broken, _ *streamtest.Harness) { b.cancel = claimed },
		[]string{"cancel/waiting", "cancel/running", "cancel/between stages", "cancel/what it does not apply to", "delay/cancelled"}},
	{"what runs is not cancelled", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.cancel = skipping(foldstream.Running, func(s *mem.Store) func(context.Context, string, string, ...foldstream.TaskID) (int, error) {
			return s.Cancel
		})
	}, []string{"cancel/running", "retry/cancelled"}},
	{"what is between stages is not cancelled", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.cancel = skipping(foldstream.PartDone, func(s *mem.Store) func(context.Context, string, string, ...foldstream.TaskID) (int, error) {
			return s.Cancel
		})
	}, []string{"cancel/between stages"}},
	{"cancel removes", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.cancel = func(ctx context.Context, s *mem.Store, pool, why string, ids []foldstream.TaskID) (int, error) {
			return s.Remove(ctx, pool, why, ids...)
		}
	}, []string{"cancel/waiting", "cancel/what it does not apply to"}},
	{"cancel forgets why", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.cancel = func(ctx context.Context, s *mem.Store, pool, _ string, ids []foldstream.TaskID) (int, error) {
			return s.Cancel(ctx, pool, "", ids...)
		}
	}, []string{"cancel/waiting"}},
	{"remove does nothing", mem.Options{}, func(b *broken, _ *streamtest.Harness) { b.unmake = claimed }, []string{
		"remove/any status", "remove/a new life", "verify/balanced", "letter/gone when the task is not failed any more", "delay/cancelled",
	}},
	{"what is done is not removed", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.unmake = skipping(foldstream.Done, func(s *mem.Store) func(context.Context, string, string, ...foldstream.TaskID) (int, error) {
			return s.Remove
		})
	}, []string{"remove/any status", "remove/a new life"}},
	{"what was removed stays removed", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.create = func(ctx context.Context, p foldstream.Pool, tasks []foldstream.Task) ([]foldstream.Created, error) {
			for _, t := range tasks {
				if s, err := b.Store.Task(ctx, "windows", t.ID); err == nil && s.Status == foldstream.Removed {
					return []foldstream.Created{{ID: t.ID, Status: foldstream.Removed}}, nil
				}
			}
			return p.Create(ctx, tasks...)
		}
	}, []string{"remove/a new life", "remove/a worker of the life before", "admin/storm"}},
	{"a new life takes the old definition", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		first := map[foldstream.TaskID]foldstream.Task{}
		b.create = func(ctx context.Context, p foldstream.Pool, tasks []foldstream.Task) ([]foldstream.Created, error) {
			tasks = slices.Clone(tasks)
			for i, t := range tasks {
				if _, known := first[t.ID]; !known {
					first[t.ID] = t
				}
				tasks[i] = first[t.ID]
			}
			return p.Create(ctx, tasks...)
		}
	}, []string{"remove/a new life"}},
	{"replace only creates", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.replace = func(ctx context.Context, s *mem.Store, pool, _ string, _ foldstream.TaskID, t foldstream.Task) (foldstream.Created, error) {
			made, err := s.Pool(pool).Create(ctx, t)
			return made[0], err
		}
	}, []string{"replace/any status", "replace/by a known task"}},
	{"replace only removes", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.replace = func(ctx context.Context, s *mem.Store, pool, why string, old foldstream.TaskID, t foldstream.Task) (foldstream.Created, error) {
			_, err := s.Remove(ctx, pool, why, old)
			return foldstream.Created{ID: t.ID, Status: foldstream.Waiting, New: true}, err
		}
	}, []string{"replace/any status", "replace/there and back"}},
	{"replace tells of no link", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.replace = unlinked
	}, []string{"replace/any status", "replace/again", "replace/by a known task", "replace/there and back"}},
	{"replace ends the old task before it looks at the new one", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.replace = func(ctx context.Context, s *mem.Store, pool, why string, old foldstream.TaskID, t foldstream.Task) (foldstream.Created, error) {
			made, err := s.Replace(ctx, pool, why, old, t)
			if foldstream.Is(err, foldstream.Invalid) || foldstream.Is(err, foldstream.TooLarge) {
				_, _ = s.Remove(ctx, pool, why, old)
			}
			return made, err
		}
	}, []string{"replace/refused"}},
	{"whatever was removed can be replaced", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.replace = func(ctx context.Context, s *mem.Store, pool, why string, old foldstream.TaskID, t foldstream.Task) (foldstream.Created, error) {
			made, err := s.Replace(ctx, pool, why, old, t)
			if !foldstream.Is(err, foldstream.Conflict) {
				return made, err
			}
			all, err := s.Pool(pool).Create(ctx, t)
			return all[0], err
		}
	}, []string{"replace/refused"}},
	{"replacing twice is removing twice", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.replace = func(ctx context.Context, s *mem.Store, pool, why string, old foldstream.TaskID, t foldstream.Task) (foldstream.Created, error) {
			_, _ = s.Remove(ctx, pool, why, t.ID)
			return s.Replace(ctx, pool, why, old, t)
		}
	}, []string{"replace/again"}},
	{"retry does nothing", mem.Options{}, func(b *broken, _ *streamtest.Harness) { b.retry = claimed }, []string{
		"retry/failed", "retry/cancelled", "retry/crashed", "retry/what it does not apply to", "letter/dropped",
		"letter/gone when the task is not failed any more",
	}},
	{"retry goes on counting attempts", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		retried := false
		b.retry = func(ctx context.Context, s *mem.Store, pool, why string, ids []foldstream.TaskID) (int, error) {
			retried = true
			return s.Retry(ctx, pool, why, ids...)
		}
		b.task = later(&retried)
	}, []string{"retry/failed", "retry/cancelled", "retry/crashed"}},
	{"retry forgets the priority", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.retry = func(ctx context.Context, s *mem.Store, pool, why string, ids []foldstream.TaskID) (int, error) {
			n, err := s.Retry(ctx, pool, why, ids...)
			_, _ = s.Prioritize(ctx, pool, nil, ids...)
			return n, err
		}
	}, []string{"retry/failed", "retry/at the priority that it was moved to"}},
	{"lost workers are never forgotten", mem.Options{}, func(b *broken, h *streamtest.Harness) {
		retried, abandon := false, h.Abandon
		b.retry = func(ctx context.Context, s *mem.Store, pool, why string, ids []foldstream.TaskID) (int, error) {
			retried = true
			return s.Retry(ctx, pool, why, ids...)
		}
		h.Abandon = func(l foldstream.Lease) {
			if abandon(l); retried {
				_ = l.Fail(context.Background(), errors.New("crashed"))
			}
		}
	}, []string{"retry/crashed"}},
	{"reset always has force", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.reset = func(ctx context.Context, s *mem.Store, pool string, _ bool, ids []foldstream.TaskID) (int, error) {
			return s.Reset(ctx, pool, true, ids...)
		}
	}, []string{"reset/a live worker"}},
	{"reset never has force", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.reset = func(ctx context.Context, s *mem.Store, pool string, _ bool, ids []foldstream.TaskID) (int, error) {
			return s.Reset(ctx, pool, false, ids...)
		}
	}, []string{"reset/by force"}},
	{"reset does nothing", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.reset = func(_ context.Context, _ *mem.Store, _ string, _ bool, ids []foldstream.TaskID) (int, error) {
			return len(ids), nil
		}
	}, []string{"reset/a live worker", "reset/by force", "reset/a dead worker", "reset/what it does not apply to"}},
	{"reset uses an attempt", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		reset := false
		b.reset = func(ctx context.Context, s *mem.Store, pool string, force bool, ids []foldstream.TaskID) (int, error) {
			reset = true
			return s.Reset(ctx, pool, force, ids...)
		}
		b.task = later(&reset)
	}, []string{"reset/by force", "reset/a dead worker"}},
	{"reset begins at the first stage", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.reset = func(ctx context.Context, s *mem.Store, pool string, force bool, ids []foldstream.TaskID) (int, error) {
			n, err := s.Reset(ctx, pool, force, ids...)
			_, _ = s.Cancel(ctx, pool, "", ids...)
			_, _ = s.Retry(ctx, pool, "", ids...)
			return n, err
		}
	}, []string{"reset/by force"}},
	{"prioritize does nothing", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.prioritize = func(_ context.Context, _ *mem.Store, _ string, _ *int, ids []foldstream.TaskID) (int, error) {
			return len(ids), nil
		}
	}, []string{"prioritize/up and down", "prioritize/what it does not apply to", "delay/prioritized", "index/prioritized and delayed"}},
	{"prioritize takes what runs", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.prioritize = func(ctx context.Context, s *mem.Store, pool string, p *int, ids []foldstream.TaskID) (int, error) {
			_, _ = s.Reset(ctx, pool, true, ids...)
			return s.Prioritize(ctx, pool, p, ids...)
		}
	}, []string{"prioritize/what it does not apply to"}},
	{"prioritize forgets the time", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.prioritize = func(ctx context.Context, s *mem.Store, pool string, p *int, ids []foldstream.TaskID) (int, error) {
			_, _ = s.Cancel(ctx, pool, "", ids...)
			_, _ = s.Retry(ctx, pool, "", ids...)
			return s.Prioritize(ctx, pool, p, ids...)
		}
	}, []string{"delay/prioritized"}},
	{"prioritize loses the ticket", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.prioritize = func(ctx context.Context, s *mem.Store, pool string, p *int, ids []foldstream.TaskID) (int, error) {
			for _, id := range ids {
				_ = s.DeleteTicket(pool, id)
			}
			return len(ids), nil
		}
	}, []string{"prioritize/up and down", "prioritize/while workers drain"}},
	{"change changes nothing", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.change = func(ctx context.Context, s *mem.Store, pool string, change func(*foldstream.PoolSettings)) (foldstream.PoolSettings, error) {
			p, err := s.Settings(ctx, pool)
			change(&p)
			return p, err
		}
	}, []string{"setting/kept", "setting/changed by many at once", "setting/paused and resumed"}},
	{"the last to change wins", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.change = func(ctx context.Context, s *mem.Store, pool string, change func(*foldstream.PoolSettings)) (foldstream.PoolSettings, error) {
			next, err := s.Settings(ctx, pool)
			if err != nil {
				return next, err
			}
			change(&next)
			<-time.After(time.Millisecond)
			return s.Change(ctx, pool, func(p *foldstream.PoolSettings) { *p = next })
		}
	}, []string{"setting/changed by many at once"}},
	{"a pool is never resumed", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.change = func(ctx context.Context, s *mem.Store, pool string, change func(*foldstream.PoolSettings)) (foldstream.PoolSettings, error) {
			said := foldstream.PoolSettings{}
			_, err := s.Change(ctx, pool, func(p *foldstream.PoolSettings) {
				was := p.Paused
				change(p)
				said = *p
				p.Paused = p.Paused || was
			})
			return said, err
		}
	}, []string{"setting/paused and resumed", "admin/storm"}},
	{"any code works the tasks", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.fetch = func(ctx context.Context, p foldstream.Pool, f foldstream.Filter) (foldstream.Lease, error) {
			set, err := b.Settings(ctx, "windows")
			if err != nil {
				return nil, err
			}
			f.Code = set.Code
			return p.Fetch(ctx, f)
		}
	}, []string{"setting/code that is required"}},
	{"every task starts at once", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.create = starting(func(time.Time) time.Time { return time.Time{} })
	},
		[]string{"delay/not before its time", "delay/prioritized"}},
	{"a task starts a minute late", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.create = starting(func(at time.Time) time.Time { return at.Add(2*time.Hour + time.Minute) })
	}, []string{"delay/not before its time", "delay/a time that is past"}},
	{"a task starts seconds late", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.create = starting(func(at time.Time) time.Time { return at.Add(3 * time.Second) })
		b.state = func(s *foldstream.TaskState) { s.NotBefore = s.NotBefore.Add(-3 * time.Second) }
	}, []string{"delay/not before its time"}},
	{"the index has no errors", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.state = func(s *foldstream.TaskState) { s.Error = "" }
	}, []string{"index/tasks in each status", "index/follows the events", "index/prioritized and delayed"}},
	{"the index has no workers", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.state = func(s *foldstream.TaskState) { s.Worker = "" }
	}, []string{"index/tasks in each status", "index/follows the events"}},
	{"the index has the next attempt", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.state = func(s *foldstream.TaskState) { s.Attempt++ }
	}, []string{"index/follows the events"}},
	{"the index is never updated", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.state = func(s *foldstream.TaskState) { s.Updated = s.Created.Add(-time.Second) }
	}, []string{"index/follows the events"}},
	{"the index knows no delays", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.state = func(s *foldstream.TaskState) { s.NotBefore = time.Time{} }
	}, []string{"index/prioritized and delayed", "delay/not before its time"}},
	{"the index has the first priority", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.state = func(s *foldstream.TaskState) { s.Priority = nil }
	}, []string{"index/prioritized and delayed", "index/follows the events"}},
	{"the index is backwards", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.tasks = backwards[foldstream.TaskState]
	}, []string{"index/tasks in each status", "index/many"}},
	{"a page is as long as it likes", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.query = func(q *foldstream.TaskQuery) { q.Limit *= 2 }
	}, []string{"index/pages", "index/pages of a status"}},
	{"every page is the first", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.query = func(q *foldstream.TaskQuery) { q.After = "" }
	}, []string{"index/pages", "index/pages of a status", "index/no page"}},
	{"a page has all statuses", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.query = func(q *foldstream.TaskQuery) { q.Statuses = nil }
	}, []string{"index/pages of a status"}},
	{"a page has one status", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.query = func(q *foldstream.TaskQuery) { q.Statuses = q.Statuses[:min(1, len(q.Statuses))] }
	}, []string{"index/pages of a status"}},
	{"a limit below 0 is no limit", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.query = func(q *foldstream.TaskQuery) { q.Limit = max(q.Limit, 0) }
	}, []string{"index/no page"}},
	{"a new life comes first", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.tasks = backwards[foldstream.TaskState]
	}, []string{"index/a new life comes last"}},
	{"only one pool counts", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.stats = func(all map[string]foldstream.Counts) { delete(all, "other") }
	}, []string{"index/all pools"}},
	{"all pools count together", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.stats = func(all map[string]foldstream.Counts) { all["other"] = all["windows"] }
	}, []string{"index/all pools"}},
	{"the index finds everything", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.find = func(ctx context.Context, s *mem.Store, pool string, id foldstream.TaskID) (foldstream.TaskState, error) {
			state, _ := s.Task(ctx, pool, id)
			return state, nil
		}
	}, []string{"index/not there"}},
	{"nobody is alive", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.workers = func(seq iter.Seq2[foldstream.Presence, error]) iter.Seq2[foldstream.Presence, error] {
			return without(seq, func(foldstream.Presence) bool { return true })
		}
	}, []string{"index/workers"}},
	{"the dead live on", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		var last foldstream.Presence
		b.workers = func(seq iter.Seq2[foldstream.Presence, error]) iter.Seq2[foldstream.Presence, error] {
			for p, err := range seq {
				if err != nil {
					return failing[foldstream.Presence](err)
				}
				last = p
			}
			return func(yield func(foldstream.Presence, error) bool) { yield(last, nil) }
		}
	}, []string{"index/workers"}},
	{"letters backwards", mem.Options{}, func(b *broken, _ *streamtest.Harness) { b.letters = backwards[foldstream.DeadLetter] },
		[]string{"letter/read", "letter/dropped", "letter/gone when the task is not failed any more"}},
	{"letters without a history", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.letters = func(seq iter.Seq2[foldstream.DeadLetter, error]) iter.Seq2[foldstream.DeadLetter, error] {
			return func(yield func(foldstream.DeadLetter, error) bool) {
				for l, err := range seq {
					if l.Events = nil; !yield(l, err) {
						return
					}
				}
			}
		}
	}, []string{"letter/read"}},
	{"letters are for ever", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		var kept []foldstream.DeadLetter
		b.letters = func(seq iter.Seq2[foldstream.DeadLetter, error]) iter.Seq2[foldstream.DeadLetter, error] {
			for l, err := range seq {
				if err != nil {
					return failing[foldstream.DeadLetter](err)
				}
				if !slices.ContainsFunc(kept, func(k foldstream.DeadLetter) bool { return k.Task.ID == l.Task.ID }) {
					kept = append(kept, l)
				}
			}
			return each(kept)
		}
	}, []string{"letter/dropped", "letter/gone when the task is not failed any more"}},
	{"drop does nothing", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.drop = func(_ context.Context, _ *mem.Store, _ string, ids []foldstream.TaskID) (int, error) {
			return len(ids), nil
		}
	}, []string{"letter/dropped"}},
	{"verify finds nothing", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.verify = func(c *foldstream.Conservation) { c.Faults = nil }
	}, []string{"verify/a ticket lost"}},
	{"verify always finds something", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.verify = func(c *foldstream.Conservation) { c.Faults = append(c.Faults, "task x: it is odd") }
	}, []string{"verify/balanced", "verify/a ticket lost", "admin/storm"}},
	{"verify counts tickets of finished tasks", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.verify = func(c *foldstream.Conservation) { c.Tickets = c.Created }
	}, []string{"verify/balanced"}},
	{"verify counts results of removed tasks", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.verify = func(c *foldstream.Conservation) { c.Results += c.Counts[foldstream.Removed] }
	}, []string{"verify/balanced"}},
}

// starting makes tasks that have a time with another one.
func starting(at func(time.Time) time.Time) createFunc {
	return func(ctx context.Context, p foldstream.Pool, tasks []foldstream.Task) ([]foldstream.Created, error) {
		tasks = slices.Clone(tasks)
		for i, t := range tasks {
			if !t.NotBefore.IsZero() {
				tasks[i].NotBefore = at(t.NotBefore)
			}
		}
		return p.Create(ctx, tasks...)
	}
}
