//go:build unix

package exec_test

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/work/exec"
)

// progress is a record that takes progress as well.
type progress struct {
	*record
	told chan foldstream.Progress
}

func (p *progress) Progress(v foldstream.Progress) { p.told <- v }

func newProgress() *progress {
	return &progress{newRecord(), make(chan foldstream.Progress, 100)}
}

// tell plays a command that tells events: lines in two halves, and a last line without an end.
func tell() {
	f, err := os.OpenFile(os.Getenv("FOLDSTREAM_EVENTS"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		for _, s := range []string{
			`{"progress": {"percent": 25, "step": 7, "mess`, `age": "a quarter"}}` + "\n", "\n",
			`{"param": {"depth": 6}, "metric": {"loss": 0.25, "auc": null}, "tag": {"gpu": "A100"}}` + "\n{\"progress\": {\"percent\": 250}}\n",
			`{"metric": {"loss": 0.125}}`,
		} {
			_, err = f.WriteString(s)
			if err != nil {
				break
			}
		}
	}
	fmt.Println(`{"metrics": {"ic": 1}}`)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
}

func TestEvents(t *testing.T) {
	t.Setenv("EXEC_TEST_ROLE", "tell")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	rec := newProgress()
	if _, err := (&exec.Worker{}).Work(t.Context(), command(self), rec); err != nil {
		t.Fatal(err)
	}
	close(rec.told)
	var told []foldstream.Progress
	for p := range rec.told {
		told = append(told, p)
	}
	auc := rec.metrics["auc"]
	delete(rec.metrics, "auc")
	diff := cmp.Diff([]foldstream.Progress{{Percent: 25, Step: 7, Message: "a quarter"}, {Percent: 100}}, told) +
		cmp.Diff(map[string]float64{"loss": 0.125, "ic": 1}, rec.metrics) + cmp.Diff(map[string]string{"depth": "6"}, rec.params) +
		cmp.Diff(map[string]string{"gpu": "A100"}, rec.tags) + cmp.Diff(map[string]string{}, rec.blobs)
	if diff != "" || auc == auc {
		t.Errorf("%s, auc %v", diff, auc)
	}
}

func TestEventsWithSteps(t *testing.T) {
	rec := newProgress()
	script := `cat >> $FOLDSTREAM_EVENTS <<'X'
{"metric": {"loss": 0.5, "auc": null}, "step": 1}
{"metric": {"loss": 0.25}, "step": 2, "progress": {"step": 7}}
{"metric": {"loss": 0.125}}
{"step": 3}
{"metric": {"loss": 1}, "step": 1.5}
X
echo '{}'`
	if _, err := (&exec.Worker{}).Work(t.Context(), sh(script), rec); err != nil {
		t.Fatal(err)
	}
	want := []string{"auc 1 NaN", "loss 1 0.5", "loss 2 0.25"}
	if diff := cmp.Diff(want, rec.points) + cmp.Diff(map[string]float64{"loss": 0.125}, rec.metrics); diff != "" {
		t.Error(diff)
	}
	for _, want := range []string{"line 4 is ignored: a step without a metric", "line 5 is ignored: json: cannot unmarshal number 1.5"} {
		if !strings.Contains(rec.blobs[logName], want) {
			t.Errorf("the log lacks %q:\n%s", want, rec.blobs[logName])
		}
	}
}

// Events come while the command runs, not at its end.
func TestEventsAreLive(t *testing.T) {
	rec, ended := newProgress(), make(chan error, 1)
	dir := t.TempDir()
	go func() {
		script := fmt.Sprintf(`echo '{"progress":{"step":1}}' >> $FOLDSTREAM_EVENTS; while ! [ -e %s/go ]; do sleep 0.02; done; echo '{}'`, dir)
		_, err := (&exec.Worker{}).Work(t.Context(), sh(script), rec)
		ended <- err
	}()
	select {
	case p := <-rec.told:
		if p.Step != 1 {
			t.Error(p)
		}
	case err := <-ended:
		t.Fatalf("ended: %v", err)
	case <-time.After(20 * time.Second):
		t.Fatal("nothing was told")
	}
	if err := os.WriteFile(dir+"/go", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestEventArtifacts(t *testing.T) {
	rec := newProgress()
	script := `mkdir a; printf one > a/m.bin; printf two > n
echo '{"artifact": "a/m.bin"}' >> $FOLDSTREAM_EVENTS
echo '{"artifact": {"name": "second", "path": "n", "type": "x/y"}}' >> $FOLDSTREAM_EVENTS
echo '{}'`
	if _, err := (&exec.Worker{}).Work(t.Context(), sh(script), rec); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"m.bin ": "one", "second x/y": "two"}, rec.blobs); diff != "" {
		t.Error(diff)
	}
}

// full is a record whose store is away.
type full struct{ *progress }

func (full) Artifact(context.Context, string, string, io.Reader) error {
	return foldstream.Errorf(foldstream.Unavailable, "put", "no server")
}

// An artifact that cannot be stored is no slip of the command: the attempt fails, for its result would lack it.
func TestEventArtifactStoreAway(t *testing.T) {
	_, err := (&exec.Worker{}).Work(t.Context(), sh(`echo x > f; echo '{"artifact": "f"}' >> $FOLDSTREAM_EVENTS; echo '{}'`), full{newProgress()})
	if !foldstream.Is(err, foldstream.Unavailable) {
		t.Errorf("%v", err)
	}
}

func TestEventsThatCannotBeRead(t *testing.T) {
	rec := newProgress()
	script := `cat >> $FOLDSTREAM_EVENTS <<'X'
{"progres": {"percent": 1}}
not json
{"metric": {"a": 1}} {"metric": {"a": 2}}
{"artifact": "nowhere"}
{"artifact": {"nam": "x"}}
["progress"]
X
head -c 100000 /dev/zero | tr '\0' x >> $FOLDSTREAM_EVENTS
echo >> $FOLDSTREAM_EVENTS
echo '{"metric": {"b": 1}}' >> $FOLDSTREAM_EVENTS
echo '{}'`
	if _, err := (&exec.Worker{}).Work(t.Context(), sh(script), rec); err != nil {
		t.Fatal(err)
	}
	log := rec.blobs[logName]
	for _, want := range []string{
		`line 1 is ignored: json: unknown field "progres"`, "line 2 is ignored: invalid", "line 3 is ignored: more than one value",
		`line 4 is ignored: exec: the result's artifact "nowhere"`, `line 5 is ignored: json: unknown field "nam"`, "line 6 is ignored: json: cannot",
		"line 7 is ignored: it is over 64 KiB long",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	if diff := cmp.Diff(map[string]float64{"b": 1}, rec.metrics); diff != "" || len(log) > 2000 {
		t.Error(diff, log)
	}
}

func TestEventFaultsAreBounded(t *testing.T) {
	rec := newProgress()
	if _, err := (&exec.Worker{}).Work(t.Context(), sh(`i=0; while [ $i -lt 500 ]; do echo x; i=$((i+1)); done >> $FOLDSTREAM_EVENTS; echo '{}'`), rec); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(rec.blobs[logName], "\n"); n != 21 {
		t.Errorf("%d lines:\n%s", n, rec.blobs[logName])
	}
}

// The file is as its writer leaves it: written anew it is read anew, and what is no file does not hold the command up.
func TestEventsFile(t *testing.T) {
	for name, script := range map[string]string{
		"anew": `echo '{"progress":{"message":"the first and longer"}}' > $FOLDSTREAM_EVENTS; sleep 0.5; echo '{"progress":{"step":2}}' > $FOLDSTREAM_EVENTS`,
		"fifo": `mkfifo $FOLDSTREAM_EVENTS`, "folder": `mkdir $FOLDSTREAM_EVENTS`,
	} {
		t.Run(name, func(t *testing.T) {
			rec := newProgress()
			if _, err := (&exec.Worker{}).Work(t.Context(), sh(script+"; sleep 0.5; echo '{}'"), rec); err != nil {
				t.Fatal(err)
			}
			if n := len(rec.told); name == "anew" && n != 2 || name != "anew" && n != 0 {
				t.Errorf("%d told", n)
			}
		})
	}
}

func TestDataInTheCommand(t *testing.T) {
	task := command("sh", "-c", `echo "{\"params\":{\"got\":\"$0\"}}"`, "<data.script>")
	task.Data = []foldstream.Data{{Name: "prices", Path: "/p.csv"}, {Name: "script", Path: "/here/train.py"}}
	rec := newRecord()
	if _, err := (&exec.Worker{}).Work(t.Context(), task, rec); err != nil || rec.params["got"] != "/here/train.py" {
		t.Errorf("%v, %v", err, rec.params)
	}
	task.Data = nil
	if _, err := (&exec.Worker{}).Work(t.Context(), task, rec); !foldstream.IsPermanent(err) || !strings.Contains(err.Error(), "exec.command[3]: <data.script>: the task has no data of that name") {
		t.Errorf("%v", err)
	}
}

// A failed attempt keeps its log, but not one that the stop of the consumer ended.
func TestTheLogOfAFailure(t *testing.T) {
	rec := newRecord()
	if _, err := (&exec.Worker{}).Work(t.Context(), sh("echo why >&2; exit 3"), rec); err == nil || rec.blobs[logName] != "why\n" {
		t.Errorf("%v, %v", err, rec.blobs)
	}
	for kind, kept := range map[foldstream.Kind]bool{foldstream.Timeout: true, foldstream.Cancelled: false} {
		rec, ended, dir := newRecord(), make(chan error, 1), t.TempDir()
		ctx, cancel := context.WithCancelCause(t.Context())
		defer cancel(nil)
		go func() {
			_, err := (&exec.Worker{}).Work(ctx, sh("echo step 3 >&2; echo $$ > "+dir+"/child; exec sleep 600"), rec)
			ended <- err
		}()
		waitFor(t, "the command", func() bool { return pid(dir, "child") > 0 })
		cancel(foldstream.Errorf(kind, "", "enough"))
		if err := <-ended; !strings.Contains(err.Error(), "stopped: enough; the log ends with\nstep 3") {
			t.Errorf("%v", err)
		}
		if (rec.blobs[logName] == "step 3\n") != kept {
			t.Errorf("%v: %v", kind, rec.blobs)
		}
	}
}
