package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
)

// conformance says which runner covers which vector file. Each owner of a runner adds its line.
var conformance = map[string]runner{
	"time_adjuster.json":     runTimeAdjuster,
	"calendar_provider.json": runCalendarProvider,
	"utils.json":             runUtils,
	"rolling_gen.json":       runRollingGen,
	"gen_following.json":     runGenFollowing,
	"multi_horizon.json":     runMultiHorizon,
	"task_generator.json":    runTaskGenerator,
	"task_manager.json":      runTaskManager,
	"metric_table.json":      runMetricTable,
	"qrun_config.json":       runWorkflow,
	"collect.json":           runCollect,
	"online_rolling.json":    runOnline,
}

// utils says which runner covers which op of utils.json. Each owner of a runner adds its line.
var utils = map[string]runner{
	"transform_end_date": runClipEnd,
	"get_date_by_shift":  runByShift,
	"flatten_dict":       runFlatten,
	"fill_placeholder":   runFill,
	"update_config":      runUpdate,
	"hash_args":          runHash,
	"handler_cache":      runHandlerCache,
}

// skip names vectors that are not run: a file, an op of it or one case of it; an empty field is any.
type skip struct{ file, op, name, why string }

// skipped is the one table of what is not run, and why.
var skipped = []skip{
	{"task_manager.json", "", "dry_run", "a dry run is the command's: it does not call the pool"},
	{"task_manager.json", "", "reprioritize_running", "only what waits changes its band: what runs is prioritised when it waits again"},
}

// decision is what we return where a note, and no sane value, says it: by file and note, before a case's own expectation.
type decision struct {
	file, note string
	why        string
	want       func(v *vector) (any, error) // worked out without our code, the slow way; errNamed where a named error is right
}

var errNamed = errors.New("a named error")

// decisions is the one table of them.
var decisions = []decision{
	{"time_adjuster.json", noteIndexZero, "the first session is part of the calendar", slowTruncate},
	{"time_adjuster.json", noteOpenEnd, "an open start is the calendar's start and stays open, as alignment leaves it", slowTruncate},
	{"time_adjuster.json", noteEndForward, "the end of a segment is aligned back", slowTruncate},
	{"time_adjuster.json", noteList, "there is one type of pair", slowPair},
	{"time_adjuster.json", noteSaturday, "an interval counts from start to start, as all other cases have it; who compares a " +
		"handler's end, which the note is about, aligns it back with Index(end, End)", slowInterval},
	{"rolling_gen.json", noteKwargsNull, "a handler without arguments is left alone", slowRolling},
	{"rolling_gen.json", noteHandlerEnd, "a handler's end is aligned back before it is compared", slowRolling},
	{"rolling_gen.json", noteExtraCut, "what starts with the test or after it is not cut", slowRolling},
	{"rolling_gen.json", noteOpenStart, "an open start is the calendar's start and stays open", slowRolling},
	{"gen_following.json", noteListPairs, "there is one type of pair", slowFollowing},
	{"gen_following.json", noteStringTestEnd, "a date is a date", slowFollowing},
	{"gen_following.json", noteNullTestEnd, "an open end is the last session of history", slowFollowing},
	{"multi_horizon.json", noteOpenStartMH, "an open start is the calendar's start and stays open", slowHorizon},
	{"task_manager.json", noteKeyOrder, "an id is over a canonical form", asRecorded},
	{"task_manager.json", noteNoPriority, "no priority is the lowest band", asRecorded},
	{"task_manager.json", noteAnyStatus, "the statuses are a closed set, and the task stays with its worker", playedAnyStatus},
	{"task_manager.json", noteNotFetched, "only a lease commits", playedNotFetched},
	{"task_manager.json", noteCommitTwice, "the first commit wins", playedCommitTwice},
	{"task_manager.json", noteTwoWorkers, "a reset ends the lease", playedTwoWorkers},
	{"task_manager.json", noteSecondPhase, "a reset task begins at the stage it was at", playedSecondPhase},
	{"task_manager.json", noteDeadWorker, "no worker dies in the script, so none loses its task; that leases run out is a check of every store", asRecorded},
	{"task_manager.json", noteRemoved, "a removal ends the lease", playedRemoved},
	{"task_manager.json", noteQueryStatus, "no task is waiting and running at once", playedQueryStatus},
	{"task_manager.json", noteUnknownID, "an unknown id is not found", playedUnknownID},
	{"task_manager.json", noteExit, "whoever stops returns its task", playedExit},
	{"task_manager.json", notePoison, "attempts are counted, here to two, and the task fails", playedPoison},
	{"task_manager.json", noteStarving, "a task that fails for good is in nobody's way", playedStarving},
	{"task_manager.json", notePartToPart, "a stage that ends where it began is refused", playedPartToPart},
	{"task_manager.json", noteNeverEnds, "as above", playedNeverEnds},
	{"task_manager.json", noteNoPart, "what is part_done carries a result, here an empty one", playedNoPart},
	{"metric_table.json", noteNoRun, "a row without a run says n/a, and the others stay", noRuns([]any{nil, nil})},
	{"metric_table.json", noteNoIC, "a run that lacks a metric of the table is left out, and named", noRuns([]any{})},
	{"metric_table.json", noteNoNeeds, "a model may need nothing", noNeeds},
	{"qrun_config.json", noteAnchors, "an anchor is of its own file; the documentation of the merge says so", asRecorded},
	{"qrun_config.json", noteNotRendered, "a variable is filled in wherever it stands", slowRendered},
	{"qrun_config.json", noteOneLevel, "a base may have a base", slowChain},
	{"utils.json", noteTuples, "a key is the whole path", slowFlatten},
	{"collect.json", noteSameStart, "of windows that start together that of the later label wins, whatever the order they came in; here it came later, too", asRecorded},
	{"collect.json", noteNullWins, "a later window's row wins as a whole: that its model has no score is what it says", asRecorded},
	{"collect.json", noteOneScore, "one score of a session says nothing of its place among others", asRecorded},
	{"collect.json", noteNoSpread, "equal scores say nothing of their places; the other series does", asRecorded},
	{"collect.json", noteOneRowADay, "as one instrument a day", asRecorded},
	{"collect.json", noteTwoRowsOneID, "two rows of one time and instrument have no one score", refused},
	{"online_rolling.json", noteDoubled, "a session has one signal, and none before it has come", slowOnline},
	{"online_rolling.json", noteCutToLast, "the session that it is cut to is what is written down", slowOnline},
	{"online_rolling.json", noteBeginTime, "the first models say their signals at once, and not only from the next session on", slowOnline},
	{"utils.json", noteEmptyMap, "an empty map is a value", slowFlatten},
	{"utils.json", noteEmptyKey, "an empty key is a key", slowFlatten},
	{"utils.json", noteEmptyList, "a list with nothing in it has nothing to fill", slowFill},
	{"utils.json", noteNestedDrop, "a mark deletes, also where there is nothing to delete", slowDrop},
}

// withheld is a field of what the original hands on, and we on purpose do not.
type withheld struct{ file, field, why string }

// withhelds is the one table of them. The field must then be missing in our answer, too.
var withhelds = []withheld{
	{"qrun_config.json", "exp_manager_uri", "there is no second place for runs that a file or a flag could name: recorders are kept in the store in " +
		"which the tasks are, so that whoever finds the one finds the other; a file that names an experiment manager is told so in the plan's notes"},
}

// has reports whether the field is in a wanted answer of a case that it is withheld from.
func (w withheld) has(v *vector, want json.RawMessage) bool {
	var fields map[string]json.RawMessage
	if v.file != w.file || json.Unmarshal(want, &fields) != nil {
		return false
	}
	_, ok := fields[w.field]
	return ok
}

// without returns a wanted answer without the fields that are withheld.
func (v *vector) without(want json.RawMessage) json.RawMessage {
	for _, w := range withhelds {
		if !w.has(v, want) {
			continue
		}
		var fields map[string]json.RawMessage
		_ = json.Unmarshal(want, &fields) // has read it
		delete(fields, w.field)
		want, _ = json.Marshal(fields)
	}
	return want
}

// accident is a case that a wider note of the same file calls an accident, but that does not carry the mark itself.
type accident struct {
	file, op string
	why      string
	is       func(v *vector) bool
}

// accidents is the one table of them. Such a case is judged as a quirk without a sane value.
var accidents = []accident{
	{"time_adjuster.json", "align_idx", "a point with no session on its side has no index", leavesCalendar("time_point")},
	{"time_adjuster.json", "cal_interval", "points past the calendar all count as one step after the last day", leavesCalendar("a", "b")},
}

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

func decisionOf(v *vector) (decision, bool) {
	for _, d := range decisions {
		if d.file == v.file && d.note == v.Note {
			return d, true
		}
	}
	return decision{}, false
}

func isAccident(v *vector) bool {
	for _, a := range accidents {
		if a.file == v.file && a.op == v.Op && a.is(v) {
			return true
		}
	}
	return false
}

// verdict says what is wrong with an answer to v, "" where nothing is: the original's value; for a quirk the sane value or,
// where none is given, a named error, never the accident; an error, any, where the original failed by design.
func verdict(v *vector, got any, err error) string {
	if d, ok := decisionOf(v); ok {
		return verdictByDecision(v, d, got, err)
	}
	quirk := v.Quirk || isAccident(v)
	switch {
	case quirk && v.Sane != nil:
		return verdictByValue(got, err, v.without(v.Sane))
	case quirk:
		return verdictByName(v, got, err)
	case v.expectsError() && err == nil:
		return fmt.Sprintf("got %s, want an error: %s", brief(got), v.Expect)
	case v.expectsError():
		return ""
	}
	return verdictByValue(got, err, v.without(v.Expect))
}

func verdictByDecision(v *vector, d decision, got any, err error) string {
	want, wantErr := d.want(v)
	if errors.Is(wantErr, errNamed) {
		return verdictByName(v, got, err)
	}
	if wantErr != nil {
		return fmt.Sprintf("the decision %q fails: %v", d.why, wantErr)
	}
	data, wantErr := json.Marshal(want)
	if wantErr != nil {
		return wantErr.Error()
	}
	return verdictByValue(got, err, v.without(data))
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

// verdictByName wants an error of ours with a kind other than "our bug".
func verdictByName(v *vector, got any, err error) string {
	if err == nil {
		return fmt.Sprintf("got %s; want a named error: %s", brief(got), v.Note)
	}
	if foldstream.KindOf(err) == foldstream.Internal {
		return fmt.Sprintf("want a named error, got %q", err)
	}
	return ""
}

// tally counts the cases of one file.
type tally struct{ passed, failed, skipped int }

func (n tally) String() string {
	return fmt.Sprintf("passed %d, failed %d, skipped %d", n.passed, n.failed, n.skipped)
}

// TestConformance runs what was recorded from the original, of the directory that FOLDSTREAM_VECTORS names or of ours. Run
// it with -count=1 on another directory: go test's cache does not look at files outside the module.
func TestConformance(t *testing.T) {
	set := openVectors(t, vectorsDir())
	files := set.files(t)
	if len(files) == 0 {
		t.Fatalf("no vectors in %s", set.dir)
	}
	var lines []string
	for _, file := range files {
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

// TestConformanceTables keeps the tables honest: every entry is needed by our vectors, and none of these is lost.
func TestConformanceTables(t *testing.T) {
	set := openVectors(t, filepath.Join("testdata", "qlib"))
	var all []*vector
	for _, file := range set.files(t) {
		all = append(all, set.load(t, file)...)
	}
	if want := 2228; len(all) != want {
		t.Errorf("%d vectors, want %d", len(all), want)
	}
	needed := func(what string, is func(v *vector) bool) {
		t.Helper()
		if !slices.ContainsFunc(all, is) {
			t.Errorf("no vector needs %s", what)
		}
	}
	for _, s := range skipped {
		needed(fmt.Sprintf("the skip %q", s), s.matches)
		if s.why == "" {
			t.Errorf("the skip %q has no reason", s)
		}
	}
	for _, d := range decisions {
		needed(fmt.Sprintf("the decision %q", d.note), func(v *vector) bool { return v.file == d.file && v.Note == d.note })
	}
	for _, w := range withhelds {
		needed("the withheld field "+w.field, func(v *vector) bool { return w.has(v, v.Expect) })
	}
	for _, a := range accidents {
		needed("the accident of "+a.op, func(v *vector) bool { return !v.Quirk && v.file == a.file && v.Op == a.op && a.is(v) })
	}
}

// TestVerdict plants wrong answers and sees each one refused.
func TestVerdict(t *testing.T) {
	raw := func(s string) json.RawMessage { return json.RawMessage(s) }
	invalid := foldstream.Errorf(foldstream.Invalid, "test", "named")
	value := &vector{Expect: raw(`["2020-01-02T00:00:00", null, 1.0]`)}
	failure := &vector{Expect: raw(`{"error": "ValueError", "why": "it fails"}`)}
	quirk := &vector{Expect: raw(`7`), Quirk: true}
	sane := &vector{Expect: raw(`7`), Sane: raw(`8`), Quirk: true}
	crash := &vector{Expect: raw(`{"error": "TypeError"}`), Quirk: true}
	for _, c := range []struct {
		name string
		v    *vector
		got  any
		err  error
		ok   bool
	}{
		{"value", value, []any{foldstream.DateOf(2020, 1, 2), foldstream.Time{}, 1}, nil, true},
		{"value within 1e-9", value, []any{"2020-01-02", nil, 1 + 1e-12}, nil, true},
		{"wrong date", value, []any{"2020-01-03", nil, 1}, nil, false},
		{"null for a date", value, []any{nil, nil, 1}, nil, false},
		{"date for a null", value, []any{"2020-01-02", "2020-01-03", 1}, nil, false},
		{"wrong number", value, []any{"2020-01-02", nil, 1.0001}, nil, false},
		{"too long", value, []any{"2020-01-02", nil, 1, 1}, nil, false},
		{"error for a value", value, nil, invalid, false},
		{"any error", failure, nil, errors.New("plain"), true},
		{"value for an error", failure, 7, nil, false},
		{"quirk, named error", quirk, nil, invalid, true},
		{"quirk, unnamed error", quirk, nil, errors.New("plain"), false},
		{"quirk, our bug", quirk, nil, foldstream.Errorf(foldstream.Internal, "test", "bug"), false},
		{"quirk, the accident", quirk, 7, nil, false},
		{"quirk, another value", quirk, 9, nil, false},
		{"sane", sane, 8, nil, true},
		{"sane, the accident", sane, 7, nil, false},
		{"sane, an error", sane, nil, invalid, false},
		{"crash, a value", crash, 7, nil, false},
		{"crash, named error", crash, nil, invalid, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if wrong := verdict(c.v, c.got, c.err); (wrong == "") != c.ok {
				t.Errorf("verdict %q, want ok %v", wrong, c.ok)
			}
		})
	}
}
