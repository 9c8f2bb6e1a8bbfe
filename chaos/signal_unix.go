//go:build unix

package chaos

import (
	"os"
	"syscall"
)

const (
	halt   = syscall.SIGSTOP
	resume = syscall.SIGCONT
)

func signal(p *os.Process, s syscall.Signal) error { return p.Signal(s) }
