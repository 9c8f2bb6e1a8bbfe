package stream_test

import (
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/embed"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestFull has a server whose store is full by its own limit: who creates tasks is told so, what is held can be read, and when there is room again the
// same call completes what it began.
func TestFull(t *testing.T) {
	dir := t.TempDir()
	within := func(limit int64, do func(*stream.Store)) {
		t.Helper()
		server, err := embed.Start(t.Context(), embed.Config{Dir: dir, MaxStore: limit})
		if err != nil {
			t.Fatal(err)
		}
		s := open(t, server.URL(), stream.Config{Lease: time.Second, Patience: 2 * time.Second})
		do(s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	}
	within(0, func(s *stream.Store) { create(t, s, streamtest.Tasks(0, 20)...) })
	within(4<<10, func(s *stream.Store) {
		if _, err := s.Pool("p").Create(t.Context(), streamtest.Tasks(0, 40)...); !foldstream.Is(err, foldstream.Full) {
			t.Errorf("created in a full store: %v", err)
		}
		if counts, err := s.Pool("p").Stat(t.Context()); err != nil || counts[foldstream.Waiting] != 20 {
			t.Errorf("a full store holds %v, %v", counts, err)
		}
	})
	within(0, func(s *stream.Store) {
		create(t, s, streamtest.Tasks(0, 40)...)
		for range 40 {
			if err := fetch(t, s).Commit(t.Context(), foldstream.Result{}); err != nil {
				t.Fatal(err)
			}
		}
		if v, err := s.Verify(t.Context(), "p"); err != nil || len(v.Faults) > 0 || v.Counts[foldstream.Done] != 40 {
			t.Errorf("%+v, %v", v, err)
		}
	})
}
