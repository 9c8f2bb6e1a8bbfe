//go:build unix && !linux

package exec

import "syscall"

// attributes makes the child the leader of a group.
func attributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
