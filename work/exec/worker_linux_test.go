package exec_test

import (
	"fmt"
	"os"
	osexec "os/exec"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/work/exec"
)

// A consumer that is killed outright takes its command with it.
func TestTheCommandDiesWithTheConsumer(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	consumer := osexec.Command(self)
	consumer.Env = append(os.Environ(), "EXEC_TEST_ROLE=consumer", "TMPDIR="+dir,
		"EXEC_TEST_SCRIPT="+fmt.Sprintf("echo $$ > %s/child; exec sleep 600", dir))
	if err := consumer.Start(); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the command", func() bool { return pid(dir, "child") > 0 })
	if err := consumer.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = consumer.Wait() // "signal: killed"
	waitFor(t, "the end of the command", func() bool { return gone(pid(dir, "child")) })
}

// Who leaves the group and the session is found by the mark in the environment, also a child of its that was started since.
func TestStraysDie(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, script := range map[string]string{
		"one": "", "with a child": `setsid sh -c 'echo $$ > $EXEC_TEST_DIR/child; while :; do sleep 1; done' & while ! [ -s $EXEC_TEST_DIR/child ]; do sleep 0.01; done;`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Setenv("EXEC_TEST_ROLE", "stray")
			t.Setenv("EXEC_TEST_DIR", dir)
			t.Setenv("EXEC_TEST_SCRIPT", script)
			if _, err := (&exec.Worker{}).Work(t.Context(), command(self), newRecord()); err != nil {
				t.Fatal(err)
			}
			for _, who := range []string{"stray", "child"} {
				if p := pid(dir, who); p > 0 {
					waitFor(t, "the end of the "+who, func() bool { return gone(p) })
				} else if who == "stray" {
					t.Error("there was none")
				}
			}
		})
	}
}

// The limits hold for the command and for what it starts, from their first steps on.
func TestLimits(t *testing.T) {
	limited := exec.Worker{Limits: exec.Limits{Memory: 64 << 20, File: 1 << 20}}
	rec := newRecord()
	script := `printf '{"params": {"memory": "%s", "file": "%s", "child": "%s"}}' "$(ulimit -d)" "$(ulimit -f)" "$(sh -c 'ulimit -d')"`
	if _, err := limited.Work(t.Context(), sh(script), rec); err != nil {
		t.Fatal(err)
	}
	if rec.params["memory"] != "65536" || rec.params["child"] != "65536" || rec.params["file"] != "2048" && rec.params["file"] != "1024" { // blocks of 512 bytes or of 1024
		t.Errorf("%v", rec.params)
	}
	for name, c := range map[string]struct{ script, want string }{
		"memory": {"dd if=/dev/zero of=/dev/null bs=512M count=1", "exit status 1"},
		"file":   {"dd if=/dev/zero of=big bs=64k count=100", "File size limit exceeded"},
	} {
		if _, err := limited.Work(t.Context(), sh(c.script), newRecord()); !foldstream.Is(err, foldstream.Failed) || !strings.Contains(err.Error(), c.want) && !strings.Contains(err.Error(), "File too large") && !strings.Contains(err.Error(), "signal: file size") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := (&exec.Worker{}).Work(t.Context(), sh(c.script+"; echo '{}'"), newRecord()); err != nil {
			t.Errorf("%s without limits: %v", name, err)
		}
	}
	if _, err := limited.Work(t.Context(), command("no-such-program"), newRecord()); err == nil || !strings.Contains(err.Error(), "cannot run") {
		t.Error(err)
	}
}

func TestLimitsThatAreNone(t *testing.T) {
	w := exec.Worker{Limits: exec.Limits{Memory: -1}}
	if _, err := w.Work(t.Context(), sh("echo '{}'"), newRecord()); !foldstream.IsPermanent(err) || !strings.Contains(err.Error(), "below 0") {
		t.Error(err)
	}
}

// A command that is stopped before it is let go, or whose limits are refused, is not left behind.
func TestLimitsRefused(t *testing.T) {
	w := exec.Worker{Limits: exec.Limits{Memory: 1 << 10}} // too little for any program
	if _, err := w.Work(t.Context(), sh("echo '{}'"), newRecord()); err == nil {
		t.Error("a shell lives in 1 KiB")
	}
}
