package streamtest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/foldstream/foldstream/stream/embed"
)

// Server runs a server of the test's own, in a temporary directory and on a free loopback port, until the test ends.
func Server(t testing.TB) *embed.Server {
	t.Helper()
	s, err := embed.Start(t.Context(), embed.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Configured runs a server with these options, in a temporary directory and on a free loopback port unless they say where, until the test ends.
func Configured(t testing.TB, o *server.Options) *server.Server {
	t.Helper()
	if o.StoreDir == "" {
		o.Host, o.Port, o.StoreDir = "127.0.0.1", server.RANDOM_PORT, t.TempDir()
	}
	o.NoLog, o.NoSigs = true, true
	s, err := server.NewServer(o)
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(20 * time.Second) {
		t.Fatal("the server does not answer")
	}
	return s
}

// The variables that make a test binary a server.
const (
	dirVariable  = "FOLDSTREAM_TEST_SERVER_DIR"
	portVariable = "FOLDSTREAM_TEST_SERVER_PORT"
)

// Main runs the tests of a package from its TestMain and fails them when a goroutine is left over. In a binary that
// ServerProcess started it is the server instead, and does not return either.
func Main(m *testing.M, opts ...goleak.Option) {
	if dir := os.Getenv(dirVariable); dir != "" {
		if err := serve(dir, os.Getenv(portVariable)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m, opts...)
}

// serve runs a server, tells its URL on the standard output, and stops when the standard input ends: with the test, at the latest.
func serve(dir, port string) error {
	number, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	s, err := embed.Start(context.Background(), embed.Config{Dir: dir, Port: number})
	if err != nil {
		return err
	}
	fmt.Println(s.URL())
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	return s.Close()
}

// Process is a server in a process of its own, which can be killed and started again on the same directory and port.
type Process struct {
	dir  string
	port string
	cmd  *exec.Cmd
	url  string
}

// ServerProcess runs a server on the store directory in a process of its own until the test ends. The test's package must have a
// TestMain that calls Main.
func ServerProcess(t testing.TB, dir string) *Process {
	t.Helper()
	p := &Process{dir: dir, port: "0"}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Kill(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// URL returns where clients connect; it stays the same over Kill and Start.
func (p *Process) URL() string { return p.url }

// PID returns the process id of the running server.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Start runs the server again after Kill, on the same directory and port, and returns when it answers.
func (p *Process) Start() error {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), dirVariable+"="+p.dir, portVariable+"="+p.port)
	cmd.Stderr = os.Stderr
	if _, err := cmd.StdinPipe(); err != nil { // it ends with this process, and with it the server
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	p.cmd = cmd
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the server process told no URL: %w", errors.Join(err, p.Kill()))
	}
	p.url = line[:len(line)-1]
	u, err := url.Parse(p.url)
	if err == nil {
		p.port = u.Port()
	}
	return err
}

// Kill ends the server with SIGKILL and waits for its end. Killing twice is killing once.
func (p *Process) Kill() error {
	if p.cmd == nil {
		return nil
	}
	if err := p.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = p.cmd.Wait() // it says that the process was killed
	p.cmd = nil
	return nil
}
