package stream_test

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/foldstream/foldstream"
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

// TestDiskFull_Flow has the server's files grow no further in the middle of flows: what it said to have stored is stored.
func TestDiskFull_Flow(t *testing.T) {
	for _, limit := range []uint64{300_000, 1_000_000, 2_000_000} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			server := streamtest.ServerProcess(t, t.TempDir())
			s := flowing(t, server.URL())
			if err := unix.Prlimit(server.PID(), unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: limit, Max: unix.RLIM_INFINITY}, nil); err != nil {
				t.Fatal(err)
			}
			all := streamtest.Tasks(0, 5000)
			made, err := s.Pool("p").Create(t.Context(), all...)
			t.Logf("%d tasks, %v", len(made), err)
			if err == nil && limit < 1_000_000 {
				t.Error("there is room for all")
			}
			if err := server.Kill(); err != nil {
				t.Fatal(err)
			}
			if err := server.Start(); err != nil {
				t.Fatal(err)
			}
			createWhatever(t, s, all)
			verify(t, s, foldstream.Counts{foldstream.Waiting: len(all)})
		})
	}
}
