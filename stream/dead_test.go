package stream_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/embed"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestReconcile_DeadTickets brings tickets back that were acknowledged or deleted, as a killed server can: they lie at or below
// their consumer's ack floor and are never delivered.
func TestReconcile_DeadTickets(t *testing.T) {
	dir, kept := t.TempDir(), t.TempDir()
	tasks := streamtest.Tasks(0, 2)
	run := func(do func(ctx context.Context, s *stream.Store) error) {
		t.Helper()
		server, err := embed.Start(t.Context(), embed.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		nc := connect(t, server.URL())
		s, err := stream.Open(t.Context(), nc, stream.Config{Lease: 200 * time.Millisecond})
		if err == nil {
			err = do(t.Context(), s)
			_ = s.Close()
		}
		nc.Close()
		if closeErr := server.Close(); err != nil || closeErr != nil {
			t.Fatal(err, closeErr)
		}
	}
	run(func(ctx context.Context, s *stream.Store) error {
		_, err := s.Pool("p").Create(ctx, tasks...)
		return err
	})
	messages := filepath.Join(dir, "jetstream", "$G", "streams", "FOLD_WORK", "msgs")
	copyDir(t, kept, messages)
	run(func(ctx context.Context, s *stream.Store) error { // one is done, one loses its worker and its ticket
		for range tasks {
			l, err := s.Pool("p").Fetch(ctx, foldstream.Filter{Wait: 5 * time.Second})
			if err == nil && l.Task().ID == tasks[0].ID {
				err = l.Commit(ctx, foldstream.Result{})
			}
			if err != nil {
				return err
			}
		}
		if err := s.DeleteTicket(ctx, "p", tasks[1].ID); err != nil {
			return err
		}
		return nothingLeft(ctx, s)
	})
	if err := os.RemoveAll(messages); err != nil {
		t.Fatal(err)
	}
	copyDir(t, messages, kept)
	run(func(ctx context.Context, s *stream.Store) error {
		if n, err := s.Tickets(ctx); err != nil || n != 2 {
			t.Fatalf("%d tickets came back, %v; want 2", n, err)
		}
		err := streamtest.Eventually(ctx, func() error {
			if _, err := s.Reconcile(ctx, "p"); err != nil {
				return err
			}
			l, err := s.Pool("p").Fetch(ctx, foldstream.Filter{Wait: 50 * time.Millisecond})
			if err == nil {
				err = l.Commit(ctx, foldstream.Result{})
			}
			return err
		})
		if err != nil {
			return err
		}
		if err := streamtest.Conserved(ctx, s, "p"); err != nil {
			return err
		}
		return nothingLeft(ctx, s)
	})
}

func copyDir(t *testing.T, to, from string) {
	t.Helper()
	if err := os.MkdirAll(to, 0o700); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		data, err := os.ReadFile(filepath.Join(from, f.Name()))
		if err == nil {
			err = os.WriteFile(filepath.Join(to, f.Name()), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
