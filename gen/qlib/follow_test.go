package qlib_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen"
	"github.com/foldstream/foldstream/gen/qlib"
)

// goingOn is an experiment file of two alternatives whose windows go on.
const goingOn = `
name: on
calendar: {exchange: XNYS, from: 1990-01-01, to: 2000-12-31}
worker: w
template:
  model: {class: M}
  dataset: {kwargs: {handler: {kwargs: {end_time: 1996-01-31}}, segments: {train: [1991-01-02, 1995-12-28], test: [1996-01-02, null]}}}
generators:
  - either:
      - rolling: {type: expanding, step: 10, trunc: reach}
      - rolling: {type: sliding, step: 10, trunc: reach, train_sessions: 250}
leaks: {policy: refuse, reach: 2}
`

func goesOn(t *testing.T, text string) (*qlib.File, *calendar.Calendar) {
	t.Helper()
	f, err := qlib.Read("on.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	cal, err := f.Calendar.OfExchange()
	if err != nil {
		t.Fatal(err)
	}
	return f, cal
}

// What follows the windows that a file has as of one session is what the file has as of a later one.
func TestFollowingIsTheLaterPlan(t *testing.T) {
	f, cal := goesOn(t, goingOn)
	if err := f.GoesOn(); err != nil {
		t.Fatal(err)
	}
	data := []foldstream.Data{{Name: "prices", Digest: "d"}}
	planAt := func(day foldstream.Time) []foldstream.Task {
		on, err := cal.WithNow(day)
		if err != nil {
			t.Fatal(err)
		}
		p, err := f.Plan(on, data)
		if err != nil {
			t.Fatal(err)
		}
		return p.Tasks
	}
	early, late := planAt(foldstream.DateOf(1996, 2, 1)), planAt(foldstream.DateOf(1996, 3, 20))
	for i, model := range early {
		if i+1 < len(early) && early[i+1].Key.Compare(model.Key) == 0 {
			continue
		}
		following, err := f.Following(cal, data, model.Template, foldstream.DateOf(1996, 3, 20))
		if err != nil {
			t.Fatal(err)
		}
		rest := slices.DeleteFunc(slices.Clone(late), func(t foldstream.Task) bool {
			return t.Key.Compare(model.Key) != 0 || t.Window.Index <= model.Window.Index
		})
		if len(rest) < 2 || len(following) != len(rest) {
			t.Fatalf("%s: %d windows follow, the later plan has %d", model.Key, len(following), len(rest))
		}
		for j, task := range following {
			if task.ID != rest[j].ID || !task.Leak.Certified || task.Data[0].Digest != "d" {
				t.Errorf("%s: window %d: %+v", model.Key, j, task)
			}
		}
	}
	stranger := early[0].Template
	stranger.Key = foldstream.Key{{Name: "rolling", Value: "gone"}}
	if _, err := f.Following(cal, data, stranger, foldstream.Time{}); !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), "does not have any more") {
		t.Errorf("a stranger: %v", err)
	}
}

func TestPredicting(t *testing.T) {
	f, cal := goesOn(t, goingOn)
	p, err := f.Plan(cal, nil)
	if err != nil {
		t.Fatal(err)
	}
	model, day := p.Tasks[0], foldstream.DateOf(1996, 3, 20)
	of := func(digest foldstream.Digest) foldstream.Task {
		task, err := f.Predicting(cal, []foldstream.Data{{Name: "prices", Digest: digest}}, model, foldstream.Segment{Start: day, End: day})
		if err != nil {
			t.Fatal(err)
		}
		return task
	}
	task := of("a")
	if task.Segments["test"].Start != day || task.Segments["train"] != model.Segments["train"] || task.Handler()["end_time"] != "1996-03-20" {
		t.Errorf("%+v", task.Segments)
	}
	if task.ID == of("b").ID || task.ID != of("a").ID || gen.Check(task, cal) != nil {
		t.Errorf("the task's identity is not that of its data, or it is not certified")
	}
	if _, err := f.Predicting(cal, nil, model, foldstream.Segment{Start: foldstream.DateOf(1995, 12, 1), End: day}); !foldstream.Is(err, foldstream.Leak) {
		t.Errorf("a prediction of what it was trained on: %v", err)
	}
}

func TestGoesOnRefuses(t *testing.T) {
	for want, change := range map[string][2]string{
		"generators has no rolling": {goingOn[strings.Index(goingOn, "generators:"):strings.Index(goingOn, "leaks:")], ""},
		"last: merge":               {"step: 10, trunc: reach}", "step: 10, trunc: reach, last: merge}"},
	} {
		f, _ := goesOn(t, strings.Replace(goingOn, change[0], change[1], 1))
		if err := f.GoesOn(); !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
