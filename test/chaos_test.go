package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// chaosRun is what chaos tells machines.
type chaosRun struct {
	Seed            uint64
	Servers         int
	All             struct{ Count, Measured int }
	Faults          map[string]struct{ Count int }
	Tasks, Attempts int
	Findings        []string
	Dir             string
}

func chaosOf(t *testing.T, wantCode int, args ...string) chaosRun {
	t.Helper()
	out := run(t, "foldstream", append([]string{"chaos", "--json"}, args...)...)
	var told chaosRun
	if err := json.Unmarshal([]byte(out.stdout), &told); err != nil || out.code != wantCode {
		t.Fatalf("%v: %+v", err, out)
	}
	return told
}

// The short form: processes of all roles, the server and the network are harmed, and nothing comes of it.
func TestChaos(t *testing.T) {
	told := chaosOf(t, 0, "--seed", "129", "--faults", "6", "--tasks", "240", "--pause", "50ms", "--dir", filepath.Join(t.TempDir(), "chaos"))
	if told.Seed != 129 || told.Tasks != 240 || told.Attempts < 240 || told.All.Count < 3 || len(told.Findings) > 0 {
		t.Errorf("%+v", told)
	}
}

// The same on three servers that replicate, each of which is harmed: these are processes of this program, too.
func TestChaosCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("a cluster takes long")
	}
	told := chaosOf(t, 0, "--servers", "3", "--seed", "96", "--faults", "4", "--tasks", "240", "--pause", "10ms", "--dir", filepath.Join(t.TempDir(), "chaos"))
	if told.Servers != 3 || told.Tasks != 240 || told.All.Count < 3 || len(told.Findings) > 0 {
		t.Errorf("%+v", told)
	}
}

// An experiment whose results depend on when it is worked is found out: what chaos compares it compares.
func TestChaosFinds(t *testing.T) {
	dir := t.TempDir()
	script := strings.Replace(read(t, "../examples/operations/work.sh"), "1 - close_[r, i] / close_[r - back, i]", "rand()", 1)
	script = strings.Replace(script, "END {", "BEGIN { srand() }\n\tEND {", 1)
	text := strings.NewReplacer("../dow30", abs(t, "../examples/dow30"), "[5, 21, 63]", "[5, 21]").Replace(read(t, "../examples/operations/experiment.yaml"))
	for name, content := range map[string]string{"work.sh": script, "experiment.yaml": text} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	told := chaosOf(t, 5, filepath.Join(dir, "experiment.yaml"), "--seed", "3", "--faults", "1", "--pause", "10ms", "--dir", filepath.Join(dir, "chaos"))
	if len(told.Findings) != 1 || !strings.Contains(told.Findings[0], "other bytes") || told.Dir == "" {
		t.Errorf("%+v", told)
	}
}

func TestErrChaos(t *testing.T) {
	for want, args := range map[string]string{
		"--tasks 100 is no multiple of 120": "--tasks 100", "--faults 0 is below 1": "--faults 0", "--servers 2 is none of 1, 3, 5": "--servers 2", "--pause -1s is below 0": "--pause=-1s", "no file nowhere.yaml": "nowhere.yaml",
	} {
		out := run(t, "foldstream", append([]string{"chaos", "--dir", t.TempDir()}, strings.Fields(args)...)...)
		if out.code == 0 || !strings.Contains(out.stderr, want) || out.stdout != "" {
			t.Errorf("%s: %+v", args, out)
		}
	}
}
