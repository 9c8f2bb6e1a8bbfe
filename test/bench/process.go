package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"

	"github.com/foldstream/foldstream/stream/embed"
)

// process is a child of this program.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func spawn(ctx context.Context, args ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, os.Args[0], args...)}
	p.cmd.Stderr = os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReader(out)
	return p, p.cmd.Start()
}

// line reads what the process says next.
func (p *process) line() (string, error) {
	text, err := p.out.ReadString('\n')
	return strings.TrimSpace(text), err
}

// end closes the input, upon which every child of ours leaves, and waits.
func (p *process) end() error {
	_ = p.in.Close() // the process may be gone
	return p.cmd.Wait()
}

// serving is what a server process is asked for.
type serving struct {
	Sync    bool   // it flushes before each acknowledgement
	Dir     string // where it stores; "" is a temporary folder
	Profile string // file for a CPU profile; "" is none
	Samples bool   // it says now and then what it has
}

// serve runs a server until the input ends.
func serve(ctx context.Context, o serving) error {
	stop, err := profile(o.Profile)
	if err != nil {
		return err
	}
	defer stop()
	s, err := embed.Start(ctx, embed.Config{SyncAlways: o.Sync, Dir: o.Dir})
	if err != nil {
		return err
	}
	fmt.Println(s.URL())
	sampled := make(chan error, 1)
	ctx, end := context.WithCancel(ctx)
	go func() {
		if o.Samples {
			sampled <- sampling(ctx, func() int { return 0 })
		}
		close(sampled)
	}()
	_, _ = io.Copy(io.Discard, os.Stdin) // its end is what is waited for
	end()
	return errors.Join(<-sampled, s.Close())
}

// server is a server in a process of its own.
type server struct {
	*process
	url string
}

func startServer(ctx context.Context, o serving) (*server, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	p, err := spawn(ctx, "-role", "server", "-job", string(text))
	if err != nil {
		return nil, err
	}
	url, err := p.line()
	return &server{p, url}, err
}

// run has as many processes do a job, all at once, and joins their reports.
func run(ctx context.Context, j job, processes int) (report, error) {
	all := make([]*process, processes)
	for i := range all {
		text, err := json.Marshal(j)
		if err != nil {
			return report{}, err
		}
		if all[i], err = spawn(ctx, "-role", "client", "-job", string(text)); err != nil {
			return report{}, err
		}
	}
	for _, p := range all {
		if word, err := p.line(); err != nil || word != "ready" {
			return report{}, fmt.Errorf("a client is not ready: %q %w", word, err)
		}
	}
	for _, p := range all {
		if _, err := io.WriteString(p.in, "go\n"); err != nil {
			return report{}, err
		}
	}
	var sum report
	for i, p := range all {
		var r report
		if err := json.NewDecoder(p.out).Decode(&r); err != nil {
			return sum, fmt.Errorf("a client of %d says nothing: %w", processes, err)
		}
		if err := p.end(); err != nil {
			return sum, err
		}
		sum = join(sum, r, i == 0)
	}
	return sum, nil
}

func join(a, b report, first bool) report {
	if first {
		return b
	}
	if b.Began.Before(a.Began) {
		a.Began = b.Began
	}
	if b.Ended.After(a.Ended) {
		a.Ended = b.Ended
	}
	a.Done, a.Peak, a.CPU = a.Done+b.Done, max(a.Peak, b.Peak), a.CPU+b.CPU
	return a
}
