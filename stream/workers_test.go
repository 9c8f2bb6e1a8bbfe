package stream_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestPresent sees who works what, how far it is, and that it is over.
func TestPresent(t *testing.T) {
	s := open(t, streamtest.Server(t).URL(), stream.Config{Lease: 300 * time.Millisecond, Worker: "host-1"})
	create(t, s, streamtest.Task(1))
	l := fetch(t, s)
	if err := l.Extend(t.Context(), foldstream.Progress{Percent: 40, Message: "fitting"}); err != nil {
		t.Fatal(err)
	}
	present := func(want int, key string) {
		t.Helper()
		err := streamtest.Eventually(t.Context(), func() error {
			all, err := s.Present(t.Context())
			if err != nil || len(all) != want {
				return fmt.Errorf("present: %+v, %v; want %d", all, err, want)
			}
			if want > 0 && (all[0].Worker != "host-1" || all[0].Tasks[key].Progress.Percent != 40 || all[0].Tasks[key].Attempt != 1) {
				return fmt.Errorf("present: %+v", all[0])
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
	present(1, "p/"+string(streamtest.Task(1).ID))
	if err := l.Commit(t.Context(), foldstream.Result{}); err != nil {
		t.Fatal(err)
	}
	present(0, "")
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
