package qlib_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen/qlib"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var rewrite = flag.Bool("rewrite", false, "write what was found into testdata instead of comparing")

// script runs the cases of a file: "## name", a YAML document, "----", what run makes of it.
func script(t *testing.T, file string, run func(t *testing.T, name, text string) string) {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(data), "## ")
	var out strings.Builder
	out.WriteString(head)
	for c := range strings.SplitSeq(rest, "\n## ") {
		name, body, _ := strings.Cut(c, "\n")
		text, want, ok := strings.Cut(body, "----\n")
		if !ok {
			t.Fatalf("%s: the case %q has no ----", file, name)
		}
		t.Run(name, func(t *testing.T) {
			got := run(t, name, text)
			if want := strings.TrimRight(want, "\n"); got != want && !*rewrite {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			out.WriteString("## " + name + "\n" + text + "----\n" + got + "\n\n")
		})
	}
	if *rewrite {
		if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// invalid returns the text of an error that has to be there and of kind Invalid.
func invalid(t *testing.T, err error) string {
	t.Helper()
	if err == nil {
		return "OK"
	}
	if !foldstream.Is(err, foldstream.Invalid) {
		t.Errorf("the error is %v, not invalid: %v", foldstream.KindOf(err), err)
	}
	return err.Error()
}

func TestReadBad(t *testing.T) {
	script(t, "testdata/bad.txt", func(t *testing.T, name, text string) string {
		_, err := qlib.Read("f.yaml", strings.NewReader(text))
		return invalid(t, err)
	})
}

func TestReadWorkflowBad(t *testing.T) {
	script(t, "testdata/bad_workflow.txt", func(t *testing.T, name, text string) string {
		_, err := qlib.ReadWorkflow("w.yaml", strings.NewReader(text), nil, environment)
		return invalid(t, err)
	})
}

const full = `
name: all
pool: shared
calendar: {qlib: ../data, freq: 1min, now: 2020-06-30}
data:
  prices: prices.csv
  shared: {path: /mnt/x.bin, upload: false}
worker: exec
exec: {command: [python3, train.py, "-v"]}
template: {model: {class: M, kwargs: {alpha: 1}}}
leaks: {policy: warn, reach: 3}
priority: -9
tags: {who: me}
retry: {attempts: 5, backoff: 10s, ceiling: 1h, never: ["exit:2", "/no such/"], always: [silence]}
deadline: 10m
silence: 90s
keys: [licence]
stages: [prepare, fit]
collection: {frame: p, score: s, label: l, return: r, ensemble: average, portfolio: {top_k: 5, n_drop: 2, cost: 0.001}}
`

func TestReadOK(t *testing.T) {
	f, err := qlib.Read("all.yaml", strings.NewReader(full))
	if err != nil {
		t.Fatal(err)
	}
	low := -9
	want := &qlib.File{
		Source: "all.yaml", Name: "all", Pool: "shared",
		Calendar: qlib.CalendarSource{Qlib: "../data", Freq: "1min", Now: foldstream.DateOf(2020, 6, 30)},
		Data:     []foldstream.Data{{Name: "prices", Path: "prices.csv", Upload: true}, {Name: "shared", Path: "/mnt/x.bin"}},
		Worker:   "exec", Leaks: foldstream.Warn, Reach: foldstream.Ahead(3), Priority: &low, Tags: map[string]string{"who": "me"},
		Retry:    foldstream.Retry{Attempts: 5, Backoff: 10 * time.Second, Ceiling: time.Hour, Never: []string{"exit:2", "/no such/"}, Always: []string{"silence"}},
		Deadline: 10 * time.Minute, Silence: 90 * time.Second, Keys: []string{"licence"}, Stages: []string{"prepare", "fit"},
		Collection: foldstream.CollectionSpec{Frame: "p", Score: "s", Label: "l", Return: "r", Ensemble: "average",
			Portfolio: foldstream.PortfolioSpec{TopK: 5, NDrop: 2, Cost: 0.001}},
	}
	if d := cmp.Diff(want, f, cmpopts.IgnoreUnexported(qlib.File{}), cmp.Comparer(func(a, b foldstream.Time) bool { return a == b })); d != "" {
		t.Error(d)
	}
	if got := f.Calendar.Path(); got != "../data" {
		t.Errorf("the calendar's path is %q", got)
	}
}

func TestReadDefaults(t *testing.T) {
	for text, want := range map[string]qlib.CalendarSource{
		"{csv: p.csv}":              {CSV: "p.csv", Column: "date"},
		"{csv: p.csv, column: day}": {CSV: "p.csv", Column: "day"},
		"{text: days.txt}":          {Text: "days.txt"},
		"{qlib: /data}":             {Qlib: "/data", Freq: "day"},
		"{exchange: XSHG, from: 2020-01-01, to: \"20201231\", now: 2020-06-30}": {Exchange: "XSHG", From: foldstream.DateOf(2020, 1, 1),
			To: foldstream.DateOf(2020, 12, 31), Now: foldstream.DateOf(2020, 6, 30)},
	} {
		f, err := qlib.Read("d.yaml", strings.NewReader("name: d\nworker: w\ntemplate: {}\ncalendar: "+text))
		if err != nil {
			t.Fatal(err)
		}
		if f.Calendar != want {
			t.Errorf("%s gives %+v, want %+v", text, f.Calendar, want)
		}
		if f.Pool != "d" || f.Leaks != foldstream.Refuse {
			t.Errorf("pool %q and leaks %q, want d and refuse", f.Pool, f.Leaks)
		}
	}
}

// TestReadBounds feeds what is valid YAML and too much of it.
func TestReadBounds(t *testing.T) {
	bomb := "a0: &a0 [" + strings.Repeat("x, ", 9) + "x]\n"
	for i := 1; i < 10; i++ {
		prev := "*a" + string(rune('0'+i-1))
		bomb += "a" + string(rune('0'+i)) + ": &a" + string(rune('0'+i)) + " [" + strings.Repeat(prev+", ", 9) + prev + "]\n"
	}
	for name, c := range map[string]struct{ text, want string }{
		"aliases": {bomb, "more than 100000 values"},
		"depth":   {"a: " + strings.Repeat("[", 500) + strings.Repeat("]", 500), "nested more than 100 deep"},
		"itself":  {"a: &a [*a]\n", "an anchor contains itself"},
		"size":    {"# " + strings.Repeat("x", 1<<20), "longer than 1048576 bytes"},
		"faults":  {"name: x\ntags: {" + manyTags(50) + "}", "and 33 errors more"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := qlib.Read("b.yaml", strings.NewReader(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) || !foldstream.Is(err, foldstream.Invalid) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestReadIsLinear reads what would take minutes if a merge or a base were looked through for every key.
func TestReadIsLinear(t *testing.T) {
	merges := "a: &a {" + manyKeys("k", 10_000) + "}\ne: &e {}\nb: {<<: [*a, " + strings.Repeat("*e, ", 15_000) + "*e]}\n"
	base := opener(map[string]string{"b.yaml": "qlib_init: {}\ntask: {" + manyKeys("k", 30_000) + "}\n"})
	for name, text := range map[string]string{"merges": "qlib_init: {}\ntask: {}\n" + merges,
		"base": "BASE_CONFIG_PATH: b.yaml\ntask: {" + manyKeys("o", 30_000) + "}\n"} {
		if _, err := qlib.ReadWorkflow("w.yaml", strings.NewReader(text), base, nil); err != nil {
			t.Errorf("%s: %.200v", name, err)
		}
	}
}

func manyKeys(prefix string, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%s%d: 1, ", prefix, i)
	}
	return b.String()
}

// manyTags returns n tags that are no text.
func manyTags(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat("t", i+1) + ": 1, ")
	}
	return b.String()
}
