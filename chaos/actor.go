package chaos

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// actor is a role that a process plays: another one, when that was killed.
type actor struct {
	role    string
	program string
	env     []string
	args    []string
	log     string // path; all its processes write there
	cmd     *exec.Cmd
	ended   chan struct{} // closed when the process has ended
	starts  int
	away    int // how often one ended at its start, as it found no server
}

func newActor(c Config, role string, args ...string) *actor {
	return &actor{role: role, program: c.Program, env: c.Env, args: args, log: filepath.Join(c.Dir, role+".log")}
}

// start begins a process, with more arguments this once; nothing of this process's settings reaches it.
func (a *actor) start(more ...string) error {
	log, err := os.OpenFile(a.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	a.cmd = exec.Command(a.program, slices.Concat(a.args, more)...)
	a.cmd.Stdout, a.cmd.Stderr = log, log
	a.cmd.Env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		return strings.HasPrefix(v, "FOLDSTREAM_") && !strings.HasPrefix(v, "FOLDSTREAM_CONFIG=")
	}), a.env...)
	if err := a.cmd.Start(); err != nil {
		return err
	}
	a.starts++
	ended, cmd := make(chan struct{}), a.cmd
	a.ended = ended
	go func() {
		defer close(ended)
		_ = cmd.Wait() // how it ended shows in its state
	}()
	return nil
}

// kill ends the process as a power cut would, and waits until it is gone.
func (a *actor) kill() {
	if a.cmd == nil {
		return
	}
	_ = a.cmd.Process.Kill() // it may have ended
	<-a.ended
}

// stop ends the process as an operator does; one that does not end in time is killed.
func (a *actor) stop(within time.Duration) {
	if a.cmd == nil {
		return
	}
	_ = a.cmd.Process.Signal(os.Interrupt) // it may have ended
	select {
	case <-a.ended:
	case <-time.After(within):
		a.kill()
	}
}

// running reports whether the process has not ended by itself.
func (a *actor) running() bool {
	select {
	case <-a.ended:
		return false
	default:
		return a.cmd != nil
	}
}

// freeze has the process do nothing for a while: it misses its beats, and then goes on as if nothing had been.
func (a *actor) freeze(d time.Duration) error {
	err := signal(a.cmd.Process, halt)
	if err == nil {
		<-time.After(d)
		err = signal(a.cmd.Process, resume)
	}
	if errors.Is(err, os.ErrProcessDone) || errors.Is(err, syscall.ESRCH) {
		return nil
	}
	return err
}

// said counts the lines of its log that have the words.
func (a *actor) said(words string) int {
	text, err := os.ReadFile(a.log)
	if err != nil {
		return 0
	}
	return bytes.Count(text, []byte(words))
}
