//go:build !unix

package exec

import "os/exec"

// runGroup runs cmd. Where there are no process groups only the command itself is killed.
func runGroup(cmd *exec.Cmd) error { return cmd.Run() }
