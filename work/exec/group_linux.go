package exec

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const canLimit = true

// attributes makes the child the leader of a group, killed should this process die. One that is to be limited stops before its first
// step.
func attributes(l Limits) *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Ptrace: l != Limits{}}
}

// limit sets the limits of a child that stands before its first step, and lets it go. It must be called by the thread that started it.
// Without that stop a child may have children of its own before it is limited.
func limit(cmd *exec.Cmd, l Limits) error {
	if l == (Limits{}) {
		return nil
	}
	pid := cmd.Process.Pid
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil {
		return fmt.Errorf("waiting for its start: %w", err)
	}
	for what, most := range map[int]int64{unix.RLIMIT_DATA: l.Memory, unix.RLIMIT_FSIZE: l.File} {
		if most == 0 {
			continue
		}
		if err := unix.Prlimit(pid, what, &unix.Rlimit{Cur: uint64(most), Max: uint64(most)}, nil); err != nil {
			return fmt.Errorf("setting its limits: %w", err)
		}
	}
	if err := syscall.PtraceDetach(pid); err != nil {
		return fmt.Errorf("letting it go: %w", err)
	}
	return nil
}

// The rounds in which processes are looked for that left the group: each may have had a child before it was killed.
const (
	strayRounds = 20
	strayPause  = 5 * time.Millisecond
)

// killStrays kills the processes that have the mark in their environment: those that a command started and that left its group.
// Who takes the mark out of its environment as well gets away.
func killStrays(mark string) {
	for range strayRounds {
		if !killMarked([]byte(mark)) {
			return
		}
		<-time.After(strayPause) // what was killed is seen gone only by looking again
	}
}

func killMarked(mark []byte) (found bool) {
	processes, _ := filepath.Glob("/proc/[0-9]*/environ")
	for _, path := range processes {
		env, err := os.ReadFile(path) // of other users, or gone: none of ours
		if err != nil || !bytes.Contains(env, mark) {
			continue
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && pid != os.Getpid() {
			found = syscall.Kill(pid, syscall.SIGKILL) == nil || found
		}
	}
	return found
}
