package record_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

// world makes the experiment "e" of five tasks, of which task 4 is also a member of "other" and task 3 was made for it, with a free recorder, people's tags, metrics and a
// collection, and "other" and "e-2" beside it.
func world(t *testing.T, store record.Deleter) {
	t.Helper()
	for i := range 5 {
		one := task(i)
		if i == 3 {
			one.Experiment = "other"
		}
		_, err := store.Pool("p").Create(t.Context(), one)
		ok(t, err)
	}
	put(t, store, 5)
	commit(t, store, fetch(t, store), 1)
	fetch(t, store) // runs on
	ok(t, record.PutExperiment(t.Context(), store, foldstream.Experiment{Name: "other", Pool: "p", Created: now}, []foldstream.Expectation{{Task: id(4)}}))
	for _, name := range []string{"e", "other", "e-2"} {
		ok(t, record.Do(t.Context(), store, name, record.Options{ID: "free"}, func(context.Context, *record.Run) error { return nil }))
		ok(t, record.SetNote(t.Context(), store, name, "free", "mine"))
		for _, key := range []string{name, name + ".g.alpha", name + ".ensemble"} {
			_, err := store.Values(foldstream.Collections).Put(t.Context(), foldstream.Value{Key: key, Data: []byte("x")})
			ok(t, err)
		}
		ok(t, store.Metrics().Publish(t.Context(), foldstream.Points{Experiment: name, Recorder: "free", Run: "1", Series: foldstream.Series{{Metric: "loss"}}}))
	}
	ok(t, record.Tag(t.Context(), store, "e", string(id(0)), map[string]string{"a": "b"}))
}

// traces lists all that a store has of experiments and tasks.
func traces(t *testing.T, store record.Deleter) (all []string) {
	t.Helper()
	for _, bucket := range []string{foldstream.Experiments, foldstream.Collections} {
		for v, err := range store.Values(bucket).List(t.Context(), "") {
			ok(t, err)
			all = append(all, strings.ToLower(bucket)+" "+v.Key)
		}
	}
	for _, name := range []string{"e", "other", "e-2"} {
		for p, err := range store.Metrics().Read(t.Context(), foldstream.MetricFilter{Experiment: name}) {
			ok(t, err)
			all = append(all, "metrics "+p.Experiment)
		}
	}
	for s, err := range store.Tasks(t.Context(), "p") {
		ok(t, err)
		all = append(all, fmt.Sprintf("task %s %s", s.ID, s.Status))
	}
	tasks := map[foldstream.TaskID]bool{}
	for e, err := range store.Events(t.Context(), foldstream.EventFilter{Pool: "p"}, 0) {
		ok(t, err)
		tasks[e.Task] = true
	}
	for _, task := range slices.Sorted(maps.Keys(tasks)) {
		all = append(all, "events of "+string(task))
	}
	return all
}

// left is what is left of the world without "e".
var left = []string{
	"experiments e-2", "experiments e-2.free", "experiments other", "experiments other.free",
	"collections e-2", "collections e-2.ensemble", "collections e-2.g.alpha", "collections other", "collections other.ensemble", "collections other.g.alpha",
	"metrics other", "metrics e-2",
}

func TestDelete(t *testing.T) {
	onEach(t, func(t *testing.T, store record.Deleter) {
		world(t, store)
		_, err := store.Values(foldstream.Experiments).Get(t.Context(), "e")
		ok(t, err)
		did, err := record.Delete(t.Context(), store, "e", record.Deletion{})
		if ok(t, err); did != (record.Deleted{Recorders: 2, Values: 3}) {
			t.Errorf("%+v", did)
		}
		eventually(t, func() error {
			tasks := []string{
				"task " + word(0, "done"), "task " + word(1, "running"), "task " + word(2, "waiting"), "task " + word(3, "waiting"), "task " + word(4, "waiting"),
				"events of " + string(id(0)), "events of " + string(id(1)),
			}
			if diff := cmp.Diff(append(slices.Clone(left), tasks...), traces(t, store)); diff != "" {
				return errors.New(diff)
			}
			return nil
		})
		_, err = record.Delete(t.Context(), store, "e", record.Deletion{})
		is(t, err, foldstream.NotFound, `no experiment "e"`)
		_, err = record.Delete(t.Context(), store, "a.b", record.Deletion{})
		is(t, err, foldstream.Invalid, "experiment")

		put(t, store, 5) // the name is free, and the new life knows nothing of the old one
		all, err := list(t.Context(), store, record.Query{})
		if err != nil || len(all) != 5 || len(all[0].Tags) != 2 {
			t.Errorf("%v, %d: %+v", err, len(all), all)
		}
	})
}

func TestDeleteWithTasks(t *testing.T) {
	onEach(t, func(t *testing.T, store record.Deleter) {
		world(t, store)
		did, err := record.Delete(t.Context(), store, "e", record.Deletion{Tasks: true, Why: "cleared"})
		if ok(t, err); did != (record.Deleted{Recorders: 2, Values: 3, Tasks: 3}) {
			t.Errorf("%+v", did)
		}
		eventually(t, func() error {
			if diff := cmp.Diff(append(slices.Clone(left), "task "+word(3, "waiting"), "task "+word(4, "waiting")), traces(t, store)); diff != "" {
				return errors.New(diff)
			}
			return nil
		})
	})
}

// fragile is a store in memory whose process dies at one of the changes that are made of it: that change and all after it fail.
type fragile struct {
	*mem.Store
	left int // changes until it dies
}

var errDied = foldstream.Errorf(foldstream.Unavailable, "", "died")

func (f *fragile) dies() bool {
	f.left--
	return f.left < 0
}

func (f *fragile) Values(bucket string) foldstream.Values {
	return fragileValues{f.Store.Values(bucket), f}
}

type fragileValues struct {
	foldstream.Values
	f *fragile
}

func (v fragileValues) Put(ctx context.Context, val foldstream.Value) (uint64, error) {
	if v.f.dies() {
		return 0, errDied
	}
	return v.Values.Put(ctx, val)
}

func (v fragileValues) Delete(ctx context.Context, key string, revision uint64) error {
	if v.f.dies() {
		return errDied
	}
	return v.Values.Delete(ctx, key, revision)
}

func (f *fragile) Metrics() foldstream.Metrics { return fragileMetrics{f.Store.Metrics(), f} }

type fragileMetrics struct {
	foldstream.Metrics
	f *fragile
}

func (m fragileMetrics) Delete(ctx context.Context, experiment, recorder string) error {
	if m.f.dies() {
		return errDied
	}
	return m.Metrics.Delete(ctx, experiment, recorder)
}

// eachID does something to the tasks one by one, so that the process may die between two.
func (f *fragile) eachID(ids []foldstream.TaskID, do func(foldstream.TaskID) (int, error)) (n int, err error) {
	for _, id := range ids {
		if f.dies() {
			return n, errDied
		}
		one, err := do(id)
		if n += one; err != nil {
			return n, err
		}
	}
	return n, nil
}

func (f *fragile) Remove(ctx context.Context, pool, why string, ids ...foldstream.TaskID) (int, error) {
	return f.eachID(ids, func(id foldstream.TaskID) (int, error) { return f.Store.Remove(ctx, pool, why, id) })
}

func (f *fragile) Purge(ctx context.Context, pool string, ids ...foldstream.TaskID) (int, error) {
	return f.eachID(ids, func(id foldstream.TaskID) (int, error) { return f.Store.Purge(ctx, pool, id) })
}

// Wherever a deletion dies, nothing can be added to the experiment meanwhile, and repeating the deletion leaves nothing of it and all of the others.
func TestDeleteDiesAnywhere(t *testing.T) {
	died := 0
	for at := 0; ; at++ {
		if at == 100 {
			t.Fatal("it never comes to its end")
		}
		f := &fragile{Store: mem.New(mem.Options{}), left: 1000}
		world(t, f)
		f.left = at
		_, err := record.Delete(t.Context(), f, "e", record.Deletion{Tasks: true})
		f.left = 1000
		if err == nil {
			break
		}
		if died++; !errors.Is(err, errDied) {
			t.Fatal(err)
		}
		if at > 0 { // it is marked
			_, err = record.ReadExperiment(t.Context(), f, "e")
			is(t, err, foldstream.NotFound, `no experiment "e"`)
			_, err = record.Start(t.Context(), f, "e", record.Options{})
			is(t, err, foldstream.Conflict, "is being deleted")
			_, err = list(t.Context(), f, record.Query{})
			is(t, err, foldstream.NotFound, `no experiment "e"`)
			e := foldstream.Experiment{Name: "e", Pool: "p"}
			is(t, record.PutExperiment(t.Context(), f, e, members(5)), foldstream.Conflict, "is being deleted")
			is(t, record.CheckExperiment(t.Context(), f, e, members(5)), foldstream.Conflict, "is being deleted")
			for e, err := range record.Experiments(t.Context(), f) {
				if ok(t, err); e.Name == "e" {
					t.Error("it is listed")
				}
			}
		}
		if _, err := record.Delete(t.Context(), f, "e", record.Deletion{Tasks: true}); err != nil {
			t.Fatalf("repeated after it died at change %d: %v", at, err)
		}
		if diff := cmp.Diff(append(slices.Clone(left), "task "+word(3, "waiting"), "task "+word(4, "waiting")), traces(t, f)); diff != "" {
			t.Fatalf("after it died at change %d:\n%s", at, diff)
		}
	}
	if died < 14 {
		t.Errorf("it died at %d places only", died)
	}
}

// Free work whose recorder is deleted learns of it, stops, and does not bring it back.
func TestDeleteUnderRunningWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{})
		err := record.Do(t.Context(), store, "e", record.Options{ID: "mine"}, func(ctx context.Context, r *record.Run) error {
			_, err := record.Delete(t.Context(), store, "e", record.Deletion{})
			ok(t, err)
			_, err = record.Create(t.Context(), store, "e", now) // a new life of the name
			ok(t, err)
			r.Metric("ic", 1)
			began := time.Now()
			<-ctx.Done()
			if took := time.Since(began); took > 15*time.Second {
				t.Errorf("it learned of it after %v", took)
			}
			return context.Cause(ctx)
		})
		is(t, err, foldstream.Conflict, "was deleted")
		listed(t, store, record.Query{})
	})
}

// Somebody adds a recorder to a deleted experiment, as one does who read the experiment before it was marked.
func TestWhatComesTooLateIsOfNoLife(t *testing.T) {
	store := mem.New(mem.Options{})
	_, err := record.Create(t.Context(), store, "e", now)
	ok(t, err)
	run, err := record.Start(t.Context(), store, "e", record.Options{ID: "late"})
	ok(t, err)
	ok(t, run.End(t.Context(), nil))
	v, err := store.Values(foldstream.Experiments).Get(t.Context(), "e.late")
	ok(t, err)
	_, err = record.Delete(t.Context(), store, "e", record.Deletion{})
	ok(t, err)
	_, err = store.Values(foldstream.Experiments).Put(t.Context(), foldstream.Value{Key: "e.late", Data: v.Data})
	ok(t, err)
	_, err = record.Create(t.Context(), store, "e", now)
	ok(t, err)
	listed(t, store, record.Query{})
	_, err = record.Get(t.Context(), store, "e", "late")
	is(t, err, foldstream.NotFound, "no recorder")
	run, err = record.Start(t.Context(), store, "e", record.Options{ID: "late"}) // its place is free
	ok(t, err)
	ok(t, run.End(t.Context(), nil))
	listed(t, store, record.Query{}, "late finished")
}
