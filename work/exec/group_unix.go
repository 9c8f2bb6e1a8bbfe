//go:build unix

package exec

import (
	"os/exec"
	"runtime"
	"syscall"
)

// runGroup runs cmd as the leader of a process group of its own and leaves none of the group alive.
func runGroup(cmd *exec.Cmd) error {
	runtime.LockOSThread() // the death signal of Linux comes when the thread ends that started the child
	defer runtime.UnlockOSThread()
	cmd.SysProcAttr = attributes()
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	if err := cmd.Start(); err != nil {
		return err
	}
	err := cmd.Wait()
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // fails where nobody is left, as it should be
	return err
}
