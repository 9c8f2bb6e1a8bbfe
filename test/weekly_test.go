package test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var weekly = flag.Bool("weekly", false, "run all 3,000 windows of examples/weekly, which takes half a minute")

// The example of 3,000 windows makes so many tasks, and takes less than two minutes; its first ten weeks make a whole collection in every test.
func TestWeekly(t *testing.T) {
	const file = "../examples/weekly/experiment.yaml"
	mustSay(t, mustRun(t, "foldstream", "plan", file), "weekly: 3000 tasks for 3000 members")
	short, tasks := file, "3000"
	if !*weekly {
		text := strings.Replace(read(t, file), "2000-12-11", "1996-03-12", 1)
		text = strings.ReplaceAll(text, "../dow30", filepath.Join(abs(t, "../examples"), "dow30"))
		short, tasks = filepath.Join(t.TempDir(), "experiment.yaml"), "120"
		if err := os.WriteFile(short, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	begin := time.Now()
	out := run(t, "foldstream", "run", short, "--store", t.TempDir(), "--out", t.TempDir())
	if took := time.Since(begin); *weekly && took > 2*time.Minute {
		t.Errorf("it took %v", took)
	}
	if out.code != 0 {
		t.Fatalf("exit code %d: %s", out.code, out.stderr)
	}
	mustSay(t, out.stderr, tasks+" tasks, "+tasks+" new, 0 known")
	mustSay(t, out.stdout, tasks+" of "+tasks)
}

func mustSay(t *testing.T, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("%q is not said by\n%s", want, text)
	}
}
