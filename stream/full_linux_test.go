package stream_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestDiskFull has the server's files grow no further, so that writes fail in their middle, as on a disk without room; then it is killed, and
// started where there is room again. Of what it acknowledged nothing is lost.
func TestDiskFull(t *testing.T) {
	server := streamtest.ServerProcess(t, t.TempDir())
	cfg := stream.Config{Lease: time.Second, Patience: 30 * time.Second}
	stores := []*stream.Store{open(t, server.URL(), cfg), open(t, server.URL(), cfg)}
	underLoad(t, stores, 300, 3, func(i int) error {
		limit := unix.Rlimit{Cur: uint64(i+1) * 20_000, Max: unix.RLIM_INFINITY}
		if err := unix.Prlimit(server.PID(), unix.RLIMIT_FSIZE, &limit, nil); err != nil {
			return err
		}
		<-time.After(500 * time.Millisecond) // publishes fail meanwhile, or there is room for them yet
		if err := server.Kill(); err != nil {
			return err
		}
		return server.Start()
	})
}
