package stream_test

import (
	"context"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// A ticket is never replaced: whoever publishes another one for a task that has one is refused, and the one that is there keeps
// its sequence. Without the compare the stream's limit of one a subject would put the new one in the old one's place.
func TestTicket_IsNeverReplaced(t *testing.T) {
	staged := streamtest.Task(2)
	staged.Stages = []string{"prepare", "fit"}
	for name, c := range map[string]struct {
		task  foldstream.Task
		again func(t *testing.T, s *stream.Store)
	}{
		"created again while it waits": {streamtest.Task(1), func(t *testing.T, s *stream.Store) {
			create(t, s, streamtest.Task(1))
		}},
		"the stage before ends twice": {staged, func(t *testing.T, s *stream.Store) {
			first := fetch(t, s)
			stream.KeepTicket(first) // the answer to its ticket is lost, so that the server brings the ticket again
			if err := first.Commit(t.Context(), foldstream.Result{}); err != nil {
				t.Fatal(err)
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			url := streamtest.Server(t).URL()
			s := open(t, url, stream.Config{Lease: 300 * time.Millisecond})
			create(t, s, c.task)
			before := ticketsOf(t, url)
			c.again(t, s)
			if name == "created again while it waits" {
				if after := ticketsOf(t, url); len(after) != 1 || after[0] != before[0] {
					t.Fatalf("tickets %v became %v", before, after)
				}
				return
			}
			second := fetch(t, s)
			held := ticketsOf(t, url)
			redelivered(t, s, url)
			if after := ticketsOf(t, url); len(after) != 1 || after[0] != held[len(held)-1] {
				t.Errorf("tickets %v became %v", held, after)
			}
			if err := second.Commit(t.Context(), foldstream.Result{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// redelivered waits until the queue holds the one ticket of the second stage: the first stage's came back and was dropped.
func redelivered(t *testing.T, s *stream.Store, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	for {
		l, err := s.Pool("p").Fetch(ctx, foldstream.Filter{Wait: 100 * time.Millisecond})
		if err == nil {
			t.Fatalf("the task was leased twice, at stage %q", l.Task().Stage)
		}
		if !foldstream.Is(err, foldstream.NotFound) {
			t.Fatal(err)
		}
		if len(ticketsOf(t, url)) == 1 {
			return
		}
	}
}

// ticketsOf returns the sequences of all messages in the queue.
func ticketsOf(t *testing.T, url string) []uint64 {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	st, err := js.Stream(t.Context(), "FOLD_WORK")
	if err != nil {
		t.Fatal(err)
	}
	state := st.CachedInfo().State
	var all []uint64
	for seq := state.FirstSeq; seq <= state.LastSeq; seq++ {
		if _, err := st.GetMsg(t.Context(), seq); err == nil {
			all = append(all, seq)
		}
	}
	return all
}
