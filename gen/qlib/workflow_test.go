package qlib_test

import (
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen/qlib"
	"github.com/google/go-cmp/cmp"
)

// opener opens the files of a map.
func opener(files map[string]string) qlib.Opener {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return func(name string) (io.ReadCloser, error) { return fsys.Open(name) }
}

// environment has two variables that are set, and one that is set to nothing and one that would be another file.
func environment(name string) (string, bool) {
	value, ok := map[string]string{"LR": "0.5", "MARKET": "mid", "NONE": "", "LINES": "1\nqlib_init: {}"}[name]
	return value, ok
}

func mustWorkflow(t *testing.T, text string, open qlib.Opener) *qlib.Workflow {
	t.Helper()
	w, err := qlib.ReadWorkflow("sub/w.yaml", strings.NewReader(text), open, environment)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestReadWorkflowOK: the scalars are those of YAML 1.2, anchors and merges are resolved, placeholders stay.
func TestReadWorkflowOK(t *testing.T) {
	w := mustWorkflow(t, `
experiment_name: e1
qlib_init: {provider_uri: "~/data", region: cn, yes: no}
market: &market mid
config: &config {inst: *market, start_time: 2008-01-01, end_time: "20200801"}
more: &more {n: 1, inst: other}
task:
  model: {class: M, kwargs: {<<: [*config, *more], inst: own, "<<": text}}
  numbers: [1, -2, +3, 0x10, 0o17, 1.0, 1e-3, .5, 5., 0.1, -0.0, 1_000, 12:30:45, 1.2.3]
  words: [yes, off, True, null, ~, "", "1", '2', !!str 3, !!float 4, 2020-01-01, 2020-01-01 10:00:00]
  block: |
    7
  record: {m: <MODEL>, p: <PRED>, d: <dataset.kwargs.segments.test.0>}
  dataset:
    kwargs: {handler: {kwargs: *config}, segments: {train: [2008-01-01, 2014-12-31], test: [2017-01-01, null]}}
`, nil)
	if w.Experiment != "e1" || w.Provider != "~/data" || w.Source != "sub/w.yaml" {
		t.Errorf("%+v", w)
	}
	want := map[string]any{
		"model": map[string]any{"class": "M", "kwargs": map[string]any{
			"inst": "own", "start_time": "2008-01-01", "end_time": "20200801", "n": int64(1), "<<": "text"}},
		"numbers": []any{int64(1), int64(-2), int64(3), int64(16), int64(15), 1.0, 0.001, 0.5, 5.0, 0.1, 0.0, "1_000", "12:30:45", "1.2.3"},
		"words":   []any{"yes", "off", true, nil, nil, "", "1", "2", "3", 4.0, "2020-01-01", "2020-01-01 10:00:00"},
		"block":   "7\n",
		"record":  map[string]any{"m": "<MODEL>", "p": "<PRED>", "d": "<dataset.kwargs.segments.test.0>"},
		"dataset": map[string]any{"kwargs": map[string]any{
			"handler":  map[string]any{"kwargs": map[string]any{"inst": "mid", "start_time": "2008-01-01", "end_time": "2020-08-01"}},
			"segments": map[string]any{"train": []any{"2008-01-01", "2014-12-31"}, "test": []any{"2017-01-01", nil}},
		}},
	}
	if d := cmp.Diff(want, w.Template.Dict()); d != "" {
		t.Error(d)
	}
}

// TestBase follows qlib/cli/run.py with utils/__init__.py:update_config, and goes on where it stops: bases of bases.
func TestBase(t *testing.T) {
	files := map[string]string{
		"sub/b.yml": `
BASE_CONFIG_PATH: deep/c.yml
market: &m big
task:
  model: {class: M, kwargs: {lr: 0.1, n: 3, gone: 1}}
  rm: 5
  list: [1, 2]
  handler: *m
`,
		"sub/deep/c.yml": "qlib_init: {provider_uri: far}\ntask: {seed: 1, model: {class: C}}\n",
	}
	w := mustWorkflow(t, `
BASE_CONFIG_PATH: b.yml
market: mid
qlib_init: {region: us}
task: {model: {kwargs: {lr: 0.2, gone: __DROP__}}, rm: __DROP__, list: [3], new: {x: __DROP__, y: 1}, none: __DROP__}
`, opener(files))
	want := map[string]any{
		"model":   map[string]any{"class": "M", "kwargs": map[string]any{"lr": 0.2, "n": int64(3)}},
		"list":    []any{int64(3)},
		"handler": "big", "seed": int64(1), "new": map[string]any{"y": int64(1)},
	}
	if d := cmp.Diff(want, w.Template.Dict()); d != "" {
		t.Error(d)
	}
	if w.Provider != "far" {
		t.Errorf("provider %q", w.Provider)
	}
}

func TestBaseErr(t *testing.T) {
	for name, c := range map[string]struct {
		base string
		want string
	}{
		"Missing":  {"", `sub/w.yaml:1:19: BASE_CONFIG_PATH: there is no such file ("b.yml")`},
		"Itself":   {"BASE_CONFIG_PATH: b.yml\n", "sub/b.yml:1:19: BASE_CONFIG_PATH: more than 8 files stand on one another"},
		"Variable": {"qlib_init: {}\ntask: {lr: \"{{ GONE }}\"}\n", "sub/b.yml:2:13: the variable GONE is not set in the environment"},
		"Syntax":   {"a: [1\n", "sub/b.yml:2:1: not valid YAML"},
		"Position": {"qlib_init: {}\ntask:\n  dataset: {kwargs: {segments: {test: x}}}\n", "sub/b.yml:3:39: task.dataset.kwargs.segments.test: must be a pair"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"sub/b.yml": c.base}
			if c.base == "" {
				files = nil
			}
			_, err := qlib.ReadWorkflow("sub/w.yaml", strings.NewReader("BASE_CONFIG_PATH: b.yml\n"), opener(files), environment)
			if !foldstream.Is(err, foldstream.Invalid) || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	t.Run("Denied", func(t *testing.T) {
		_, err := qlib.ReadWorkflow("w.yaml", strings.NewReader("BASE_CONFIG_PATH: /b.yml\n"), func(string) (io.ReadCloser, error) { return nil, fs.ErrPermission }, nil)
		if !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), "w.yaml:1:19: BASE_CONFIG_PATH: permission denied") {
			t.Errorf("got %v", err)
		}
	})
}

// TestBaseLookup: a base is looked for beside the file, then from the working directory; two of them are one too many.
func TestBaseLookup(t *testing.T) {
	const beside, here = "qlib_init: {}\ntask: {from: beside}\n", "qlib_init: {}\ntask: {from: here}\n"
	for name, c := range map[string]struct {
		files map[string]string
		base  string
		want  string // of task.from, or an error
	}{
		"Beside":    {map[string]string{"sub/b.yml": beside}, "b.yml", "beside"},
		"Here":      {map[string]string{"sub/b.yml": beside, "b/b.yml": here}, "b/b.yml", "here"},
		"Both":      {map[string]string{"sub/b.yml": beside, "b.yml": here}, "b.yml", "sub/w.yaml:1:19: BASE_CONFIG_PATH: there are two, sub/b.yml and b.yml, of which qrun would take the latter: write a path that is one of them alone"},
		"Told":      {map[string]string{"sub/b.yml": beside, "b.yml": here}, "../sub/b.yml", "beside"},
		"HereChain": {map[string]string{"b/b.yml": "BASE_CONFIG_PATH: c.yml\n", "b/c.yml": here}, "b/b.yml", "here"},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := qlib.ReadWorkflow("sub/w.yaml", strings.NewReader("BASE_CONFIG_PATH: "+c.base+"\n"), opener(c.files), nil)
			if err != nil {
				if err.Error() != c.want || !foldstream.Is(err, foldstream.Invalid) {
					t.Errorf("got %v, want %s", err, c.want)
				}
				return
			}
			if got := w.Template.Task["from"]; got != c.want {
				t.Errorf("got %v, want %s", got, c.want)
			}
		})
	}
}

// TestRender: what is filled in has the type that it looks like, is not looked at again, and is told.
func TestRender(t *testing.T) {
	w := mustWorkflow(t, `
qlib_init: {provider_uri: "{{MARKET}}"} # {{ LR }}
# {{ A_COMMENT }} {% of any kind %}
task: {lr: {{ LR }}, text: "{{ LR }}", both: "{{ MARKET }}-{{ LR }}", none: {{ NONE }}, other: {{ GONE | default("a b") }}, mine: {{ LR|default('7') }},
  empty: "{{ GONE | default("") }}", n: {% if MARKET %}10{% else %}1{% endif %}, m: {% if GONE %}10{% else %}{{ LR }}{% endif %}, k: {% if NONE %}10{% endif %}}
`, nil)
	want := map[string]any{"lr": 0.5, "text": "0.5", "both": "mid-0.5", "none": nil, "other": "a b", "mine": 0.5, "empty": "",
		"n": int64(10), "m": 0.5, "k": nil}
	if d := cmp.Diff(want, w.Template.Dict()); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"sub/w.yaml: filled in from the environment: MARKET, LR, NONE"}, w.Notes); d != "" {
		t.Error(d)
	}
	if w.Provider != "mid" {
		t.Errorf("provider %q", w.Provider)
	}
	value := func(string) (string, bool) { return "{{ LR }}", true }
	w, err := qlib.ReadWorkflow("w.yaml", strings.NewReader("qlib_init: {}\ntask: {x: \"{{ X }}\"}\n"), nil, value)
	if err != nil || w.Template.Task["x"] != "{{ LR }}" {
		t.Errorf("a value with a mark in it: %v, %v", w, err)
	}
	_, err = qlib.ReadWorkflow("w.yaml", strings.NewReader("qlib_init: {}\ntask: {x: \"{{ X }}\"}\n"), nil, nil)
	if !foldstream.Is(err, foldstream.Invalid) || err.Error() != "w.yaml:2:12: the variable X: the environment is not read here" {
		t.Errorf("no environment: %v", err)
	}
}

// TestHandedOn: all that qrun would use is there, or told by name.
func TestHandedOn(t *testing.T) {
	w := mustWorkflow(t, `
qlib_init: {provider_uri: data, region: cn, exp_manager: {class: X, kwargs: {uri: u}}}
sys: {path: /opt/x, rel_path: [lib, ../y, /abs]}
market: mid
task: {model: {class: M}}
`, nil)
	if d := cmp.Diff(map[string]any{"provider_uri": "data", "region": "cn"}, w.Init); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"/opt/x", "sub/lib", "sub/../y", "/abs"}, w.Paths); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"sub/w.yaml:2:58: qlib_init.exp_manager: not used: runs are kept in the store that the tasks are in",
		"sub/w.yaml:3:6: sys: the worker must have /opt/x, sub/lib, sub/../y, /abs on Python's import path"}, w.Notes); d != "" {
		t.Error(d)
	}
	if w.Config["market"] != "mid" || w.Config["qlib_init"].(map[string]any)["exp_manager"] == nil || w.Name("") != "workflow" || w.Name("given") != "given" {
		t.Errorf("config %v, name %q", w.Config, w.Name(""))
	}
}

// TestImportName: an experiment file that stands on a workflow may leave the name to it, and hands its notes on.
func TestImportName(t *testing.T) {
	for text, want := range map[string]string{"": "workflow", "experiment_name: other\n": "other"} {
		files := map[string]string{"e.yaml": "worker: w\nfrom: w.yaml\nnotes: [mine]\n", "w.yaml": text + workflow + "sys: {path: lib}\n"}
		f, err := qlib.Open("e.yaml", opener(files), nil)
		if err != nil {
			t.Fatal(err)
		}
		if f.Name != want || f.Pool != want || len(f.Notes) != 2 || f.Notes[0] != "mine" {
			t.Errorf("name %q, pool %q, notes %q", f.Name, f.Pool, f.Notes)
		}
	}
	_, err := qlib.Open("e.yaml", opener(map[string]string{"e.yaml": "worker: w\nfrom: w.yaml\n", "w.yaml": "experiment_name: a b\n" + workflow}), nil)
	if !foldstream.Is(err, foldstream.Invalid) || !strings.HasPrefix(err.Error(), `w.yaml: experiment_name: experiment "a b": a name is`) {
		t.Errorf("got %v", err)
	}
}

const workflow = `
qlib_init: {provider_uri: data/cn}
task:
  model: {class: M}
  dataset:
    kwargs:
      handler: {kwargs: {fit_start_time: <dataset.kwargs.segments.train.0>, fit_end_time: <dataset.kwargs.segments.train.1>,
        end_time: <dataset.kwargs.segments.test.1>, label: ["Ref($close, -2) / Ref($close, -1) - 1"]}}
      segments: {train: [2020-01-01, 2020-02-28], test: [2020-03-02, 2020-03-27]}
`

const importing = "name: small\nworker: w\nfrom: w.yaml\n"

// TestImport: what the workflow says fills in what the file leaves out. Fit times written as placeholders of the train
// segment stay, and so follow it.
func TestImport(t *testing.T) {
	files := map[string]string{"sub/e.yaml": importing, "sub/w.yaml": workflow}
	f, err := qlib.Open("sub/e.yaml", opener(files), nil)
	if err != nil {
		t.Fatal(err)
	}
	if f.Leaks != foldstream.Warn || f.Calendar != (qlib.CalendarSource{Qlib: "data/cn", Freq: "day"}) {
		t.Errorf("leaks %s, calendar %+v", f.Leaks, f.Calendar)
	}
	p, err := f.Plan(weekdays(t, 100), nil)
	if err != nil {
		t.Fatal(err)
	}
	if p.Experiment.Source != "sub/e.yaml" || len(p.Notes) != 1 || p.Tasks[0].Leak.Certified {
		t.Errorf("source %q, notes %q: the gap is one session too short", p.Experiment.Source, p.Notes)
	}
	files["sub/e.yaml"] = importing + "leaks: {reach: 2}\n"
	if f, err = qlib.Open("sub/e.yaml", opener(files), nil); err != nil || f.Leaks != foldstream.Warn || f.Reach != foldstream.Ahead(2) {
		t.Errorf("%v: leaks %s, reach %v: a reach alone is no policy", err, f.Leaks, f.Reach)
	}
	files["sub/e.yaml"] = importing + "leaks: refuse\ncalendar: {csv: x.csv}\ngenerators: [{rolling: {type: sliding, step: 10, trunc: reach}}]\n"
	if f, err = qlib.Open("sub/e.yaml", opener(files), nil); err != nil {
		t.Fatal(err)
	}
	if f.Leaks != foldstream.Refuse || f.Calendar.CSV != "x.csv" {
		t.Errorf("leaks %s, calendar %+v", f.Leaks, f.Calendar)
	}
	if p, err = f.Plan(weekdays(t, 100), nil); err != nil {
		t.Fatal(err)
	}
	for i, task := range p.Tasks {
		if h := task.Handler(); h["fit_end_time"] != "<dataset.kwargs.segments.train.1>" || !task.Leak.Certified {
			t.Errorf("window %d: the fit window ends at %v, certificate %+v", i, h["fit_end_time"], task.Leak)
		}
		filled, err := qlib.FillPlaceholders(task.Dict(), nil)
		if err != nil {
			t.Fatal(err)
		}
		h, train := foldstream.Template{Task: filled.(map[string]any)}.Handler(), task.Segments["train"]
		if h["fit_start_time"] != train.Start.String() || h["fit_end_time"] != train.End.String() {
			t.Errorf("window %d is fitted from %v to %v and trained from %s to %s", i, h["fit_start_time"], h["fit_end_time"], train.Start, train.End)
		}
	}
}

// TestFitTimesStay: fit times written as dates do not move unless the rolling says so, as in Qlib.
func TestFitTimesStay(t *testing.T) {
	text := strings.NewReplacer("<dataset.kwargs.segments.train.0>", "2020-01-01", "<dataset.kwargs.segments.train.1>", "2020-01-31").Replace(workflow)
	f, err := qlib.Open("e.yaml", opener(map[string]string{"w.yaml": text,
		"e.yaml": importing + "generators: [{rolling: {type: sliding, step: 10, trunc: reach}}]\n"}), nil)
	if err != nil {
		t.Fatal(err)
	}
	p, err := f.Plan(weekdays(t, 100), nil)
	if err != nil {
		t.Fatal(err)
	}
	if h := p.Tasks[1].Handler(); h["fit_end_time"] != "2020-01-31" {
		t.Errorf("the fit window ends at %v", h["fit_end_time"])
	}
}

func TestOpenErr(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"NoWorkflow": {map[string]string{"e.yaml": importing}, `e.yaml:3:7: from: there is no such file ("w.yaml")`},
		"BadFile":    {map[string]string{"e.yaml": "x: 1\n"}, "e.yaml:1:1: "},
		"BadOne":     {map[string]string{"e.yaml": importing, "w.yaml": "task: {}\n"}, `w.yaml:1:1: "qlib_init" is missing`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := qlib.Open("e.yaml", opener(c.files), nil)
			if !foldstream.Is(err, foldstream.Invalid) || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
	t.Run("NotImported", func(t *testing.T) {
		if _, err := mustRead(t, importing).Plan(weekdays(t, 9), nil); !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("NotWanted", func(t *testing.T) {
		if err := mustRead(t, head+task).Import(mustWorkflow(t, workflow, nil)); !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("NoFile", func(t *testing.T) {
		if _, err := qlib.Open("none.yaml", opener(nil), nil); err == nil {
			t.Error("no error")
		}
	})
}
