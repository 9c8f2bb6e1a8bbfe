package test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"
)

// terminal opens a pseudo-terminal of 24 lines: what is written to the one end is read from the other.
func terminal(t *testing.T) (screen, line *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	ioctl := func(call uintptr, arg unsafe.Pointer) {
		t.Helper()
		if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, screen.Fd(), call, uintptr(arg)); errno != 0 {
			t.Fatal(errno)
		}
	}
	var number, unlocked int32
	size := [4]uint16{24, 120, 0, 0}
	ioctl(syscall.TIOCGPTN, unsafe.Pointer(&number))
	ioctl(syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked))
	ioctl(syscall.TIOCSWINSZ, unsafe.Pointer(&size))
	line, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = line.Close()
		_ = screen.Close()
	})
	return screen, line
}

// On a terminal wait shows what runs under its bar: name, percent, step, message, the time it took and will take.
func TestWait_ShowsWhatRuns(t *testing.T) {
	url, _ := serve(t, t.TempDir())
	file, _ := jobFile(t, "slow", 3)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tell := `echo '{"progress": {"percent": 40, "step": 7, "message": "epoch 7"}}' >> "$FOLDSTREAM_EVENTS"; sleep 300 &`
	file = write(t, strings.Replace(string(text), "sleep 300 &", tell, 1))
	mustRun(t, "producer", "submit", file, "-s", url, "--lease", "1s")
	start(t, "consumer", "run", "--pool", "jobs", "-s", url, "-n", "2", "--grace", "100ms")

	screen, line := terminal(t)
	cmd := exec.Command(program(t, "foldstream"), "wait", "jobs", "-s", url)
	cmd.Stderr, cmd.Stdin = line, line
	cmd.Env = append(slices.DeleteFunc(quiet(t), func(v string) bool { return strings.HasPrefix(v, "CI=") }), "TERM=xterm")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var shown bytes.Buffer
	var reading sync.WaitGroup
	reading.Go(func() {
		buf := make([]byte, 4096)
		for {
			n, err := screen.Read(buf)
			mu.Lock()
			shown.Write(buf[:n])
			mu.Unlock()
			if err != nil {
				return
			}
		}
	})
	eventually(t, "the bars of what runs", func() bool {
		mu.Lock()
		defer mu.Unlock()
		s := shown.String()
		return strings.Contains(s, "run=2") && strings.Contains(s, "kind=\"slow\",n=1 ") && strings.Contains(s, "kind=\"slow\",n=2 ") && strings.Contains(s, " 40% [00:") && strings.Contains(s, ", step 7] epoch 7")
	})
	_ = cmd.Process.Signal(os.Interrupt)
	_ = cmd.Wait() // the exit code tells
	if code := cmd.ProcessState.ExitCode(); code != 130 {
		t.Errorf("interrupted it ends with %d", code)
	}
	_ = line.Close()
	reading.Wait()
	mustRun(t, "foldstream", "cancel", "jobs", "--all", "--force", "-s", url)
}
