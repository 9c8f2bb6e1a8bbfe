package collect_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/frame"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// stores are the stores that recorders are collected from: one in memory, and JetStream.
func stores(t testing.TB) map[string]foldstream.Store {
	t.Helper()
	nc, err := nats.Connect(streamtest.Server(t).URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	store, err := stream.Open(t.Context(), nc, stream.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return map[string]foldstream.Store{"memory": mem.New(mem.Options{}), "JetStream": store}
}

// worked is an experiment of two configurations with four windows each, all of whose tasks but two were worked: one failed, one
// waits. The second configuration has the first one's last task for its own.
type worked struct {
	store   foldstream.Store
	members []foldstream.Expectation
	frames  map[foldstream.TaskID]foldstream.Frame
	failed  foldstream.TaskID
	waiting foldstream.TaskID
}

func work(t testing.TB, store foldstream.Store) worked {
	t.Helper()
	w := worked{store: store, frames: map[foldstream.TaskID]foldstream.Frame{}}
	tasks := streamtest.Tasks(0, 7)
	for i := range 8 {
		id := tasks[min(i, 6)].ID
		if i == 7 {
			id = tasks[3].ID
		}
		w.members = append(w.members, foldstream.Expectation{
			Key:    foldstream.Key{{Name: "alpha", Value: fmt.Sprint(1 + 9*(i/4))}, {Name: "h", Value: "5"}},
			Window: foldstream.Window{Index: i % 4, Of: 4}, Test: span(4*(i%4), 4*(i%4)+3), Task: id,
		})
	}
	e := foldstream.Experiment{Name: "e", Pool: "p"}
	if err := record.PutExperiment(t.Context(), store, e, w.members); err != nil {
		t.Fatal(err)
	}
	w.failed, w.waiting = tasks[5].ID, tasks[6].ID
	for i, task := range tasks {
		if _, err := store.Pool("p").Create(t.Context(), task); err != nil {
			t.Fatal(err)
		}
		if task.ID == w.waiting {
			continue
		}
		lease, err := store.Pool("p").Fetch(t.Context(), foldstream.Filter{Wait: 10e9})
		if err != nil {
			t.Fatal(err)
		}
		if task.ID == w.failed {
			err = lease.Fail(t.Context(), errors.New("broken"))
		} else {
			err = lease.Commit(t.Context(), w.result(t, i, task.ID))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// result is the result of the i-th task: its frame is inline, a Parquet artifact, or one in the form before that.
func (w worked) result(t testing.TB, i int, id foldstream.TaskID) foldstream.Result {
	t.Helper()
	f := foldstream.Frame{Columns: []foldstream.Column{{Name: "score"}}}
	for d := range 6 { // two sessions longer than the window: the next one's win
		for j, name := range []string{"A", "B", "C"} {
			f.Times, f.Instruments = append(f.Times, day(4*(i%4)+d)), append(f.Instruments, name)
			f.Columns[0].Values = append(f.Columns[0].Values, math.Sin(float64(100*i+10*d+j)))
		}
	}
	w.frames[id] = f
	r := foldstream.Result{Params: map[string]string{"n": fmt.Sprint(i)}, Tags: map[string]string{"who": "test"}, Metrics: map[string]float64{"loss": float64(i)}}
	if i%3 == 0 {
		r.Frames = map[string]foldstream.Frame{"pred": f}
		return r
	}
	data, err := frame.Encode(f)
	if i%3 == 1 {
		data, err = f.MarshalBinary()
	}
	if err != nil {
		t.Fatal(err)
	}
	a := foldstream.Artifact{Name: "pred"}
	if a.Digest, a.Size, err = w.store.Artifacts().Put(t.Context(), bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	r.Artifacts = []foldstream.Artifact{a}
	return r
}

// rolled is the series of a configuration as the fold makes it of what was worked.
func (w worked) rolled(t *testing.T, members []foldstream.Expectation) []byte {
	t.Helper()
	fold := collect.NewRolling(members, nil)
	for _, m := range members {
		if f, there := w.frames[m.Task]; there {
			if err := fold.Add(foldstream.Member{Expectation: m, Frame: f}); err != nil {
				t.Fatal(err)
			}
		}
	}
	f, _, err := fold.Value()
	if err != nil {
		t.Fatal(err)
	}
	return bytesOf(t, f)
}

// all are the recorders that are told, in order of their labels.
func all(t *testing.T, c collect.RecorderCollector) []collect.Recorder {
	t.Helper()
	var out []collect.Recorder
	for r, err := range c.Select(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b collect.Recorder) int {
		x, _ := collect.ByWindow(a)
		y, _ := collect.ByWindow(b)
		return x.Compare(y)
	})
	return out
}

func TestRecorderCollector(t *testing.T) {
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			w := work(t, store)
			c := collect.RecorderCollector{Recorders: collect.Results{Store: store}, Experiment: "e", Label: collect.ByWindow,
				Then: collect.Chain[foldstream.Frame]{collect.RollingGroup(collect.RollingEnsemble())}}
			tree, err := c.Collect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			pred, ok := tree.Get(collect.Text("pred"))
			if !ok || tree.Len() != 1 || pred.Len() != 2 {
				t.Fatalf("%v", tree)
			}
			for i, alpha := range []string{"alpha=1", "alpha=10"} {
				u, _ := pred.Get(collect.Tuple(collect.Text(alpha), collect.Text("h=5")))
				if f, ok := u.Leaf(); !ok || !bytes.Equal(bytesOf(t, f), w.rolled(t, w.members[4*i:4*i+4])) {
					t.Errorf("%s: %v", alpha, f)
				}
			}

			c.Status = collect.AnyStatus()
			told := all(t, c)
			if len(told) != 8 {
				t.Fatalf("%d recorders", len(told))
			}
			for i, r := range told {
				m := w.members[i]
				want := map[foldstream.TaskID]foldstream.Status{w.failed: foldstream.Dead, w.waiting: foldstream.Waiting}[m.Task]
				if want == "" {
					want = foldstream.Done
				}
				if r.ID != string(m.Task) || r.Status != want || r.Key.String() != m.Key.String() || r.Window != m.Window || r.Test != m.Test {
					t.Errorf("recorder %d is %+v", i, r)
				}
				if want == foldstream.Done && (r.Params["n"] == "" || r.Tags["who"] != "test" || r.Metrics["loss"] < 0) {
					t.Errorf("recorder %d tells %v %v %v", i, r.Params, r.Tags, r.Metrics)
				}
			}
			absent := 0
			c.Absent = func(collect.Recorder, string) { absent++ }
			if _, err := c.Collect(t.Context()); err != nil || absent != 2 {
				t.Errorf("%d recorders without a frame, %v", absent, err)
			}
			c.Status = []foldstream.Status{foldstream.Dead}
			c.MustExist = true
			if _, err := c.Collect(t.Context()); !foldstream.Is(err, foldstream.NotFound) || !strings.Contains(err.Error(), string(w.failed)) {
				t.Errorf("a frame that must exist: %v", err)
			}
		})
	}
}

// A result that was reset and worked again counts once, as it is now.
func TestRecorderCollectorTakesTheNewest(t *testing.T) {
	for name, store := range stores(t) {
		t.Run(name, func(t *testing.T) {
			w := work(t, store)
			id := w.members[0].Task
			admin := store.(foldstream.Admin)
			if n, err := admin.Remove(t.Context(), "p", "again", id); n != 1 || err != nil {
				t.Fatal(n, err)
			}
			c := collect.RecorderCollector{Recorders: collect.Results{Store: store}, Experiment: "e"}
			tree, err := c.Collect(t.Context())
			if pred, _ := tree.Get(collect.Text("pred")); err != nil || pred.Len() != 4 {
				t.Fatalf("after the removal %d, %v", pred.Len(), err)
			}
			if _, err := store.Pool("p").Create(t.Context(), streamtest.Task(0)); err != nil {
				t.Fatal(err)
			}
			for lease, err := range fetchAll(t.Context(), store) {
				if err != nil {
					t.Fatal(err)
				}
				if lease.Task().ID == id {
					err = lease.Commit(t.Context(), w.result(t, 3, id)) // other numbers
				} else {
					err = lease.Return(t.Context(), nil, 3600e9)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if tree, err = c.Collect(t.Context()); err != nil {
				t.Fatal(err)
			}
			pred, _ := tree.Get(collect.Text("pred"))
			u, _ := pred.Get(collect.Text(string(id)))
			if f, ok := u.Leaf(); !ok || pred.Len() != 5 || !bytes.Equal(bytesOf(t, f), bytesOf(t, w.frames[id])) {
				t.Errorf("%d recorders; it is %v", pred.Len(), f)
			}
		})
	}
}

// fetchAll fetches the two tasks that wait.
func fetchAll(ctx context.Context, store foldstream.Store) func(func(foldstream.Lease, error) bool) {
	return func(yield func(foldstream.Lease, error) bool) {
		for range 2 {
			l, err := store.Pool("p").Fetch(ctx, foldstream.Filter{Wait: 10e9})
			if !yield(l, err) || err != nil {
				return
			}
		}
	}
}

// opened counts the artifacts that are opened.
type opened struct {
	foldstream.Store
	n *int
}

func (o opened) Artifacts() foldstream.Artifacts { return openedArtifacts{o.Store.Artifacts(), o.n} }

type openedArtifacts struct {
	foldstream.Artifacts
	n *int
}

func (o openedArtifacts) Open(ctx context.Context, d foldstream.Digest) (io.ReadCloser, error) {
	*o.n++
	return o.Artifacts.Open(ctx, d)
}

// A frame is loaded when its entry is asked for, and not before.
func TestRecorderCollectorIsLazy(t *testing.T) {
	store := mem.New(mem.Options{})
	work(t, store)
	n := 0
	c := collect.RecorderCollector{Recorders: collect.Results{Store: opened{store, &n}}, Experiment: "e"}
	all(t, c)
	if n > 1 {
		t.Errorf("selecting opened %d artifacts, and not the members alone", n)
	}
	n = 0
	seen := 0
	for e, err := range c.Entries(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		if n > seen+2 { // the members, and this one
			t.Errorf("after %d entries %d artifacts were opened", seen, n)
		}
		if seen++; e.Frame.Len() == 0 {
			t.Errorf("%s has no rows", e.Label)
		}
	}
	if seen != 6 { // the shared task is told for both
		t.Errorf("%d entries", seen)
	}
	n = 0
	for _, err := range c.Entries(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	if n > 2 {
		t.Errorf("one entry opened %d artifacts", n)
	}
}

func TestErrRecorderCollector(t *testing.T) {
	store := mem.New(mem.Options{})
	work(t, store)
	results := collect.Results{Store: store}
	same := func(collect.Recorder) (collect.Label, error) { return collect.Text("same"), nil }
	broken := foldstream.Errorf(foldstream.Denied, "label", "no")
	for name, c := range map[string]struct {
		c    collect.RecorderCollector
		kind foldstream.Kind
		want string
	}{
		"experiment": {collect.RecorderCollector{Recorders: results, Experiment: "none"}, foldstream.NotFound, `no experiment "none"`},
		"artifact":   {collect.RecorderCollector{Recorders: results, Experiment: "e", Only: []string{"label"}}, foldstream.Invalid, `no artifact "label" to collect; there are ["pred"]`},
		"collision":  {collect.RecorderCollector{Recorders: results, Experiment: "e", Label: same}, foldstream.Conflict, `both have the label "same"`},
		"label": {collect.RecorderCollector{Recorders: results, Experiment: "e", Label: func(collect.Recorder) (collect.Label, error) { return collect.Label{}, broken }},
			foldstream.Denied, "no"},
		"keep": {collect.RecorderCollector{Recorders: results, Experiment: "e", Keep: func(collect.Recorder) (bool, error) { return false, broken }},
			foldstream.Denied, "no"},
		"processor": {collect.RecorderCollector{Recorders: results, Experiment: "e", Then: collect.Chain[foldstream.Frame]{nil}}, foldstream.Invalid, "is nil"},
		"fold": {collect.RecorderCollector{Recorders: results, Experiment: "e", Then: collect.Chain[foldstream.Frame]{collect.AverageEnsemble("nope")}},
			foldstream.Invalid, `has no column "nope"`},
	} {
		if _, err := c.c.Collect(t.Context()); foldstream.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := (collect.RecorderCollector{Recorders: results, Experiment: "e"}).Collect(ctx); err == nil {
		t.Error("nothing is said of the context's end")
	}
}
