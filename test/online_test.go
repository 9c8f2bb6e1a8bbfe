package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// liveIn writes the example's file into a folder, as the strategy "live", with the prices up to a session; "" is all.
func liveIn(t *testing.T, dir, until string) (file string) {
	t.Helper()
	text := strings.NewReplacer("../dow30/prices.csv", "prices.csv", "name: ridge-online", "name: live").Replace(read(t, "../examples/online/experiment.yaml"))
	file = filepath.Join(dir, "experiment.yaml")
	put(t, file, text)
	var prices strings.Builder
	for i, line := range strings.SplitAfter(read(t, "../examples/dow30/prices.csv"), "\n") {
		if i == 0 || until == "" || line <= until+"," || strings.HasPrefix(line, until) {
			prices.WriteString(line)
		}
	}
	put(t, filepath.Join(dir, "prices.csv"), prices.String())
	return file
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// onlineTold is what `online show` tells machines.
type onlineTold struct {
	Session string
	Online  []struct{ Since, Task string }
	Signals struct {
		Rows, Sessions int
		Missing        []string
	}
}

// A strategy whose price file grows from day to day, and whose models predict each new session by tasks of their own, says what one
// says that is simulated on all prices; two routines at once, one of which is killed, included.
func TestOnlineGoesOnAsSimulated(t *testing.T) {
	url, _ := serve(t, filepath.Join(t.TempDir(), "store"))
	dir := t.TempDir()
	on := func(args ...string) string {
		t.Helper()
		return mustRun(t, "foldstream", append(append([]string{"online"}, args...), "-s", url)...)
	}
	file := liveIn(t, dir, "2000-06-30")
	worker := start(t, "consumer", "run", "--pool", "live", "-s", url)
	on("init", file, "--for", "1m")
	for _, day := range []string{"2000-07-03", "2000-07-05", "2000-07-06"} { // the first of them begins a window
		liveIn(t, dir, day)
		on("routine", file, "--for", "1m")
	}
	worker.stop(t)
	liveIn(t, dir, "2000-07-10") // a session is made up for
	killed := start(t, "foldstream", "online", "routine", file, "-s", url)
	other := start(t, "foldstream", "online", "routine", file, "-s", url)
	eventually(t, "a task of the routine waits", func() bool { return waiting(t, url, "live") > 0 })
	killed.kill()
	start(t, "consumer", "run", "--pool", "live", "-s", url)
	eventually(t, "the end of the routine that lives", func() bool {
		select {
		case <-other.done:
			return other.cmd.ProcessState.ExitCode() == 0
		default:
			return false
		}
	})
	liveIn(t, dir, "")
	simulated := on("simulate", file, "--from", "2000-06-30", "--to", "2000-07-10", "--for", "1m")
	if !strings.Contains(simulated, "live-simulated: at 2000-07-10: 2 models online, 38 in all; 11490 signals of 383 sessions") {
		t.Error(simulated)
	}
	for _, name := range []string{"live", "live-simulated"} {
		var told onlineTold
		if err := json.Unmarshal([]byte(on("show", name, "--json")), &told); err != nil {
			t.Fatal(err)
		}
		if told.Session != "2000-07-10" || len(told.Online) != 2 || told.Online[0].Since != "2000-07-03" || told.Signals.Sessions != 383 || len(told.Signals.Missing) != 0 {
			t.Errorf("%s: %+v", name, told)
		}
	}
	if live, simulated := on("show", "live", "--signals"), on("show", "live-simulated", "--signals"); live != simulated {
		t.Errorf("the signals differ: %s", firstDifference(live, simulated))
	}
	mustRun(t, "foldstream", "verify", "live", "-s", url)
}

// waiting counts the waiting tasks of a pool.
func waiting(t *testing.T, url, pool string) int {
	t.Helper()
	var all []struct{ Counts map[string]int }
	if err := json.Unmarshal([]byte(mustRun(t, "foldstream", "stat", pool, "--json", "-s", url)), &all); err != nil {
		t.Fatal(err)
	}
	return all[0].Counts["waiting"]
}
