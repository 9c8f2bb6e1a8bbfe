package exec_test

import (
	"fmt"
	"os"
	osexec "os/exec"
	"testing"
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
