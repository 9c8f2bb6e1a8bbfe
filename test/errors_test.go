package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// experiment is a small experiment file; change it by replacing some text of it.
const experiment = `name: bad
calendar: {csv: %s}
data: {prices: %s}
worker: ridge
template:
  model: {class: Ridge, kwargs: {alpha: 1}}
  dataset: {class: Panel, kwargs: {
    handler: {class: PriceFeatures, kwargs: {fit_start_time: 1991-01-02, fit_end_time: 1995-12-29}},
    segments: {train: [1991-01-02, 1995-12-29], test: [1996-01-02, 2000-12-29]}}}
generators:
  - horizon: {horizons: [1]}
  - rolling: {step: 252, trunc: reach, roll_fit: true, last: merge}
leaks: refuse
`

// Bad input is one clear line, a documented exit code, and nothing published.
func TestBadInputIsOneLineAndPublishesNothing(t *testing.T) {
	url, _ := serve(t, t.TempDir())
	for name, c := range map[string]struct {
		old, new string
		code     int
		want     []string
	}{
		"unknown key":          {"worker:", "workr:", 2, []string{":4:1: workr", `did you mean "worker"`}},
		"unreadable YAML":      {"worker: ridge", "worker: [ridge", 2, []string{"bad.yaml:"}},
		"no calendar file":     {"calendar: {csv: ", "calendar: {csv: no", 2, []string{"calendar", "there is no file"}},
		"no data file":         {"prices: ", "prices: no", 2, []string{"data prices", "there is no file"}},
		"date out of calendar": {"1991-01-02, 1995", "1985-01-02, 1995", 2, []string{"1985-01-02"}},
		"reversed segment":     {"[1991-01-02, 1995-12-29]", "[1995-12-29, 1991-01-02]", 2, []string{":9:", "train"}},
		"a leak":               {"horizons: [1]}\n  - rolling: {step: 252, trunc: reach,", "horizons: [5], leak: 0}\n  - rolling: {step: 252, trunc: 0,", 2, []string{"leak"}},
		"an unknown reach":     {"horizon: {horizons: [1]}\n  - rolling: {step: 252, trunc: reach,", "rolling: {step: 252, trunc: 5,", 2, []string{"leak", "reach"}},
		"not a date":           {"1996-01-02", "NaT", 2, []string{":9:", "NaT"}},
		"unknown generator":    {"horizon:", "horizont:", 2, []string{":11:", `did you mean "horizon"`}},
		"bad name":             {"name: bad", "name: b.d", 2, []string{":1:", "b.d"}},
	} {
		t.Run(name, func(t *testing.T) {
			file := write(t, strings.Replace(text(t), c.old, c.new, 1))
			out := run(t, "producer", "submit", file, "-s", url)
			if out.code != c.code || out.stdout != "" {
				t.Errorf("exit code %d, want %d; stdout %q", out.code, c.code, out.stdout)
			}
			for _, want := range c.want {
				if !strings.Contains(out.stderr, want) {
					t.Errorf("stderr does not say %q:\n%s", want, out.stderr)
				}
			}
			if lines := strings.Count(out.stderr, "\n"); lines != 1 {
				t.Errorf("%d lines:\n%s", lines, out.stderr)
			}
		})
	}
	if pools := mustRun(t, "foldstream", "stat", "--json", "-s", url); strings.TrimSpace(pools) != "[]" {
		t.Errorf("something was published: %s", pools)
	}
	if list := mustRun(t, "foldstream", "collection", "ls", "--json", "-s", url); strings.TrimSpace(list) != "[]" {
		t.Errorf("an experiment was published: %s", list)
	}
}

func TestNoServerSaysWhichAndHowToStartOne(t *testing.T) {
	for _, args := range [][]string{{"stat"}, {"wait", "x"}, {"consumer", "run", "--pool", "p"}, {"replay", "a", "--as", "b"}} {
		out := run(t, "foldstream", append(args, "-s", "nats://127.0.0.1:1")...)
		if out.code != 1 || !strings.Contains(out.stderr, "nats://127.0.0.1:1") || !strings.Contains(out.stderr, "foldstream serve") {
			t.Errorf("%v: exit code %d: %s", args, out.code, out.stderr)
		}
	}
}

func TestExitCodes(t *testing.T) {
	dir := t.TempDir()
	url, _ := serve(t, dir)
	for _, c := range []struct {
		code int
		args []string
	}{
		{0, []string{"version"}},
		{0, []string{"--help"}},
		{2, []string{"no-such-command"}},
		{2, []string{"stat", "--no-such-flag"}},
		{2, []string{"consumer", "run", "--pool", "a.b", "-s", url}},
		{2, []string{"replay", "a", "--as", "a", "-s", url}},
		{3, []string{"stat", "nobody", "-s", url}},
		{3, []string{"wait", "nobody", "-s", url}},
		{3, []string{"collection", "show", "nobody", "-s", url}},
		{3, []string{"replay", "nobody", "--as", "b", "-s", url}},
		{4, []string{"run", write(t, text(t)), "--store", dir}}, // the server has it
	} {
		if out := run(t, "foldstream", c.args...); out.code != c.code {
			t.Errorf("%v: exit code %d, want %d: %s", c.args, out.code, c.code, out.stderr)
		}
	}
	submitted := write(t, text(t))
	mustRun(t, "producer", "submit", submitted, "-s", url)
	if out := run(t, "foldstream", "wait", "bad", "-s", url, "--for", "300ms"); out.code != 6 {
		t.Errorf("waiting without consumers: exit code %d: %s", out.code, out.stderr)
	}
	if out := run(t, "foldstream", "collection", "show", "bad", "-s", url); out.code != 5 {
		t.Errorf("showing an incomplete collection: exit code %d: %s", out.code, out.stderr)
	}
	unknown := write(t, strings.Replace(text(t), "worker: ridge", "worker: nobody", 1))
	if out := run(t, "foldstream", "run", unknown, "--store", t.TempDir()); out.code != 2 || !strings.Contains(out.stderr, "known: exec, ridge") {
		t.Errorf("an unknown worker: exit code %d: %s", out.code, out.stderr)
	}
	other := write(t, strings.Replace(text(t), "step: 252", "step: 126", 1))
	if out := run(t, "producer", "submit", other, "-s", url); out.code != 4 {
		t.Errorf("another experiment of the same name: exit code %d: %s", out.code, out.stderr)
	}
}

// A data file that changed after it was submitted is found by the consumer, and the experiment says so.
func TestChangedDataFails(t *testing.T) {
	dir := t.TempDir()
	prices, err := os.ReadFile("../examples/dow30/prices.csv")
	if err != nil {
		t.Fatal(err)
	}
	shared := filepath.Join(dir, "prices.csv")
	if err := os.WriteFile(shared, prices, 0o600); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "shared.yaml")
	yaml := strings.Replace(fmt.Sprintf(experiment, shared, "{path: "+shared+", upload: false}"), "name: bad", "name: shared", 1)
	if err := os.WriteFile(file, []byte(yaml), 0o600); err != nil {
		t.Fatal(err)
	}
	url, _ := serve(t, filepath.Join(dir, "store"))
	mustRun(t, "producer", "submit", file, "-s", url)
	if err := os.WriteFile(shared, append(prices, '\n'), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, "consumer", "run", "--pool", "shared", "-s", url)
	if out := run(t, "foldstream", "wait", "shared", "-s", url, "--for", "60s"); out.code != 5 {
		t.Errorf("exit code %d: %s", out.code, out.stderr)
	}
	if out := run(t, "foldstream", "collection", "show", "shared", "-s", url); !strings.Contains(out.stdout, "failed") {
		t.Errorf("the collection does not name what failed:\n%s", out.stdout)
	}
}

// text is the experiment file with the example's prices.
func text(t *testing.T) string {
	t.Helper()
	prices, err := filepath.Abs("../examples/dow30/prices.csv")
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(experiment, prices, prices)
}

// write puts an experiment file into a folder of its own.
func write(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
