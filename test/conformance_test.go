package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
)

// conformance says which runner covers which vector file. Each owner of a runner adds its line.
var conformance = map[string]runner{
	"time_adjuster.json":     runTimeAdjuster,
	"calendar_provider.json": runCalendarProvider,
	"utils.json":             runUtils,
}

// skip names vectors that are not run: a file, an op of it or one case of it; an empty field is any.
type skip struct{ file, op, name, why string }

// skipped is the one table of what is not run, and why.
var skipped = []skip{
	{"rolling_gen.json", "", "", "the generators have no runner yet"},
	{"gen_following.json", "", "", "the generators have no runner yet"},
	{"multi_horizon.json", "", "", "the generators have no runner yet"},
	{"task_generator.json", "", "", "the generators have no runner yet"},
	{"collect.json", "", "", "collectors and ensembles of loose tables: covered when collect reads foreign tables"},
	{"metric_table.json", "", "", "the benchmark table over repeated runs: covered when report has it"},
	{"online_rolling.json", "", "", "online serving is not built yet"},
	{"qrun_config.json", "", "", "workflow files with variables and a base file are not read yet"},
	{"task_manager.json", "", "", "scripts of pool calls with MongoDB queries: covered when the pool has its administration"},
	{"utils.json", "hash_args", "", "a digest of Python's text of the arguments; our identity is the TaskID"},
	{"utils.json", "handler_cache", "", "a pickled handler under a digest of its arguments; our caches are keyed by content"},
	{"utils.json", "flatten_dict", "", "config handling has no runner yet"},
	{"utils.json", "fill_placeholder", "", "config handling has no runner yet"},
	{"utils.json", "update_config", "", "config handling has no runner yet"},
}

// decision is what we return where a note, and no sane value, says it.
type decision struct {
	why  string
	want func(v *vector) (any, error) // worked out without our code
}

// decisions holds them by file and note. They come before a case's own expectation.
var decisions = map[string]decision{}

func skipOf(v *vector) (string, bool) {
	for _, s := range skipped {
		if s.matches(v) {
			return s.why, true
		}
	}
	return "", false
}

func (s skip) matches(v *vector) bool {
	return s.file == v.file && (s.op == "" || s.op == v.Op) && (s.name == "" || s.name == v.Name)
}

// verdict says what is wrong with an answer to v, "" where nothing is: the original's value; for a quirk the sane value or,
// where none is given, a named error, never the accident; an error, any, where the original failed by design.
func verdict(v *vector, got any, err error) string {
	if d, ok := decisions[v.file+" "+v.Note]; ok {
		return verdictByDecision(v, d, got, err)
	}
	switch {
	case v.Quirk && v.Sane != nil:
		return verdictByValue(got, err, v.Sane)
	case v.Quirk && err == nil:
		return fmt.Sprintf("got %s; want a named error: %s", brief(got), v.Note)
	case v.Quirk && !named(err):
		return fmt.Sprintf("want a named error, got %v", err)
	case v.Quirk:
		return ""
	case v.expectsError() && err == nil:
		return fmt.Sprintf("got %s, want an error: %s", brief(got), v.Expect)
	case v.expectsError():
		return ""
	}
	return verdictByValue(got, err, v.Expect)
}

func verdictByDecision(v *vector, d decision, got any, err error) string {
	want, wantErr := d.want(v)
	if wantErr != nil {
		return fmt.Sprintf("the decision %q fails: %v", d.why, wantErr)
	}
	data, wantErr := json.Marshal(want)
	if wantErr != nil {
		return wantErr.Error()
	}
	return verdictByValue(got, err, data)
}

func verdictByValue(got any, err error, want json.RawMessage) string {
	if err != nil {
		return fmt.Sprintf("got the error %q, want %s", err, want)
	}
	g, err := plain(got)
	if err != nil {
		return err.Error()
	}
	w, err := decode(want)
	if err != nil {
		return err.Error()
	}
	return diff("result", g, w)
}

// named reports whether err is one of ours with a kind other than "our bug".
func named(err error) bool {
	_, ok := errors.AsType[*foldstream.Error](err)
	return ok && !foldstream.Is(err, foldstream.Internal)
}

// tally counts the cases of one file.
type tally struct{ passed, failed, skipped int }

func (n tally) String() string {
	return fmt.Sprintf("passed %d, failed %d, skipped %d", n.passed, n.failed, n.skipped)
}

// TestConformance runs what was recorded from the original, of the directory that FOLDSTREAM_VECTORS names or of ours.
func TestConformance(t *testing.T) {
	set := openVectors(t, vectorsDir())
	var lines []string
	for _, file := range set.files(t) {
		t.Run(file, func(t *testing.T) {
			n := runFile(t, set.load(t, file))
			lines = append(lines, fmt.Sprintf("%-24s %s", file, n))
		})
	}
	t.Logf("\n%s", strings.Join(lines, "\n"))
}

func runFile(t *testing.T, cases []*vector) tally {
	var n tally
	for _, v := range cases {
		if _, ok := skipOf(v); ok {
			n.skipped++
			continue
		}
		if t.Run(v.Name, func(t *testing.T) { runCase(t, v) }) {
			n.passed++
		} else {
			n.failed++
		}
	}
	return n
}

func runCase(t *testing.T, v *vector) {
	run, ok := conformance[v.file]
	if !ok {
		t.Fatalf("%s has no runner and no reason to be skipped", v.file)
	}
	got, err := run(v)
	if wrong := verdict(v, got, err); wrong != "" {
		args, _ := json.Marshal(v.Args)
		t.Errorf("%s(%s) on %s, now %q: %s", v.Op, args, v.Calendar, v.Now, wrong)
	}
}
