package test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
	consumer "github.com/foldstream/foldstream/work"
)

// gauge counts how many run at once, in all and by key.
type gauge struct {
	mu        sync.Mutex
	now, most map[string]int
	done      int
	ends      []time.Time
}

func newGauge() *gauge { return &gauge{now: map[string]int{}, most: map[string]int{}} }

func (g *gauge) add(n int, keys ...string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, k := range slices.Compact(slices.Sorted(slices.Values(append(keys, "")))) {
		g.now[k] += n
		g.most[k] = max(g.most[k], g.now[k])
	}
	if n < 0 {
		g.done++
		g.ends = append(g.ends, time.Now())
	}
}

// worker works for a while and counts itself.
func (g *gauge) worker(d time.Duration) consumer.Registry {
	return consumer.Registry{"w": foldstream.WorkerFunc(func(ctx context.Context, t foldstream.Task, _ foldstream.Recorder) (foldstream.Result, error) {
		g.add(1, t.Keys...)
		defer g.add(-1, t.Keys...)
		select {
		case <-time.After(d):
			return foldstream.Result{}, nil
		case <-ctx.Done():
			return foldstream.Result{}, ctx.Err()
		}
	})}
}

// limited returns a store with a pool "p" of the tasks, under the settings.
func limited(t *testing.T, s foldstream.PoolSettings, tasks []foldstream.Task) *mem.Store {
	t.Helper()
	store := mem.New(mem.Options{})
	change(t, store, s)
	if _, err := store.Pool("p").Create(t.Context(), tasks...); err != nil {
		t.Fatal(err)
	}
	return store
}

func change(t *testing.T, store *mem.Store, s foldstream.PoolSettings) {
	t.Helper()
	_, err := store.Change(t.Context(), "p", func(old *foldstream.PoolSettings) { old.Limit, old.Limits = s.Limit, s.Limits })
	if err != nil {
		t.Fatal(err)
	}
}

func keyed(tasks []foldstream.Task, keys func(i int) []string) []foldstream.Task {
	for i := range tasks {
		tasks[i].Keys = keys(i)
	}
	return tasks
}

// keeping returns a consumer that keeps the limits of pool "p".
func keeping(store *mem.Store, workers consumer.Registry, slots int) *consumer.Runner {
	return &consumer.Runner{Pool: store.Pool("p"), Workers: workers, Concurrency: slots, Settings: store, Locks: store.Values(foldstream.Locks), PoolName: "p"}
}

// locks lists the keys of the bucket of locks.
func locks(t *testing.T, store *mem.Store) []string {
	t.Helper()
	var keys []string
	for v, err := range store.Values(foldstream.Locks).List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, v.Key)
	}
	return keys
}

// attempts returns how many attempts the events of the pool count, and how many claims there were.
func attempts(t *testing.T, store *mem.Store) (attempt, claims int) {
	t.Helper()
	for e, err := range store.Events(t.Context(), foldstream.EventFilter{Pool: "p"}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		attempt = max(attempt, e.Attempt)
		if e.Kind == foldstream.EventClaim {
			claims++
		}
	}
	return attempt, claims
}

func TestLimits(t *testing.T) {
	key := func(keys ...string) func(int) []string { return func(int) []string { return keys } }
	for name, c := range map[string]struct {
		settings foldstream.PoolSettings
		keys     func(i int) []string
		most     map[string]int        // at once
		within   map[int]time.Duration // by runners: how long 24 tasks of 2 s may take
	}{
		"pool":       {foldstream.PoolSettings{Limit: 3}, key(), map[string]int{"": 3}, map[int]time.Duration{1: 18 * time.Second, 3: 26 * time.Second}},
		"key":        {foldstream.PoolSettings{Limits: map[string]int{"gpu": 2}}, key("gpu"), map[string]int{"gpu": 2}, map[int]time.Duration{1: 36 * time.Second, 3: 38 * time.Second}},
		"pool & key": {foldstream.PoolSettings{Limit: 4, Limits: map[string]int{"gpu": 2, "other": 1}}, key("gpu"), map[string]int{"gpu": 2}, map[int]time.Duration{1: 38 * time.Second, 3: 38 * time.Second}},
		// Tasks that need both keys in either order, and tasks that need one: nobody waits for ever.
		"two keys": {foldstream.PoolSettings{Limits: map[string]int{"a": 3, "b": 2}}, func(i int) []string {
			return [][]string{{"a", "b"}, {"b", "a", "b"}, {"a"}, {"b"}}[i%4]
		}, map[string]int{"a": 3, "b": 2}, map[int]time.Duration{1: 38 * time.Second, 3: 38 * time.Second}},
		"odd names":      {foldstream.PoolSettings{Limits: map[string]int{"GPU A100/40.": 2, "_pool": 5}}, key("GPU A100/40.", "_pool"), map[string]int{"GPU A100/40.": 2}, map[int]time.Duration{1: 38 * time.Second}},
		"not limited":    {foldstream.PoolSettings{Limits: map[string]int{"gpu": 1, "free": 0}}, key("cpu", "free"), map[string]int{"": 8}, map[int]time.Duration{1: 6 * time.Second}},
		"more than work": {foldstream.PoolSettings{Limit: 100, Limits: map[string]int{"gpu": 50}}, key("gpu"), map[string]int{"": 8}, map[int]time.Duration{1: 6 * time.Second}},
	} {
		for runners, within := range c.within {
			t.Run(fmt.Sprintf("%s/%d", name, runners), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					store, g := limited(t, c.settings, keyed(manyTasks(24), c.keys)), newGauge()
					var all []*consumer.Runner
					for range runners {
						all = append(all, keeping(store, g.worker(2*time.Second), 8))
					}
					began := time.Now()
					counts := workOff(t, store.Pool("p"), all...)
					took := time.Since(began)
					if counts[foldstream.Done] != 24 || took > within {
						t.Errorf("%v after %v", counts, took)
					}
					for k, most := range c.most {
						if g.most[k] != most {
							t.Errorf("%d of %q at once, want %d", g.most[k], k, most)
						}
					}
					if left := locks(t, store); len(left) != 0 {
						t.Errorf("left behind: %v", left)
					}
					attempt, claims := attempts(t, store)
					if most := map[bool]int{true: 24 + 8*runners, false: 24 * 5 * runners}[c.settings.Limits == nil]; attempt != 1 || claims > most {
						t.Errorf("attempt %d, %d claims of 24 tasks", attempt, claims)
					}
				})
			})
		}
	}
}

// A freed place is used within a second, also where its holder crashed, and that not before its lease has run out.
func TestFreedPlace(t *testing.T) {
	for name, crash := range map[string]bool{"released": false, "crashed": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store, g := limited(t, foldstream.PoolSettings{Limits: map[string]int{"gpu": 1}}, keyed(manyTasks(1), func(int) []string { return []string{"gpu"} })), newGauge()
				values := store.Values(foldstream.Locks)
				body, _ := json.Marshal(map[string]any{"holder": "other", "life": "x", "lease_ms": 8000})
				revision, err := values.Put(t.Context(), foldstream.Value{Key: "cap/p/gpu/0", Data: body})
				if err != nil {
					t.Fatal(err)
				}
				freed := make(chan time.Time, 1)
				go func() {
					// The other lives for 30 s and renews its entry; then it gives it back, or is heard of no more.
					for range 10 {
						<-time.After(3 * time.Second)
						if revision, err = values.Put(t.Context(), foldstream.Value{Key: "cap/p/gpu/0", Data: body, Revision: revision}); err != nil {
							t.Error(err)
						}
					}
					free := time.Now()
					defer func() { freed <- free }()
					if crash {
						free = free.Add(8 * time.Second)
					} else if err := values.Delete(t.Context(), "cap/p/gpu/0", revision); err != nil {
						t.Error(err)
					}
				}()
				workOff(t, store.Pool("p"), keeping(store, g.worker(0), 4))
				free := <-freed
				if g.done != 1 || g.ends[0].Before(free) || g.ends[0].Sub(free) > time.Second {
					t.Errorf("%d done, %v after the place was free", g.done, g.ends[0].Sub(free))
				}
				if attempt, claims := attempts(t, store); attempt != 1 || claims > 200 {
					t.Errorf("attempt %d, %d claims", attempt, claims)
				}
			})
		})
	}
}

// While a task runs, its place is renewed, and others wait for it however long it takes.
func TestPlaceIsRenewed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, g := limited(t, foldstream.PoolSettings{Limit: 1}, manyTasks(3)), newGauge()
		workOff(t, store.Pool("p"), keeping(store, g.worker(15*time.Second), 2), keeping(store, g.worker(15*time.Second), 2))
		if g.done != 3 || g.most[""] != 1 {
			t.Errorf("%d done, %d at once", g.done, g.most[""])
		}
	})
}

// Settings are followed within a second or so, while the runner works.
func TestLimitsFollowTheSettings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, g := limited(t, foldstream.PoolSettings{}, manyTasks(400)), newGauge()
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var ran sync.WaitGroup
		ran.Go(func() {
			if err := keeping(store, g.worker(500*time.Millisecond), 8).Run(ctx); err != nil {
				t.Error(err)
			}
		})
		for _, limit := range []int{0, 2, 5, 1, 0} {
			change(t, store, foldstream.PoolSettings{Limit: limit})
			<-time.After(2 * time.Second)
			g.mu.Lock()
			g.most = map[string]int{}
			g.mu.Unlock()
			<-time.After(3 * time.Second)
			want := limit
			if limit == 0 {
				want = 8
			}
			g.mu.Lock()
			if g.most[""] != want {
				t.Errorf("limit %d: %d at once", limit, g.most[""])
			}
			g.mu.Unlock()
		}
		stop()
		ran.Wait()
	})
}

// counting counts the calls of a bucket and may fail them.
type counting struct {
	foldstream.Values
	calls atomic.Int32
	fail  func(op string) error
}

func (c *counting) check(op string) error {
	c.calls.Add(1)
	if c.fail != nil {
		return c.fail(op)
	}
	return nil
}

func (c *counting) Get(ctx context.Context, key string) (foldstream.Value, error) {
	if err := c.check("get"); err != nil {
		return foldstream.Value{}, err
	}
	return c.Values.Get(ctx, key)
}

func (c *counting) Put(ctx context.Context, v foldstream.Value) (uint64, error) {
	if err := c.check("put"); err != nil {
		return 0, err
	}
	return c.Values.Put(ctx, v)
}

func (c *counting) Delete(ctx context.Context, key string, revision uint64) error {
	if err := c.check("delete"); err != nil {
		return err
	}
	return c.Values.Delete(ctx, key, revision)
}

// settled counts the readings of settings.
type admins struct {
	foldstream.PoolAdmin
	calls atomic.Int32
	err   error
}

func (s *admins) Settings(ctx context.Context, pool string) (foldstream.PoolSettings, error) {
	s.calls.Add(1)
	if s.err != nil {
		return foldstream.PoolSettings{}, s.err
	}
	return s.PoolAdmin.Settings(ctx, pool)
}

// A pool without limits costs no round trip a task.
func TestNoLimitsCostNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, g := limited(t, foldstream.PoolSettings{}, keyed(manyTasks(1000), func(int) []string { return []string{"gpu"} })), newGauge()
		values, admin := &counting{Values: store.Values(foldstream.Locks)}, &admins{PoolAdmin: store}
		r := keeping(store, g.worker(10*time.Millisecond), 4)
		r.Locks, r.Settings = values, admin
		workOff(t, store.Pool("p"), r)
		if g.done != 1000 || values.calls.Load() != 0 || admin.calls.Load() > 4 {
			t.Errorf("%d done, %d calls of the locks, %d readings in 2.5 s", g.done, values.calls.Load(), admin.calls.Load())
		}
	})
}

// A place costs a put and a deletion where nobody else wants it.
func TestPlaceCosts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, g := limited(t, foldstream.PoolSettings{Limit: 4}, manyTasks(100)), newGauge()
		values := &counting{Values: store.Values(foldstream.Locks)}
		r := keeping(store, g.worker(10*time.Millisecond), 4)
		r.Locks = values
		workOff(t, store.Pool("p"), r)
		if n := values.calls.Load(); g.done != 100 || n != 200 {
			t.Errorf("%d done, %d calls", g.done, n)
		}
	})
}

// A place that could not be renewed and is another's by now ends the work, which uses no attempt.
func TestLostPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := limited(t, foldstream.PoolSettings{Limit: 1}, manyTasks(1))
		values := store.Values(foldstream.Locks)
		runs := 0
		r := keeping(store, consumer.Registry{"w": foldstream.WorkerFunc(func(ctx context.Context, _ foldstream.Task, _ foldstream.Recorder) (foldstream.Result, error) {
			if runs++; runs > 1 {
				return foldstream.Result{}, nil
			}
			v, err := values.Get(ctx, "cap/p/_pool/0")
			if err != nil {
				return foldstream.Result{}, foldstream.Permanent(err)
			}
			body, _ := json.Marshal(map[string]any{"life": "another", "lease_ms": 5000})
			if v.Revision, err = values.Put(ctx, foldstream.Value{Key: v.Key, Data: body, Revision: v.Revision}); err != nil {
				return foldstream.Result{}, foldstream.Permanent(err)
			}
			<-ctx.Done()
			return foldstream.Result{}, ctx.Err()
		})}, 1)
		counts := workOff(t, store.Pool("p"), r)
		if attempt, _ := attempts(t, store); runs != 2 || attempt != 1 || counts[foldstream.Done] != 1 {
			t.Errorf("%d runs, attempt %d, %v", runs, attempt, counts)
		}
	})
}

// While the store is away, nobody's place is taken for free, however long it takes; and writes whose answer was lost are
// found again.
func TestPlacesAndAStoreThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, g := limited(t, foldstream.PoolSettings{Limits: map[string]int{"gpu": 1}}, keyed(manyTasks(4), func(int) []string { return []string{"gpu"} })), newGauge()
		began := time.Now()
		away := func() bool { d := time.Since(began); return d > 5*time.Second && d < 45*time.Second }
		gone := foldstream.Errorf(foldstream.Unavailable, "call", "no server")
		var all []*consumer.Runner
		for range 2 {
			values := &counting{Values: store.Values(foldstream.Locks)}
			values.fail = func(string) error {
				if away() {
					return gone
				}
				return nil
			}
			r := keeping(store, g.worker(60*time.Second), 2)
			r.Locks, r.Settings = values, &awayAdmin{store, away}
			all = append(all, r)
		}
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
		defer stop()
		var ran sync.WaitGroup
		for _, r := range all {
			r.Done = func(foldstream.Task, error) {
				if counts, err := store.Pool("p").Stat(ctx); err == nil && counts.Open() == 0 {
					stop()
				}
			}
			ran.Go(func() {
				if err := r.Run(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		ran.Wait()
		if attempt, _ := attempts(t, store); g.most["gpu"] != 1 || g.done != 4 || attempt != 1 {
			t.Errorf("%d at once, %d done, attempt %d", g.most["gpu"], g.done, attempt)
		}
	})
}

type awayAdmin struct {
	foldstream.PoolAdmin
	away func() bool
}

func (a *awayAdmin) Settings(ctx context.Context, pool string) (foldstream.PoolSettings, error) {
	if a.away() {
		return foldstream.PoolSettings{}, foldstream.Errorf(foldstream.Unavailable, "settings", "no server")
	}
	return a.PoolAdmin.Settings(ctx, pool)
}

// A put whose answer was lost holds a place that nobody knows to be ours but we.
func TestPlaceWhoseAnswerWasLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store, g := limited(t, foldstream.PoolSettings{Limit: 1}, manyTasks(3)), newGauge()
		values := &deaf{Values: store.Values(foldstream.Locks)}
		r := keeping(store, g.worker(12*time.Second), 1)
		r.Locks = values
		counts := workOff(t, store.Pool("p"), r)
		if attempt, _ := attempts(t, store); counts[foldstream.Done] != 3 || attempt != 1 || g.done != 3 {
			t.Errorf("%v, attempt %d, %d ends", counts, attempt, g.done)
		}
	})
}

// deaf loses the answer of every third put.
type deaf struct {
	foldstream.Values
	n atomic.Int32
}

func (d *deaf) Put(ctx context.Context, v foldstream.Value) (uint64, error) {
	revision, err := d.Values.Put(ctx, v)
	if d.n.Add(1)%3 == 1 {
		return 0, foldstream.Errorf(foldstream.Timeout, "put", "no answer")
	}
	return revision, err
}

func TestLimitsThatCannotBeKept(t *testing.T) {
	store := mem.New(mem.Options{})
	r := keeping(store, nil, 1)
	r.PoolName = ""
	if err := r.Run(t.Context()); !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), `pool ""`) {
		t.Errorf("%v", err)
	}
	r = keeping(store, nil, 1)
	r.Settings = &admins{PoolAdmin: store, err: foldstream.E(foldstream.Denied, "settings", errors.New("no permission"))}
	if err := r.Run(t.Context()); !foldstream.Is(err, foldstream.Denied) {
		t.Errorf("%v", err)
	}
}

// The same on JetStream: two consumers with connections of their own, and a place of a consumer that crashed.
func TestLimitsOnJetStream(t *testing.T) {
	url, settings, g := streamtest.Server(t).URL(), mem.New(mem.Options{}), newGauge()
	change(t, settings, foldstream.PoolSettings{Limit: 3, Limits: map[string]int{"GPU A100": 2}})
	tasks := keyed(manyTasks(20), func(i int) []string { return [][]string{{"GPU A100"}, nil}[i%2] })
	var all []*consumer.Runner
	for i := range 2 {
		store := open(t, url)
		if i == 0 {
			if _, err := store.Pool("p").Create(t.Context(), tasks...); err != nil {
				t.Fatal(err)
			}
			body, _ := json.Marshal(map[string]any{"life": "crashed", "lease_ms": 300})
			if _, err := store.Values(foldstream.Locks).Put(t.Context(), foldstream.Value{Key: "cap/p/_pool/1", Data: body}); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, &consumer.Runner{Workers: g.worker(150 * time.Millisecond), Concurrency: 4, Settings: settings, Locks: store.Values(foldstream.Locks), PoolName: "p"})
		all[i].Pool = store.Pool("p")
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var ran sync.WaitGroup
	for _, r := range all {
		r.Done = func(_ foldstream.Task, err error) {
			if g.finished() == len(tasks) && err == nil {
				stop()
			}
		}
		ran.Go(func() {
			if err := r.Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	ran.Wait()
	if g.done != len(tasks) || g.most["GPU A100"] != 2 || g.most[""] != 3 {
		t.Errorf("%d done, at once: %v", g.done, g.most)
	}
	for v, err := range open(t, url).Values(foldstream.Locks).List(t.Context(), "") {
		if err != nil || strings.HasPrefix(v.Key, "cap/") {
			t.Errorf("left behind: %v, %v", v.Key, err)
		}
	}
}

// finished returns how many tasks ended.
func (g *gauge) finished() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.done
}
