package test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/foldstream/foldstream"
)

// neverEnding runs the script of examples/operations, but for two runs that never end: the first that asks for a look-back of 5 hangs, and the first for 21
// has its process stopped. Each notes its processes in a folder of its own: where that is there nothing happens.
const neverEnding = `task=$(cat)
case "$task" in
*'"look_back":5}'*) if mkdir %[1]s/hung 2>/dev/null; then sleep 300 & echo $$ $! > %[1]s/hung/pids; wait; fi ;;
*'"look_back":21}'*) if mkdir %[1]s/stopped 2>/dev/null; then echo $$ > %[1]s/stopped/pids; kill -STOP $$; fi ;;
esac
printf %%s "$task" | sh "$1" "$2"
`

// stragglingFile writes an experiment of eight tasks that run by neverEnding, and returns its path and the folder of those that never end.
func stragglingFile(t *testing.T) (file, dir string) {
	t.Helper()
	dir = t.TempDir()
	examples, err := filepath.Abs("../examples")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(examples + "/operations/experiment.yaml")
	if err != nil {
		t.Fatal(err)
	}
	script := filepath.Join(t.TempDir(), "gate.sh")
	if err := os.WriteFile(script, fmt.Appendf(nil, neverEnding, dir), 0o600); err != nil {
		t.Fatal(err)
	}
	return write(t, strings.NewReplacer(
		"name: operations", "name: jobs", "../dow30", examples+"/dow30", "script: work.sh", "script: "+examples+"/operations/work.sh\n  gate: "+script,
		"[sh, <data.script>", "[sh, <data.gate>, <data.script>", "[5, 21, 63]", "[5, 21]",
	).Replace(string(text))), dir
}

// A consumer that beats has two tasks whose commands never end. One with nothing to do works second copies of them: their results count, each
// task has one, and the processes of the first copies, the stopped one too, are dead soon.
func TestSecondCopiesOfStragglers(t *testing.T) {
	file, dir := stragglingFile(t)
	alone, served := t.TempDir(), t.TempDir()
	for _, name := range []string{"hung", "stopped"} { // so that nothing happens
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	mustRun(t, "foldstream", "run", file, "--store", alone, "--out", t.TempDir())
	for _, name := range []string{"hung", "stopped"} {
		if err := os.Remove(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	url, server := serve(t, served)
	mustRun(t, "producer", "submit", file, "-s", url, "--lease", "1s")
	slow := start(t, "consumer", "run", "--pool", "jobs", "--allow", "sh", "-n", "3", "-s", url)
	eventually(t, "all is done but what never ends", func() bool { return stat(t, url, "jobs")[foldstream.Done] == 6 })
	quick := start(t, "consumer", "run", "--pool", "jobs", "--allow", "sh", "-n", "2", "--stragglers", "3", "-s", url)
	mustRun(t, "foldstream", "wait", "jobs", "-s", url, "--for", "60s")

	var first []int
	for _, name := range []string{"hung", "stopped"} {
		told, err := os.ReadFile(filepath.Join(dir, name, "pids"))
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range strings.Fields(string(told)) {
			pid, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			first = append(first, pid)
		}
	}
	for _, pid := range first {
		eventually(t, fmt.Sprint("process ", pid, " is dead"), func() bool { return syscall.Kill(pid, 0) != nil })
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	winner := fmt.Sprintf("%s-%d", host, quick.cmd.Process.Pid)
	seconds := 0
	for _, id := range ids(t, url, "true") {
		told := mustRun(t, "foldstream", "explain", "jobs", id, "-s", url)
		if strings.Count(told, "claim") != 1 || strings.Contains(told, "by a second copy, which was first") != strings.Contains(told, "of "+winner+" in ") {
			t.Errorf("%s", told)
		}
		seconds += strings.Count(told, "by a second copy")
	}
	if n := len(winners(t, open(t, url), "jobs")); n != 8 || seconds != 2 {
		t.Errorf("%d tasks have a result, %d that of a second copy", n, seconds)
	}
	conserved(t, url, "jobs")
	mustRun(t, "foldstream", "verify", "jobs", "-s", url)
	select {
	case <-slow.done:
		t.Error("the slow consumer has ended")
	default:
	}
	server.stop(t)
	if want, got := collectionBytes(t, alone, "jobs"), collectionBytes(t, served, "jobs"); len(want) < 3 || !maps.EqualFunc(want, got, bytes.Equal) {
		t.Errorf("the collection of %d values is not that of one process, of %d", len(got), len(want))
	}
}
