package record_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

// get reads a recorder of "e".
func get(t *testing.T, store record.Store, id string) record.Recorder {
	t.Helper()
	r, err := record.Get(t.Context(), store, "e", id)
	ok(t, err)
	return r
}

func TestFreeWork(t *testing.T) {
	onEach(t, func(t *testing.T, store record.Deleter) {
		long := strings.Repeat("abc ", 100_000)
		type config struct {
			Layers []int `json:"layers"`
		}
		var id string
		err := record.Do(t.Context(), store, "e", record.Options{Name: "ensemble", Code: "v2", Worker: "laptop"}, func(ctx context.Context, r *record.Run) error {
			id = r.ID()
			ok(t, errors.Join(
				r.Param("text", "x"), r.Param("int", 7), r.Param("float", 7.0), r.Param("bool", true), r.Param("none", nil), r.Param("list", []any{1, "a", nil}),
				r.Param("map", map[string]any{"a": map[string]any{"b": 0.5}}), r.Param("struct", config{[]int{64, 32}}), r.Param("long", long), r.Param("again", 1), r.Param("again", "2"),
			))
			is(t, r.Param("nan", math.NaN()), foldstream.Invalid, `param "nan"`)
			is(t, r.Param("func", func() {}), foldstream.Invalid, `param "func"`)
			is(t, r.Param("", 1), foldstream.Invalid, "needs a name")
			r.Metric("ic", 0.25)
			r.Metric("undefined", math.NaN())
			r.MetricAt("loss", 1, 0.5)
			r.MetricAt("loss", 2, 0.25)
			r.Tag("kind", "average")
			for _, text := range []string{"old", "new"} {
				ok(t, r.Artifact(ctx, "notes/log.txt", "text/plain", strings.NewReader(text)))
			}
			is(t, r.Artifact(ctx, "", "", strings.NewReader("x")), foldstream.Invalid, "needs a name")
			return r.Frame(ctx, "pred", foldstream.Frame{Times: []foldstream.Time{foldstream.DateOf(2020, 1, 2)}})
		})
		ok(t, err)
		var r record.Recorder
		eventually(t, func() (err error) {
			if r, err = record.Get(t.Context(), store, "e", id); err == nil && r.Status != record.Finished {
				err = fmt.Errorf("it is %s", r.Status)
			}
			return err
		})
		if r.Created.IsZero() || r.Started.IsZero() || r.Ended.Before(r.Started) || r.Duration != r.Ended.Sub(r.Started) || r.Run == "" || len(r.Artifacts) != 2 {
			t.Errorf("%+v", r)
		}
		frame, err := record.Frame(t.Context(), store, r, "pred")
		if err != nil || frame.Len() != 1 {
			t.Errorf("%v, %v", frame, err)
		}
		from, a, err := record.Open(t.Context(), store, r, "notes/log.txt")
		ok(t, err)
		if text, err := io.ReadAll(from); err != nil || from.Close() != nil || string(text) != "new" || a.Size != 3 || a.Type != "text/plain" {
			t.Errorf("%q, %+v, %v", text, a, err)
		}
		s, err := record.Series(t.Context(), store, "e", id)
		if err != nil || len(s) != 2 || s[1].Value != 0.25 {
			t.Errorf("%v, %v", s, err)
		}
		want := record.Recorder{
			Experiment: "e", ID: id, Name: "ensemble", Status: record.Finished, Code: "v2", Worker: "laptop", Tags: map[string]string{"kind": "average"},
			Metrics: map[string]float64{"ic": 0.25, "loss": 0.25, "undefined": math.NaN()}, Artifacts: r.Artifacts, Run: r.Run,
			Created: r.Created, Started: r.Started, Ended: r.Ended, Duration: r.Duration,
			Params: map[string]any{
				"text": "x", "int": int64(7), "float": 7.0, "bool": true, "none": nil, "list": []any{int64(1), "a", nil}, "map": map[string]any{"a": map[string]any{"b": 0.5}},
				"struct": map[string]any{"layers": []any{int64(64), int64(32)}}, "long": long, "again": "2",
			},
		}
		if diff := cmp.Diff(want, r, cmpopts.EquateNaNs(), compareTimes); diff != "" {
			t.Error(diff)
		}
		all, err := list(t.Context(), store, record.Query{})
		ok(t, err)
		if large, isLarge := all[0].Params["long"].(record.Large); !isLarge || large.Size < int64(len(long)) || len(all) != 1 {
			t.Errorf("in a list: %+v", all[0].Params["long"])
		}
	})
}

func TestFreeWorkThatFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{})
		broken := errors.New("no data")
		id := ""
		err := record.Do(t.Context(), store, "e", record.Options{}, func(_ context.Context, r *record.Run) error {
			id = r.ID()
			r.Metric("ic", 1)
			return broken
		})
		if r := get(t, store, id); !errors.Is(err, broken) || r.Status != record.Failed || r.Error != "no data" || r.Metrics["ic"] != 1 || r.Worker == "" {
			t.Errorf("%v, %+v", err, r)
		}
		func() {
			defer func() {
				if v := recover(); v != "out of range" {
					t.Errorf("the panic became %v", v)
				}
			}()
			_ = record.Do(t.Context(), store, "e", record.Options{}, func(_ context.Context, r *record.Run) error {
				id = r.ID()
				panic("out of range")
			})
		}()
		if r := get(t, store, id); r.Status != record.Failed || !strings.Contains(r.Error, "panic: out of range") || !strings.Contains(r.Error, "run_test.go") {
			t.Errorf("%+v", r)
		}
		ctx, cancel := context.WithCancel(t.Context())
		err = record.Do(ctx, store, "e", record.Options{}, func(ctx context.Context, r *record.Run) error {
			id = r.ID()
			cancel()
			<-ctx.Done()
			return ctx.Err()
		})
		if r := get(t, store, id); !errors.Is(err, context.Canceled) || r.Status != record.Failed { // its end is stored though the context is over
			t.Errorf("%v, %+v", err, r)
		}
		_, err = record.Start(t.Context(), store, "a.b", record.Options{})
		is(t, err, foldstream.Invalid, "experiment")
		for bad, o := range map[string]record.Options{"a name is": {ID: "a.b"}, "has the form of a task": {ID: strings.Repeat("a", 26)}, "below 0": {Lease: -1}} {
			_, err = record.Start(t.Context(), store, "e", o)
			is(t, err, foldstream.Invalid, bad)
		}
	})
}

// cutOff is a store to whose bucket of recorders nothing gets through any more once it is cut off.
type cutOff struct {
	*mem.Store
	off atomic.Bool
}

func (c *cutOff) Values(bucket string) foldstream.Values {
	return cutOffValues{c.Store.Values(bucket), c}
}

type cutOffValues struct {
	foldstream.Values
	c *cutOff
}

func (v cutOffValues) Put(ctx context.Context, val foldstream.Value) (uint64, error) {
	if v.c.off.Load() {
		return 0, errAway
	}
	return v.Values.Put(ctx, val)
}

// Work that is not heard of any more, because its process was killed or its server is away, is lost and not running for ever; when it is heard
// of again it runs.
func TestFreeWorkThatIsLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &cutOff{Store: mem.New(mem.Options{})}
		run, err := record.Start(t.Context(), store, "e", record.Options{ID: "mine"})
		ok(t, err)
		status := func(after time.Duration, want record.Status) {
			t.Helper()
			<-time.After(after)
			if r := get(t, store, "mine"); r.Status != want {
				t.Errorf("after %v it is %s, want %s", after, r.Status, want)
			}
			listed(t, store, record.Query{}, "mine "+string(want))
		}
		status(time.Hour, record.Running)
		store.off.Store(true)
		status(15*time.Second, record.Running)
		status(20*time.Second, record.Lost)
		run.Metric("ic", 2)
		store.off.Store(false)
		status(15*time.Second, record.Running)
		if r := get(t, store, "mine"); r.Metrics["ic"] != 2 {
			t.Errorf("%+v", r.Metrics)
		}
		store.off.Store(true)
		if err := run.End(t.Context(), nil); !errors.Is(err, errAway) {
			t.Errorf("%v", err)
		}
		ok(t, run.End(t.Context(), nil)) // only the first counts
		status(time.Minute, record.Lost)
	})
}

// Whoever takes lost work up has it alone: the one who wakes up again learns of it and changes nothing.
func TestResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{})
		olds := &cutOff{Store: store}
		old, err := record.Start(t.Context(), olds, "e", record.Options{ID: "mine", Code: "v1"})
		ok(t, err)
		ok(t, old.Param("depth", 6))
		ok(t, old.Param("long", strings.Repeat("x", 10_000)))
		old.Metric("ic", 1)
		<-time.After(time.Minute)
		_, err = record.Resume(t.Context(), store, "e", "mine", record.Options{})
		is(t, err, foldstream.Conflict, "is running")
		_, err = record.Start(t.Context(), store, "e", record.Options{ID: "mine"})
		is(t, err, foldstream.Conflict, "is there already")
		_, err = record.Resume(t.Context(), store, "e", "yours", record.Options{})
		is(t, err, foldstream.NotFound, "no free recorder")

		olds.off.Store(true)
		<-time.After(time.Minute)
		resumed, err := record.Resume(t.Context(), store, "e", "mine", record.Options{Worker: "heir"})
		ok(t, err)
		olds.off.Store(false)
		old.Metric("ic", 9)
		<-time.After(time.Minute)
		is(t, old.End(t.Context(), nil), foldstream.Conflict, "taken up by somebody else")
		resumed.Metric("rank_ic", 2)
		ok(t, resumed.Param("more", true))
		ok(t, resumed.End(t.Context(), nil))
		r := get(t, store, "mine")
		params := map[string]any{"depth": int64(6), "long": strings.Repeat("x", 10_000), "more": true}
		if diff := cmp.Diff(params, r.Params) + cmp.Diff(map[string]float64{"ic": 1, "rank_ic": 2}, r.Metrics); diff != "" || r.Status != record.Finished || r.Worker != "heir" || r.Code != "v1" {
			t.Errorf("%s%+v", diff, r)
		}
	})
}

// A series goes on where the run before left it, also a long one.
func TestResumeGoesOnWithTheSeries(t *testing.T) {
	store := mem.New(mem.Options{})
	for i, n := range []int{10, 3000, 10} {
		var run *record.Run
		var err error
		if i == 0 {
			run, err = record.Start(t.Context(), store, "e", record.Options{ID: "mine"})
		} else {
			run, err = record.Resume(t.Context(), store, "e", "mine", record.Options{})
		}
		ok(t, err)
		for step := range n {
			run.MetricAt(fmt.Sprint("loss", i), int64(step), 1)
		}
		ok(t, run.End(t.Context(), nil))
	}
	s, err := record.Series(t.Context(), store, "e", "mine")
	ok(t, err)
	r := get(t, store, "mine")
	if len(s) != 3020 || len(s.Of("loss1")) != 3000 || s[3019].Metric != "loss2" || len(r.Artifacts) != 1 || len(r.Metrics) != 3 {
		t.Errorf("%d points, %+v", len(s), r)
	}
}

// Many tell at once, and people add while it runs: nothing of either is lost.
func TestFreeWorkByMany(t *testing.T) {
	onEach(t, func(t *testing.T, store record.Deleter) {
		run, err := record.Start(t.Context(), store, "e", record.Options{ID: "mine", Lease: 300 * time.Millisecond})
		ok(t, err)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for j := range 25 {
					name := fmt.Sprint(i, "-", j)
					run.Metric(name, 1)
					run.MetricAt("loss"+name, 1, 1)
					run.Tag(name, "x")
					if err := errors.Join(run.Param(name, j), run.Artifact(t.Context(), name, "", bytes.NewReader([]byte(name)))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for i := range 10 {
			ok(t, record.Tag(t.Context(), store, "e", "mine", map[string]string{fmt.Sprint("people", i): "y"}, "0-0"))
			ok(t, record.SetNote(t.Context(), store, "e", "mine", fmt.Sprint("note ", i)))
		}
		wg.Wait()
		ok(t, run.End(t.Context(), nil))
		eventually(t, func() error {
			r, err := record.Get(t.Context(), store, "e", "mine")
			if err == nil && (len(r.Metrics) != 400 || len(r.Params) != 200 || len(r.Artifacts) != 200 || len(r.Tags) != 209 || r.Note != "note 9" || r.Status != record.Finished) {
				err = fmt.Errorf("%d metrics, %d params, %d artifacts, %d tags, note %q, %s", len(r.Metrics), len(r.Params), len(r.Artifacts), len(r.Tags), r.Note, r.Status)
			}
			return err
		})
	})
}

// Whoever still tells when the work has ended is not heard, and breaks nothing.
func TestEndWhileSomebodyTells(t *testing.T) {
	store := mem.New(mem.Options{})
	run, err := record.Start(t.Context(), store, "e", record.Options{ID: "mine"})
	ok(t, err)
	stop, told := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(told)
		for i := int64(0); ; i++ {
			run.MetricAt("loss", i, 1)
			run.Metric("ic", 1)
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	for len(get(t, store, "mine").Metrics) == 0 {
		<-time.After(time.Millisecond)
	}
	ok(t, run.End(t.Context(), nil))
	s, err := record.Series(t.Context(), store, "e", "mine")
	ok(t, err)
	again, err := record.Series(t.Context(), store, "e", "mine")
	close(stop)
	<-told
	if err != nil || len(s) == 0 || len(again) != len(s) || s[len(s)-1].Step != int64(len(s)-1) {
		t.Errorf("%d points, then %d, %v", len(s), len(again), err)
	}
}

// However many params there are, their document stays small enough to be stored.
func TestManyParams(t *testing.T) {
	store := mem.New(mem.Options{MaxPayload: 512 << 10})
	err := record.Do(t.Context(), store, "e", record.Options{ID: "mine"}, func(_ context.Context, r *record.Run) error {
		for i := range 400 {
			ok(t, r.Param(fmt.Sprint("p", i), strings.Repeat(fmt.Sprint(i%10), 3000)))
		}
		return nil
	})
	ok(t, err)
	r := get(t, store, "mine")
	if text, _ := r.Params["p399"].(string); len(r.Params) != 400 || len(text) != 3000 {
		t.Errorf("%d params, the last of %d bytes", len(r.Params), len(text))
	}
}

// Free recorders stand among the tasks' by the time of their creation.
func TestListOfTasksAndFreeWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{})
		for i, name := range []string{"first", "second", "third"} {
			ok(t, record.Do(t.Context(), store, "e", record.Options{ID: name}, func(context.Context, *record.Run) error { return nil }))
			<-time.After(time.Second)
			_, err := store.Pool("p").Create(t.Context(), task(2*i), task(2*i+1))
			ok(t, err)
			<-time.After(time.Second)
		}
		ok(t, record.Do(t.Context(), store, "e", record.Options{ID: "last"}, func(context.Context, *record.Run) error { return nil }))
		want := []string{
			"first finished", word(0, record.Scheduled), word(1, record.Scheduled), "second finished", word(2, record.Scheduled), word(3, record.Scheduled),
			"third finished", word(4, record.Scheduled), word(5, record.Scheduled), "last finished",
		}
		listed(t, store, record.Query{}, "first finished", "second finished", "third finished", "last finished") // an experiment of no pool
		put(t, store, 6)
		listed(t, store, record.Query{}, want...)
		for i, after := range want {
			for limit := range 3 {
				to := len(want)
				if limit > 0 {
					to = min(i+1+limit, to)
				}
				listed(t, store, record.Query{After: strings.Fields(after)[0], Limit: limit}, want[i+1:to]...)
			}
		}
	})
}
