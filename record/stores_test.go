package record_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

func TestMain(m *testing.M) { streamtest.Main(m) }

// onEach runs a test on a store in memory and on one on a server of its own.
func onEach(t *testing.T, test func(t *testing.T, store record.Deleter)) {
	t.Run("mem", func(t *testing.T) {
		t.Parallel()
		test(t, mem.New(mem.Options{Lease: time.Second}))
	})
	t.Run("jetstream", func(t *testing.T) {
		t.Parallel()
		test(t, open(t, streamtest.Server(t).URL()))
	})
}

// open opens a store of the server until the test ends.
func open(t *testing.T, url string) *stream.Store {
	t.Helper()
	nc, err := nats.Connect(url, nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {}))
	ok(t, err)
	t.Cleanup(nc.Close)
	s, err := stream.Open(t.Context(), nc, stream.Config{Lease: time.Second})
	ok(t, err)
	t.Cleanup(func() { ok(t, s.Close()) })
	return s
}

// task is the i-th task of the experiment "e": a ridge of an alpha that depends on i.
func task(i int) foldstream.Task {
	return foldstream.Task{
		ID: id(i), Experiment: "e", Tags: map[string]string{"owner": "ann"},
		Template: foldstream.Template{
			Task:   map[string]any{"model": map[string]any{"class": "Ridge", "kwargs": map[string]any{"alpha": int64(i), "rate": 0.5, "fit": true}}},
			Worker: "ridge", Key: foldstream.Key{{Name: "alpha", Value: fmt.Sprint(i)}}, Window: foldstream.Window{Index: i, Of: 100}, Calendar: "c0ffee",
			Segments: foldstream.Segments{"test": {Start: foldstream.DateOf(2020, 1, 1), End: foldstream.DateOf(2020, 2, 1)}},
		},
		Data: []foldstream.Data{{Name: "prices", Digest: "d1", Size: 3}},
	}
}

// submit makes the experiment "e" of the first n tasks, in the pool "p".
func submit(t *testing.T, store foldstream.Store, n int) {
	t.Helper()
	var tasks []foldstream.Task
	for i := range n {
		tasks = append(tasks, task(i))
	}
	_, err := store.Pool("p").Create(t.Context(), tasks...)
	ok(t, err)
	put(t, store, n)
}

// put makes the experiment "e" whose members are the first n tasks.
func put(t *testing.T, store foldstream.Store, n int) {
	t.Helper()
	var members []foldstream.Expectation
	for i := range n {
		members = append(members, foldstream.Expectation{Key: task(i).Key, Window: task(i).Window, Test: task(i).Segments["test"], Task: id(i)})
	}
	ok(t, record.PutExperiment(t.Context(), store, foldstream.Experiment{Name: "e", Pool: "p", Calendar: "c0ffee", Created: now}, members))
}

// fetch leases the next task of the pool "p".
func fetch(t *testing.T, store foldstream.Store) foldstream.Lease {
	t.Helper()
	l, err := store.Pool("p").Fetch(t.Context(), foldstream.Filter{Wait: 10 * time.Second})
	ok(t, err)
	return l
}

// commit ends a lease with a result whose "ic" is given.
func commit(t *testing.T, store foldstream.Store, l foldstream.Lease, ic float64) foldstream.Result {
	t.Helper()
	digest, size, err := store.Artifacts().Put(t.Context(), strings.NewReader("a log of "+string(l.Task().ID)))
	ok(t, err)
	r := foldstream.Result{
		Metrics: map[string]float64{"ic": ic}, Params: map[string]string{"depth": "6"}, Tags: map[string]string{"gpu": "A100"},
		Artifacts: []foldstream.Artifact{{Name: "exec.log", Digest: digest, Size: size, Type: "text/plain"}},
		Frames:    map[string]foldstream.Frame{"pred": {Times: []foldstream.Time{foldstream.DateOf(2020, 1, 2)}, Columns: []foldstream.Column{{Name: "score", Values: []float64{ic}}}}},
		Series:    foldstream.Series{{Metric: "loss", Step: 1, Value: 2}, {Metric: "loss", Step: 2, Value: 1}},
		Code:      "v1", Worker: "me", Duration: 3 * time.Second,
	}
	ok(t, l.Commit(t.Context(), r))
	return r
}

// eventually waits until what a moment makes visible is there.
func eventually(t *testing.T, try func() error) {
	t.Helper()
	ok(t, streamtest.Eventually(t.Context(), try))
}

// list reads a list whole.
func list(ctx context.Context, store record.Store, q record.Query) (all []record.Recorder, err error) {
	for r, err := range record.List(ctx, store, "e", q) {
		if err != nil {
			return all, err
		}
		all = append(all, r)
	}
	return all, nil
}

// listed waits until the list has the recorders, in the words of each: "ID STATUS".
func listed(t *testing.T, store record.Store, q record.Query, want ...string) {
	t.Helper()
	eventually(t, func() error {
		all, err := list(t.Context(), store, q)
		var got []string
		for _, r := range all {
			got = append(got, r.ID+" "+string(r.Status))
		}
		if err == nil && !slices.Equal(got, want) {
			err = fmt.Errorf("the list is\n%s\nand not\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		return err
	})
}

func word(i int, s record.Status) string { return string(id(i)) + " " + string(s) }

var errNoUse = errors.New("no use\nof it")
