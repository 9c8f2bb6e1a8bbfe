package stream_test

import (
	"fmt"
	"slices"
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
	t.Run("created again", func(t *testing.T) {
		url := streamtest.Server(t).URL()
		s := open(t, url, stream.Config{})
		create(t, s, streamtest.Task(1))
		before := ticketsOf(t, url)
		create(t, s, streamtest.Task(1))
		if after := ticketsOf(t, url); len(before) != 1 || !slices.Equal(before, after) {
			t.Errorf("tickets %v became %v", before, after)
		}
	})
	t.Run("a stage ends twice", func(t *testing.T) {
		url := streamtest.Server(t).URL()
		s := open(t, url, stream.Config{Lease: 300 * time.Millisecond})
		task := streamtest.Task(1)
		task.Stages = []string{"prepare", "fit"}
		create(t, s, task)
		l := fetch(t, s)
		stream.KeepTicket(l) // the answer to its ticket is lost, so that the server brings the ticket again
		if err := l.Commit(t.Context(), foldstream.Result{}); err != nil {
			t.Fatal(err)
		}
		before := ticketsOf(t, url)
		if len(before) != 2 {
			t.Fatalf("tickets %v; want the first stage's and the second's", before)
		}
		err := streamtest.Eventually(t.Context(), func() error {
			if _, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{Stage: "prepare", Wait: 50 * time.Millisecond}); !foldstream.Is(err, foldstream.NotFound) {
				return fmt.Errorf("the first stage is worked again: %w", err)
			}
			if after := ticketsOf(t, url); !slices.Equal(after, before[1:]) {
				return fmt.Errorf("tickets %v became %v", before, after)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
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

// A task that is to wait until after the end of the server's time waits, and does not start at once.
func TestTicket_FarAway(t *testing.T) {
	s := open(t, streamtest.Server(t).URL(), stream.Config{})
	far := streamtest.Task(1)
	far.NotBefore = time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)
	create(t, s, far)
	if l, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{Wait: 300 * time.Millisecond}); !foldstream.Is(err, foldstream.NotFound) {
		t.Errorf("fetched %v, %v", l, err)
	}
	if n, err := s.TicketSchedules(t.Context(), "p", far.ID); n != 1 || err != nil {
		t.Errorf("%d schedules, %v", n, err)
	}
}
