package chaos

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A process whose files are limited from outside fails to write beyond that, and its children are found.
func TestLimitFilesAndChildren(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	// The shell waits for its input, so that it is limited before it writes; what it writes is 64 KiB.
	cmd := exec.Command("sh", "-c", `read go; sleep 60 & dd if=/dev/zero of="$0" bs=4096 count=16 2>/dev/null; echo $?; read go; kill $!`, file)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Wait() }()
	defer func() { _ = in.Close() }()
	if err := limitFiles(cmd.Process.Pid, 10_000); err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write([]byte("go\n")); err != nil {
		t.Fatal(err)
	}
	code := make([]byte, 8)
	n, err := out.Read(code)
	if err != nil || string(code[:n]) == "0\n" {
		t.Errorf("writing ended with %q, %v", code[:n], err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() > 10_000 {
		t.Errorf("%+v, %v", info, err)
	}
	for end := time.Now().Add(10 * time.Second); len(children(cmd.Process.Pid)) != 1; <-time.After(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("children: %v", children(cmd.Process.Pid))
		}
	}
	if !slices.Contains(children(os.Getpid()), cmd.Process.Pid) {
		t.Error("the shell is no child of this process")
	}
	if _, err := in.Write([]byte("go\n")); err != nil {
		t.Fatal(err)
	}
}
