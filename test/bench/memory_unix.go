//go:build unix

package main

import (
	"os"
	"syscall"
)

// mostMemory is the most memory that a process which has ended had resident, in bytes as Linux counts them.
func mostMemory(p *os.ProcessState) int64 {
	if usage, ok := p.SysUsage().(*syscall.Rusage); ok {
		return int64(usage.Maxrss) << 10 //nolint:unconvert // 32 bits wide on some
	}
	return 0
}
