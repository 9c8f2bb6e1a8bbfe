package chaos

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// faultsOfDisks are those that only Linux lets be done from outside of a process.
var faultsOfDisks = []fault{
	{"disk full", 1, func(_ context.Context, s *Stage) (bool, error) {
		v, size, d := pick(s, s.servers), uint64(16<<10+s.lot.IntN(256<<10)), s.between(500, 2500)
		if err := limitFiles(v.cmd.Process.Pid, size); err != nil {
			return false, err
		}
		<-time.After(d)
		return true, again(v.actor, 0) // the limit goes with the process
	}},
}

// faultsOfCommands are those of what consumers run.
var faultsOfCommands = []fault{
	{"command hung", 4, func(ctx context.Context, s *Stage) (bool, error) {
		a, nth := pick(s, s.consumers), s.lot.IntN(8)
		for range 50 { // a command runs for a moment
			if pids := children(a.cmd.Process.Pid); len(pids) > 0 {
				err := unix.Kill(pids[nth%len(pids)], unix.SIGSTOP)
				return err == nil, nil
			}
			select {
			case <-time.After(20 * time.Millisecond):
			case <-ctx.Done():
				return false, ctx.Err()
			}
		}
		return false, nil
	}},
}

// limitFiles has a process write no file beyond a size: what would, fails half done, as on a disk without room.
func limitFiles(pid int, size uint64) error {
	var limit unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, nil, &limit); err != nil {
		return err
	}
	limit.Cur = min(size, limit.Max)
	return unix.Prlimit(pid, unix.RLIMIT_FSIZE, &limit, nil)
}

// children lists the processes that a process has started and that run another program. One that is about to is left out: to stop it would be to
// stop its parent, and nobody would end it.
func children(pid int) (pids []int) {
	own := program(pid)
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid)) // gone is none
	for _, t := range tasks {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		for word := range strings.FieldsSeq(string(text)) {
			if n, err := strconv.Atoi(word); err == nil && program(n) != own && program(n) != "" {
				pids = append(pids, n)
			}
		}
	}
	slices.Sort(pids)
	return pids
}

// program returns the file that a process runs; "" is one that is gone.
func program(pid int) string {
	file, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid))
	return file
}
