//go:build unix

package exec_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/work/exec"
)

// TestMain is the command under test as well: started with a role in its environment it plays that role.
func TestMain(m *testing.M) {
	switch role := os.Getenv("EXEC_TEST_ROLE"); role {
	case "":
	case "consumer":
		_, err := (&exec.Worker{}).Work(context.Background(), sh(os.Getenv("EXEC_TEST_SCRIPT")), newRecord())
		fmt.Fprintln(os.Stderr, err)
		return
	case "tell":
		tell()
		return
	case "stray":
		stray()
		return
	default:
		play(role)
		return
	}
	goleak.VerifyTestMain(m)
}

// play reads the task and answers with what it saw.
func play(role string) {
	var task map[string]any
	if err := json.NewDecoder(os.Stdin).Decode(&task); err != nil {
		fmt.Fprintln(os.Stderr, "stdin:", err)
		os.Exit(3)
	}
	dir, _ := os.Getwd()
	left, _ := os.ReadDir(dir)
	out, _ := json.Marshal(map[string]any{"params": map[string]any{"role": role, "dir": dir, "left": len(left), "task": task, "id": os.Getenv("FOLDSTREAM_TASK")}})
	fmt.Printf("%s", out)
}

// record is a recorder that keeps everything.
type record struct {
	foldstream.Recorder
	mu      sync.Mutex
	metrics map[string]float64
	params  map[string]string
	tags    map[string]string
	blobs   map[string]string
	points  []string
}

func newRecord() *record {
	return &record{metrics: map[string]float64{}, params: map[string]string{}, tags: map[string]string{}, blobs: map[string]string{}}
}

func (r *record) Metric(name string, v float64) { r.metrics[name] = v }
func (r *record) MetricAt(name string, step int64, v float64) {
	r.points = append(r.points, fmt.Sprint(name, " ", step, " ", v))
}
func (r *record) Param(name, v string) { r.params[name] = v }
func (r *record) Tag(name, v string)   { r.tags[name] = v }
func (r *record) Artifact(_ context.Context, name, mediaType string, from io.Reader) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	b, err := io.ReadAll(from)
	r.blobs[name+" "+mediaType] = string(b)
	return err
}

const logName = "exec.log text/plain; charset=utf-8"

func command(argv ...any) foldstream.Task {
	return foldstream.Task{ID: "the-id", Template: foldstream.Template{Worker: "exec", Task: map[string]any{"exec": map[string]any{"command": argv}}}}
}

func sh(script string) foldstream.Task { return command("sh", "-c", script) }

func TestTheTaskIsOnStdin(t *testing.T) {
	t.Setenv("EXEC_TEST_ROLE", "echo")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	task, seed := command(self), int64(7)
	task.Experiment, task.Stage, task.Attempt, task.Horizon, task.Seed = "e", "fit", 2, 5, &seed
	task.Key = foldstream.Key{{Name: "alpha", Value: "1"}}
	task.Segments = foldstream.Segments{"test": {Start: foldstream.DateOf(2020, 1, 2)}}
	task.Data = []foldstream.Data{{Name: "prices", Path: "/p.csv", Digest: "d"}}
	task.Part = &foldstream.Result{
		Metrics: map[string]float64{"x": math.NaN()},
		Frames: map[string]foldstream.Frame{"f": {Times: []foldstream.Time{foldstream.DateOf(2020, 1, 2)}, Instruments: []string{"A"},
			Columns: []foldstream.Column{{Name: "v", Values: []float64{0.5}}}}},
	}
	rec := newRecord()
	if _, err := (&exec.Worker{}).Work(t.Context(), task, rec); err != nil {
		t.Fatal(err)
	}
	want := `{"attempt":2,"data":[{"digest":"d","name":"prices","path":"/p.csv"}],"experiment":"e","horizon":5,"id":"the-id","key":{"alpha":"1"},` +
		`"part":{"frames":{"f":{"columns":["datetime","instrument","v"],"data":[["2020-01-02","A",0.5]]}},"metrics":{"x":null}},` +
		`"seed":7,"segments":{"test":["2020-01-02",null]},"stage":"fit",` +
		`"task":{"dataset":{"kwargs":{"segments":{"test":["2020-01-02",null]}}},"exec":{"command":["` + self + `"]}},"worker":"exec"}`
	if diff := cmp.Diff(want, rec.params["task"]); diff != "" {
		t.Error(diff)
	}
	if rec.params["left"] != "0" || rec.params["id"] != "the-id" {
		t.Errorf("%s files in its folder, id %s", rec.params["left"], rec.params["id"])
	}
	if _, err := os.Stat(rec.params["dir"]); !os.IsNotExist(err) {
		t.Errorf("its folder %s is still there", rec.params["dir"])
	}
	if len(rec.blobs) != 0 {
		t.Errorf("a log of nothing: %v", rec.blobs)
	}
}

const answer = `{"metrics":{"ic":0.5,"none":null},"params":{"a":"x","b":1.50,"c":true},"tags":{"t":"y"},
"frames":{"pred":{"columns":["datetime","instrument","score"],"index":[0,1],"data":[["2020-01-03","A",1],["2020-01-02T00:00:00.000","B",null]]}},
"artifacts":[{"name":"model","path":"m.bin","type":"x/y"}]}`

func TestTheResult(t *testing.T) {
	for name, c := range map[string]struct{ script, log string }{
		"on stdout": {"printf bytes > m.bin; echo note >&2; cat <<'X'\n" + answer + "\nX", "note\n"},
		"in a file": {"printf bytes > m.bin; echo out; echo note >&2; cat > $FOLDSTREAM_OUT <<'X'\n" + answer + "\nX", "out\nnote\n"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := newRecord()
			got, err := (&exec.Worker{}).Work(t.Context(), sh(c.script), rec)
			if err != nil {
				t.Fatal(err)
			}
			want := foldstream.Frame{
				Times: []foldstream.Time{foldstream.DateOf(2020, 1, 2), foldstream.DateOf(2020, 1, 3)}, Instruments: []string{"B", "A"},
				Columns: []foldstream.Column{{Name: "score", Values: []float64{math.NaN(), 1}}},
			}
			same := cmp.Options{cmp.AllowUnexported(foldstream.Time{}), cmpopts.EquateNaNs()}
			diff := cmp.Diff(want, got.Frames["pred"], same) +
				cmp.Diff(map[string]float64{"ic": 0.5, "none": math.NaN()}, rec.metrics, same) +
				cmp.Diff(map[string]string{"a": "x", "b": "1.50", "c": "true"}, rec.params) +
				cmp.Diff(map[string]string{"t": "y"}, rec.tags) +
				cmp.Diff(map[string]string{"model x/y": "bytes", logName: c.log}, sortedLog(rec.blobs))
			if diff != "" {
				t.Error(diff)
			}
		})
	}
}

// sortedLog puts the log's lines in the order out, note: two pipes have no order between them.
func sortedLog(blobs map[string]string) map[string]string {
	blobs = maps.Clone(blobs)
	lines := strings.SplitAfter(blobs[logName], "\n")
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(b, a) })
	blobs[logName] = strings.Join(lines, "")
	return blobs
}

func TestTheLogIsBounded(t *testing.T) {
	rec := newRecord()
	script := `i=0; while [ $i -lt 60000 ]; do echo "line $i of a long and boring log that goes on and on and on" >&2; i=$((i+1)); done; echo '{}'`
	if _, err := (&exec.Worker{}).Work(t.Context(), sh(script), rec); err != nil {
		t.Fatal(err)
	}
	log := rec.blobs[logName]
	_, gap, _ := strings.Cut(log, "… foldstream left ")
	gap, end, _ := strings.Cut(gap, " bytes out here …\n")
	left, _ := strconv.Atoi(gap)
	if len(log) > 1<<20+100 || len(log) < 1<<20-200 || !strings.HasPrefix(log, "line 0 ") || !strings.HasPrefix(end, "line ") || !strings.HasSuffix(log, "line 59999 of a long and boring log that goes on and on and on\n") {
		t.Errorf("%d bytes, from %.40q, and after the gap %.40q", len(log), log, end)
	}
	whole := 0
	for i := range 60000 {
		whole += len(fmt.Sprintf("line %d of a long and boring log that goes on and on and on\n", i))
	}
	if kept := len(log) - len("\n… foldstream left  bytes out here …\n") - len(gap); kept+left != whole {
		t.Errorf("%d bytes kept and %d left out are not %d", kept, left, whole)
	}
}

func TestExitStatusSteers(t *testing.T) {
	_, err := (&exec.Worker{}).Work(t.Context(), sh("echo reading; echo no such column >&2; exit 2"), newRecord())
	if err == nil || foldstream.IsPermanent(err) || !foldstream.Is(err, foldstream.Failed) || !strings.Contains(err.Error(), "sh: exit status 2; the log ends with\n") || !strings.Contains(err.Error(), "no such column") {
		t.Errorf("%v", err)
	}
	_, err = (&exec.Worker{}).Work(t.Context(), sh("exit 75"), newRecord())
	if after, ok := foldstream.IsSnooze(err); !ok || after != 30*time.Second {
		t.Errorf("%v", err)
	}
	_, err = (&exec.Worker{}).Work(t.Context(), sh("i=0; while [ $i -lt 9000 ]; do echo line $i; i=$((i+1)); done; exit 1"), newRecord())
	if len(err.Error()) > 5000 || !strings.Contains(err.Error(), "line 8999") {
		t.Errorf("an error of %d bytes", len(err.Error()))
	}
	_, err = (&exec.Worker{}).Work(t.Context(), command("no-such-program"), newRecord())
	if foldstream.IsPermanent(err) || err == nil || !strings.Contains(err.Error(), `cannot run "no-such-program"`) {
		t.Errorf("%v", err)
	}
}

func TestResultsThatCannotBeRead(t *testing.T) {
	for out, want := range map[string]string{
		"":                                 "gave no result",
		"{\n  \"metrics\": {\"ic\": NaN}}": "line 2, column 21 (NaN is not JSON: write null)",
		`{"metrics":{}} trailing`:          "line 1, column 16",
		`{"metrics":{"ic":"high"}}`:        `"high" is neither a number nor null`,
		`{"metrics":[1]}`:                  "line 1, column 12",
		`{"metric":{}}`:                    `unknown field "metric"`,
		`{`:                                "unexpected end of JSON",
		`{"frames":{"pred":{"columns":["score"],"data":[]}}}`:                                          `frame "pred": columns ["score"] do not start with "datetime"`,
		`{"frames":{"pred":{"columns":["datetime","s"],"data":[["2020-01-02"]]}}}`:                     "row 1 has 1 values for 2 columns",
		`{"frames":{"pred":{"columns":["datetime","s"],"data":[["2020-01-02",1],["x",1]]}}}`:           `row 2, column "datetime"`,
		`{"frames":{"pred":{"columns":["datetime","s"],"data":[["2020-01-02","x"]]}}}`:                 `row 1, column "s": "x" is neither`,
		`{"frames":{"pred":{"columns":["datetime","s"],"data":[[null,1]]}}}`:                           "row 1 has no datetime",
		`{"frames":{"pred":{"columns":["datetime","instrument","s"],"data":[["2020-01-02",null,1]]}}}`: "row 1 has no datetime or no instrument",
		`{"frames":{"pred":{"columns":["datetime","s","s"],"data":[]}}}`:                               `column "s" stands twice`,
		`{"artifacts":[{"name":"m","path":"m.bin"}]}`:                                                  `artifact "m", path "m.bin"`,
	} {
		_, err := (&exec.Worker{}).Work(t.Context(), sh("cat <<'X'\n"+out+"\nX"), newRecord())
		if !foldstream.IsPermanent(err) || !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", out, err, want)
		}
	}
}

func TestCommandsThatAreNone(t *testing.T) {
	for _, task := range []foldstream.Task{{}, command(), command("python", int64(3)), command(""),
		{Template: foldstream.Template{Task: map[string]any{"exec": map[string]any{"command": "sh -c x"}}}}} {
		if _, err := (&exec.Worker{}).Work(t.Context(), task, newRecord()); !foldstream.IsPermanent(err) || !strings.Contains(err.Error(), "exec.command") {
			t.Errorf("%v: %v", task.Task, err)
		}
	}
}

// family starts a child and a grandchild that both write their process ids to the folder and then wait for long. trap makes them
// deaf to SIGTERM.
func family(dir, trap string) string {
	return fmt.Sprintf(`%s sh -c '%s echo $$ > %s/grandchild; while :; do sleep 1; done' & echo $$ > %s/child; while :; do sleep 1; done`, trap, trap, dir, dir)
}

func waitFor(t *testing.T, what string, ready func() bool) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for !ready() {
		select {
		case <-deadline:
			t.Fatalf("%s did not come about", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// pid reads a process id, 0 where it is not written yet.
func pid(dir, who string) int {
	b, _ := os.ReadFile(filepath.Join(dir, who))
	n, _ := strconv.Atoi(strings.TrimSpace(string(b)))
	return n
}

// gone reports whether the process is no more; a zombie that nobody has collected yet is.
func gone(pid int) bool {
	if syscall.Kill(pid, 0) == syscall.ESRCH {
		return true
	}
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return strings.Contains(string(stat), ") Z ")
}

func TestTheWholeGroupDies(t *testing.T) {
	for name, trap := range map[string]string{"at SIGTERM": "", "at SIGKILL": `trap "" TERM;`} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			ended := make(chan error, 1)
			go func() {
				_, err := (&exec.Worker{}).Work(ctx, sh(family(dir, trap)), newRecord())
				ended <- err
			}()
			waitFor(t, "the family", func() bool { return pid(dir, "child") > 0 && pid(dir, "grandchild") > 0 })
			began := time.Now()
			cancel(foldstream.Errorf(foldstream.Timeout, "", "deadline over"))
			err := <-ended
			if !foldstream.Is(err, foldstream.Timeout) || foldstream.IsPermanent(err) || !strings.Contains(err.Error(), "deadline over") {
				t.Errorf("%v", err)
			}
			if took := time.Since(began); took > 8*time.Second || trap != "" && took < 2*time.Second {
				t.Errorf("it took %v", took)
			}
			for _, who := range []string{"child", "grandchild"} {
				waitFor(t, "the end of the "+who, func() bool { return gone(pid(dir, who)) })
			}
		})
	}
}

// SIGTERM goes to all of the group: a grandchild has the time to say good-bye.
func TestTheGroupIsAskedFirst(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	script := fmt.Sprintf(`sh -c 'trap "echo bye > %s/bye; exit" TERM; echo $$ > %s/grandchild; while :; do sleep 1; done' & while :; do sleep 1; done`, dir, dir)
	ended := make(chan error, 1)
	go func() {
		_, err := (&exec.Worker{}).Work(ctx, sh(script), newRecord())
		ended <- err
	}()
	waitFor(t, "the grandchild", func() bool { return pid(dir, "grandchild") > 0 })
	cancel()
	if err := <-ended; err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(filepath.Join(dir, "bye")); err != nil {
		t.Error(err)
	}
}

// A command that ends well and leaves a child holding its output: the result counts, and the child dies.
func TestNothingStaysBehind(t *testing.T) {
	dir := t.TempDir()
	script := fmt.Sprintf(`sh -c 'echo $$ > %s/grandchild; while :; do sleep 1; done' & while ! [ -s %s/grandchild ]; do sleep 0.01; done; echo '{"params":{"a":1}}'`, dir, dir)
	rec := newRecord()
	if _, err := (&exec.Worker{}).Work(t.Context(), sh(script), rec); err != nil || rec.params["a"] != "1" {
		t.Fatalf("%v, %v", err, rec.params)
	}
	waitFor(t, "the end of the grandchild", func() bool { return gone(pid(dir, "grandchild")) })
}
