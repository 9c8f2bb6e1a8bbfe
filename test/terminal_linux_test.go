package test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/foldstream/foldstream"
)

// terminal opens a pseudo-terminal of 24 lines: what is written to the one end is read from the other.
func terminal(t *testing.T) (screen, line *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skip("no terminals here: ", err)
	}
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		err = unix.IoctlSetWinsize(int(screen.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 120})
	}
	if err == nil {
		line, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = line.Close()
		_ = screen.Close()
	})
	return screen, line
}

// onTerminal runs a program with its standard output and error on a terminal, and returns what that was sent.
func onTerminal(t *testing.T, name string, args ...string) string {
	t.Helper()
	screen, line := terminal(t)
	cmd := exec.CommandContext(t.Context(), program(t, name), args...)
	cmd.Stdout, cmd.Stderr, cmd.Env = line, line, quiet(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = line.Close()
	var sent bytes.Buffer
	_, _ = io.Copy(&sent, screen) // it ends with an error when the last who has the terminal open ends
	_ = cmd.Wait()
	return sent.String()
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
	start(t, "consumer", "run", "--pool", "jobs", "--allow", "sh -c", "-s", url, "-n", "2", "--grace", "100ms")

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

// What a task wrote into its log, its error and its names is shown on a terminal and gives it no orders; a file gets it as it is.
func TestATerminalTakesNoOrders(t *testing.T) {
	const orders = "\x1b]0;owned\x07\x1b[2J\u009b31m\u202e"
	url, _ := serve(t, t.TempDir())
	prices, err := filepath.Abs("../examples/dow30/prices.csv")
	if err != nil {
		t.Fatal(err)
	}
	file := write(t, fmt.Sprintf(`name: orders
calendar: {csv: %s}
worker: exec
exec: {command: [sh, -c, "printf '\\033]0;owned\\007\\033[2J\\302\\23331m\\342\\200\\256' >&2; exit 1"]}
template: {model: {kind: "\e]0;owned\a\e[2J\u009b31m\u202e"}}
generators: [{grid: {model.kind: ["\e]0;owned\a\e[2J\u009b31m\u202e"]}}]
retry: {attempts: 1}
leaks: warn
`, prices))
	mustRun(t, "producer", "submit", file, "-s", url)
	start(t, "consumer", "run", "--pool", "orders", "--allow", "sh", "-s", url)
	eventually(t, "the task failed", func() bool { return stat(t, url, "orders")[foldstream.Dead] == 1 })
	id := strings.TrimSpace(mustRun(t, "foldstream", "task", "ls", "orders", "-n", "-s", url))
	for _, args := range [][]string{
		{"task", "ls", "orders"}, {"task", "show", "orders", id}, {"task", "logs", "orders", id}, {"task", "history", "orders", id}, {"explain", "orders", id},
		{"dlq", "ls", "orders"}, {"dlq", "show", "orders", id}, {"dlq", "ls", "orders", "--json"}, {"task", "show", "orders", orders}, {"plan", orders},
	} {
		sent := onTerminal(t, "foldstream", append(args, "-s", url)...)
		if sent == "" || strings.ContainsAny(sent, "\x1b\x07\u009b\u202e") {
			t.Errorf("%q sends a terminal %q", args, sent)
		}
	}
	if log := mustRun(t, "foldstream", "task", "logs", "orders", id, "-s", url); !strings.Contains(log, orders) {
		t.Errorf("a file gets %q", log)
	}
}
