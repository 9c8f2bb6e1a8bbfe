package test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// programs builds the four programs once and returns the folder they are in.
var programs = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "foldstream-programs-")
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-o", dir, "./cmd/...")
	cmd.Dir = ".."
	if out, err := cmd.CombinedOutput(); err != nil {
		return dir, fmt.Errorf("go build: %w\n%s", err, out)
	}
	return dir, nil
})

func TestMain(m *testing.M) {
	if url := os.Getenv(sweepVariable); url != "" {
		if err := sweepAll(url); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	code := m.Run()
	if dir, _ := programs(); builtPrograms && dir != "" {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

var builtPrograms bool

// program returns the path of one of our programs.
func program(t *testing.T, name string) string {
	t.Helper()
	dir, err := programs()
	builtPrograms = true
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

// outcome is how a program ended.
type outcome struct {
	code           int
	stdout, stderr string
}

// run runs a program to its end.
func run(t *testing.T, name string, args ...string) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(t, name), args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Env = &stdout, &stderr, quiet(t)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s %v: %v", name, args, err)
	}
	return outcome{cmd.ProcessState.ExitCode(), stdout.String(), stderr.String()}
}

// mustRun runs a program that must succeed and returns what it printed.
func mustRun(t *testing.T, name string, args ...string) string {
	t.Helper()
	out := run(t, name, args...)
	if out.code != 0 {
		t.Fatalf("%s %v: exit code %d\n%s%s", name, args, out.code, out.stdout, out.stderr)
	}
	return out.stdout
}

// forPrograms begins the names of variables that tests set for our programs, which see them without it.
const forPrograms = "PROGRAM_"

// quiet is an environment in which nothing of the machine's own settings is seen.
func quiet(t *testing.T) []string {
	t.Helper()
	env := []string{"PATH=" + os.Getenv("PATH"), "CI=true"}
	for _, v := range os.Environ() {
		if v, ok := strings.CutPrefix(v, forPrograms); ok {
			env = append(env, v)
		}
	}
	for _, name := range []string{"HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TMPDIR"} {
		dir := filepath.Join(t.TempDir(), strings.ToLower(name))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		env = append(env, name+"="+dir)
	}
	return env
}

// process is a program that goes on in the background until the test ends.
type process struct {
	cmd    *exec.Cmd
	stderr *bytes.Buffer
	done   chan struct{}
	lines  chan string // of its stdout
}

// start starts a program. It is stopped with SIGTERM, and killed if that does not do, when the test ends.
func start(t *testing.T, name string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(program(t, name), args...), stderr: &bytes.Buffer{}, done: make(chan struct{}), lines: make(chan string, 16)}
	p.cmd.Env, p.cmd.Stderr = quiet(t), p.stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		for sc := bufio.NewScanner(stdout); sc.Scan(); {
			p.lines <- sc.Text()
		}
		close(p.lines)
		_ = p.cmd.Wait() // how it ended is read from ProcessState
	}()
	t.Cleanup(func() {
		p.stop(t)
		if t.Failed() {
			t.Logf("%s %v said:\n%s", name, args, p.stderr)
		}
	})
	return p
}

// stop asks the program to stop and sees that it does.
func (p *process) stop(t *testing.T) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		t.Errorf("%v does not stop on SIGTERM", p.cmd.Args)
		p.kill()
	}
}

// kill ends the program as a power cut would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.done
}

// serve starts a server with an aggregator on a store directory and returns its address.
func serve(t *testing.T, dir string) (string, *process) {
	t.Helper()
	p := start(t, "foldstream", "serve", "--store", dir, "--port", "0", "--json")
	var text strings.Builder
	for line := range p.lines {
		text.WriteString(line)
		var told struct{ URL string }
		if json.Unmarshal([]byte(text.String()), &told) == nil {
			return told.URL, p
		}
	}
	t.Fatalf("serve ended: %s", p.stderr)
	return "", nil
}

// eventually polls until ok, and fails the test after a while.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}
