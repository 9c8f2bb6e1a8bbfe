package record_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

// watched watches a recorder of "e" in the background: what it was told, and then "end" or its error.
func watched(ctx context.Context, store record.Store, id string) <-chan string {
	told := make(chan string, 1000)
	go func() {
		defer close(told)
		for p, err := range record.Watch(ctx, store, "e", id) {
			if err != nil {
				told <- err.Error()
				return
			}
			for i, point := range p.Series {
				told <- fmt.Sprintf("%d %s %d %v", p.First+i, point.Metric, point.Step, point.Value)
			}
		}
		told <- "end"
	}()
	return told
}

// hears waits for what a watch tells.
func hears(t *testing.T, told <-chan string, want ...string) {
	t.Helper()
	var got []string
	for range want {
		select {
		case s := <-told:
			got = append(got, s)
		case <-time.After(20 * time.Second):
			t.Fatalf("after %v nothing came; want %v", got, want)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func publish(t *testing.T, store foldstream.Store, run string, first int, values ...float64) {
	t.Helper()
	p := foldstream.Points{Experiment: "e", Recorder: string(id(0)), Run: run, First: first}
	for i, v := range values {
		p.Series = append(p.Series, foldstream.Point{Metric: "loss", Step: int64(first + i), Value: v})
	}
	ok(t, store.Metrics().Publish(t.Context(), p))
}

// Who watches a task sees the series of its present attempt alone, one after the other, and at the end the rest of the winning one.
func TestWatchATask(t *testing.T) {
	onEach(t, func(t *testing.T, store record.Deleter) {
		submit(t, store, 1)
		told := watched(t.Context(), store, string(id(0))) // before anybody works it
		first := fetch(t, store)
		publish(t, store, first.Task().Run, 0, 1, 0.5)
		hears(t, told, "0 loss 0 1", "1 loss 1 0.5")
		ok(t, first.Return(t.Context(), errors.New("broke"), 0))
		second := fetch(t, store)
		publish(t, store, second.Task().Run, 0, 0.75)
		hears(t, told, "0 loss 0 0.75")
		publish(t, store, first.Task().Run, 2, 99) // it does not know that it is over
		publish(t, store, second.Task().Run, 1, 0.25)
		hears(t, told, "1 loss 1 0.25")
		late := watched(t.Context(), store, string(id(0)))
		hears(t, late, "0 loss 0 0.75", "1 loss 1 0.25")

		whole := foldstream.Series{{Metric: "loss", Value: 0.75}, {Metric: "loss", Step: 1, Value: 0.25}, {Metric: "loss", Step: 2, Value: 0.125}}
		ok(t, second.Commit(t.Context(), foldstream.Result{Series: whole}))
		hears(t, told, "2 loss 2 0.125", "end")
		hears(t, late, "2 loss 2 0.125", "end")
		hears(t, watched(t.Context(), store, string(id(0))), "0 loss 0 0.75", "1 loss 1 0.25", "2 loss 2 0.125", "end")
	})
}

// Points may be seen before the claim that they belong to.
func TestWatchHoldsPointsOfARunThatIsNotKnownYet(t *testing.T) {
	onEach(t, func(t *testing.T, store record.Deleter) {
		submit(t, store, 1)
		told := watched(t.Context(), store, string(id(0)))
		publish(t, store, "nobody", 0, 99)
		l := fetch(t, store)
		publish(t, store, l.Task().Run, 0, 1)
		hears(t, told, "0 loss 0 1")
		ok(t, l.Fail(t.Context(), errNoUse))
		hears(t, told, "end")
		_, err := store.Retry(t.Context(), "p", "once more", id(0))
		ok(t, err)
		ctx, cancel := context.WithCancel(t.Context())
		told = watched(ctx, store, string(id(0)))
		hears(t, told, "0 loss 0 1") // of the last attempt, until another begins
		cancel()
		hears(t, told, "end")
	})
}

func TestWatchEndsWithItsReaderAndItsRecorder(t *testing.T) {
	onEach(t, func(t *testing.T, store record.Deleter) {
		submit(t, store, 1)
		l := fetch(t, store)
		publish(t, store, l.Task().Run, 0, 1)
		for p, err := range record.Watch(t.Context(), store, "e", string(id(0))) {
			if ok(t, err); p.Run != l.Task().Run || p.Recorder != string(id(0)) {
				t.Errorf("%+v", p)
			}
			break
		}
		told := watched(t.Context(), store, string(id(0)))
		hears(t, told, "0 loss 0 1")
		_, err := store.Cancel(t.Context(), "p", "enough", id(0))
		ok(t, err)
		hears(t, told, "end")
		hears(t, watched(t.Context(), store, "nobody"), `recorder: there is no recorder "nobody" in experiment e`)
	})
}

func TestWatchFreeWork(t *testing.T) {
	onEach(t, func(t *testing.T, store record.Deleter) {
		run, err := record.Start(t.Context(), store, "e", record.Options{ID: "mine"})
		ok(t, err)
		told := watched(t.Context(), store, "mine")
		run.MetricAt("loss", 1, 0.5)
		hears(t, told, "0 loss 1 0.5")
		run.MetricAt("loss", 2, 0.25)
		hears(t, told, "1 loss 2 0.25")
		run.MetricAt("loss", 3, 0.125) // and at once
		ok(t, run.End(t.Context(), errNoUse))
		hears(t, told, "2 loss 3 0.125", "end")
	})
}

// slow is a store whose events are heard of late.
type slow struct {
	*mem.Store
	until chan struct{}
}

func (s slow) Events(ctx context.Context, f foldstream.EventFilter, from foldstream.Cursor) iter.Seq2[foldstream.Event, error] {
	if f.Follow {
		<-s.until
	}
	return s.Store.Events(ctx, f, from)
}

// Points that come before the claim that they belong to are told once it is heard of.
func TestWatchHearsPointsBeforeTheirClaim(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := slow{mem.New(mem.Options{}), make(chan struct{})}
		submit(t, store, 1)
		told := watched(t.Context(), store, string(id(0)))
		synctest.Wait()
		l := fetch(t, store)
		publish(t, store, "nobody", 0, 99)
		publish(t, store, l.Task().Run, 0, 1)
		publish(t, store, l.Task().Run, 1, 0.5)
		synctest.Wait()
		if len(told) != 0 {
			t.Errorf("it told %q", <-told)
		}
		close(store.until)
		hears(t, told, "0 loss 0 1", "1 loss 1 0.5")
		ok(t, l.Commit(t.Context(), foldstream.Result{}))
		hears(t, told, "end")
	})
}
