package qlib_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen"
	"github.com/foldstream/foldstream/gen/qlib"
)

const examples = "../../examples"

// planExample plans an experiment file of the examples on the calendar it names.
func planExample(t *testing.T, name string) (qlib.Plan, *calendar.Calendar) {
	t.Helper()
	name = filepath.ToSlash(filepath.Join(examples, name))
	f, err := qlib.Open(name, func(name string) (io.ReadCloser, error) { return os.Open(name) }, nil)
	if err != nil {
		t.Fatal(err)
	}
	cal := openCalendar(t, filepath.Join(filepath.Dir(name), f.Calendar.Path()), f.Calendar)
	p, err := f.Plan(cal, f.Data)
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range p.Tasks {
		if err := gen.Check(task, cal); err != nil {
			t.Fatal(err)
		}
	}
	return p, cal
}

func openCalendar(t *testing.T, path string, source qlib.CalendarSource) *calendar.Calendar {
	t.Helper()
	if source.Qlib != "" {
		cal, err := calendar.ReadQlib(os.DirFS(path), source.Freq)
		if err != nil {
			t.Fatal(err)
		}
		return cal
	}
	r, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cal, err := calendar.ReadCSV(r, source.Column)
	if err != nil {
		t.Fatal(err)
	}
	return cal
}

// TestDow30: 24 configurations × 20 windows, every one certified, whose test windows tile the five years.
func TestDow30(t *testing.T) {
	p, cal := planExample(t, "dow30/experiment.yaml")
	if len(p.Tasks) != 480 || len(p.Expectations) != 480 || p.Experiment.Expected != 480 || len(p.Notes) != 2 {
		t.Fatalf("%d tasks, %d members, notes %q; want 480", len(p.Tasks), len(p.Expectations), p.Notes)
	}
	ids := map[foldstream.TaskID]bool{}
	windows := map[string][]foldstream.Task{}
	for _, task := range p.Tasks {
		ids[task.ID] = true
		windows[task.Key.String()] = append(windows[task.Key.String()], task)
	}
	if len(ids) != 480 || len(windows) != 24 {
		t.Fatalf("%d ids and %d configurations, want 480 and 24", len(ids), len(windows))
	}
	for key, tasks := range windows {
		t.Run(key, func(t *testing.T) { checkWindows(t, cal, tasks) })
	}
}

// TestDow30OnAnExchange: the exchange's sessions are those of the price file, so that the tasks are the same to the id.
func TestDow30OnAnExchange(t *testing.T) {
	want, _ := planExample(t, "dow30/experiment.yaml")
	text, err := os.ReadFile(filepath.Join(examples, "dow30/experiment.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	const written = "calendar: {csv: prices.csv}"
	if !strings.Contains(string(text), written) {
		t.Fatalf("the file has no %s", written)
	}
	f := mustRead(t, strings.Replace(string(text), written, "calendar: {exchange: XNYS, from: 1990-12-31, to: 2001-01-02}", 1))
	cal, err := f.Calendar.OfExchange()
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Plan(cal, f.Data)
	if err != nil {
		t.Fatal(err)
	}
	for i, task := range want.Tasks {
		if got.Tasks[i].ID != task.ID {
			t.Fatalf("task %d is %s on the exchange and %s on the file", i, got.Tasks[i].ID, task.ID)
		}
	}
}

func checkWindows(t *testing.T, cal *calendar.Calendar, tasks []foldstream.Task) {
	if len(tasks) != 20 {
		t.Fatalf("%d windows, want 20", len(tasks))
	}
	index := func(d foldstream.Time) int {
		i, err := cal.Index(d, calendar.Start)
		if err != nil {
			t.Fatal(err)
		}
		return i
	}
	next := index(foldstream.DateOf(1996, 1, 2))
	for i, task := range tasks {
		test, train, h := task.Segments["test"], task.Segments["train"], task.Handler()
		length := 63
		if i == 19 {
			length = 66 // the three sessions left over are merged into it
		}
		if index(test.Start) != next || index(test.End) != next+length-1 {
			t.Errorf("window %d tests %s to %s", i, test.Start, test.End)
		}
		next += length
		if got := index(test.Start) - index(train.End); got != task.Horizon+2 || task.Leak.Gap != 1 {
			t.Errorf("window %d: training ends %d sessions before the test, gap %d; horizon %d", i, got, task.Leak.Gap, task.Horizon)
		}
		if h["fit_start_time"] != train.Start.String() || h["fit_end_time"] != train.End.String() {
			t.Errorf("window %d is fitted from %v to %v", i, h["fit_start_time"], h["fit_end_time"])
		}
		start, sessions := train.Start.String(), index(train.End)-index(train.Start)+1
		if expanding := task.Key.Get("rolling") == "expanding"; expanding && start != "1991-01-02" || !expanding && sessions != 756 {
			t.Errorf("window %d trains from %s on %d sessions", i, start, sessions)
		}
	}
	if last := tasks[19].Segments["test"].End.String(); last != "2000-12-29" {
		t.Errorf("the last test ends at %s", last)
	}
}

// TestQlibExamples: Qlib's workflow files plan as they say they do.
func TestQlibExamples(t *testing.T) {
	t.Run("LightGBM", func(t *testing.T) {
		p, _ := planExample(t, "qlib/lightgbm-experiment.yaml")
		if len(p.Tasks) != 14 || len(p.Notes) != 0 {
			t.Fatalf("%d tasks, notes %q", len(p.Tasks), p.Notes)
		}
		for i, task := range p.Tasks {
			kwargs := task.Task["model"].(map[string]any)["kwargs"].(map[string]any)
			if rate := []float64{0.1, 0.2}[i/7]; kwargs["learning_rate"] != rate || !task.Leak.Certified || task.Leak.Reach != foldstream.Ahead(2) {
				t.Errorf("task %d: learning rate %v, certificate %+v", i, kwargs["learning_rate"], task.Leak)
			}
		}
		first, last := p.Tasks[0], p.Tasks[13]
		if s := first.Segments; s["train"].End.String() != "2014-12-31" || s["valid"].End.String() != "2016-12-28" || s["test"].Start.String() != "2017-01-02" {
			t.Errorf("the first window is %v", s)
		}
		if end := last.Segments["test"].End.String(); end != "2020-07-31" || last.Handler()["instruments"] != "csi300" {
			t.Errorf("the last window ends at %s with %v", end, last.Handler())
		}
		record := first.Task["record"].([]any)[0].(map[string]any)["kwargs"].(map[string]any)
		if record["model"] != "<MODEL>" {
			t.Errorf("the record is %v", record)
		}
	})
	t.Run("DoubleEnsemble", func(t *testing.T) {
		p, _ := planExample(t, "qlib/doubleensemble-experiment.yaml")
		if len(p.Tasks) != 3 || len(p.Notes) != 1 || !strings.Contains(p.Notes[0], "3 of 3 tasks are not certified against leaks: valid ends") {
			t.Fatalf("%d tasks, notes %q", len(p.Tasks), p.Notes)
		}
		if p.Experiment.Policy != foldstream.Warn || p.Tasks[0].Leak.Reach != foldstream.Ahead(2) {
			t.Errorf("policy %s, certificate %+v", p.Experiment.Policy, p.Tasks[0].Leak)
		}
		kwargs := p.Tasks[2].Task["model"].(map[string]any)["kwargs"].(map[string]any)
		if kwargs["num_leaves"] != int64(210) || kwargs["num_models"] != int64(6) || *p.Tasks[2].Seed != 3 {
			t.Errorf("the model is %v", kwargs)
		}
	})
}
