package test

import (
	"bytes"
	"context"
	stdcsv "encoding/csv"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vmihailenco/msgpack/v5"
	"go.uber.org/goleak"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/frame"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

// These tests run in a bubble with a clock of its own (testing/synctest): leases and pauses pass at once, and a goroutine that
// an aggregator leaves behind fails them.

const aggregatorLease = 9 * time.Second

// sample is an experiment of three configurations with four windows of five sessions each, and an ensemble. The third
// configuration shares its first window's task with the first one.
func sample(name string) (foldstream.Experiment, []foldstream.Expectation) {
	var members []foldstream.Expectation
	for _, alpha := range []string{"1", "10", "0.5"} {
		for w := range 4 {
			id := fmt.Sprintf("%c%c", 'b'+len(alpha), 'b'+w) + strings.Repeat("a", 24)
			if alpha == "10" && w == 0 {
				id = string(members[0].Task)
			}
			members = append(members, foldstream.Expectation{
				Key:    foldstream.Key{{Name: "alpha", Value: alpha}},
				Window: foldstream.Window{Index: w, Of: 4},
				Test:   foldstream.Segment{Start: foldstream.DateOf(2020, 1, 1+5*w), End: foldstream.DateOf(2020, 1, 5+5*w)},
				Task:   foldstream.TaskID(id),
			})
		}
	}
	return foldstream.Experiment{Name: name, Pool: name, Collection: foldstream.CollectionSpec{
		Ensemble: "average", Portfolio: foldstream.PortfolioSpec{TopK: 2, Cost: 0.001},
	}}, members
}

// pass lets time pass in a test's bubble, where it costs none.
func pass(d time.Duration) { <-time.After(d) }

// submit stores the experiment and creates its tasks in an order of the seed's choice.
func submit(t *testing.T, store foldstream.Store, name string, seed uint64) {
	t.Helper()
	e, members := sample(name)
	if err := record.PutExperiment(t.Context(), store, e, members); err != nil {
		t.Fatal(err)
	}
	tasks := map[foldstream.TaskID]foldstream.Task{}
	for _, m := range members {
		tasks[m.Task] = foldstream.Task{ID: m.Task, Template: foldstream.Template{Segments: foldstream.Segments{"test": m.Test}}}
	}
	ids := slices.Sorted(maps.Keys(tasks))
	rand.New(rand.NewPCG(seed, 1)).Shuffle(len(ids), func(i, j int) { ids[i], ids[j] = ids[j], ids[i] })
	for _, id := range ids {
		if _, err := store.Pool(e.Pool).Create(t.Context(), tasks[id]); err != nil {
			t.Fatal(err)
		}
	}
}

// answer is the result of a task: a function of the task alone, but for what must not matter.
func answer(task foldstream.Task, worker string) foldstream.Result {
	f := foldstream.Frame{Columns: []foldstream.Column{{Name: "score"}, {Name: "label"}, {Name: "return"}}}
	seed := 0.0
	for _, c := range string(task.ID) {
		seed = seed*1.7 + float64(c)
	}
	test := task.Segments["test"]
	for at := test.Start; !at.After(test.End); at = foldstream.TimeOf(at.Std().AddDate(0, 0, 1)) {
		for i, name := range []string{"AA", "BB", "CC", "DD"} {
			x := float64(at.Std().Day()*7 + i*13)
			f.Times, f.Instruments = append(f.Times, at), append(f.Instruments, name)
			for j, v := range []float64{math.Sin(seed + x), math.Sin(x) / 20, math.Sin(x) / 50} {
				f.Columns[j].Values = append(f.Columns[j].Values, v)
			}
		}
	}
	return foldstream.Result{
		Metrics: map[string]float64{"loss": seed}, Frames: map[string]foldstream.Frame{"pred": f},
		Worker: worker, Duration: time.Duration(rand.IntN(1000)) * time.Millisecond,
	}
}

// commitAll commits the results of the next n tasks of the pool, with a pause after each.
func commitAll(t *testing.T, store foldstream.Store, pool string, n int, pause time.Duration) {
	t.Helper()
	for range n {
		lease, err := store.Pool(pool).Fetch(t.Context(), foldstream.Filter{})
		if err == nil {
			err = lease.Commit(t.Context(), answer(lease.Task(), "w"+fmt.Sprint(rand.IntN(9))))
		}
		if err != nil {
			t.Fatal(err)
		}
		pass(pause)
	}
}

const tasksOfSample = 11

// aggregate starts an aggregator and returns how to stop it and wait for its end.
func aggregate(t *testing.T, store foldstream.Store, id string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	a := &collect.Aggregator{Store: store, ID: id, Lease: aggregatorLease}
	go func() { done <- a.Run(ctx) }()
	return sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("aggregator %s: %v", id, err)
		}
	})
}

// stored returns the values of an experiment's collection without its name, and their revisions.
func stored(t *testing.T, store foldstream.Store, name string) (data map[string][]byte, revisions map[string]uint64) {
	t.Helper()
	data, revisions = map[string][]byte{}, map[string]uint64{}
	for v, err := range store.Values(foldstream.Collections).List(t.Context(), name) {
		if err != nil {
			t.Fatal(err)
		}
		if rest := strings.TrimPrefix(v.Key, name); rest == "" || rest[0] == '.' {
			data[rest], revisions[rest] = v.Data, v.Revision
		}
	}
	return data, revisions
}

// undisturbed returns the bytes of the sample's collection as one aggregator makes them in peace.
func undisturbed(t *testing.T) map[string][]byte {
	t.Helper()
	store := mem.New(mem.Options{})
	submit(t, store, "reference", 0)
	commitAll(t, store, "reference", tasksOfSample, 0)
	defer aggregate(t, store, "one")()
	return settled(t, store, "reference")
}

// settled waits until the collection is, and returns its bytes.
func settled(t *testing.T, store foldstream.Store, name string) map[string][]byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	for s, err := range collect.Watch(ctx, store, name) {
		if err != nil {
			t.Fatal(err)
		}
		if s.Settled {
			data, _ := stored(t, store, name)
			return data
		}
	}
	t.Fatalf("the collection of %s does not settle", name)
	return nil
}

func sameBytes(t *testing.T, want, got map[string][]byte) {
	t.Helper()
	if w, g := slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got)); !slices.Equal(w, g) || len(w) != 5 {
		t.Fatalf("keys %v, want %v: a summary, three groups, an ensemble", g, w)
	}
	for key, w := range want {
		if !bytes.Equal(w, got[key]) {
			t.Errorf("%q has other bytes", key)
		}
	}
}

func TestAggregatorAnyOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := undisturbed(t)
		for seed := range uint64(10) {
			store := mem.New(mem.Options{})
			stop := aggregate(t, store, "one")
			submit(t, store, "other-name", seed)
			commitAll(t, store, "other-name", tasksOfSample, 300*time.Millisecond)
			sameBytes(t, want, settled(t, store, "other-name"))
			stop()
		}
	})
}

func TestAggregatorLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{})
		defer aggregate(t, store, "one")()
		submit(t, store, "x", 3)
		commitAll(t, store, "x", 6, 300*time.Millisecond)
		pass(time.Second)
		c, err := collect.Load(t.Context(), store, "x")
		if err != nil {
			t.Fatal(err)
		}
		if c.Settled || c.Ensemble != nil || c.Coverage.Expected != 12 || c.Coverage.Present < 6 || c.Coverage.Present > 7 {
			t.Errorf("half way: settled %t, ensemble %v, coverage %+v", c.Settled, c.Ensemble, c.Coverage)
		}
		commitAll(t, store, "x", tasksOfSample-6, 0)
		settled(t, store, "x")
		if c, err = collect.Load(t.Context(), store, "x"); err != nil {
			t.Fatal(err)
		}
		if !c.Settled || !c.Certified || !c.Coverage.Complete() || len(c.Groups) != 3 || c.Ensemble == nil {
			t.Fatalf("at the end: %+v", c.Coverage)
		}
		for _, r := range collect.Table(c) {
			for name, v := range map[string]float64{"ic": r.IC, "rank icir": r.RankICIR, "return": r.AnnualReturn, "ratio": r.InformationRatio, "drawdown": r.MaxDrawdown} {
				if math.IsNaN(v) {
					t.Errorf("%s: no %s", r.Key, name)
				}
			}
		}
		f, err := collect.LoadFrame(t.Context(), store, *c.Ensemble)
		if err != nil || f.Len() != 20*4 {
			t.Errorf("the ensemble's series: %v, %v", f, err)
		}
		var csv strings.Builder
		if err := collect.WriteSeries(t.Context(), &csv, frame.CSV, store, c); err != nil {
			t.Fatal(err)
		}
		rows, err := stdcsv.NewReader(strings.NewReader(csv.String())).ReadAll()
		if err != nil || len(rows) != 1+80 || len(rows[0]) != 3+len(c.Groups)+1 || rows[0][2] != "return" || rows[0][len(rows[0])-1] != "ensemble" {
			t.Fatalf("%d rows of %v, %v", len(rows), rows[0], err)
		}
		for i, row := range rows[1:] {
			score, err := strconv.ParseFloat(row[len(row)-1], 64)
			if err != nil || row[0] != f.Times[i].String() || row[1] != f.Instruments[i] || score != f.Column("score")[i] {
				t.Fatalf("row %d is %v, %v", i, row, err)
			}
		}
	})
}

// A standby takes over within moments from a leader that stops, and after a lease from one that vanishes.
func TestAggregatorTakeover(t *testing.T) {
	for _, crash := range []bool{false, true} {
		t.Run(fmt.Sprintf("crash %t", crash), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				want := undisturbed(t)
				store := mem.New(mem.Options{})
				submit(t, store, "x", 5)
				first := &gate{Store: store}
				stop := aggregate(t, first, "first")
				defer stop()
				pass(time.Second)
				second := &gate{Store: store}
				defer aggregate(t, second, "second")()
				commitAll(t, store, "x", 5, 300*time.Millisecond)
				if first.puts() == 0 || second.puts() != 0 {
					t.Fatalf("the first wrote %d times, the second %d", first.puts(), second.puts())
				}
				begin, limit := time.Now(), 2*time.Second
				if crash {
					first.cut(true)
					limit = 2 * aggregatorLease
				} else {
					stop()
				}
				commitAll(t, store, "x", tasksOfSample-5, 0)
				sameBytes(t, want, settled(t, store, "x"))
				if took := time.Since(begin); took > limit || crash && took < aggregatorLease/2 {
					t.Errorf("it took %v", took)
				}
				first.cut(false) // the first comes back to life
				pass(3 * aggregatorLease)
				after, _ := stored(t, store, "x")
				sameBytes(t, want, after)
			})
		})
	}
}

// A leader that is frozen in the middle of a write, and wakes up when another one leads, writes nothing over the other's values.
func TestAggregatorFrozen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := undisturbed(t)
		store := mem.New(mem.Options{})
		submit(t, store, "x", 5)
		first := &gate{Store: store}
		defer aggregate(t, first, "first")()
		pass(time.Second)
		defer aggregate(t, store, "second")()
		commitAll(t, store, "x", 5, 300*time.Millisecond)
		thaw := first.freeze()
		defer thaw()
		commitAll(t, store, "x", 1, 0)
		pass(3 * aggregatorLease)
		commitAll(t, store, "x", tasksOfSample-6, 0)
		settled(t, store, "x")
		_, before := stored(t, store, "x")
		if !first.waits() {
			t.Fatal("the first was not frozen in a write: this test tests nothing")
		}
		thaw()
		pass(time.Minute)
		data, after := stored(t, store, "x")
		sameBytes(t, want, data)
		if !maps.Equal(before, after) {
			t.Errorf("written again: %v, before %v", after, before)
		}
	})
}

// Killed after every task, without a release, and started again, the aggregator makes the same collection; one that has
// nothing to do writes and reads nothing.
func TestAggregatorRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := undisturbed(t)
		store := mem.New(mem.Options{})
		submit(t, store, "x", 8)
		for range tasksOfSample {
			g := &gate{Store: store}
			stop := aggregate(t, g, "x")
			pass(2*aggregatorLease - time.Second)
			commitAll(t, store, "x", 1, time.Second)
			g.cut(true)
			stop()
		}
		stop := aggregate(t, store, "last")
		sameBytes(t, want, settled(t, store, "x"))
		stop()
		_, before := stored(t, store, "x")
		g := &gate{Store: store}
		stop = aggregate(t, g, "idle")
		pass(time.Minute)
		stop()
		if _, after := stored(t, store, "x"); !maps.Equal(before, after) || g.puts() != 0 || g.reads() != 0 {
			t.Errorf("written again: %v, before %v; %d writes, %d reads of events", after, before, g.puts(), g.reads())
		}
	})
}

// What is lost of a stored collection is made again.
func TestAggregatorRebuild(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := undisturbed(t)
		store := mem.New(mem.Options{})
		submit(t, store, "x", 8)
		commitAll(t, store, "x", tasksOfSample, 0)
		stop := aggregate(t, store, "one")
		settled(t, store, "x")
		stop()
		for key := range want {
			_, revisions := stored(t, store, "x")
			if err := store.Values(foldstream.Collections).Delete(t.Context(), "x"+key, revisions[key]); err != nil {
				t.Fatal(err)
			}
			stop := aggregate(t, store, "one")
			pass(5 * time.Second)
			stop()
			got, _ := stored(t, store, "x")
			sameBytes(t, want, got)
		}
	})
}

// An ensemble that is there, but of other groups, is made again.
func TestAggregatorStaleEnsemble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := undisturbed(t)
		store := mem.New(mem.Options{})
		submit(t, store, "x", 8)
		commitAll(t, store, "x", tasksOfSample, 0)
		stop := aggregate(t, store, "one")
		settled(t, store, "x")
		stop()
		_, revisions := stored(t, store, "x")
		stale := foldstream.Value{Key: "x.ensemble", Data: want[slices.Sorted(maps.Keys(want))[2]], Revision: revisions[".ensemble"]}
		if _, err := store.Values(foldstream.Collections).Put(t.Context(), stale); err != nil {
			t.Fatal(err)
		}
		stop = aggregate(t, store, "one")
		pass(5 * time.Second)
		stop()
		got, _ := stored(t, store, "x")
		sameBytes(t, want, got)
	})
}

func TestAggregatorFailedMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{})
		stop := aggregate(t, store, "one")
		defer stop()
		submit(t, store, "x", 1)
		commitAll(t, store, "x", 4, 0)
		lease, err := store.Pool("x").Fetch(t.Context(), foldstream.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		if err := lease.Fail(t.Context(), errors.New("no luck")); err != nil {
			t.Fatal(err)
		}
		bad, err := store.Pool("x").Fetch(t.Context(), foldstream.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		if err := bad.Commit(t.Context(), foldstream.Result{}); err != nil { // a result without the frame
			t.Fatal(err)
		}
		commitAll(t, store, "x", tasksOfSample-6, 0)
		settled(t, store, "x")
		c, err := collect.Load(t.Context(), store, "x")
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range []foldstream.TaskID{lease.Task().ID, bad.Task().ID} {
			if !slices.Contains(c.Coverage.Failed, id) {
				t.Errorf("failed: %v, which lacks %s", c.Coverage.Failed, id)
			}
		}
		if c.Coverage.Present+len(c.Coverage.Failed) != 12 || len(c.Coverage.Gaps) == 0 || c.Ensemble == nil {
			t.Errorf("coverage %+v, ensemble %v", c.Coverage, c.Ensemble)
		}
		// Another one, slow in reading, folds it all again, as it may still change, and finds nothing to write.
		stop()
		g := &gate{Store: store, slow: time.Second}
		defer aggregate(t, g, "slow")()
		pass(2 * time.Minute)
		if g.puts() != 0 || g.reads() != 1 {
			t.Errorf("%d writes, %d reads of events: %v", g.puts(), g.reads(), g.written())
		}
	})
}

// An experiment that comes while the aggregator runs, in a pool that is read already, is there within a second.
func TestAggregatorNewExperiment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{})
		defer aggregate(t, store, "one")()
		submit(t, store, "x", 1)
		commitAll(t, store, "x", 4, time.Second)
		e, members := sample("later")
		e.Pool, members = "x", members[:4]
		if err := record.PutExperiment(t.Context(), store, e, members); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		for s, err := range collect.Watch(t.Context(), store, "later") {
			if err != nil {
				t.Fatal(err)
			}
			if s.Expected == 4 {
				break
			}
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("it took %v", took)
		}
		commitAll(t, store, "x", tasksOfSample-4, 0)
		settled(t, store, "x")
		settled(t, store, "later")
	})
}

// An experiment that is deleted and submitted again with other members has the collection of those.
func TestAggregatorDeletedExperiment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{})
		g := &gate{Store: store}
		defer aggregate(t, g, "one")()
		submit(t, store, "x", 1)
		commitAll(t, store, "x", 4, time.Second)
		experiments := store.Values(foldstream.Experiments)
		v, err := experiments.Get(t.Context(), "x")
		if err == nil {
			err = experiments.Delete(t.Context(), "x", v.Revision)
		}
		if err != nil {
			t.Fatal(err)
		}
		pass(time.Second)
		before := g.puts()
		commitAll(t, store, "x", 2, time.Second)
		if n := g.puts() - before; n > 0 {
			t.Errorf("%d writes for an experiment that is gone", n)
		}
		e, members := sample("x")
		if err := record.PutExperiment(t.Context(), store, e, members[4:8]); err != nil {
			t.Fatal(err)
		}
		commitAll(t, store, "x", tasksOfSample-6, 0)
		settled(t, store, "x")
		c, err := collect.Load(t.Context(), store, "x")
		if err != nil || len(c.Groups) != 1 || c.Groups[0].Key.Get("alpha") != "10" || c.Coverage.Present != 4 {
			t.Errorf("%+v, %v", c.Coverage, err)
		}
	})
}

// Whenever an experiment is deleted while its collection grows, nothing of the collection stays; submitted again with the same members, which are
// done by then, it has the whole collection again.
func TestAggregatorDeletionWhileItFolds(t *testing.T) {
	for _, pause := range []time.Duration{0, 100 * time.Millisecond, 250 * time.Millisecond, 400 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			store := mem.New(mem.Options{})
			defer aggregate(t, store, "one")()
			submit(t, store, "x", 1)
			commitAll(t, store, "x", tasksOfSample-1, 100*time.Millisecond)
			pass(pause)
			if _, err := record.Delete(t.Context(), store, "x", record.Deletion{}); err != nil {
				t.Fatal(err)
			}
			commitAll(t, store, "x", 1, time.Second)
			for v, err := range store.Values(foldstream.Collections).List(t.Context(), "") {
				t.Fatalf("after a pause of %v there is still %s, %v", pause, v.Key, err)
			}
			e, members := sample("x")
			if err := record.PutExperiment(t.Context(), store, e, members); err != nil {
				t.Fatal(err)
			}
			settled(t, store, "x")
			c, err := collect.Load(t.Context(), store, "x")
			if err != nil || !c.Coverage.Complete() {
				t.Errorf("after a pause of %v: %+v, %v", pause, c.Coverage, err)
			}
		})
	}
}

// late is a store whose first experiment is heard of at once, and what becomes of it only from a moment on: what it is then.
type late struct {
	*mem.Store
	until chan struct{}
}

func (l late) Values(bucket string) foldstream.Values {
	return lateValues{l.Store.Values(bucket), l.until, bucket}
}

type lateValues struct {
	foldstream.Values
	until  chan struct{}
	bucket string
}

func (v lateValues) Watch(ctx context.Context, prefix string) iter.Seq2[foldstream.Value, error] {
	if v.bucket != foldstream.Experiments {
		return v.Values.Watch(ctx, prefix)
	}
	return func(yield func(foldstream.Value, error) bool) {
		heard, newest := false, foldstream.Value{}
		for val, err := range v.Values.Watch(ctx, prefix) {
			if err == nil && val.Key == "x" && heard {
				select {
				case <-v.until:
				default:
					newest = val
					continue
				}
			}
			heard = heard || val.Key == "x"
			if val.Key == "y" && !yield(newest, nil) || !yield(val, err) {
				return
			}
		}
	}
}

// An aggregator that did not hear of the deletion, only of the experiment of the same members that came after it, folds that one anew.
func TestAggregatorHearsOfANewLifeAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := late{mem.New(mem.Options{}), make(chan struct{})}
		defer aggregate(t, store, "one")()
		submit(t, store, "x", 1)
		commitAll(t, store.Store, "x", tasksOfSample-1, 100*time.Millisecond)
		pass(time.Second)
		if _, err := record.Delete(t.Context(), store.Store, "x", record.Deletion{}); err != nil {
			t.Fatal(err)
		}
		e, members := sample("x")
		if err := record.PutExperiment(t.Context(), store.Store, e, members); err != nil {
			t.Fatal(err)
		}
		synctest.Wait() // it was told all this, and keeps it
		close(store.until)
		if _, err := record.Create(t.Context(), store.Store, "y", time.Now()); err != nil { // something to hear
			t.Fatal(err)
		}
		commitAll(t, store.Store, "x", 1, time.Second)
		settled(t, store.Store, "x")
		c, err := collect.Load(t.Context(), store.Store, "x")
		if err != nil || !c.Coverage.Complete() {
			t.Errorf("%+v, %v", c.Coverage, err)
		}
	})
}

// commitArtifact commits the result of the next task with its frame as an artifact.
func commitArtifact(t *testing.T, store foldstream.Store, pool string, encode func(foldstream.Frame) ([]byte, error)) {
	t.Helper()
	lease, err := store.Pool(pool).Fetch(t.Context(), foldstream.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	r := answer(lease.Task(), "w")
	data, err := encode(r.Frames["pred"])
	if err != nil {
		t.Fatal(err)
	}
	a := foldstream.Artifact{Name: "pred"}
	if a.Digest, a.Size, err = store.Artifacts().Put(t.Context(), bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	r.Frames, r.Artifacts = nil, []foldstream.Artifact{a}
	if err := lease.Commit(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// A frame that travels as an artifact of its name, in any form that is read, folds as one that travels inline.
func TestAggregatorFrameInArtifact(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := undisturbed(t)
		store := mem.New(mem.Options{})
		defer aggregate(t, store, "one")()
		submit(t, store, "x", 1)
		commitAll(t, store, "x", tasksOfSample-2, 0)
		commitArtifact(t, store, "x", foldstream.Frame.MarshalBinary)
		commitArtifact(t, store, "x", frame.Encode)
		sameBytes(t, want, settled(t, store, "x"))
	})
}

// What cannot be read as a frame counts as failed, at once: nobody waits for it to get better.
func TestAggregatorBadArtifact(t *testing.T) {
	bad := map[string]func(foldstream.Frame) ([]byte, error){
		"junk":     func(foldstream.Frame) ([]byte, error) { return []byte("junk"), nil },
		"no times": func(foldstream.Frame) ([]byte, error) { return os.ReadFile("../frame/testdata/bad-no-time.parquet") },
		"hostile":  func(foldstream.Frame) ([]byte, error) { return os.ReadFile("../frame/testdata/too-large.parquet") },
	}
	for name, encode := range bad {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := mem.New(mem.Options{})
				defer aggregate(t, store, "one")()
				submit(t, store, "x", 1)
				commitAll(t, store, "x", tasksOfSample-1, 0)
				commitArtifact(t, store, "x", encode)
				settled(t, store, "x")
				c, err := collect.Load(t.Context(), store, "x")
				if err != nil || len(c.Coverage.Failed) == 0 || c.Coverage.Present+len(c.Coverage.Failed) != c.Coverage.Expected {
					t.Errorf("%+v, %v", c.Coverage, err)
				}
			})
		})
	}
}

func TestAggregatorCoalesces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{})
		g := &gate{Store: store}
		defer aggregate(t, g, "one")()
		submit(t, store, "x", 1)
		pass(time.Second)
		begin := time.Now()
		commitAll(t, store, "x", tasksOfSample-1, 90*time.Millisecond)
		limit := int(time.Since(begin)/(250*time.Millisecond)) + 2
		for key, n := range g.written() {
			if n > limit {
				t.Errorf("%s was written %d times in %v", key, n, time.Since(begin))
			}
		}
		if n := g.written()["x"]; n < limit/2 {
			t.Errorf("the summary was written %d times only in %v", n, time.Since(begin))
		}
	})
}

// A store that fails again and again, in the reading and in the writing, delays the collection and changes nothing in it.
func TestAggregatorBadStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := undisturbed(t)
		store := mem.New(mem.Options{})
		submit(t, store, "x", 2)
		g := &gate{Store: store, flaky: rand.New(rand.NewPCG(7, 7))}
		stop := aggregate(t, g, "one")
		defer stop()
		commitAll(t, store, "x", tasksOfSample, time.Second)
		sameBytes(t, want, settled(t, store, "x"))
		if g.failures() < 5 {
			t.Errorf("the store failed only %d times", g.failures())
		}
	})
}

// Values of other programs in the buckets hold nobody up: what stands in the place of a value is written over, the rest is passed over.
func TestAggregatorStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := undisturbed(t)
		store := mem.New(mem.Options{})
		plant := func(bucket, key string, data []byte) {
			t.Helper()
			if _, err := store.Values(bucket).Put(t.Context(), foldstream.Value{Key: key, Data: data}); err != nil {
				t.Fatal(err)
			}
		}
		bomb := slices.Concat([]byte("\x92\x01\x81\xa7members"), bytes.Repeat([]byte("\xdf\x00\x0f\x00\x00\xa1x"), 2000))
		named, err := msgpack.Marshal([]any{1, map[string]any{"name": "y", "pool": "p"}})
		if err != nil {
			t.Fatal(err)
		}
		pooled, err := msgpack.Marshal([]any{1, map[string]any{"name": "w", "pool": "*"}})
		if err != nil {
			t.Fatal(err)
		}
		for key, data := range map[string][]byte{"a": nil, "b": []byte("{}"), "c": bomb, "d": named, "w": pooled, "e": {0x92, 2, 0xc0}} {
			plant(foldstream.Experiments, key, data)
			plant(foldstream.Collections, "x"+key, data)
		}
		plant(foldstream.Locks, "aggregator", bomb)
		plant(foldstream.Collections, "x", []byte("{}"))
		plant(foldstream.Collections, "x.ensemble", bomb)
		plant(foldstream.Collections, "x.g.alpha=1-6bb2aca6e782b8b5", nil)
		submit(t, store, "x", 2)
		defer aggregate(t, store, "one")()
		commitAll(t, store, "x", tasksOfSample, time.Second)
		got := settled(t, store, "x")
		for _, key := range []string{"a", "b", "c", "d", "w", "e"} {
			delete(got, key)
		}
		sameBytes(t, want, got)
		var names []string
		for e, err := range record.Experiments(t.Context(), store) {
			if err != nil {
				t.Error(err)
			}
			names = append(names, e.Name)
		}
		if !slices.Equal(names, []string{"x"}) {
			t.Errorf("experiments %q", names)
		}
	})
}

// An entry of the lock that a crashed store brings back holds an aggregator up for one lease, not for ever.
func TestAggregatorOldLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{})
		locks := store.Values(foldstream.Locks)
		old := foldstream.Value{Key: "aggregator", Data: []byte("an entry of long ago")}
		revision, err := locks.Put(t.Context(), old)
		if err != nil {
			t.Fatal(err)
		}
		submit(t, store, "x", 2)
		defer aggregate(t, store, "one")()
		for range 5 { // its holder is alive: it renews
			pass(aggregatorLease / 2)
			old.Revision = revision
			if revision, err = locks.Put(t.Context(), old); err != nil {
				t.Fatalf("the lock was taken from a living holder: %v", err)
			}
		}
		if _, err := collect.Load(t.Context(), store, "x"); !foldstream.Is(err, foldstream.NotFound) {
			t.Fatalf("there is a collection without a leader: %v", err)
		}
		pass(aggregatorLease + 2*time.Second)
		if _, err := collect.Load(t.Context(), store, "x"); err != nil {
			t.Error(err)
		}
	})
}

func TestPutExperiment(t *testing.T) {
	store := mem.New(mem.Options{})
	e, members := sample("x")
	put := func(e foldstream.Experiment, members []foldstream.Expectation) error {
		return record.PutExperiment(t.Context(), store, e, members)
	}
	if err := put(e, members); err != nil {
		t.Fatal(err)
	}
	t.Run("OK", func(t *testing.T) {
		other := slices.Clone(members)
		slices.Reverse(other)
		again := e
		again.Source, again.Created = "elsewhere", time.Now()
		if err := put(again, other); err != nil {
			t.Error(err)
		}
		there, err := record.ReadExperiment(t.Context(), store, "x")
		if err != nil || there.Expected != 12 || there.Source != "" {
			t.Fatal(there, err)
		}
		list, _, err := record.Members(t.Context(), store, there)
		if err != nil || len(list) != 12 || list[0].Key.Get("alpha") != "0.5" || list[5].Window.Index != 1 {
			t.Error(list, err)
		}
		names := ""
		for e, err := range record.Experiments(t.Context(), store) {
			if err != nil {
				t.Fatal(err)
			}
			names += e.Name + " "
		}
		if names != "x " {
			t.Errorf("experiments %q", names)
		}
	})
	pool, ensemble, warn := e, e, e
	pool.Pool, ensemble.Collection.Ensemble, warn.Policy = "other", "median", foldstream.Warn
	for name, c := range map[string]struct {
		e       foldstream.Experiment
		members []foldstream.Expectation
		kind    foldstream.Kind
		says    string
	}{
		"ErrMembers":  {e, members[:5], foldstream.Conflict, "it has 12, this one 5"},
		"ErrPool":     {pool, members, foldstream.Conflict, "another pool (x)"},
		"ErrPolicy":   {warn, members, foldstream.Conflict, "another policy"},
		"ErrEnsemble": {ensemble, members, foldstream.Invalid, `"median"`},
		"ErrNone":     {e, nil, foldstream.Invalid, "no members"},
		"ErrTwice":    {e, append(members[:1:1], members[0]), foldstream.Invalid, `window 0 of "alpha=1"`},
		"ErrName":     {foldstream.Experiment{Name: "a.b"}, members, foldstream.Invalid, `"a.b"`},
	} {
		t.Run(name, func(t *testing.T) {
			if err := put(c.e, c.members); !foldstream.Is(err, c.kind) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v", err)
			}
		})
	}
	if _, err := record.ReadExperiment(t.Context(), store, "y"); !foldstream.Is(err, foldstream.NotFound) {
		t.Error(err)
	}
	if _, err := collect.Load(t.Context(), store, "x"); !foldstream.Is(err, foldstream.NotFound) {
		t.Error(err)
	}
}

type countingReconciler struct {
	mu    sync.Mutex
	pools []string
}

func (r *countingReconciler) Reconcile(_ context.Context, pool string) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pools = append(r.pools, pool)
	return 1, nil
}

func (r *countingReconciler) Pools(context.Context) ([]string, error) { return []string{"a", "b"}, nil }

func TestAggregatorReconciles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r countingReconciler
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Second)
		defer cancel()
		a := &collect.Aggregator{Store: mem.New(mem.Options{}), Reconciler: &r}
		if err := a.Run(ctx); err != nil {
			t.Fatal(err)
		}
		if want := []string{"a", "b", "a", "b", "a", "b"}; !slices.Equal(r.pools, want) {
			t.Errorf("looked at %v, want %v", r.pools, want)
		}
	})
}

// Outside of a bubble, with the real clock.
func TestAggregatorLeavesNothing(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	store := mem.New(mem.Options{})
	submit(t, store, "x", 2)
	commitAll(t, store, "x", tasksOfSample, 0)
	stop := aggregate(t, store, "one")
	settled(t, store, "x")
	stop()
}

var errGate = foldstream.Errorf(foldstream.Unavailable, "gate", "the store does not answer")

// gate is one process's way to the store: it can be cut, frozen, or fail now and then, and it counts.
type gate struct {
	foldstream.Store
	flaky *rand.Rand    // fails a third of all calls; nil fails none
	slow  time.Duration // before each element of a list

	mu       sync.Mutex
	closed   bool
	frozen   chan struct{} // nil where it is not
	waiting  int           // writes that wait for the thaw
	byKey    map[string]int
	follows  int
	failed   int
	deadFrom context.CancelFunc
	dead     context.Context
}

func (g *gate) puts() int {
	n := 0
	for _, k := range g.written() {
		n += k
	}
	return n
}

func (g *gate) written() map[string]int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.byKey)
}

func (g *gate) reads() int    { g.mu.Lock(); defer g.mu.Unlock(); return g.follows }
func (g *gate) failures() int { g.mu.Lock(); defer g.mu.Unlock(); return g.failed }
func (g *gate) waits() bool   { g.mu.Lock(); defer g.mu.Unlock(); return g.waiting > 0 }

// cut ends all connections, or lets new ones be made.
func (g *gate) cut(closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = closed
	if closed && g.deadFrom != nil {
		g.deadFrom()
		g.dead, g.deadFrom = nil, nil
	}
}

// freeze stops the process at its next write, as SIGSTOP would, as far as the store can see it.
func (g *gate) freeze() (thaw func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.frozen = make(chan struct{})
	return sync.OnceFunc(func() { close(g.frozen) })
}

// thawed waits for the thaw, if need be. value is whether the write is one of a collection.
func (g *gate) thawed(value bool) {
	g.mu.Lock()
	frozen := g.frozen
	if frozen != nil && value {
		g.waiting++
	}
	g.mu.Unlock()
	if frozen != nil {
		<-frozen
	}
}

// pass lets a call through, or not.
func (g *gate) pass() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || g.flaky != nil && g.flaky.IntN(3) == 0 {
		g.failed++
		return errGate
	}
	return nil
}

// living returns a context that ends with the connections.
func (g *gate) living(ctx context.Context) (context.Context, context.CancelFunc) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.dead == nil {
		g.dead, g.deadFrom = context.WithCancel(context.Background())
	}
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(g.dead, cancel)
	return ctx, func() { stop(); cancel() }
}

func (g *gate) Values(bucket string) foldstream.Values {
	return &gatedValues{g.Store.Values(bucket), g, bucket}
}

func (g *gate) Events(ctx context.Context, f foldstream.EventFilter, from foldstream.Cursor) iter.Seq2[foldstream.Event, error] {
	g.mu.Lock()
	g.follows++
	g.mu.Unlock()
	return gated(ctx, g, func(ctx context.Context) iter.Seq2[foldstream.Event, error] { return g.Store.Events(ctx, f, from) })
}

// gated fails at any element that the gate does not let through, and when the connection ends.
func gated[T any](ctx context.Context, g *gate, open func(context.Context) iter.Seq2[T, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		alive, cancel := g.living(ctx)
		defer cancel()
		var none T
		for v, err := range open(alive) {
			pass(g.slow)
			if err == nil {
				err = g.pass()
			}
			if !yield(v, err) || err != nil {
				return
			}
		}
		if alive.Err() != nil && ctx.Err() == nil {
			yield(none, errGate)
		}
	}
}

type gatedValues struct {
	foldstream.Values
	g      *gate
	bucket string
}

func (v *gatedValues) Get(ctx context.Context, key string) (foldstream.Value, error) {
	if err := v.g.pass(); err != nil {
		return foldstream.Value{}, err
	}
	return v.Values.Get(ctx, key)
}

func (v *gatedValues) Put(ctx context.Context, val foldstream.Value) (uint64, error) {
	collection := v.bucket == foldstream.Collections
	v.g.thawed(collection)
	if err := v.g.pass(); err != nil {
		return 0, err
	}
	if collection {
		v.g.mu.Lock()
		if v.g.byKey == nil {
			v.g.byKey = map[string]int{}
		}
		v.g.byKey[val.Key]++
		v.g.mu.Unlock()
	}
	revision, err := v.Values.Put(context.WithoutCancel(ctx), val) // a write that is on its way arrives
	if err == nil && v.g.flaky != nil && v.g.pass() != nil {
		return 0, errGate // the reply is lost
	}
	return revision, err
}

func (v *gatedValues) Delete(ctx context.Context, key string, revision uint64) error {
	if err := v.g.pass(); err != nil {
		return err
	}
	return v.Values.Delete(ctx, key, revision)
}

func (v *gatedValues) List(ctx context.Context, prefix string) iter.Seq2[foldstream.Value, error] {
	return gated(ctx, v.g, func(ctx context.Context) iter.Seq2[foldstream.Value, error] { return v.Values.List(ctx, prefix) })
}

func (v *gatedValues) Watch(ctx context.Context, prefix string) iter.Seq2[foldstream.Value, error] {
	return gated(ctx, v.g, func(ctx context.Context) iter.Seq2[foldstream.Value, error] { return v.Values.Watch(ctx, prefix) })
}

// Checking refuses what storing would refuse, and stores nothing.
func TestCheckExperiment(t *testing.T) {
	store := mem.New(mem.Options{})
	e, members := sample("x")
	if err := record.CheckExperiment(t.Context(), store, e, members); err != nil {
		t.Fatal(err)
	}
	if _, err := record.ReadExperiment(t.Context(), store, "x"); !foldstream.Is(err, foldstream.NotFound) {
		t.Errorf("it was stored: %v", err)
	}
	if err := record.PutExperiment(t.Context(), store, e, members); err != nil {
		t.Fatal(err)
	}
	if err := record.CheckExperiment(t.Context(), store, e, members); err != nil {
		t.Errorf("the same again: %v", err)
	}
	if err := record.CheckExperiment(t.Context(), store, e, members[1:]); !foldstream.Is(err, foldstream.Conflict) {
		t.Errorf("other members: %v", err)
	}
}
