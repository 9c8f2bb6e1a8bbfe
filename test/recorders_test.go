package test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The worker in Python is worked by real processes with a real python3, and the consoles of the recorders' page show what the commands print of
// it today.
func TestRecordersPageShowsRealOutput(t *testing.T) {
	if _, err := exec.LookPath("python3"); err != nil {
		t.Skip("there is no python3 on this machine")
	}
	url, _ := serve(t, filepath.Join(t.TempDir(), "store"))
	mustRun(t, "producer", "submit", "../examples/python/experiment.yaml", "-s", url)
	start(t, "consumer", "run", "--pool", "python-momentum", "-s", url, "-n", "2")
	mustRun(t, "foldstream", "wait", "python-momentum", "-s", url, "--for", "90s")

	env := append(quiet(t), "NATS_URL="+url)
	env[0] = "PATH=" + filepath.Dir(program(t, "foldstream"))
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Fatal(err)
	}
	consoles := blocks(read(t, "../docs/recorders.md"), "console")
	if len(consoles) < 8 {
		t.Errorf("only %d consoles", len(consoles))
	}
	for _, console := range consoles {
		command, want, _ := strings.Cut(strings.TrimPrefix(console, "$ "), "\n")
		cmd := exec.CommandContext(t.Context(), sh, "-c", command)
		cmd.Env = env
		got, _ := cmd.CombinedOutput()                                                // the exit code is not shown
		if text := strings.TrimSuffix(string(got), "\n") + "\n"; !shows(want, text) { // an artifact may end without one
			t.Errorf("%s prints\n%s\nand not\n%s", command, got, want)
		}
	}

	// A task's points are in its result, and were told in the order of the look-backs.
	cmd := exec.CommandContext(t.Context(), program(t, "foldstream"), "recorder", "metrics", "lpdibyymfqyqy4xrdb4pcnx44u", "--csv")
	cmd.Env = env
	csv, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, line := range strings.Split(strings.TrimSpace(string(csv)), "\n") {
		steps = append(steps, strings.Join(strings.Split(line, ",")[:2], " "))
	}
	if want := []string{"metric step", "train_rank_ic 5", "train_rank_ic 21", "train_rank_ic 63", "train_rank_ic 126"}; !slices.Equal(steps, want) {
		t.Errorf("the points are\n%s", csv)
	}
}
