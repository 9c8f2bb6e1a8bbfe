//go:build unix

package exec

import (
	"errors"
	"os/exec"
	"runtime"
	"syscall"
)

const nonBlocking = syscall.O_NONBLOCK

// runGroup runs cmd as the leader of a process group of its own and leaves none of the group alive, nor any process that left it and has the
// mark in its environment.
func runGroup(cmd *exec.Cmd, l Limits, mark string) error {
	runtime.LockOSThread() // the death signal of Linux comes when the thread ends that started the child
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = attributes(l)
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	if err := cmd.Start(); err != nil {
		return err
	}
	limitErr := limit(cmd, l)
	if limitErr != nil {
		_ = cmd.Process.Kill()
	}
	err := cmd.Wait()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // fails where nobody is left, as it should be
	killStrays(mark)
	if limitErr != nil {
		return errors.Join(limitErr, err)
	}
	return err
}
