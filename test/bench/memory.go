package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// peak reads the most memory that a process had resident, in bytes; pid is "self" or a number. Linux alone tells it.
func peak(pid string) (int64, error) { return status(pid, "VmHWM:") }

// status reads a line of /proc/PID/status that is in kB.
func status(pid, key string) (int64, error) {
	text, err := os.ReadFile("/proc/" + pid + "/status")
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, key); ok {
			kb, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/%s/status has no line %s", pid, key)
}

// spending returns the processor time that a process has taken, to 10 ms; 0 where nobody tells.
func spending(pid string) time.Duration {
	text, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	var ticks int64
	for _, at := range []int{11, 12} { // utime and stime, counted from the field after the name
		n, _ := strconv.ParseInt(fields[at], 10, 64) // the kernel writes numbers
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}
