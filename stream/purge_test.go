package stream_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// A purge that dies between the definition and the events leaves a fault that is named, and repeating it takes it away.
func TestPurge_Dies(t *testing.T) {
	s := open(t, streamtest.Server(t).URL(), stream.Config{})
	task := streamtest.Task(1)
	ok := func(_ any, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(s.Pool("p").Create(t.Context(), task))
	ok(s.Remove(t.Context(), "p", "cleared", task.ID))
	died := errors.New("died")
	s.Between(func(step string) error {
		if step == "purge: undefined" {
			return died
		}
		return nil
	})
	if n, err := s.Purge(t.Context(), "p", task.ID); n != 0 || !errors.Is(err, died) {
		t.Fatalf("purged %d, %v", n, err)
	}
	s.Between(nil)
	if c, err := s.Verify(t.Context(), "p"); err != nil || len(c.Faults) != 1 {
		t.Errorf("%+v, %v", c, err)
	}
	if n, err := s.Reconcile(t.Context(), "p"); n != 0 || err != nil {
		t.Errorf("reconciled %d, %v", n, err)
	}
	if n, err := s.Purge(t.Context(), "p", task.ID); n != 1 || err != nil {
		t.Fatalf("purged %d, %v", n, err)
	}
	if c, err := s.Verify(t.Context(), "p"); err != nil || len(c.Faults) != 0 || c.Created != 0 {
		t.Errorf("%+v, %v", c, err)
	}
}

// A task that begins a new life just while the old one is purged keeps it: it gets back the definition that was taken for the old life's.
func TestPurge_UnderANewLife(t *testing.T) {
	url := streamtest.Server(t).URL()
	s, other := open(t, url, stream.Config{}), open(t, url, stream.Config{})
	task := streamtest.Task(1)
	if err := createOnceMore(t.Context(), s, []foldstream.Task{task}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remove(t.Context(), "p", "cleared", task.ID); err != nil {
		t.Fatal(err)
	}
	defined, goOn, made := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	other.Between(func(step string) error {
		if step == "create: defined" {
			close(defined)
			<-goOn
		}
		return nil
	})
	go func() {
		_, err := other.Pool("p").Create(t.Context(), task)
		made <- err
	}()
	<-defined
	s.Between(func(step string) error {
		if step == "purge: undefined" {
			close(goOn)
			if err := <-made; err != nil {
				t.Error(err)
			}
		}
		return nil
	})
	if n, err := s.Purge(t.Context(), "p", task.ID); n != 0 || err != nil {
		t.Errorf("purged %d, %v", n, err)
	}
	if l, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{Wait: 10 * time.Second}); err != nil || l.Commit(t.Context(), foldstream.Result{}) != nil {
		t.Error(err)
	}
	if c, err := s.Verify(t.Context(), "p"); err != nil || len(c.Faults) > 0 || c.Counts[foldstream.Done] != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

// Tasks that are created anew while they are purged are lost to neither: each is there in the end, whole, and done once.
func TestPurge_WhileTheyAreCreated(t *testing.T) {
	url := streamtest.Server(t).URL()
	s, other := open(t, url, stream.Config{Lease: 500 * time.Millisecond}), open(t, url, stream.Config{Lease: 500 * time.Millisecond})
	tasks := streamtest.Tasks(0, 40)
	ids := make([]foldstream.TaskID, len(tasks))
	for i := range tasks {
		ids[i] = tasks[i].ID
	}
	for round := range 5 {
		if err := createOnceMore(t.Context(), s, tasks); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Remove(t.Context(), "p", "cleared", ids...); err != nil {
			t.Fatal(err)
		}
		var both sync.WaitGroup
		var purged, made error
		both.Go(func() { _, purged = s.Purge(t.Context(), "p", ids...) })
		both.Go(func() { made = createOnceMore(t.Context(), other, tasks) })
		both.Wait()
		if err := errors.Join(purged, made, createOnceMore(t.Context(), other, tasks)); err != nil { // what lost the race is created again
			t.Fatal(err)
		}
		err := streamtest.Eventually(t.Context(), func() error {
			if _, err := s.Reconcile(t.Context(), "p"); err != nil {
				return err
			}
			l, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{Wait: 50 * time.Millisecond})
			for err == nil {
				if err = l.Commit(t.Context(), foldstream.Result{}); err == nil {
					l, err = s.Pool("p").Fetch(t.Context(), foldstream.Filter{Wait: 50 * time.Millisecond})
				}
			}
			c, err := s.Verify(t.Context(), "p")
			if err == nil && (c.Counts[foldstream.Done] != len(tasks) || len(c.Faults) > 0) {
				err = fmt.Errorf("round %d: %+v", round, c)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// createOnceMore creates the tasks, again where they were purged at the same moment.
func createOnceMore(ctx context.Context, s *stream.Store, tasks []foldstream.Task) error {
	return streamtest.Eventually(ctx, func() error {
		_, err := s.Pool("p").Create(ctx, tasks...)
		return err
	})
}
