package stream_test

import (
	"errors"
	"maps"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestIndex_Forgotten has a server come back without the last of what it had stored, as after a loss of power, and give the same sequences
// to others: what an index read of them does not count any more.
func TestIndex_Forgotten(t *testing.T) {
	t.Parallel()
	for name, after := range map[string]int{"asked at once": 0, "asked when others took the places": 3, "asked when more took the places": 4} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, kept := t.TempDir(), t.TempDir()
			server := streamtest.ServerProcess(t, dir)
			s := open(t, server.URL(), stream.Config{Lease: 300 * time.Millisecond})
			create(t, s, streamtest.Tasks(0, 20)...)
			serve(t, s)
			commit := func(l foldstream.Lease) error { return l.Commit(t.Context(), foldstream.Result{}) }
			fail := func(l foldstream.Lease) error { return l.Fail(t.Context(), errors.New("no use")) }
			work := func(n int, end func(foldstream.Lease) error) {
				t.Helper()
				for n > 0 {
					err := end(fetch(t, s))
					if err == nil {
						n--
					} else if !foldstream.Is(err, foldstream.Conflict) { // an answer to a ticket was lost with the server
						t.Fatal(err)
					}
				}
			}
			work(5, commit)
			restart(t, server, func() error { return os.CopyFS(kept, os.DirFS(dir)) })
			work(3, commit)
			counted(t, s, foldstream.Counts{foldstream.Done: 8, foldstream.Waiting: 12})
			restart(t, server, func() error {
				if err := os.RemoveAll(dir); err != nil {
					return err
				}
				return os.CopyFS(dir, os.DirFS(kept))
			})
			work(after, fail)
			want := foldstream.Counts{foldstream.Done: 5, foldstream.Waiting: 15 - after}
			if after > 0 {
				want[foldstream.Dead] = after
			}
			counted(t, s, want)
		})
	}
}

// TestIndex_Recreated deletes a stream and makes it anew.
func TestIndex_Recreated(t *testing.T) {
	t.Parallel()
	url := streamtest.Server(t).URL()
	s := open(t, url, stream.Config{})
	create(t, s, streamtest.Tasks(0, 5)...)
	for range 3 {
		if err := fetch(t, s).Commit(t.Context(), foldstream.Result{}); err != nil {
			t.Fatal(err)
		}
	}
	serve(t, s)
	counted(t, s, foldstream.Counts{foldstream.Done: 3, foldstream.Waiting: 2})
	js, err := jetstream.New(connect(t, url))
	if err != nil {
		t.Fatal(err)
	}
	if err := js.DeleteStream(t.Context(), "FOLD_EVENTS"); err != nil {
		t.Fatal(err)
	}
	open(t, url, stream.Config{})
	counted(t, s, foldstream.Counts{foldstream.Waiting: 5})
}

// counted wants the next answer of an index to be this.
func counted(t *testing.T, s *stream.Store, want foldstream.Counts) {
	t.Helper()
	err := streamtest.Eventually(t.Context(), func() error {
		all, err := asked(t.Context(), s, "p")
		if err == nil && !maps.Equal(all["p"], want) {
			t.Errorf("answered %v, not %v", all["p"], want)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// restart kills a server and does something to its directory before it starts again.
func restart(t *testing.T, server *streamtest.Process, between func() error) {
	t.Helper()
	for _, step := range []func() error{server.Kill, between, server.Start} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
}
