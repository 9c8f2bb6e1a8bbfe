package cli_test

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream/mem"
)

// faked is a store whose free work goes by the faked time.
type faked struct{ *mem.Store }

// Now returns the faked time.
func (faked) Now() time.Time { return time.Now() }

// newExperiment is newPool with the experiment "e" of its five tasks, and two free recorders: "ensemble", which is finished, and "notebook", which failed.
// It must run in faked time.
func newExperiment(t *testing.T) *pooled {
	t.Helper()
	p := newPool(t)
	var members []foldstream.Expectation
	for i := range 5 {
		m := task(i)
		members = append(members, foldstream.Expectation{Key: m.Key, Window: m.Window, Test: m.Segments["test"], Task: m.ID})
	}
	e := foldstream.Experiment{Name: "e", Pool: "p", Calendar: "c0ffee", Source: "experiment.yaml", Created: p.now}
	ok(t, record.PutExperiment(t.Context(), p.Store, e, members))
	ok(t, record.Do(t.Context(), faked{p.Store}, "e", record.Options{ID: "ensemble", Name: "mean of all", Code: "v1", Worker: "host-1"}, func(ctx context.Context, r *record.Run) error {
		r.Metric("ic", 0.0625)
		for step, loss := range []float64{1, 0.5, math.NaN(), 0.25} {
			r.MetricAt("loss", int64(step+1), loss)
		}
		r.Tag("kind", "ensemble")
		<-time.After(90 * time.Second)
		return errors.Join(
			r.Param("weights", []any{0.5, 0.5}), r.Param("model", map[string]any{"class": "Mean", "alpha": 3}), r.Param("text", strings.Repeat("long ", 2000)),
			r.Artifact(ctx, "weights.csv", "text/csv", strings.NewReader("a,b\n1,2\n")), r.Artifact(ctx, "plots/curve.svg", "image/svg+xml", strings.NewReader("<svg/>")),
			r.Artifact(ctx, "../evil", "", strings.NewReader("x")),
		)
	}))
	err := record.Do(t.Context(), faked{p.Store}, "e", record.Options{ID: "notebook", Worker: "host-1"}, func(context.Context, *record.Run) error { return errors.New("no data") })
	if err == nil {
		t.Fatal("it did not fail")
	}
	return p
}

// inFakedTime runs a test on newExperiment.
func inFakedTime(t *testing.T, test func(t *testing.T, p *pooled)) {
	t.Helper()
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	t.Setenv("FOLDSTREAM_EXPERIMENT", "")
	synctest.Test(t, func(t *testing.T) { test(t, newExperiment(t)) })
}

func TestRecorderListings(t *testing.T) {
	inFakedTime(t, func(t *testing.T, p *pooled) {
		p.must(t, "recorder", "note", id(0), "-e", "e", "the one\nto keep")
		e, err := record.ReadExperiment(t.Context(), p.Store, "e")
		ok(t, err)
		for file, args := range map[string][]string{
			"experiment_ls.txt":       {"experiment", "ls"},
			"experiment_ls.ndjson":    {"experiment", "list", "--json"},
			"experiment_show.txt":     {"experiment", "show", "e"},
			"experiment_show.json":    {"exp", "info", "e", "--json"},
			"recorder_ls.txt":         {"recorder", "ls", "-e", "e"},
			"recorder_ls.ndjson":      {"recorder", "list", "-e", "e", "--json", "--status", "finished"},
			"recorder_show_task.txt":  {"recorder", "show", "-e", "e", id(0)},
			"recorder_show_free.txt":  {"rec", "view", "-e", "e", "ensemble"},
			"recorder_show_free.json": {"recorder", "info", "-e", "e", "ensemble", "--json"},
			"recorder_metrics.txt":    {"recorder", "metrics", "-e", "e", "ensemble"},
			"recorder_metrics.json":   {"recorder", "metrics", "-e", "e", "ensemble", "--json"},
			"recorder_steps.txt":      {"recorder", "metrics", "-e", "e", "ensemble", "loss", "--steps"},
			"recorder_steps.ndjson":   {"recorder", "metric", "-e", "e", "ensemble", "--steps", "--json"},
			"recorder_series.csv":     {"recorder", "metrics", "-e", "e", "ensemble", "--csv"},
			"recorder_artifacts.txt":  {"recorder", "artifacts", "-e", "e", "ensemble"},
			"recorder_artifacts.json": {"recorder", "artifacts", "-e", "e", "ensemble", "--json"},
		} {
			golden(t, file, strings.ReplaceAll(p.must(t, args...), e.ID, "LIFE"))
		}
	})
}

// lines joins words, one a line.
func lines(words ...string) string {
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, "\n") + "\n"
}

func TestRecorderNames(t *testing.T) {
	inFakedTime(t, func(t *testing.T, p *pooled) {
		all := []string{"ensemble", "notebook", id(0), id(1), id(2), id(3), id(4)} // free work was begun before, by the faked clock
		for _, c := range []struct {
			args []string
			want []string
		}{
			{nil, all},
			{[]string{"--status", "running,failed"}, []string{"notebook", id(1), id(2)}},
			{[]string{"--limit", "2", "--after", "notebook"}, all[2:4]},
			{[]string{"--where", `metrics.ic > 0 and params.model.class == "Ridge"`}, []string{id(0)}},
			{[]string{"--order", "metrics.ic", "--desc", "--after", "ensemble", "--limit", "1"}, []string{id(0)}},
		} {
			if got := p.must(t, append([]string{"recorder", "ls", "-e", "e", "-n"}, c.args...)...); got != lines(c.want...) {
				t.Errorf("%v:\n%swant\n%s", c.args, got, lines(c.want...))
			}
		}
		if got := p.must(t, "recorder", "artifacts", "-e", "e", "ensemble", "-n"); got != lines("weights.csv", "plots/curve.svg", "../evil") {
			t.Error(got)
		}
	})
}

// query lists the ids of recorders as an expression and an order choose.
func (p *pooled) query(t *testing.T, where, order string, down bool) []string {
	t.Helper()
	keep, err := cli.Keeps(where)
	ok(t, err)
	q := record.Query{Keep: keep}
	if order != "" {
		ok(t, cli.Ordered(&q, order, down))
	}
	ids := []string{}
	for r, err := range record.List(t.Context(), p.Store, "e", q) {
		ok(t, err)
		ids = append(ids, r.ID)
	}
	return ids
}

func TestRecorderExpressions(t *testing.T) {
	inFakedTime(t, func(t *testing.T, p *pooled) {
		all := []string{"ensemble", "notebook", id(0), id(1), id(2), id(3), id(4)}
		for where, want := range map[string][]string{
			"":                                             all,
			"metrics.ic > 0.05":                            {"ensemble"},
			"metrics.ic <= 0.05":                           {id(0)},
			`0.05 >= metrics["ic"]`:                        {id(0)},
			`not ("ic" in metrics)`:                        {"notebook", id(1), id(2), id(3), id(4)},
			"params.model.alpha > 1":                       {"ensemble"},
			"params.model.alpha < 1":                       {},
			"1 > params.none":                              {},
			`params.none.of.this == nil`:                   all,
			`params["model"] != nil`:                       {"ensemble", id(0), id(1), id(2), id(3), id(4)},
			`not task`:                                     {"ensemble", "notebook"},
			`"exec.log" in artifacts`:                      {id(0)},
			`took > duration("1m")`:                        {"ensemble"},
			`name == "mean of all"`:                        {"ensemble"},
			`runs == "ridge" and code != ""`:               {id(0)},
			`tags.kind == "ensemble" or key.alpha == "20"`: {"ensemble", id(1), id(3)},
			`error contains "memory" and horizon == 5 and seed == 2 and window == 2`: {id(2)},
			`segments.test.start == "1996-01-02" and status == "running"`:            {id(1)},
		} {
			if got := p.query(t, where, "", false); !slices.Equal(got, want) {
				t.Errorf("%s: %v, not %v", where, got, want)
			}
		}
		for _, c := range []struct {
			order string
			down  bool
			want  []string
		}{
			{"metrics.ic", false, []string{id(0), "ensemble", "notebook", id(1), id(2), id(3), id(4)}},
			{"metrics.ic", true, []string{"ensemble", id(0), "notebook", id(1), id(2), id(3), id(4)}},
			{"id", true, []string{"notebook", "ensemble", id(4), id(3), id(2), id(1), id(0)}},
			{"seed", true, []string{id(4), id(3), id(2), id(1), id(0), "ensemble", "notebook"}},
			{"task", false, all},
			{"took", true, []string{"ensemble", id(0), "notebook", id(1), id(2), id(3), id(4)}},
			{"ended", false, []string{"ensemble", "notebook", id(0), id(2), id(1), id(3), id(4)}},
			{"params.weights", false, all}, // a list has no order
		} {
			if got := p.query(t, "", c.order, c.down); !slices.Equal(got, c.want) {
				t.Errorf("in order of %s, down %v: %v, not %v", c.order, c.down, got, c.want)
			}
		}
		for where, want := range map[string]string{
			"metric.ic > 1": `--where "metric.ic > 1" at column 1: unknown name metric (did you mean "metrics"?)`,
			"window":        "expected bool",
			"metrics.":      "unexpected end of expression",
			"len(1..9) > 1": "ranges are not part",
		} {
			if _, err := cli.Keeps(where); !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", where, err)
			}
		}
		if err := cli.Ordered(&record.Query{}, "metrics.", false); !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), `--order "metrics."`) {
			t.Error(err)
		}
	})
}

func TestRecorderRefusals(t *testing.T) {
	inFakedTime(t, func(t *testing.T, p *pooled) {
		for _, c := range []struct {
			code int
			want string
			args []string
		}{
			{2, "no experiment is named and none is active", []string{"recorder", "ls"}},
			{2, "--status", []string{"recorder", "ls", "-e", "e", "--status", "done"}},
			{2, "--desc needs an --order", []string{"recorder", "ls", "-e", "e", "--desc"}},
			{2, "recorder ensemble: --where", []string{"recorder", "ls", "-e", "e", "--where", "params.model > 1"}},
			{2, "recorder ensemble: --order", []string{"recorder", "ls", "-e", "e", "--order", `int(params.model.class)`}},
			{3, `no experiment "f"`, []string{"recorder", "ls", "-e", "f"}},
			{3, `no recorder "nobody" in experiment e`, []string{"recorder", "show", "-e", "e", "nobody"}},
			{3, `has no artifact "model"`, []string{"recorder", "get", "-e", "e", "ensemble", "model"}},
			{3, "has no note", []string{"recorder", "note", "-e", "e", "ensemble"}},
			{2, "say which tags", []string{"recorder", "tag", "-e", "e", "ensemble"}},
			{2, "--clear and a note", []string{"recorder", "note", "-e", "e", "ensemble", "x", "--clear"}},
			{2, "a name is 1 to 64", []string{"recorder", "ls", "-e", "a.b"}},
			{3, `no experiment "f"`, []string{"experiment", "rm", "f", "-f"}},
			{3, `no experiment "f"`, []string{"experiment", "activate", "f"}},
			{3, "no experiment is active", []string{"experiment", "activate"}},
			{2, "say one of both", []string{"experiment", "activate", "e", "--none"}},
			{2, "--limit", []string{"experiment", "ls", "--limit", "-1"}},
			{2, "unknown name failde", []string{"experiment", "ls", "--where", "failde > 0"}},
		} {
			p.run(t, c.args...).says(t, c.code, c.want)
		}
	})
}

// The experiment of a command is the one it is told, or that of the variable, or the active one.
func TestActiveExperiment(t *testing.T) {
	inFakedTime(t, func(t *testing.T, p *pooled) {
		_, err := record.Create(t.Context(), p.Store, "active", p.now)
		ok(t, err)
		_, err = record.Create(t.Context(), p.Store, "variable", p.now)
		ok(t, err)
		p.run(t, "experiment", "activate", "active").says(t, 0, "active\n")
		p.run(t, "experiment", "activate").says(t, 0, "active\n")
		p.run(t, "experiment", "show").says(t, 0, "experiment     active\n")
		p.run(t, "experiment", "ls", "--where", "active", "-n").says(t, 0, "active\n")
		p.run(t, "recorder", "show", id(0)).says(t, 3, "in experiment active")
		p.run(t, "wait").says(t, 2, "experiment active has no tasks to wait for")
		t.Setenv("FOLDSTREAM_EXPERIMENT", "variable")
		p.run(t, "experiment", "show").says(t, 0, "experiment     variable\n")
		p.run(t, "recorder", "show", id(0)).says(t, 3, "in experiment variable")
		p.run(t, "wait").says(t, 2, "experiment variable has no tasks")
		p.run(t, "experiment", "show", "e").says(t, 0, "experiment     e\n")
		p.run(t, "recorder", "show", id(0), "--experiment", "e").says(t, 0, "experiment     e\n")
		t.Setenv("FOLDSTREAM_EXPERIMENT", "")
		p.run(t, "experiment", "activate", "--none").says(t, 0, "no experiment is active\n")
		p.run(t, "experiment", "activate", "--none", "--json").says(t, 0, `"active": ""`)
		p.run(t, "recorder", "show", id(0)).says(t, 2, "none is active")
	})
}

func TestTagsAndNotes(t *testing.T) {
	inFakedTime(t, func(t *testing.T, p *pooled) {
		p.run(t, "recorder", "tag", "-e", "e", id(0), "best=yes", "why=a = b, c").says(t, 0, "best=yes\nowner=ann\nwhy=a = b, c\n")
		p.run(t, "recorder", "tag", "-e", "e", id(0), "--remove", "owner", "--remove", "best").says(t, 0, "why=a = b, c\n")
		p.run(t, "recorder", "tag", "-e", "e", id(0), "x=", "--json").says(t, 0, `"x": ""`)
		p.run(t, "recorder", "ls", "-e", "e", "-n", "--where", `tags.why contains "b"`).says(t, 0, id(0)+"\n")
		p.run(t, "recorder", "note", "-e", "e", "ensemble", "first\nsecond").says(t, 0, "first\nsecond\n")
		p.run(t, "recorder", "note", "-e", "e", "ensemble").says(t, 0, "first\nsecond\n")
		command(t, &cli.Env{Store: p.Store, Stdin: strings.NewReader("from a file\n")}, "recorder", "note", "-e", "e", "ensemble", "-").says(t, 0, "from a file\n")
		p.run(t, "recorder", "note", "-e", "e", "ensemble", "--json").says(t, 0, `"note": "from a file"`)
		p.must(t, "recorder", "note", "-e", "e", "ensemble", "--clear")
		p.run(t, "recorder", "note", "-e", "e", "ensemble").says(t, 3, "has no note")
	})
}

func TestGet(t *testing.T) {
	inFakedTime(t, func(t *testing.T, p *pooled) {
		dir := t.TempDir()
		t.Chdir(dir)
		get := func(args ...string) ran { return p.run(t, append([]string{"recorder", "get", "-e", "e"}, args...)...) }
		holds := func(path, want string) {
			t.Helper()
			data, err := os.ReadFile(path)
			info, statErr := os.Stat(path)
			if err != nil || statErr != nil || string(data) != want || info.Mode().Perm() != 0o600 {
				t.Errorf("%s: %q, %v, %v", path, data, err, statErr)
			}
		}
		get("ensemble", "weights.csv").says(t, 0, "wrote weights.csv: 8 bytes")
		holds("weights.csv", "a,b\n1,2\n")
		get("ensemble", "weights.csv").says(t, 4, "is there")
		get("ensemble", "weights.csv", "-f").says(t, 0, "wrote")
		get("ensemble", "plots/curve.svg", "--json").says(t, 0, `"file": "plots/curve.svg"`)
		holds("plots/curve.svg", "<svg/>")
		if out := get(id(0), "exec.log", "-o", "-"); out.code != 0 || out.stdout != "epoch 1\nepoch 2\n" {
			t.Errorf("%+v", out)
		}
		get(id(0), "exec.log", "-o", "mine.log").says(t, 0, "wrote mine.log")
		holds("mine.log", "epoch 1\nepoch 2\n")

		get("ensemble", "../evil").says(t, 2, "leads out of the working folder")
		get("ensemble", "../evil", "-o", "good").says(t, 0, "wrote good")
		get("ensemble", "weights.csv", "-o", "nowhere/x").says(t, 2, "nowhere")
		if _, err := os.Stat(filepath.Join(filepath.Dir(dir), "evil")); err == nil {
			t.Error("it was written outside")
		}
		outside := t.TempDir()
		ok(t, os.RemoveAll("plots"))
		ok(t, os.Symlink(outside, "plots")) // a link must not lead out either
		get("ensemble", "plots/curve.svg").says(t, 2, "cannot be written")
		if files, err := os.ReadDir(outside); err != nil || len(files) != 0 {
			t.Errorf("%v, %v", files, err)
		}
		if files, err := filepath.Glob(".*"); err != nil || len(files) != 0 {
			t.Errorf("left behind: %v, %v", files, err)
		}
	})
}

// A damaged artifact is told of, and is in no file.
func TestGetOfADamagedArtifact(t *testing.T) {
	inFakedTime(t, func(t *testing.T, p *pooled) {
		t.Chdir(t.TempDir())
		r, err := record.Get(t.Context(), p.Store, "e", "ensemble")
		ok(t, err)
		ok(t, p.Corrupt(r.Artifacts[0].Digest))
		for _, args := range [][]string{{}, {"-o", "x"}, {"-o", "-"}} {
			p.run(t, append([]string{"recorder", "get", "-e", "e", "ensemble", "weights.csv"}, args...)...).says(t, 5, "has become")
		}
		if files, err := os.ReadDir("."); err != nil || len(files) != 0 {
			t.Errorf("left behind: %v, %v", files, err)
		}
	})
}

func TestMetricsAreWatched(t *testing.T) {
	inFakedTime(t, func(t *testing.T, p *pooled) {
		p.run(t, "recorder", "metrics", "-e", "e", "ensemble", "-w").says(t, 0, "loss 1 1\nloss 2 0.5\nloss 3 –\nloss 4 0.25\n")
		p.run(t, "recorder", "metrics", "-e", "e", "ensemble", "ic", "-w").says(t, 0, "")
		out := p.must(t, "recorder", "metrics", "-e", "e", "ensemble", "--watch", "--json")
		var first struct {
			Metric, Run string
			Step        int64
			Value       *float64
		}
		ok(t, json.Unmarshal([]byte(strings.SplitN(out, "\n", 2)[0]), &first))
		if first.Metric != "loss" || first.Run == "" || first.Step != 1 || *first.Value != 1 {
			t.Errorf("%+v", first)
		}
		// of a task that runs, until it ends
		running, err := record.Get(t.Context(), p.Store, "e", id(1))
		ok(t, err)
		publish := func(first int, loss float64) {
			ok(t, p.Metrics().Publish(t.Context(), foldstream.Points{Experiment: "e", Recorder: id(1), Run: running.Run, First: first, Series: foldstream.Series{{Metric: "loss", Step: int64(first), Value: loss}}}))
		}
		publish(0, 3)
		ended := make(chan ran)
		go func() { ended <- p.run(t, "recorder", "metrics", "-e", "e", id(1), "-w") }()
		synctest.Wait()
		publish(1, 2)
		synctest.Wait()
		_, err = p.Cancel(t.Context(), "p", "enough", task(1).ID)
		ok(t, err)
		if out := <-ended; out.code != 0 || out.stdout != "loss 0 3\nloss 1 2\n" {
			t.Errorf("%+v", out)
		}
	})
}

func TestExperimentRemove(t *testing.T) {
	inFakedTime(t, func(t *testing.T, p *pooled) {
		p.must(t, "experiment", "activate", "e")
		p.run(t, "experiment", "rm", "e", "--dry-run").says(t, 0, "e: would delete, with 2 recorders, 0 values of its collection and 0 tasks; its tasks and their results stay\n")
		p.run(t, "experiment", "rm", "e").says(t, 2, "add --force")
		no := command(t, &cli.Env{Store: p.Store, Asks: true, Stdin: strings.NewReader("n\n")}, "experiment", "rm", "e")
		no.says(t, 130, "Delete experiment e with 2 recorders, 0 values of its collection and 0 tasks? [y/N]")
		p.run(t, "recorder", "ls", "-n").says(t, 0, "ensemble\n")
		p.run(t, "experiment", "rm", "e", "--tasks", "--dry-run", "--json").says(t, 0, `"tasks": 5`)
		p.run(t, "experiment", "rm", "e", "-f").says(t, 0, "e: deleted, with 2 recorders, 0 values of its collection and 0 tasks; its tasks and their results stay\n")
		p.run(t, "recorder", "ls").says(t, 2, "none is active") // it was
		p.run(t, "experiment", "rm", "e", "-f").says(t, 3, `no experiment "e"`)
		if got := p.status(t, 0); got != foldstream.Done {
			t.Errorf("the task is %s", got)
		}
	})
	inFakedTime(t, func(t *testing.T, p *pooled) {
		p.run(t, "experiment", "rm", "e", "-f", "--tasks").says(t, 0, "e: deleted, with 2 recorders, 0 values of its collection and 5 tasks\n")
		p.run(t, "task", "ls", "p").says(t, 3, `no pool "p"`)
	})
}

func TestExperimentList(t *testing.T) {
	inFakedTime(t, func(t *testing.T, p *pooled) {
		for _, name := range []string{"c", "d", "f"} {
			_, err := record.Create(t.Context(), p.Store, name, p.now)
			ok(t, err)
		}
		for _, c := range []struct {
			args []string
			want []string
		}{
			{nil, []string{"c", "d", "e", "f"}},
			{[]string{"--limit", "2"}, []string{"c", "d"}},
			{[]string{"--limit", "1", "--after", "d"}, []string{"e"}},
			{[]string{"--where", "expected > 0 and certified and not complete and coverage < 1 and present + failed == 0"}, []string{"e"}},
			{[]string{"--where", `name startsWith "d" and pool == ""`}, []string{"d"}},
		} {
			if got := p.must(t, append([]string{"experiment", "ls", "-n"}, c.args...)...); got != lines(c.want...) {
				t.Errorf("%v: %q, not %q", c.args, got, c.want)
			}
		}
	})
}

func FuzzRecorderWhere(f *testing.F) {
	for _, text := range []string{"metrics.ic > 0.03", `params.model?.class == "Ridge"`, "params.a.b < params.c", "metrics?.x ?? 1 < 2", `params["a"][0].b > 1`, "any(artifacts, # in tags)"} {
		f.Add(text)
	}
	r := record.Recorder{ID: "x", Params: map[string]any{"model": map[string]any{"class": "Ridge"}, "a": int64(1)}, Metrics: map[string]float64{"ic": 0.5}}
	f.Fuzz(func(t *testing.T, text string) {
		keep, err := cli.Keeps(text)
		if err != nil || keep == nil {
			if err != nil && !foldstream.Is(err, foldstream.Invalid) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if _, err := keep(r); err != nil && !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%q: %v", text, err)
		}
	})
}
