//go:build !unix

package exec

import "os/exec"

const (
	canLimit    = false
	nonBlocking = 0
)

// runGroup runs cmd. Where there are no process groups only the command itself is killed.
func runGroup(cmd *exec.Cmd, _ Limits, _ string) error { return cmd.Run() }
