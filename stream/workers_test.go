package stream_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestWorkers sees who lives and works what, how far it is, that it is over, and that who closed is gone.
func TestWorkers(t *testing.T) {
	url := streamtest.Server(t).URL()
	other := open(t, url, stream.Config{})
	s := open(t, url, stream.Config{Lease: 300 * time.Millisecond, Worker: "host-1", Version: "v1.2.3"})
	create(t, s, streamtest.Task(1))
	l := fetch(t, s)
	if err := l.Extend(t.Context(), foldstream.Progress{Percent: 40, Message: "fitting"}); err != nil {
		t.Fatal(err)
	}
	present := func(workers, tasks int) {
		t.Helper()
		err := streamtest.Eventually(t.Context(), func() error {
			var all []foldstream.Presence
			for p, err := range other.Workers(t.Context()) {
				if err != nil {
					return err
				}
				all = append(all, p)
			}
			if len(all) != workers {
				return fmt.Errorf("present: %+v; want %d", all, workers)
			}
			for _, p := range all {
				if p.Worker != "host-1" || p.Version != "v1.2.3" || p.Host == "" || len(p.Tasks) != tasks {
					return fmt.Errorf("present: %+v; want %d tasks", p, tasks)
				}
				for _, w := range p.Tasks {
					if w.Pool != "p" || w.Task != streamtest.Task(1).ID || w.Progress.Percent != 40 || w.Attempt != 1 {
						return fmt.Errorf("in hand: %+v", w)
					}
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	present(1, 1)
	if err := l.Commit(t.Context(), foldstream.Result{}); err != nil {
		t.Fatal(err)
	}
	present(1, 0)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	present(0, 0)
}

// TestLocks_Expire has an entry of the bucket Locks vanish when it is not put again, and another take its place.
func TestLocks_Expire(t *testing.T) {
	s := open(t, streamtest.Server(t).URL(), stream.Config{Expiry: 200 * time.Millisecond})
	locks := s.Values(foldstream.Locks)
	if _, err := locks.Put(t.Context(), foldstream.Value{Key: "leader", Data: []byte("a")}); err != nil {
		t.Fatal(err)
	}
	if _, err := locks.Put(t.Context(), foldstream.Value{Key: "leader", Data: []byte("b")}); !foldstream.Is(err, foldstream.Conflict) {
		t.Errorf("a second leader: %v; want a conflict", err)
	}
	err := streamtest.Eventually(t.Context(), func() error {
		_, err := locks.Put(t.Context(), foldstream.Value{Key: "leader", Data: []byte("b")})
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
