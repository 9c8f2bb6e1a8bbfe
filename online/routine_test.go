package online_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/online"
	"github.com/foldstream/foldstream/stream/mem"
)

func windowsOf(set []online.Switch) (out []int) {
	for _, w := range set {
		out = append(out, w.Model.Window.Index)
	}
	return out
}

// A set is online from its first test session on; the sessions of its first routine are the first windows'.
func TestRoutineSwitchesTheSet(t *testing.T) {
	w := newWorld(t)
	w.begin(45)
	state := w.to(45)
	if got := windowsOf(state.Online(w.at(45))); !slices.Equal(got, []int{1, 1}) {
		t.Errorf("at its first session the windows %v are online", got)
	}
	if got := windowsOf(state.Online(w.at(37))); !slices.Equal(got, []int{0, 0}) {
		t.Errorf("at an earlier session the windows %v were online", got)
	}
	state = w.to(46)
	if from := state.Online(w.at(46))[0].From; from != w.at(46) {
		t.Errorf("the next window is online from %s on, not from %s", from, w.at(46))
	}
	f := w.said()
	if want := 3 * (46 - 30 + 1); f.Len() != want || f.Times[0] != w.at(30) {
		t.Errorf("%v from %s on, want %d rows", f, f.Times[0], want)
	}
	if got := state.Signals[0].Sessions + state.Signals[1].Sessions; got != 17 || state.Signals[0].Span.Start != w.at(30) {
		t.Errorf("the parts are %+v", state.Signals)
	}
}

// Each session has one row an instrument, the mean of the z-scores of those that were online.
func TestSignalsAreTheEnsembleOfTheSet(t *testing.T) {
	w := newWorld(t)
	w.alphas = []int64{1}
	w.begin(38)
	w.to(40)
	f := w.said()
	var sum, squares float64
	for i := f.Len() - 3; i < f.Len(); i++ {
		sum += f.Column("score")[i]
		squares += f.Column("score")[i] * f.Column("score")[i]
	}
	if sum > 1e-12 || sum < -1e-12 || squares < 2-1e-12 || squares > 2+1e-12 { // z-scores of three by the sample deviation
		t.Errorf("the last session's scores sum up to %v, their squares to %v", sum, squares)
	}
	for i := 1; i < f.Len(); i++ {
		if f.CompareRows(i-1, f, i) >= 0 {
			t.Fatalf("row %d does not come after the one before it", i)
		}
	}
}

// While tasks are open nothing changes; a routine that is done changes nothing.
func TestRoutineWaitsAndRepeats(t *testing.T) {
	w := newWorld(t)
	w.begin(45)
	before := w.stored()
	for range 3 {
		p, err := w.step(45)
		ok(t, err)
		if p.Done || p.What != online.Training || p.Open != 4 || p.Tasks != 4 || w.stored() != before {
			t.Fatalf("%+v", p)
		}
	}
	w.to(45)
	after := w.stored()
	for _, session := range []int{45, 46 - 1} {
		p, err := w.step(session)
		ok(t, err)
		if !p.Done || w.stored() != after {
			t.Errorf("again: %+v", p)
		}
	}
	if n, err := w.mem.Pool(strategy).Stat(t.Context()); err != nil || n.Total() != 4 {
		t.Errorf("%v %v", n, err)
	}
}

// A configuration whose next model is not trained keeps the one that it has, which goes on predicting.
func TestUntrainedKeepsTheSet(t *testing.T) {
	w := newWorld(t)
	w.begin(45)
	w.to(45)
	w.fails = func(t foldstream.Task) bool {
		return t.Key.Get("alpha") == "2" && t.Window.Index == 2 && t.Task["predict"] == nil
	}
	state := w.to(60) // window 2 is of the sessions 46 to 53, window 3 of 54 to 61
	for session, want := range map[int][]int{45: {1, 1}, 46: {2, 1}, 53: {2, 1}, 54: {3, 3}, 60: {3, 3}} {
		if got := windowsOf(state.Online(w.at(session))); !slices.Equal(got, want) {
			t.Errorf("at session %d the windows %v are online, want %v", session, got, want)
		}
	}
	if f := w.said(); f.Len() != 3*31 {
		t.Errorf("%v, want 3 rows for each of 31 sessions", f)
	}
	w.fails = func(t foldstream.Task) bool { return t.Task["predict"] == nil }
	if got := windowsOf(w.to(65).Online(w.at(65))); !slices.Equal(got, []int{3, 3}) {
		t.Errorf("none was trained, and the windows %v are online", got)
	}
}

// What was said stays said: a model that was trained late is online from the session after.
func TestLateModelChangesNoSignal(t *testing.T) {
	w := newWorld(t)
	w.begin(45)
	w.to(45)
	var failed foldstream.TaskID
	w.fails = func(t foldstream.Task) bool {
		if t.Key.Get("alpha") == "2" && t.Window.Index == 2 && t.Task["predict"] == nil {
			failed = t.ID
		}
		return failed == t.ID
	}
	w.to(48)
	before := w.said()
	w.fails = nil
	if n, err := w.mem.Retry(t.Context(), strategy, "again", failed); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	state := w.to(49)
	late := state.Online(w.at(49))[1]
	if late.Model.Task != failed || late.From != w.at(49) {
		t.Errorf("the late model: %+v", late)
	}
	after := w.said()
	for i := range before.Len() {
		if before.CompareRows(i, after, i) != 0 || before.Columns[0].Values[i] != after.Columns[0].Values[i] {
			t.Fatalf("row %d changed", i)
		}
	}
}

func TestRoutineFails(t *testing.T) {
	w := newWorld(t)
	_, err := w.step(45)
	wants(t, err, foldstream.NotFound, "no models are online")
	w.begin(45)
	_, err = w.step(44)
	wants(t, err, foldstream.Invalid, "begins at")
	w.fails = func(foldstream.Task) bool { return true }
	_, err = w.step(45)
	ok(t, err)
	w.work()
	before := w.stored()
	_, err = w.step(45)
	wants(t, err, foldstream.Failed, "none of 4 models is trained")
	if w.stored() != before {
		t.Error("a routine that failed changed the state")
	}
}

// A session that no model can predict is not over: its data are still to come.
func TestRoutineNeedsTheSession(t *testing.T) {
	w := newWorld(t)
	w.begin(45)
	w.to(46)
	w.lacks = func(day foldstream.Time) bool { return day.After(w.at(46)) }
	w.mem = mem.New(mem.Options{})
	w.store = w.mem
	w.begin(45)
	w.to(46)
	before := w.stored()
	var err error
	for range 3 {
		if _, err = w.step(47); err != nil {
			break
		}
		w.work()
	}
	wants(t, err, foldstream.Incomplete, "no model has a prediction for "+w.at(47).String())
	if w.stored() != before {
		t.Error("a routine that is incomplete changed the state")
	}
}

func TestBeginTwice(t *testing.T) {
	w := newWorld(t)
	w.begin(45)
	w.begin(45)
	w.to(50)
	w.begin(45)
	if s, _, err := online.Read(t.Context(), w.store, strategy); err != nil || s.Session != w.at(50) {
		t.Errorf("%+v %v", s, err)
	}
	for want, s := range map[string]online.State{
		"it began at":        {Pool: strategy, Begin: w.at(46)},
		"its pool is":        {Pool: "other", Begin: w.at(45)},
		"another collection": {Pool: strategy, Begin: w.at(45), Spec: foldstream.CollectionSpec{Ensemble: foldstream.EnsembleRank}},
	} {
		_, err := online.Begin(t.Context(), w.store, strategy, s)
		wants(t, err, foldstream.Conflict, want)
	}
	_, err := online.Begin(t.Context(), w.store, "a b", online.State{})
	wants(t, err, foldstream.Invalid, "a b")
	for name, err := range online.Names(t.Context(), w.store) {
		if name != strategy || err != nil {
			t.Error(name, err)
		}
	}
}

func wants(t *testing.T, err error, kind foldstream.Kind, text string) {
	t.Helper()
	if err == nil || foldstream.KindOf(err) != kind || !strings.Contains(err.Error(), text) {
		t.Errorf("error %v, want %s of kind %s", err, text, kind)
	}
}

// Routines at once, of different sessions even, come to what one comes to that is alone.
func TestRoutinesAtOnce(t *testing.T) {
	alone := newWorld(t)
	alone.begin(45)
	alone.to(70)
	w := newWorld(t)
	w.begin(45)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var routines, worker sync.WaitGroup
	over := make(chan struct{})
	worker.Go(func() {
		for ctx.Err() == nil {
			l, err := w.mem.Pool(strategy).Fetch(ctx, foldstream.Filter{Wait: 10 * time.Millisecond})
			if err == nil {
				w.do(l)
			}
			select {
			case <-over:
				return
			default:
			}
		}
	})
	for _, session := range []int{70, 70, 52, 61} {
		routines.Go(func() {
			for ctx.Err() == nil {
				if p, err := w.step(session); err != nil {
					t.Error(err)
					return
				} else if p.Done {
					return
				}
			}
		})
	}
	routines.Wait()
	close(over)
	worker.Wait()
	if w.stored() != alone.stored() {
		t.Error("routines at once came to another state than one alone")
	}
}

// A routine that somebody else overtook between its reading and its writing does not take the strategy back.
func TestRoutineIsOvertaken(t *testing.T) {
	w := newWorld(t)
	w.begin(45)
	w.to(45)
	late := *w
	late.store = &overtaken{w.mem, func() { w.to(60) }}
	if s := late.to(50); s.Session != w.at(60) {
		t.Errorf("the strategy is at %s, not at %s", s.Session, w.at(60))
	}
	if f := w.said(); f.Len() != 3*31 {
		t.Errorf("%v", f)
	}
}

// Two configurations whose first window is one task go on each in its own way.
func TestConfigurationsShareATask(t *testing.T) {
	w := newWorld(t)
	w.alphas, w.modes = []int64{1}, []string{"expanding", "sliding"}
	w.begin(32)
	first := w.to(32).Online(w.at(32))
	if len(first) != 2 || first[0].Model.Task != first[1].Model.Task {
		t.Fatalf("%+v", first)
	}
	for _, model := range w.to(40).Online(w.at(40)) {
		task, err := w.mem.Task(t.Context(), strategy, model.Model.Task)
		ok(t, err)
		if mode, start := model.Model.Key.Get("rolling"), task.Segments["train"].Start; (start == w.at(0)) != (mode == "expanding") {
			t.Errorf("the %s one trains from %s on", mode, start)
		}
	}
}
