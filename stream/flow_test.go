package stream_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestFlow_Conformance runs the suite's checks of creation with everything but the first task of each call going by flows.
func TestFlow_Conformance(t *testing.T) {
	open := harness(streamtest.Server(t).URL(), (*stream.Store).FlowAlways)
	streamtest.RunSome(t, open, func(name string) bool { return strings.HasPrefix(name, "create/") })
}

// TestFlow_Mixed makes known and new tasks in one call: the flow ends with the first that is known, and each task is made once all the same.
func TestFlow_Mixed(t *testing.T) {
	createMixed(t, flowing(t, streamtest.Server(t).URL()))
}

// TestFlow_Race has two producers make the same tasks at once.
func TestFlow_Race(t *testing.T) {
	url := streamtest.Server(t).URL()
	createAtOnce(t, flowing(t, url), flowing(t, url), streamtest.Tasks(0, 3000))
}

// TestFlow_Died ends the producer between a definition of a flow and its ticket; creating again completes it.
func TestFlow_Died(t *testing.T) {
	url := streamtest.Server(t).URL()
	dying := flowing(t, url)
	died, defined := errors.New("died"), 0
	dying.Between(func(step string) error {
		if step == "create: defined" {
			defined++
		}
		if defined > 400 {
			return died
		}
		return nil
	})
	all := streamtest.Tasks(0, 1700)
	if _, err := dying.Pool("p").Create(t.Context(), all...); !errors.Is(err, died) {
		t.Fatal("the producer lives:", err)
	}
	s := flowing(t, url)
	if n, err := s.Tickets(t.Context()); err != nil || n < 300 || n > 400 {
		t.Fatalf("%d tickets (%v)", n, err)
	}
	create(t, s, all...)
	verify(t, s, foldstream.Counts{foldstream.Waiting: len(all)})
}

// TestFlow_ByItself looks at how many replies there are: a flow has one for hundreds of tasks, and is used where there are many, all new, by
// whoever may create them.
func TestFlow_ByItself(t *testing.T) {
	url := rolesServer(t, []omission{{grants: grantsOf(t, stream.Producer, true, 0)}})
	admin := open(t, url, stream.Config{}, nats.UserInfo("admin", "p"))
	s := open(t, url, stream.Config{}, nats.UserInfo(pool(0), "p"))
	s.SetSlow(time.Hour)
	replies := func(tasks []foldstream.Task) int {
		t.Helper()
		before := s.Received()
		if _, err := s.Pool(pool(0)).Create(t.Context(), tasks...); err != nil {
			t.Fatal(err)
		}
		return int(s.Received() - before)
	}
	all := streamtest.Tasks(0, 5000)
	if n := replies(all[:900]); n < 1800 {
		t.Errorf("%d replies to 900 tasks, which are too few for a flow", n)
	}
	if n := replies(all[900:]); n > 600 {
		t.Errorf("%d replies to 4100 tasks", n)
	}
	if c, err := admin.Verify(t.Context(), pool(0)); err != nil || len(c.Faults) > 0 || c.Tickets != len(all) {
		t.Errorf("%+v, %v", c, err)
	}
}

// TestFlow_Reconnects loses the connection in the middle of a flow: of what is stored then nothing is believed, as a refusal may be lost.
func TestFlow_Reconnects(t *testing.T) {
	s := flowing(t, streamtest.Server(t).URL())
	const before, all = 1200, 3000
	told := 0
	s.Flow(t.Context(), streamtest.Tasks(0, all), func(i int) {
		if i == before {
			s.Reconnect(t)
		}
	}, func(n int) { told = n })
	if told > before {
		t.Errorf("%d tasks are believed to be stored, of which %d were sent before the connection was lost", told, before)
	}
	created, err := s.Pool("p").Create(t.Context(), streamtest.Tasks(0, all)...)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(slices.DeleteFunc(created, func(c foldstream.Created) bool { return c.New })); n < told || n > all {
		t.Errorf("%d tasks are known, and %d were stored", n, told)
	}
	verify(t, s, foldstream.Counts{foldstream.Waiting: all})
}

// TestFlow_Lost loses the connection while both flows are under way: whatever was stored without a word of it is this call's all the same, and
// each task has its ticket.
func TestFlow_Lost(t *testing.T) {
	for _, at := range []int{2, 3000, 8000} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			var delay atomic.Int64
			s := flowing(t, distant(t, streamtest.Server(t).URL(), func() time.Duration { return time.Duration(delay.Load()) }))
			delay.Store(int64(3 * time.Millisecond))
			defined := 0
			s.Between(func(step string) error {
				if step == "create: defined" {
					if defined++; defined == at {
						s.Reconnect(t)
					}
				}
				return nil
			})
			all := streamtest.Tasks(0, 9000)
			made, err := s.Pool("p").Create(t.Context(), all...)
			if err != nil {
				t.Fatal(err)
			}
			if i := slices.IndexFunc(made, func(c foldstream.Created) bool { return !c.New }); i >= 0 {
				t.Errorf("task %d is not new", i)
			}
			verify(t, s, foldstream.Counts{foldstream.Waiting: len(all)})
		})
	}
}

// TestFlow_TicketIsThere has a task with a ticket and no definition: the flow of tickets ends there, and those behind it have theirs all the same.
func TestFlow_TicketIsThere(t *testing.T) {
	s := flowing(t, streamtest.Server(t).URL())
	all := streamtest.Tasks(0, 3000)
	create(t, s, all[1500])
	if err := s.DeleteDefinition(t.Context(), "p", all[1500].ID); err != nil {
		t.Fatal(err)
	}
	create(t, s, all...)
	verify(t, s, foldstream.Counts{foldstream.Waiting: len(all)})
}

// TestFlow_ServerKilled kills the server in the middle of flows. Whoever is told of an error creates the tasks again, and then each is there once.
func TestFlow_ServerKilled(t *testing.T) {
	server := streamtest.ServerProcess(t, t.TempDir())
	s := flowing(t, server.URL())
	defined := 0
	s.Between(func(step string) error {
		if defined++; defined%1500 != 0 || defined > 5000 {
			return nil
		}
		if err := server.Kill(); err != nil {
			return err
		}
		return server.Start()
	})
	all := streamtest.Tasks(0, 6000)
	createWhatever(t, s, all)
	verify(t, s, foldstream.Counts{foldstream.Waiting: len(all)})
	if defined < 1500 { // what was stored without a word of it is known later on, and not counted
		t.Error("the server was never killed")
	}
}

// createWhatever creates tasks, again where the server was away.
func createWhatever(t *testing.T, s *stream.Store, tasks []foldstream.Task) {
	t.Helper()
	var err error
	for range 11 {
		if _, err = s.Pool("p").Create(t.Context(), tasks...); err == nil || !away(err) {
			break
		}
	}
	if err != nil {
		t.Error(err)
	}
}

func flowing(t *testing.T, url string) *stream.Store {
	t.Helper()
	s := open(t, url, stream.Config{Patience: 2 * time.Second})
	s.FlowAlways()
	return s
}
