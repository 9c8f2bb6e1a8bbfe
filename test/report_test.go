package test

import (
	"path/filepath"
	"strings"
	"testing"
)

// Two runs of a file on two stores give the same report, but for the lines that tell of the runs; a report made of the store later is
// the one that the run wrote.
func TestEqualRunsGiveEqualReports(t *testing.T) {
	var pages, stores [2]string
	for i := range pages {
		stores[i] = t.TempDir()
		out := t.TempDir()
		mustRun(t, "foldstream", "run", small, "--store", stores[i], "--out", out)
		pages[i] = withoutRun(read(t, filepath.Join(out, "report.html")))
	}
	if pages[0] != pages[1] {
		t.Errorf("the reports differ:\n%s", firstDifference(pages[0], pages[1]))
	}
	if n := strings.Count(pages[0], "\n"); n < 300 || !strings.Contains(pages[0], "120 of 120 tasks certified") {
		t.Errorf("the report has %d lines", n)
	}
	if later := withoutRun(mustRun(t, "foldstream", "collection", "report", "small", "--store", stores[0])); later != pages[0] {
		t.Errorf("the report of the store differs:\n%s", firstDifference(pages[0], later))
	}
	one, two := filepath.Join(t.TempDir(), "one.png"), filepath.Join(t.TempDir(), "two.png")
	mustRun(t, "foldstream", "collection", "plot", "small", "--store", stores[0], "--what", "drawdown", "-o", one)
	mustRun(t, "foldstream", "collection", "plot", "small", "--store", stores[1], "--what", "drawdown", "-o", two)
	if png := read(t, one); png != read(t, two) || !strings.HasPrefix(png, "\x89PNG") {
		t.Error("the pictures differ")
	}
}

// withoutRun leaves out the lines that may differ from run to run.
func withoutRun(page string) string {
	var b strings.Builder
	for line := range strings.Lines(page) {
		if !strings.Contains(line, `class="run"`) {
			b.WriteString(line)
		}
	}
	return b.String()
}

func firstDifference(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return x[i] + "\n" + y[i]
		}
	}
	return "one is longer"
}

// The windows of a plan can be drawn before anything is published.
func TestPlanDrawsItsWindows(t *testing.T) {
	file := filepath.Join(t.TempDir(), "plan.svg")
	plain := mustRun(t, "foldstream", "plan", small)
	if drawn := mustRun(t, "foldstream", "plan", small, "--svg", file); drawn != plain {
		t.Error("the plan with a picture differs from the plan")
	}
	svg := read(t, file)
	for want, n := range map[string]int{`<rect class="span train"`: 20, `<rect class="span test"`: 20, `<rect class="span gap"`: 20, "Expanding, 6 configurations": 1, "Labels reach 2 to 6 sessions ahead, 1 or more to spare": 1} {
		if got := strings.Count(svg, want); got != n {
			t.Errorf("%s stands %d times, want %d", want, got, n)
		}
	}
	if r := run(t, "foldstream", "plan", small, "--svg", filepath.Join(t.TempDir(), "none", "plan.svg")); r.code == 0 {
		t.Error("a picture in no folder succeeds")
	}
}
