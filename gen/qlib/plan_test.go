package qlib_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen"
	"github.com/foldstream/foldstream/gen/qlib"
	"github.com/google/go-cmp/cmp"
)

// weekdays is a calendar of n weekdays from 2020-01-01.
func weekdays(t *testing.T, n int) *calendar.Calendar {
	t.Helper()
	var days []foldstream.Time
	for d := foldstream.DateOf(2020, 1, 1).Std(); len(days) < n; d = d.AddDate(0, 0, 1) {
		if d.Weekday() != 0 && d.Weekday() != 6 {
			days = append(days, foldstream.TimeOf(d))
		}
	}
	c, err := calendar.New(days)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The task of the tests: 20 test sessions from 2020-03-02 on, and a gap of one session for a label of reach 2.
const head = `
name: small
calendar: {text: days.txt}
worker: ridge
`

const task = `
template:
  model: {class: Ridge, kwargs: {alpha: 1}}
  record: [{class: R, kwargs: {model: <MODEL>, x: "<MODEL> tail", y: yes, z: 2020-01-01}}]
  dataset:
    kwargs:
      handler: {kwargs: {end_time: 2020-03-27, fit_start_time: 2020-01-01, fit_end_time: 2020-02-26, label: ["Ref($close, -2) / Ref($close, -1) - 1"]}}
      segments: {train: [2020-01-01, 2020-02-26], test: [2020-03-02, 2020-03-27]}
`

func mustRead(t *testing.T, text string) *qlib.File {
	t.Helper()
	f, err := qlib.Read("small.yaml", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustPlan(t *testing.T, text string) qlib.Plan {
	t.Helper()
	p, err := mustRead(t, text).Plan(weekdays(t, 100), nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPlanOne(t *testing.T) {
	data := []foldstream.Data{{Name: "prices", Path: "p.csv", Digest: "d", Size: 3, Upload: true}}
	cal := weekdays(t, 100)
	text := head + task + "pool: shared\npriority: 3\ntags: {a: b}\nretry: {attempts: 2}\ndeadline: 5s\nsilence: 2s\nkeys: [gpu]\nstages: [a, b]\ncollection: {frame: pred}\n"
	p, err := mustRead(t, text).Plan(cal, data)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Tasks) != 1 || len(p.Expectations) != 1 || len(p.Notes) != 0 {
		t.Fatalf("%d tasks, %d members and notes %q, want one, one and none", len(p.Tasks), len(p.Expectations), p.Notes)
	}
	got := p.Tasks[0]
	if got.Experiment != "small" || *got.Priority != 3 || got.Tags["a"] != "b" || got.Retry.Attempts != 2 || got.Deadline.Seconds() != 5 ||
		got.Silence.Seconds() != 2 || !slices.Equal(got.Keys, []string{"gpu"}) || !slices.Equal(got.Stages, []string{"a", "b"}) {
		t.Errorf("the task runs as %+v", got)
	}
	if d := cmp.Diff(data, got.Data); d != "" {
		t.Error(d)
	}
	if got.Worker != "ridge" || got.Calendar != cal.Version() || !got.Leak.Certified || got.Leak.Policy != foldstream.Refuse {
		t.Errorf("worker %q, calendar %q, certificate %+v", got.Worker, got.Calendar, got.Leak)
	}
	if err := gen.Check(got, cal); err != nil {
		t.Error(err)
	}
	want := foldstream.Experiment{Name: "small", Pool: "shared", Calendar: cal.Version(), Expected: 1,
		Collection: foldstream.CollectionSpec{Frame: "pred"}, Policy: foldstream.Refuse, Source: "small.yaml"}
	if d := cmp.Diff(want, p.Experiment); d != "" {
		t.Error(d)
	}
	test := foldstream.Segment{Start: foldstream.DateOf(2020, 3, 2), End: foldstream.DateOf(2020, 3, 27)}
	if e := p.Expectations[0]; e.Task != got.ID || e.Test != test || len(e.Key) != 0 {
		t.Errorf("expectation %+v", e)
	}
}

// TestPlanOnAnExchange: the file's days make the calendar, and sessions that are only projected are told.
func TestPlanOnAnExchange(t *testing.T) {
	for to, notes := range map[string][]string{
		"2028-12-29": nil,
		"2030-01-02": {"the sessions of XNYS after 2028-12-31 are projected: its closures are announced up to then"},
	} {
		f := mustRead(t, strings.Replace(head, "{text: days.txt}", "{exchange: XNYS, from: 2020-01-01, to: "+to+"}", 1)+task)
		cal, err := f.Calendar.OfExchange()
		if err != nil {
			t.Fatal(err)
		}
		p, err := f.Plan(cal, nil)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(p.Notes, notes) || cal.First().String() != "2020-01-02" || f.Calendar.Path() != "" {
			t.Errorf("from %s, notes %q", cal.First(), p.Notes)
		}
	}
}

// TestPlanKeepsTheDict: what is not ours goes through untouched, text that looks like something else included.
func TestPlanKeepsTheDict(t *testing.T) {
	got := mustPlan(t, head+task).Tasks[0].Dict()
	want := map[string]any{
		"model": map[string]any{"class": "Ridge", "kwargs": map[string]any{"alpha": int64(1)}},
		"record": []any{map[string]any{"class": "R", "kwargs": map[string]any{
			"model": "<MODEL>", "x": "<MODEL> tail", "y": "yes", "z": "2020-01-01"}}},
		"dataset": map[string]any{"kwargs": map[string]any{
			"handler": map[string]any{"kwargs": map[string]any{"end_time": "2020-03-27", "fit_start_time": "2020-01-01",
				"fit_end_time": "2020-02-26", "label": []any{"Ref($close, -2) / Ref($close, -1) - 1"}}},
			"segments": map[string]any{"train": []any{"2020-01-01", "2020-02-26"}, "test": []any{"2020-03-02", "2020-03-27"}},
		}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestPlanOrder: the last generator varies fastest, alternatives come in their order, keys say what was chosen.
func TestPlanOrder(t *testing.T) {
	p := mustPlan(t, head+task+`
generators:
  - grid: {model.kwargs.alpha: [0.5, 2], model.kwargs.power: {range: [1, 2, 1]}}
  - horizon: {horizons: [3], leak: 2}
  - either:
      - rolling: {step: 10, trunc: reach}
      - rolling: {type: sliding, step: 10, train_sessions: 5, trunc: 7, last: clip, name: short}
  - seeds: [7, -8]
`)
	var got []string
	for _, e := range p.Expectations {
		got = append(got, fmt.Sprintf("%s %d/%d", e.Key, e.Window.Index+1, e.Window.Of))
	}
	var want []string
	for _, alpha := range []string{"0.5", "2"} {
		for _, power := range []string{"1", "2"} {
			for _, rolling := range []string{"expanding", "short"} {
				for w := 1; w <= 2; w++ {
					for _, seed := range []string{"7", "-8"} {
						want = append(want, fmt.Sprintf("alpha=%s,power=%s,horizon=3,rolling=%s,seed=%s %d/2", alpha, power, rolling, seed, w))
					}
				}
			}
		}
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	last := p.Tasks[len(p.Tasks)-1]
	kwargs := last.Task["model"].(map[string]any)["kwargs"].(map[string]any)
	if kwargs["alpha"] != int64(2) || kwargs["power"] != int64(2) || *last.Seed != -8 || last.Horizon != 3 {
		t.Errorf("the last task is %+v", last.Template)
	}
	if train := last.Segments["train"]; train.Start.String() != "2020-02-28" || train.End.String() != "2020-03-05" {
		t.Errorf("its train segment is %v", train)
	}
}

// TestPlanRepeats: content decides the task, the generators decide the member.
func TestPlanRepeats(t *testing.T) {
	same := mustPlan(t, head+task+"generators: [{grid: {model.kwargs.alpha: [1, 1.0, 2]}}]\n")
	if len(same.Tasks) != 2 || len(same.Expectations) != 2 || len(same.Notes) != 1 {
		t.Errorf("%d tasks, %d members, notes %q; 1 and 1.0 are one value", len(same.Tasks), len(same.Expectations), same.Notes)
	}
	named := mustPlan(t, head+task+"generators: [{either: [{rolling: {step: 10, trunc: 3}}, {rolling: {step: 10, trunc: 3, name: again}}]}]\n")
	if len(named.Tasks) != 2 || len(named.Expectations) != 4 || named.Experiment.Expected != 4 || len(named.Notes) != 1 {
		t.Errorf("%d tasks, %d members, notes %q", len(named.Tasks), len(named.Expectations), named.Notes)
	}
	if a, b := named.Expectations[0], named.Expectations[2]; a.Task != b.Task || a.Key.String() == b.Key.String() {
		t.Errorf("the members %v and %v should be one task", a, b)
	}
}

func TestPlanTemplates(t *testing.T) {
	p := mustPlan(t, head+`
templates:
  - {model: {class: A}, dataset: &d {kwargs: {segments: {train: [2020-01-01, 2020-02-26], test: [2020-03-02, null]}}}}
  - {model: {class: B}, dataset: *d}
  - {model: {class: A, kwargs: {x: 1}}, dataset: *d}
  - {dataset: *d}
leaks: {reach: 2}
`)
	var keys []string
	for _, e := range p.Expectations {
		keys = append(keys, e.Key.String())
	}
	if d := cmp.Diff([]string{"template=A", "template=B", "template=A-2", "template=template"}, keys); d != "" {
		t.Error(d)
	}
	if r := p.Tasks[0].Reach; r != foldstream.Ahead(2) {
		t.Errorf("the reach is %v", r)
	}
}

func TestPlanExec(t *testing.T) {
	text := strings.Replace(head, "worker: ridge", "worker: exec\nexec: {command: [python3, train.py]}", 1)
	p := mustPlan(t, text+task)
	want := map[string]any{"command": []any{"python3", "train.py"}}
	if d := cmp.Diff(want, p.Tasks[0].Task["exec"]); d != "" {
		t.Error(d)
	}
	other := mustPlan(t, strings.Replace(text, "train.py", "other.py", 1)+task)
	if other.Tasks[0].ID == p.Tasks[0].ID {
		t.Error("another command is the same task")
	}
}

// A grid may have some tasks worked by a command: it stands in the template then.
func TestPlanExecOfSome(t *testing.T) {
	text := head + strings.Replace(task, "template:\n", "template:\n  exec: {command: [python3, train.py]}\n", 1) + "generators: [{grid: {worker: [ridge, exec]}}]\n"
	var workers []string
	for _, t := range mustPlan(t, text).Tasks {
		workers = append(workers, t.Worker)
	}
	if d := cmp.Diff([]string{"ridge", "exec"}, workers); d != "" {
		t.Error(d)
	}
}

const weighted = "generators: [{horizon: {horizons: [1, 5]}}]\ncollection:\n  ensemble: weighted\n  weights:\n"

func TestPlanWeights(t *testing.T) {
	p := mustPlan(t, head+task+weighted+"    horizon=5: 2.5\n    horizon=1: 0\n")
	if spec := p.Experiment.Collection; spec.Ensemble != "weighted" || spec.WeightOf(foldstream.Key{{Name: "horizon", Value: "5"}}) != 2.5 {
		t.Errorf("%+v", spec)
	}
}

func TestPlanErr(t *testing.T) {
	leaking := strings.Replace(task, "train: [2020-01-01, 2020-02-26]", "train: [2020-01-01, 2020-02-27]", 1)
	for _, c := range []struct {
		name, text string
		kind       foldstream.Kind
		want       string
	}{
		{"Leak", head + leaking, foldstream.Leak, "small.yaml: leak: training before the test from 2020-03-02 is not safe"},
		{"LeakOfOne", head + leaking + "generators: [{grid: {model.kwargs.alpha: [3]}}]", foldstream.Leak, "small.yaml: alpha=3: leak:"},
		{"UnknownReach", head + strings.Replace(task, "Ref($close, -2)", "Foo($close)", 1), foldstream.Leak, "unknown"},
		{"DeclaredTooShort", head + task + "leaks: {reach: 1}", foldstream.Leak, "more than the declared reach"},
		{"Grid", head + task + "generators:\n  - seeds: [1]\n  - grid: {model.class.x: [1]}", foldstream.Invalid, "small.yaml:15:11: generators[1].grid: model.class.x:"},
		{"Rolling", head + task + "generators:\n  - either:\n      - rolling: {step: 100, trunc: 3}", foldstream.Invalid, "small.yaml:15:18: generators[0].either[0].rolling: not one full window"},
		{"RollingLeak", head + strings.Replace(task, "train: [2020-01-01, 2020-02-26]", "train: [2020-01-01, 2020-03-03]", 1) + "generators:\n  - rolling: {step: 10}", foldstream.Leak, "generators[0].rolling: segment train"},
		{"TwoAlike", head + task + "generators: [{either: [{rolling: {step: 10, trunc: 3}}, {rolling: {step: 5, trunc: 3}}]}]", foldstream.Invalid, `two different tasks are window 1 of the configuration "rolling=expanding"`},
		{"WeightOfNothing", head + task + weighted + "    horizon=5: 2\n    hirizon=5: 1\n", foldstream.Invalid,
			`small.yaml:18:16: collection.weights.hirizon=5: no configuration has it; did you mean "horizon=5"?`},
		{"WeightsOfZero", head + task + weighted + "    horizon=5: 0\n    horizon=1: 0\n", foldstream.Invalid, "small.yaml: collection.weights: they leave every configuration out"},
		{"OffCalendar", head + strings.Replace(task, "test: [2020-03-02, 2020-03-27]", "test: [2031-03-03, null]", 1) + "generators: [{horizon: {horizons: [1]}}]", foldstream.Invalid, "2031"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, err := mustRead(t, c.text).Plan(weekdays(t, 100), nil)
			if err == nil {
				t.Fatalf("no error, but %d tasks", len(p.Tasks))
			}
			atStart := strings.HasPrefix(err.Error(), c.want) || !strings.HasPrefix(c.want, "small.yaml")
			if foldstream.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.want) || !atStart {
				t.Errorf("%v: %v, want %v: …%s…", foldstream.KindOf(err), err, c.kind, c.want)
			}
		})
	}
	t.Run("NoCalendar", func(t *testing.T) {
		if _, err := mustRead(t, head+task).Plan(nil, nil); !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("got %v", err)
		}
	})
}

func TestPlanWarn(t *testing.T) {
	leaking := strings.Replace(task, "train: [2020-01-01, 2020-02-26]", "train: [2020-01-01, 2020-02-27]", 1)
	p := mustPlan(t, head+leaking+"leaks: warn")
	if c := p.Tasks[0].Leak; c.Certified || c.Policy != foldstream.Warn || p.Experiment.Policy != foldstream.Warn {
		t.Errorf("certificate %+v, policy %s", c, p.Experiment.Policy)
	}
	if len(p.Notes) != 1 || !strings.HasPrefix(p.Notes[0], "1 of 1 tasks are not certified against leaks: train ends at 2020-02-27") {
		t.Errorf("notes %q", p.Notes)
	}
}

// TestPlanIsPure: planning twice gives the same, and what is planned shares nothing with the file.
func TestPlanIsPure(t *testing.T) {
	f, cal := mustRead(t, head+task+"tags: {a: b}\ngenerators: [{rolling: {step: 5, trunc: reach, roll_fit: true}}]"), weekdays(t, 100)
	a, err := f.Plan(cal, nil)
	if err != nil {
		t.Fatal(err)
	}
	first := a.Tasks[0].Clone()
	a.Tasks[0].Task["model"], a.Tasks[0].Tags["a"], a.Tasks[0].Handler()["label"] = "spoilt", "spoilt", "spoilt"
	b, err := f.Plan(cal, nil)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(first, b.Tasks[0], cmp.Comparer(func(a, b foldstream.Time) bool { return a == b })); d != "" {
		t.Error(d)
	}
	if a.Tasks[1].Tags["a"] != "b" {
		t.Error("two tasks share their tags")
	}
}

// TestPlanConcurrent: a file is only read by planning, also on different calendars. The race detector looks on.
func TestPlanConcurrent(t *testing.T) {
	text := strings.Replace(head, "worker: ridge", "worker: exec\nexec: {command: [python3, train.py]}", 1)
	f := mustRead(t, text+task+"generators: [{horizon: {horizons: [1]}}, {rolling: {step: 5, trunc: reach}}]")
	var wg sync.WaitGroup
	for _, n := range []int{70, 80, 90, 100} {
		cal := weekdays(t, n)
		wg.Go(func() {
			p, err := f.Plan(cal, nil)
			if err != nil || len(p.Tasks) != 4 || p.Tasks[0].Calendar != cal.Version() {
				t.Errorf("%v: %d tasks", err, len(p.Tasks))
			}
		})
	}
	wg.Wait()
}
