//go:build !unix

package chaos

import (
	"errors"
	"os"
	"syscall"
)

const (
	halt   = syscall.Signal(0)
	resume = syscall.Signal(0)
)

func signal(*os.Process, syscall.Signal) error { return errors.ErrUnsupported }
