package exec

import "syscall"

// attributes makes the child the leader of a group, killed should this process die.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
