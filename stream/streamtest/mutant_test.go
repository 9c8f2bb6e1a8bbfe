package streamtest_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// mutant is a fault and the checks that must see it.
type mutant struct {
	name   string
	opts   mem.Options
	fault  func(b *broken, h *streamtest.Harness)
	caught []string
}

// stale is what happens on a lost lease.
func stale(err error) bool { return foldstream.Is(err, foldstream.Conflict) }

var mutants = []mutant{
	{"no fence: a stale commit is no error", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.commit = func(ctx context.Context, l foldstream.Lease, r foldstream.Result) error {
			if err := l.Commit(ctx, r); !stale(err) {
				return err
			}
			return nil
		}
	}, []string{
		"crash/a stale worker is refused", "crash/the slow worker commits after the quick one", "lease/ends once",
		"stage/a stale commit of an earlier stage", "stage/a crash resumes at its stage", "storm",
	}},
	{"a stale worker's acknowledgement takes the ticket", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.commit = func(ctx context.Context, l foldstream.Lease, r foldstream.Result) error {
			err := l.Commit(ctx, r)
			if stale(err) {
				_ = b.DeleteTicket("windows", l.Task().ID)
			}
			return err
		}
	}, []string{"crash/a stale commit leaves the ticket"}},
	{"no dedup: a known task is made again under another id", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		var mu sync.Mutex
		known := map[foldstream.TaskID]bool{}
		b.create = func(ctx context.Context, p foldstream.Pool, tasks []foldstream.Task) ([]foldstream.Created, error) {
			mu.Lock()
			defer mu.Unlock()
			tasks = slices.Clone(tasks)
			for i, t := range tasks {
				for known[tasks[i].ID] {
					tasks[i].ID = otherID(tasks[i].ID)
				}
				known[t.ID], known[tasks[i].ID] = true, true
			}
			return p.Create(ctx, tasks...)
		}
	}, []string{
		"create/twice", "create/duplicates in one call", "create/two producers at once",
	}},
	{"a known task is left as it is", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		known := map[foldstream.TaskID]bool{}
		b.create = func(ctx context.Context, p foldstream.Pool, tasks []foldstream.Task) ([]foldstream.Created, error) {
			if known[tasks[0].ID] {
				return []foldstream.Created{{ID: tasks[0].ID, Status: foldstream.Waiting}}, nil
			}
			known[tasks[0].ID] = true
			return p.Create(ctx, tasks...)
		}
	}, []string{"create/again completes what was left"}},
	{"new tasks are called known", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.create = func(ctx context.Context, p foldstream.Pool, tasks []foldstream.Task) ([]foldstream.Created, error) {
			made, err := p.Create(ctx, tasks...)
			for i := range made {
				made[i].New = false
			}
			return made, err
		}
	}, []string{"create/new"}},
	{"one pool for all names", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.rename = func(string) string { return "one" }
	}, []string{"create/pools apart", "archive/pools", "event/cursor and filter"}},
	{"any name is a pool", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.rename = func(name string) string {
			if foldstream.ValidName("pool", name) != nil {
				return "bad"
			}
			return name
		}
	}, []string{"create/invalid"}},
	{"no task is an error", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.create = func(ctx context.Context, p foldstream.Pool, tasks []foldstream.Task) ([]foldstream.Created, error) {
			if len(tasks) == 0 {
				return nil, errors.New("nothing to create")
			}
			return p.Create(ctx, tasks...)
		}
	}, []string{"create/nothing"}},
	{"tasks are made one by one, up to a bad one", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.create = func(ctx context.Context, p foldstream.Pool, tasks []foldstream.Task) (all []foldstream.Created, err error) {
			for _, t := range tasks {
				made, err := p.Create(ctx, t)
				if err != nil {
					return nil, err
				}
				all = append(all, made...)
			}
			return all, nil
		}
	}, []string{"create/invalid", "create/too large"}},
	{"create does not look at its context", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.create = func(ctx context.Context, p foldstream.Pool, tasks []foldstream.Task) ([]foldstream.Created, error) {
			return p.Create(context.WithoutCancel(ctx), tasks...)
		}
	}, []string{"create/cancelled"}},
	{"no limit to the payload", mem.Options{MaxPayload: 1 << 30}, func(*broken, *streamtest.Harness) {},
		[]string{"create/too large", "lease/too large a result", "value/refused"}},
	{"reversed bands", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.create = func(ctx context.Context, p foldstream.Pool, tasks []foldstream.Task) ([]foldstream.Created, error) {
			return p.Create(ctx, prioritised(tasks, func(p int) *int { p = -p; return &p })...)
		}
	}, []string{"order/highest band first"}},
	{"no bands", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.create = func(ctx context.Context, p foldstream.Pool, tasks []foldstream.Task) ([]foldstream.Created, error) {
			return p.Create(ctx, prioritised(tasks, func(int) *int { return nil })...)
		}
	}, []string{"order/highest band first", "order/an urgent task overtakes", "order/no band starves"}},
	{"the second comes first", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.fetch = func(ctx context.Context, p foldstream.Pool, f foldstream.Filter) (foldstream.Lease, error) {
			first, err := p.Fetch(ctx, f)
			if err != nil {
				return nil, err
			}
			f.Wait = 0
			second, err := p.Fetch(ctx, f)
			if err != nil {
				return first, nil
			}
			return second, first.Return(ctx, nil, 0)
		}
	}, []string{"order/first come first"}},
	{"bands starve", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.fetch = func(ctx context.Context, p foldstream.Pool, f foldstream.Filter) (foldstream.Lease, error) {
			urgent := f
			urgent.MinBand, urgent.Wait = max(f.MinBand, 1), 0
			if l, err := p.Fetch(ctx, urgent); err == nil {
				return l, nil
			}
			return p.Fetch(ctx, f)
		}
	}, []string{"order/no band starves"}},
	{"fetch ignores the band and the stage", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.fetch = func(ctx context.Context, p foldstream.Pool, f foldstream.Filter) (foldstream.Lease, error) {
			return p.Fetch(ctx, foldstream.Filter{Wait: f.Wait})
		}
	}, []string{"order/lowest band wanted", "stage/fetched by name", "create/invalid", "attempt/leases until none is there"}},
	{"fetch does not wait", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.fetch = func(ctx context.Context, p foldstream.Pool, f foldstream.Filter) (foldstream.Lease, error) {
			f.Wait = 0
			return p.Fetch(ctx, f)
		}
	}, []string{"fetch/nothing there", "fetch/waits and wakes"}},
	{"fetch does not look at its context", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.fetch = func(ctx context.Context, p foldstream.Pool, f foldstream.Filter) (foldstream.Lease, error) {
			return p.Fetch(context.WithoutCancel(ctx), f)
		}
	}, []string{"fetch/cancelled while waiting"}},
	{"every third fetch gives a task that is held", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		var mu sync.Mutex
		var held foldstream.Lease
		n := 0
		b.fetch = func(ctx context.Context, p foldstream.Pool, f foldstream.Filter) (foldstream.Lease, error) {
			mu.Lock()
			defer mu.Unlock()
			if n++; n%3 == 0 && held != nil {
				return held, nil
			}
			l, err := p.Fetch(ctx, f)
			if err == nil {
				held = l
			}
			return l, err
		}
	}, []string{"fetch/by one worker only"}},
	{"a lease does not live by itself", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.fetch = func(ctx context.Context, p foldstream.Pool, f foldstream.Filter) (foldstream.Lease, error) {
			l, err := p.Fetch(ctx, f)
			if err == nil {
				mem.Abandon(l)
			}
			return l, err
		}
	}, []string{"lease/lives while its worker does", "reconcile/nothing to mend", "lease/too large a result"}},
	{"an abandoned lease lives on", mem.Options{}, func(_ *broken, h *streamtest.Harness) {
		h.Abandon = func(foldstream.Lease) {}
	}, []string{
		"crash/another worker takes over", "crash/a stale worker is refused", "crash/too many", "stage/a crash resumes at its stage",
		"reconcile/ticket of a dead worker lost",
	}},
	{"crashes are not counted", mem.Options{MaxCrashes: 1000}, func(*broken, *streamtest.Harness) {}, []string{"crash/too many"}},
	{"a commit is forgotten", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.commit = func(context.Context, foldstream.Lease, foldstream.Result) error { return nil }
	}, []string{"crash/the slow worker wakes before anybody took over", "stage/one after the other", "storm", "attempt/commits"}},
	{"a commit forgets the frames", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.commit = func(ctx context.Context, l foldstream.Lease, r foldstream.Result) error {
			r.Frames = nil
			return l.Commit(ctx, r)
		}
	}, []string{"lease/keeps the result"}},
	{"a return ignores the pause", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.giveUp = func(ctx context.Context, l foldstream.Lease, why error, _ time.Duration) error {
			return l.Return(ctx, why, 0)
		}
	}, []string{"lease/return with an error and a pause"}},
	{"a return never counts", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.giveUp = func(ctx context.Context, l foldstream.Lease, _ error, after time.Duration) error {
			return l.Return(ctx, nil, after)
		}
	}, []string{"lease/return with an error and a pause", "attempt/an error counts", "attempt/a panic counts"}},
	{"a return always counts", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.giveUp = func(ctx context.Context, l foldstream.Lease, _ error, after time.Duration) error {
			return l.Return(ctx, errors.New("counted"), after)
		}
	}, []string{"lease/return uses no attempt", "attempt/a stop and a snooze use nothing up"}},
	{"a stale return is no error", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.giveUp = func(ctx context.Context, l foldstream.Lease, why error, after time.Duration) error {
			if err := l.Return(ctx, why, after); !stale(err) {
				return err
			}
			return nil
		}
	}, []string{"attempt/what do ended is left alone", "lease/ends once"}},
	{"a stale worker's return takes the task from the one who has it", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.giveUp = func(ctx context.Context, l foldstream.Lease, why error, after time.Duration) error {
			err := l.Return(ctx, why, after)
			if stale(err) {
				_, _ = b.Store.Reset(ctx, "windows", true, l.Task().ID)
			}
			return err
		}
	}, []string{"attempt/what is another's is left alone"}},
	{"a failed task comes back", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.fail = func(ctx context.Context, l foldstream.Lease, why error) error { return l.Return(ctx, why, 0) }
	}, []string{"lease/fail", "create/known while running, done and failed", "attempt/an error counts"}},
	{"stat forgets the failed", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.stat = func(c foldstream.Counts) { delete(c, foldstream.Dead) }
	}, []string{"lease/fail", "crash/too many"}},
	{"the part is lost", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.task = func(t foldstream.Task) foldstream.Task { t.Part = nil; return t }
	}, []string{"stage/one after the other", "stage/a crash resumes at its stage"}},
	{"attempts go on over the stages", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.task = func(t foldstream.Task) foldstream.Task {
			if t.Part != nil {
				t.Attempt++
			}
			return t
		}
	}, []string{"stage/attempts start anew"}},
	{"claims are no events", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.events = func(ctx context.Context, s *mem.Store, f foldstream.EventFilter, from foldstream.Cursor) iter.Seq2[foldstream.Event, error] {
			return without(s.Events(ctx, f, from), func(e foldstream.Event) bool { return e.Kind == foldstream.EventClaim })
		}
	}, []string{"event/a life as a chain", "create/new"}},
	{"events ignore the cursor", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.events = func(ctx context.Context, s *mem.Store, f foldstream.EventFilter, _ foldstream.Cursor) iter.Seq2[foldstream.Event, error] {
			return s.Events(ctx, f, 0)
		}
	}, []string{"event/cursor and filter"}},
	{"following is never idle", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.events = func(ctx context.Context, s *mem.Store, f foldstream.EventFilter, from foldstream.Cursor) iter.Seq2[foldstream.Event, error] {
			f.Idle = nil
			return s.Events(ctx, f, from)
		}
	}, []string{"event/follow"}},
	{"a task of any pool", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.events = func(ctx context.Context, s *mem.Store, f foldstream.EventFilter, from foldstream.Cursor) iter.Seq2[foldstream.Event, error] {
			if f.Pool == "" {
				f.Task = ""
			}
			return s.Events(ctx, f, from)
		}
	}, []string{"event/a task needs its pool"}},
	{"definitions backwards", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.definitions = func(seq iter.Seq2[foldstream.Task, error]) iter.Seq2[foldstream.Task, error] { return backwards(seq) }
	}, []string{"archive/definitions"}},
	{"tasks of another pool are defined here", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.defined = func(all iter.Seq2[foldstream.TaskID, error], s *mem.Store) iter.Seq2[foldstream.TaskID, error] {
			return func(yield func(foldstream.TaskID, error) bool) {
				all(yield)
				s.Defined(context.Background(), "other")(yield)
			}
		}
	}, []string{"archive/defined"}},
	{"everything is copied", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.copies = func(ctx context.Context, s *mem.Store, from, to, experiment string, _ func(foldstream.TaskID) bool) iter.Seq2[[]foldstream.Created, error] {
			return s.Copy(ctx, from, to, experiment, func(foldstream.TaskID) bool { return true })
		}
	}, []string{"archive/copy"}},
	{"copies are of the experiment that the originals are of", mem.Options{}, copying(func(_, t *foldstream.Task) { t.Experiment = "" }), []string{"archive/copy"}},
	{"copies replace what the originals replaced", mem.Options{}, copying(func(def, t *foldstream.Task) { t.Replaces = def.Replaces }), []string{"archive/copy"}},
	{"copies do not wait for their time", mem.Options{}, copying(func(_, t *foldstream.Task) { t.NotBefore = time.Time{} }), []string{"archive/copy"}},
	{"what is no pool is copied as none", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.copies = func(ctx context.Context, s *mem.Store, from, to, experiment string, wanted func(foldstream.TaskID) bool) iter.Seq2[[]foldstream.Created, error] {
			if foldstream.ValidName("pool", from) != nil {
				return func(func([]foldstream.Created, error) bool) {}
			}
			return s.Copy(ctx, from, to, experiment, wanted)
		}
	}, []string{"archive/copy what is no pool"}},
	{"reconcile does nothing", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.reconcile = func(int) int { return 0 }
	}, []string{"reconcile/tickets lost", "reconcile/ticket of a dead worker lost"}},
	{"reconcile always mends", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.reconcile = func(int) int { return 1 }
	}, []string{"reconcile/nothing to mend", "reconcile/ticket of a live worker lost"}},
	{"the last writer wins", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.put = func(ctx context.Context, v foldstream.Values, val foldstream.Value) (uint64, error) {
			if old, err := v.Get(ctx, val.Key); err == nil {
				val.Revision = old.Revision
			}
			return v.Put(ctx, val)
		}
	}, []string{"value/compare and set"}},
	{"a lost compare is no error", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		n := 0
		var mu sync.Mutex
		b.put = func(ctx context.Context, v foldstream.Values, val foldstream.Value) (uint64, error) {
			mu.Lock()
			defer mu.Unlock()
			if n++; n%5 == 0 {
				return 1, nil
			}
			return v.Put(ctx, val)
		}
	}, []string{"value/one of many writers", "value/list"}},
	{"the mark is lost", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.put = func(ctx context.Context, v foldstream.Values, val foldstream.Value) (uint64, error) {
			val.Mark = 0
			return v.Put(ctx, val)
		}
	}, []string{"value/put, get and mark", "value/watch"}},
	{"delete does nothing", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.remove = func(context.Context, foldstream.Values, string, uint64) error { return nil }
	}, []string{"value/delete", "value/compare and set", "value/watch", "value/list"}},
	{"a list backwards", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.list = func(seq iter.Seq2[foldstream.Value, error]) iter.Seq2[foldstream.Value, error] { return backwards(seq) }
	}, []string{"value/list"}},
	{"a watch without the end of the start", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.watch = func(ctx context.Context, v foldstream.Values, prefix string) iter.Seq2[foldstream.Value, error] {
			return without(v.Watch(ctx, prefix), func(v foldstream.Value) bool { return v.Key == "" })
		}
	}, []string{"value/watch", "value/watch an empty bucket"}},
	{"put counts wrongly", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.putBlob = func(ctx context.Context, a foldstream.Artifacts, r io.Reader) (foldstream.Digest, int64, error) {
			d, n, err := a.Put(ctx, r)
			return d, n + 1, err
		}
	}, []string{"artifact/put and open"}},
	{"the same bytes twice are a conflict", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.putBlob = func(ctx context.Context, a foldstream.Artifacts, r io.Reader) (foldstream.Digest, int64, error) {
			data, err := io.ReadAll(r)
			if err != nil {
				return "", 0, err
			}
			sum := sha256.Sum256(data)
			if _, err := a.Stat(ctx, digest(sum)); err == nil {
				return "", 0, errors.New("there is one")
			}
			return a.Put(ctx, bytes.NewReader(data))
		}
	}, []string{"artifact/the same twice"}},
	{"a broken source is the end", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.putBlob = func(ctx context.Context, a foldstream.Artifacts, r io.Reader) (foldstream.Digest, int64, error) {
			data, _ := io.ReadAll(r)
			return a.Put(ctx, bytes.NewReader(data))
		}
	}, []string{"artifact/source fails"}},
	{"a blob is not verified", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.openBlob = func(r io.ReadCloser) io.ReadCloser {
			data, _ := io.ReadAll(r)
			return io.NopCloser(bytes.NewReader(data))
		}
	}, []string{"artifact/corrupt"}},
	{"a blob is never deleted", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.deleteBlob = func(context.Context, foldstream.Artifacts, foldstream.Digest) error { return nil }
	}, []string{"artifact/delete", "artifact/the same twice"}},
	{"only what is there can be deleted", mem.Options{}, func(b *broken, _ *streamtest.Harness) {
		b.deleteBlob = func(ctx context.Context, a foldstream.Artifacts, d foldstream.Digest) error {
			if _, err := a.Stat(ctx, d); err != nil {
				return err
			}
			return a.Delete(ctx, d)
		}
	}, []string{"artifact/not there"}},
}

// otherID returns an id that stands for nothing.
func otherID(id foldstream.TaskID) foldstream.TaskID {
	sum := sha256.Sum256([]byte(id))
	return foldstream.TaskID(strings.ToLower(base32.StdEncoding.EncodeToString(sum[:])[:26]))
}

// prioritised returns the tasks with other priorities; those without one keep none.
func prioritised(tasks []foldstream.Task, to func(int) *int) []foldstream.Task {
	tasks = slices.Clone(tasks)
	for i, t := range tasks {
		if t.Priority != nil {
			tasks[i].Priority = to(*t.Priority)
		}
	}
	return tasks
}

// without leaves out some of a sequence.
func without[T any](seq iter.Seq2[T, error], out func(T) bool) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range seq {
			if (err != nil || !out(v)) && !yield(v, err) {
				return
			}
		}
	}
}

// backwards turns a sequence around; its errors come first.
func backwards[T any](seq iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var all []T
		for v, err := range seq {
			if err != nil && !yield(v, err) {
				return
			}
			all = append(all, v)
		}
		for _, v := range slices.Backward(all) {
			if !yield(v, nil) {
				return
			}
		}
	}
}

func digest(sum [32]byte) foldstream.Digest { return foldstream.Digest(hex.EncodeToString(sum[:])) }

// copying changes copies, each of its original, before they are created.
func copying(change func(def, t *foldstream.Task)) func(*broken, *streamtest.Harness) {
	return func(b *broken, _ *streamtest.Harness) {
		b.copies = func(ctx context.Context, s *mem.Store, from, to, experiment string, wanted func(foldstream.TaskID) bool) iter.Seq2[[]foldstream.Created, error] {
			return func(yield func([]foldstream.Created, error) bool) {
				var tasks []foldstream.Task
				for def, err := range s.Definitions(ctx, from) {
					if err == nil && wanted(def.ID) {
						t := def
						t.Experiment, t.Replaces = experiment, ""
						change(&def, &t)
						tasks = append(tasks, t)
					}
				}
				yield(s.Pool(to).Create(ctx, tasks...))
			}
		}
	}
}
