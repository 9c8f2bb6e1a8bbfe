package record_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

// everyStatus makes seven tasks: 0 finished, 1 failed in its second attempt, 2 cancelled, 3 removed, 4 running, 5 and 6 waiting. 7 is a task of the pool
// that is no member.
func everyStatus(t *testing.T, store record.Deleter) {
	t.Helper()
	create := func(i int) {
		one := task(i)
		if i == 7 {
			one.Experiment = "other"
		}
		_, err := store.Pool("p").Create(t.Context(), one)
		ok(t, err)
	}
	create(0)
	commit(t, store, fetch(t, store), 0.25)
	create(1)
	ok(t, fetch(t, store).Return(t.Context(), errors.New("at first"), 0))
	ok(t, fetch(t, store).Fail(t.Context(), errNoUse))
	create(2)
	_, err := store.Cancel(t.Context(), "p", "enough", id(2))
	ok(t, err)
	create(3)
	_, err = store.Remove(t.Context(), "p", "cleared", id(3))
	ok(t, err)
	create(4)
	if l := fetch(t, store); l.Task().ID != id(4) {
		t.Fatalf("fetched %s", l.Task().ID)
	}
	for _, i := range []int{5, 6, 7} {
		create(i)
	}
	put(t, store, 7)
}

func TestListOfTasks(t *testing.T) {
	onEach(t, func(t *testing.T, store record.Deleter) {
		everyStatus(t, store)
		all := []string{
			word(0, record.Finished), word(1, record.Failed), word(2, record.Cancelled), word(4, record.Running), word(5, record.Scheduled), word(6, record.Scheduled),
		}
		listed(t, store, record.Query{}, all...)
		listed(t, store, record.Query{Statuses: []record.Status{record.Finished, record.Failed}}, all[:2]...)
		listed(t, store, record.Query{Limit: 2}, all[:2]...)
		listed(t, store, record.Query{Limit: 2, After: string(id(1))}, all[2:4]...)
		listed(t, store, record.Query{After: string(id(2)), Statuses: []record.Status{record.Scheduled}}, all[4:]...)
		listed(t, store, record.Query{After: string(id(6))})
		positive := func(r record.Recorder) (bool, error) { return r.Metrics["ic"] > 0, nil }
		listed(t, store, record.Query{Keep: positive}, all[0])
		backwards := func(a, b record.Recorder) bool { return a.Window.Index > b.Window.Index }
		listed(t, store, record.Query{Less: backwards, Limit: 2, After: string(id(5))}, all[3], all[2])
		listed(t, store, record.Query{Less: backwards, After: string(id(4)), Statuses: []record.Status{record.Finished}}, all[0])
		listed(t, store, record.Query{Less: func(record.Recorder, record.Recorder) bool { return false }}, all...) // none before another: as created

		for _, q := range []record.Query{{After: string(id(9))}, {After: string(id(9)), Less: backwards}} {
			_, err := list(t.Context(), store, q)
			is(t, err, foldstream.NotFound, "to go on behind")
		}
		broken := errors.New("broken")
		_, err := list(t.Context(), store, record.Query{Keep: func(record.Recorder) (bool, error) { return false, broken }})
		if !errors.Is(err, broken) {
			t.Errorf("%v", err)
		}
		for _, err := range record.List(t.Context(), store, "nowhere", record.Query{}) {
			is(t, err, foldstream.NotFound, `no experiment "nowhere"`)
		}
		for range record.List(t.Context(), store, "e", record.Query{}) { //nolint:errcheck // a reader may stop
			break
		}
	})
}

// A task's recorder has what the definition, the winning result and people say, each once.
func TestRecorderOfAFinishedTask(t *testing.T) {
	onEach(t, func(t *testing.T, store record.Deleter) {
		submit(t, store, 1)
		ok(t, fetch(t, store).Return(t.Context(), errors.New("at first"), 0))
		began := time.Now()
		result := commit(t, store, fetch(t, store), 0.25)
		ok(t, record.Tag(t.Context(), store, "e", string(id(0)), map[string]string{"gpu": "H100", "best": "yes"}, "owner"))
		ok(t, record.SetNote(t.Context(), store, "e", string(id(0)), "the one to keep"))
		def := task(0)
		want := record.Recorder{
			Experiment: "e", ID: string(id(0)), Task: true, Status: record.Finished, Note: "the one to keep",
			Params: map[string]any{
				"model": map[string]any{"class": "Ridge", "kwargs": map[string]any{"alpha": int64(0), "rate": 0.5, "fit": true}}, "depth": "6",
			},
			Metrics: map[string]float64{"ic": 0.25}, Tags: map[string]string{"gpu": "H100", "best": "yes"}, Artifacts: result.Artifacts,
			Worker: "me", Code: "v1", Duration: 3 * time.Second, Pool: "p", Attempt: 2, Key: def.Key, Window: def.Window, Segments: def.Segments, Runs: "ridge",
			Calendar: "c0ffee", Data: def.Data,
		}
		eventually(t, func() error {
			all, err := list(t.Context(), store, record.Query{})
			if err != nil || len(all) != 1 || all[0].Status != record.Finished {
				return errors.Join(err, fmt.Errorf("%+v", all))
			}
			one, err := record.Get(t.Context(), store, "e", string(id(0)))
			if !slices.Equal(one.Frames, []string{"pred"}) || all[0].Frames != nil {
				t.Errorf("frames %v, %v", one.Frames, all[0].Frames)
			}
			one.Frames = nil
			for _, r := range []record.Recorder{all[0], one} {
				if r.Created.After(r.Ended) || r.Ended.Before(began.Add(-time.Second)) || r.Run == "" || r.Run != one.Run {
					t.Errorf("%+v", r)
				}
				r.Created, r.Started, r.Ended, r.Run = time.Time{}, time.Time{}, time.Time{}, ""
				if diff := cmp.Diff(want, r, cmpopts.EquateEmpty(), compareTimes); diff != "" {
					t.Error(diff)
				}
			}
			return err
		})
		frame, err := record.Frame(t.Context(), store, want, "pred")
		if err != nil || frame.Len() != 1 || frame.Column("score")[0] != 0.25 {
			t.Errorf("%v, %v", frame, err)
		}
		_, err = record.Frame(t.Context(), store, want, "daily")
		is(t, err, foldstream.NotFound, `no frame "daily"`)
		s, err := record.Series(t.Context(), store, "e", string(id(0)))
		if err != nil || len(s) != 2 {
			t.Errorf("%v, %v", s, err)
		}
		from, a, err := record.Open(t.Context(), store, want, "exec.log")
		ok(t, err)
		text, err := io.ReadAll(from)
		if ok(t, errors.Join(err, from.Close())); string(text) != "a log of "+want.ID || a.Type != "text/plain" {
			t.Errorf("%q", text)
		}
		_, _, err = record.Open(t.Context(), store, want, "model")
		is(t, err, foldstream.NotFound, `no artifact "model"`)
		for _, none := range []string{string(id(3)), "nobody", "a.b", "*"} {
			_, err = record.Get(t.Context(), store, "e", none)
			is(t, err, foldstream.NotFound, "no recorder")
			is(t, record.SetNote(t.Context(), store, "e", none, "x"), foldstream.NotFound, "no recorder")
		}
	})
}

func TestRecorderOfOtherTasks(t *testing.T) {
	onEach(t, func(t *testing.T, store record.Deleter) {
		everyStatus(t, store)
		get := func(i int) record.Recorder {
			t.Helper()
			r, err := record.Get(t.Context(), store, "e", string(id(i)))
			ok(t, err)
			return r
		}
		if r := get(1); r.Status != record.Failed || r.Error != errNoUse.Error() || r.Attempt != 2 || r.Started.IsZero() || r.Ended.Before(r.Started) || len(r.Metrics) != 0 {
			t.Errorf("%+v", r)
		}
		if r := get(2); r.Status != record.Cancelled || r.Error != "" || !r.Started.IsZero() || r.Ended.IsZero() {
			t.Errorf("%+v", r)
		}
		if r := get(4); r.Status != record.Running || r.Started.IsZero() || !r.Ended.IsZero() || r.Worker == "" {
			t.Errorf("%+v", r)
		}
		if r := get(5); r.Status != record.Scheduled || !r.Started.IsZero() {
			t.Errorf("%+v", r)
		}
		_, err := record.Get(t.Context(), store, "e", string(id(3)))
		is(t, err, foldstream.NotFound, "no recorder")
		_, err = record.Get(t.Context(), store, "e", string(id(7))) // of another experiment
		is(t, err, foldstream.NotFound, "no recorder")
	})
}

// What a running or a failed attempt told so far is in its recorder; another attempt's is not.
func TestMetricsOfARunningTask(t *testing.T) {
	onEach(t, func(t *testing.T, store record.Deleter) {
		submit(t, store, 1)
		l := fetch(t, store)
		tell := func(run string, step int64, loss float64) {
			ok(t, store.Metrics().Publish(t.Context(), foldstream.Points{
				Experiment: "e", Recorder: string(id(0)), Run: run, Series: foldstream.Series{{Metric: "loss", Step: step, Value: loss}},
			}))
		}
		tell("another", 9, 9)
		tell(l.Task().Run, 1, 0.5)
		tell(l.Task().Run, 2, 0.25)
		tell("another", 10, 9)
		told := func(status record.Status) {
			eventually(t, func() error {
				r, err := record.Get(t.Context(), store, "e", string(id(0)))
				if err == nil && (r.Status != status || !cmp.Equal(r.Metrics, map[string]float64{"loss": 0.25})) {
					err = fmt.Errorf("%+v", r)
				}
				return err
			})
		}
		told(record.Running)
		ok(t, l.Fail(t.Context(), errNoUse))
		told(record.Failed)
		s, err := record.Series(t.Context(), store, "e", string(id(0)))
		if err != nil || len(s) != 2 {
			t.Errorf("%v, %v", s, err)
		}
	})
}

// A task whose worker is not heard of any more is lost, until another takes it over.
func TestLostTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := mem.New(mem.Options{Lease: 10 * time.Second})
		submit(t, store, 1)
		l := fetch(t, store)
		ok(t, l.Extend(t.Context(), foldstream.Progress{Percent: 40, Message: "epoch 4"}))
		status := func(want record.Status) {
			t.Helper()
			all, err := list(t.Context(), store, record.Query{})
			ok(t, err)
			one, err := record.Get(t.Context(), store, "e", string(id(0)))
			if err != nil || all[0].Status != want || one.Status != want {
				t.Errorf("%v: it is %s in the list and %s, want %s", err, all[0].Status, one.Status, want)
			}
			if want == record.Running && one.Progress != all[0].Progress {
				t.Errorf("%+v", one.Progress)
			}
		}
		status(record.Running)
		<-time.After(time.Hour)
		status(record.Running)
		one, err := record.Get(t.Context(), store, "e", string(id(0)))
		if err != nil || one.Progress.Message != "epoch 4" {
			t.Errorf("%+v, %v", one.Progress, err)
		}
		mem.Abandon(l)
		<-time.After(9 * time.Second)
		status(record.Running)
		<-time.After(2 * time.Second)
		status(record.Lost)
		l = fetch(t, store)
		status(record.Running)
		commit(t, store, l, 1)
		status(record.Finished)
	})
}

// counted is a store that counts what is asked of it.
type counted struct {
	record.Deleter
	states, newest int
}

func (c *counted) Tasks(ctx context.Context, pool string) iter.Seq2[foldstream.TaskState, error] {
	return func(yield func(foldstream.TaskState, error) bool) {
		for s, err := range c.Deleter.Tasks(ctx, pool) {
			if c.states++; !yield(s, err) {
				return
			}
		}
	}
}

func (c *counted) Newest(ctx context.Context, pool string, ids ...foldstream.TaskID) iter.Seq2[foldstream.Event, error] {
	c.newest += len(ids)
	return c.Deleter.Newest(ctx, pool, ids...)
}

// The first of a long list do not wait for the rest, and pages that are passed over cost no results.
func TestListIsLazy(t *testing.T) {
	c := &counted{Deleter: mem.New(mem.Options{})}
	const n = 600
	submit(t, c, n)
	for range n {
		commit(t, c, fetch(t, c), 1)
	}
	all, err := list(t.Context(), c, record.Query{Limit: 1})
	if err != nil || len(all) != 1 || c.states > 300 || c.newest > 300 {
		t.Errorf("%d listed, %d states and %d results read, %v", len(all), c.states, c.newest, err)
	}
	c.newest = 0
	all, err = list(t.Context(), c, record.Query{After: string(id(n - 2))})
	if err != nil || len(all) != 1 || c.newest > 400 {
		t.Errorf("%d listed, %d results read, %v", len(all), c.newest, err)
	}
}

// Tags and notes are of a bounded length, and a tag that was taken away can be set again.
func TestTagsAreBounded(t *testing.T) {
	store := mem.New(mem.Options{})
	submit(t, store, 1)
	me := string(id(0))
	is(t, record.Tag(t.Context(), store, "e", me, map[string]string{"": "x"}), foldstream.Invalid, "needs a name")
	is(t, record.Tag(t.Context(), store, "e", me, nil, ""), foldstream.Invalid, "needs a name")
	is(t, record.Tag(t.Context(), store, "e", me, map[string]string{"x": string(make([]byte, 5000))}), foldstream.TooLarge, "at most 4096")
	is(t, record.SetNote(t.Context(), store, "e", me, string(make([]byte, 70_000))), foldstream.TooLarge, "at most")
	ok(t, record.Tag(t.Context(), store, "e", me, map[string]string{"a": "1"}))
	ok(t, record.Tag(t.Context(), store, "e", me, nil, "a", "owner"))
	ok(t, record.Tag(t.Context(), store, "e", me, map[string]string{"owner": "bob"}))
	r, err := record.Get(t.Context(), store, "e", me)
	if diff := cmp.Diff(map[string]string{"owner": "bob"}, r.Tags); err != nil || diff != "" {
		t.Error(err, diff)
	}
}
