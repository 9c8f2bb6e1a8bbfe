package online_test

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen"
	"github.com/foldstream/foldstream/online"
	"github.com/foldstream/foldstream/stream/mem"
)

// world is a strategy of two configurations on a store, with a worker that is told what fails.
type world struct {
	t      testing.TB
	store  online.Store
	mem    *mem.Store
	cal    *calendar.Calendar
	alphas []int64
	modes  []string                   // of rolling
	fails  func(foldstream.Task) bool // nil is none
	lacks  func(foldstream.Time) bool // sessions that the data do not have; nil is none
}

const (
	strategy = "s"
	step     = 8
	sessions = 120
)

func newWorld(t testing.TB) *world {
	m := mem.New(mem.Options{})
	return &world{t: t, store: m, mem: m, cal: weekdays(t, sessions), alphas: []int64{1, 2}, modes: []string{"sliding"}}
}

func weekdays(t testing.TB, n int) *calendar.Calendar {
	var days []foldstream.Time
	for day := time.Date(2021, 3, 1, 0, 0, 0, 0, time.UTC); len(days) < n; day = day.AddDate(0, 0, 1) {
		if day.Weekday() != time.Saturday && day.Weekday() != time.Sunday {
			days = append(days, foldstream.TimeOf(day))
		}
	}
	cal, err := calendar.New(days)
	ok(t, err)
	return cal
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// at is a session by its place.
func (w *world) at(i int) foldstream.Time {
	t, err := w.cal.At(i)
	ok(w.t, err)
	return t
}

func (w *world) Calendar() *calendar.Calendar { return w.cal }

func (w *world) rolling(cal *calendar.Calendar, mode string) gen.Rolling {
	return gen.Rolling{Calendar: cal, Step: step, Type: calendar.Mode(mode)}
}

func (w *world) First(begin foldstream.Time) ([]foldstream.Task, error) {
	cal, err := w.cal.WithNow(begin)
	if err != nil {
		return nil, err
	}
	var all []foldstream.Template
	for _, alpha := range w.alphas {
		t := foldstream.Template{
			Task:     map[string]any{"model": map[string]any{"alpha": alpha}},
			Segments: foldstream.Segments{"train": {Start: w.at(0), End: w.at(20)}, "test": {Start: w.at(30)}},
			Key:      foldstream.Key{{Name: "alpha", Value: fmt.Sprint(alpha)}},
			Worker:   "scores",
		}
		for _, mode := range w.modes {
			made, err := w.rolling(cal, mode).Generate(t)
			if err != nil {
				return nil, err
			}
			all = append(all, made...)
		}
	}
	return gen.Tasks(all)
}

func (w *world) Following(model foldstream.Template, until foldstream.Time) ([]foldstream.Task, error) {
	made, err := w.rolling(w.cal, model.Key.Get("rolling")).Following(model, until)
	if err != nil {
		return nil, err
	}
	return gen.Tasks(made)
}

func (w *world) Predicting(model foldstream.Task, test foldstream.Segment) (foldstream.Task, error) {
	t, err := gen.Retest(model.Template, w.cal, test)
	if err != nil {
		return foldstream.Task{}, err
	}
	t.Task["predict"] = map[string]any{"of": string(model.ID)}
	made, err := gen.Tasks([]foldstream.Template{t})
	if err != nil {
		return foldstream.Task{}, err
	}
	return made[0], nil
}

// begin begins the strategy at a session.
func (w *world) begin(session int) {
	w.t.Helper()
	_, err := online.Begin(w.t.Context(), w.store, strategy, online.State{Pool: strategy, Begin: w.at(session)})
	ok(w.t, err)
}

// step does one step of the routine.
func (w *world) step(session int) (online.Progress, error) {
	return online.Routine{Store: w.store, Name: strategy, Windows: w}.Step(w.t.Context(), w.at(session))
}

// to does the routine of a session, and the work that it waits for.
func (w *world) to(session int) online.State {
	w.t.Helper()
	for {
		p, err := w.step(session)
		ok(w.t, err)
		if p.Done {
			return p.State
		}
		w.work()
	}
}

// work works every task there is.
func (w *world) work() {
	w.t.Helper()
	for {
		l, err := w.mem.Pool(strategy).Fetch(w.t.Context(), foldstream.Filter{})
		if foldstream.Is(err, foldstream.NotFound) {
			return
		}
		ok(w.t, err)
		w.do(l)
	}
}

func (w *world) do(l foldstream.Lease) {
	ctx := context.WithoutCancel(w.t.Context())
	task := l.Task()
	if w.fails != nil && w.fails(task) {
		ok(w.t, l.Fail(ctx, errors.New("it was told to")))
		return
	}
	var r foldstream.Result
	if task.LastStage() {
		f, err := w.scores(task)
		ok(w.t, err)
		r.Frames = map[string]foldstream.Frame{"pred": f}
	}
	ok(w.t, l.Commit(ctx, r))
}

// scores are those of a model, whichever task asks for them: by configuration, window, session and instrument.
func (w *world) scores(t foldstream.Task) (foldstream.Frame, error) {
	var f foldstream.Frame
	days, err := w.cal.Slice(t.Segments["test"])
	if err != nil {
		return f, err
	}
	values := []float64{}
	for _, day := range days {
		if w.lacks != nil && w.lacks(day) {
			continue
		}
		for _, name := range []string{"A", "B", "C"} {
			h := fnv.New32()
			fmt.Fprint(h, t.Key, t.Window.Index, day, name)
			f.Times, f.Instruments = append(f.Times, day), append(f.Instruments, name)
			values = append(values, float64(h.Sum32()%1000)/7)
		}
	}
	f.Columns = []foldstream.Column{{Name: "score", Values: values}}
	return f, nil
}

// stored is what the store has of the strategy, byte for byte; the signals by their digests.
func (w *world) stored() string {
	w.t.Helper()
	v, err := w.mem.Values(foldstream.Experiments).Get(context.Background(), "online/"+strategy)
	ok(w.t, err)
	return string(v.Data)
}

// said are the signals.
func (w *world) said() foldstream.Frame {
	w.t.Helper()
	s, _, err := online.Read(w.t.Context(), w.store, strategy)
	ok(w.t, err)
	f, err := online.Signals(w.t.Context(), w.store, s)
	ok(w.t, err)
	ok(w.t, f.Validate())
	return f
}
