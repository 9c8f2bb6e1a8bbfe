package test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	consumer "github.com/foldstream/foldstream/work"
)

// manyTasks makes n tasks of the worker "w" with ids that a pool accepts.
func manyTasks(n int) []foldstream.Task {
	tasks := make([]foldstream.Task, n)
	for i := range tasks {
		id := strings.Repeat("a", 22) + string([]byte{byte('a' + i/17576%26), byte('a' + i/676%26), byte('a' + i/26%26), byte('a' + i%26)})
		tasks[i] = foldstream.Task{ID: foldstream.TaskID(id), Template: foldstream.Template{Worker: "w"}, Retry: foldstream.Retry{Attempts: 2, Backoff: time.Millisecond}}
	}
	return tasks
}

// workOff runs the runners until no task of the pool is open, and returns how the tasks then stand.
func workOff(t *testing.T, pool foldstream.Pool, runners ...*consumer.Runner) foldstream.Counts {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var all sync.WaitGroup
	for _, r := range runners {
		r.Pool = pool
		r.Done = func(foldstream.Task, error) {
			if counts, err := pool.Stat(ctx); err == nil && counts.Open() == 0 {
				stop()
			}
		}
		all.Go(func() {
			if err := r.Run(ctx); err != nil {
				t.Errorf("Run: %v", err)
			}
		})
	}
	all.Wait()
	counts, err := pool.Stat(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return counts
}

// Three runners share a pool in which some tasks fail once, some always, some panic and some put themselves off: each task
// that can be done has one result, and the others are failed with their reason.
func TestRunnersShareAPool(t *testing.T) {
	store := mem.New(mem.Options{})
	pool := store.Pool("p")
	if _, err := pool.Create(t.Context(), manyTasks(200)...); err != nil {
		t.Fatal(err)
	}
	var tries sync.Map
	worker := foldstream.WorkerFunc(func(_ context.Context, task foldstream.Task, rec foldstream.Recorder) (foldstream.Result, error) {
		n, _ := tries.LoadOrStore(task.ID, new(atomic.Int32))
		try := n.(*atomic.Int32).Add(1)
		rec.Metric("try", float64(try))
		switch last := task.ID[len(task.ID)-1]; {
		case last == 'b' && try == 1:
			return foldstream.Result{}, errors.New("not yet")
		case last == 'c':
			panic("always")
		case last == 'd' && try < 5:
			return foldstream.Result{}, foldstream.Snooze(time.Millisecond, "later")
		case last == 'e':
			return foldstream.Result{}, foldstream.Permanent(errors.New("never"))
		}
		return foldstream.Result{}, nil
	})
	var runners []*consumer.Runner
	for i := range 3 {
		runners = append(runners, &consumer.Runner{Name: fmt.Sprint("r", i), Concurrency: 2, Workers: consumer.Registry{"w": worker}})
	}
	counts := workOff(t, pool, runners...)
	// 200 ids end in a to z seven times and in a to r an eighth: 8 each of c and e fail.
	if counts[foldstream.Done] != 184 || counts[foldstream.Dead] != 16 || counts.Total() != 200 {
		t.Errorf("%v", counts)
	}
	results := map[foldstream.TaskID]float64{}
	for e, err := range store.Events(t.Context(), foldstream.EventFilter{Pool: "p"}, 0) {
		if err != nil {
			t.Fatal(err)
		}
		last := e.Task[len(e.Task)-1]
		switch {
		case e.Kind == foldstream.EventResult:
			if _, twice := results[e.Task]; twice {
				t.Errorf("two results of %s", e.Task)
			}
			results[e.Task] = e.Result.Metrics["try"]
			want := map[byte]float64{'b': 2, 'd': 5}[last]
			if results[e.Task] != max(want, 1) {
				t.Errorf("task %s was done at try %v", e.Task, results[e.Task])
			}
		case e.Status == foldstream.Dead && last == 'c' && !strings.Contains(e.Error, "attempt 2 of 2: worker \"w\" panicked: always"):
			t.Errorf("reason %q", e.Error)
		}
	}
}

// A runner whose lease was taken over drops what it has: the one result is the other's.
func TestRunnerDropsAfterATakeover(t *testing.T) {
	store := mem.New(mem.Options{})
	pool := &takenOver{Pool: store.Pool("p"), lease: make(chan foldstream.Lease, 1)}
	if _, err := pool.Create(t.Context(), manyTasks(1)...); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var told error
	r := &consumer.Runner{Pool: pool, Concurrency: 1, Done: func(_ foldstream.Task, err error) { told = err; stop() }}
	r.Workers = consumer.Registry{"w": foldstream.WorkerFunc(func(ctx context.Context, _ foldstream.Task, _ foldstream.Recorder) (foldstream.Result, error) {
		// The task goes back behind the runner's back, and another consumer does it.
		if err := (<-pool.lease).Return(ctx, nil, 0); err != nil {
			return foldstream.Result{}, foldstream.Permanent(err)
		}
		other, err := store.Pool("p").Fetch(ctx, foldstream.Filter{})
		if err != nil {
			return foldstream.Result{}, foldstream.Permanent(err)
		}
		return foldstream.Result{Params: map[string]string{"by": "the first"}}, other.Commit(ctx, foldstream.Result{Params: map[string]string{"by": "the other"}})
	})}
	if err := r.Run(ctx); err != nil {
		t.Fatal(err)
	}
	if !foldstream.Is(told, foldstream.Conflict) {
		t.Errorf("told %v", told)
	}
	for e, err := range store.Events(t.Context(), foldstream.EventFilter{Pool: "p"}, 0) {
		if err != nil || e.Kind == foldstream.EventResult && e.Result.Params["by"] != "the other" {
			t.Errorf("%v, %v", e, err)
		}
	}
}

// takenOver hands the lease that the runner fetched to the test as well.
type takenOver struct {
	foldstream.Pool
	lease chan foldstream.Lease
}

func (p *takenOver) Fetch(ctx context.Context, f foldstream.Filter) (foldstream.Lease, error) {
	l, err := p.Pool.Fetch(ctx, f)
	if err == nil {
		p.lease <- l
	}
	return l, err
}

// The real worker on the real prices, uploaded and brought back: the same bytes from every runner.
func TestRidgeThroughAPool(t *testing.T) {
	var results []foldstream.Result
	for range 2 {
		store := mem.New(mem.Options{})
		tasks := ridgeTasks(t, store)
		if _, err := store.Pool("p").Create(t.Context(), tasks...); err != nil {
			t.Fatal(err)
		}
		r := &consumer.Runner{Artifacts: store.Artifacts(), Workers: consumer.Builtin(), CacheDir: t.TempDir(), Concurrency: 2}
		if counts := workOff(t, store.Pool("p"), r); counts[foldstream.Done] != len(tasks) {
			t.Fatal(counts)
		}
		byTask := map[foldstream.TaskID]foldstream.Result{}
		for e, err := range store.Events(t.Context(), foldstream.EventFilter{Pool: "p"}, 0) {
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind == foldstream.EventResult {
				byTask[e.Task] = *e.Result
			}
		}
		for _, task := range tasks {
			results = append(results, byTask[task.ID])
		}
	}
	half := len(results) / 2
	for i := range half {
		a, err := results[i].Frames["pred"].MarshalBinary()
		b, err2 := results[half+i].Frames["pred"].MarshalBinary()
		if err != nil || err2 != nil || len(a) < 1000 || string(a) != string(b) {
			t.Errorf("task %d: %d and %d bytes, %v, %v", i, len(a), len(b), err, err2)
		}
	}
}

func ridgeTasks(t *testing.T, store *mem.Store) []foldstream.Task {
	t.Helper()
	path := filepath.Join("..", "examples", "dow30", "prices.csv")
	data := upload(t, store, path)
	tasks := manyTasks(3)
	for i := range tasks {
		tasks[i].Worker, tasks[i].Horizon = "ridge", 1+i
		tasks[i].Data = []foldstream.Data{data}
		tasks[i].Segments = foldstream.Segments{
			"train": {Start: foldstream.DateOf(1992, 1, 2), End: foldstream.DateOf(1994, 12, 16)},
			"test":  {Start: foldstream.DateOf(1995, 1, 3), End: foldstream.DateOf(1995, 3, 31)},
		}
	}
	return tasks
}

// upload puts a file into the store's artifacts, as a producer does.
func upload(t *testing.T, store *mem.Store, path string) foldstream.Data {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	digest, size, err := store.Artifacts().Put(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	return foldstream.Data{Name: "prices", Path: path, Digest: digest, Size: size, Upload: true}
}
