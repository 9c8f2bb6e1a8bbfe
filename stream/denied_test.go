package stream_test

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// deniedServer opens a store as a user who may not publish to a subject, on a server that runs until the test ends.
func deniedServer(t *testing.T, subject string) *stream.Store {
	t.Helper()
	return open(t, forbidding(t, subject).ClientURL(), stream.Config{Patience: patienceDenied}, nats.UserInfo("u", "p"))
}

// forbidding runs a server until the test ends whose user u may not publish to a subject; admin may do anything.
func forbidding(t *testing.T, subject string) *server.Server {
	t.Helper()
	return streamtest.Configured(t, &server.Options{
		JetStream: true,
		Users: []*server.User{{Username: "u", Password: "p", Permissions: &server.Permissions{
			Publish: &server.SubjectPermission{Allow: []string{">"}, Deny: []string{subject}},
		}}, {Username: "admin", Password: "p"}},
	})
}

// patienceDenied is far longer than a denial takes, and a quarter of it, which one reply is waited for, is, too.
const patienceDenied = time.Minute

// What was denied is told at once, though the reply to what was denied never comes; whatever was denied, and by whatever it was asked for.
func TestDenied_AtOnce(t *testing.T) {
	cancel := func(s *stream.Store) error {
		_, err := s.Cancel(t.Context(), "p", "why", streamtest.Task(1).ID, streamtest.Task(2).ID)
		return err
	}
	list := func(s *stream.Store) error {
		for _, err := range s.Tasks(t.Context(), "p") {
			if err != nil {
				return err
			}
		}
		return nil
	}
	fetch := func(s *stream.Store) error {
		_, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{Wait: time.Hour})
		return err
	}
	for subject, do := range map[string]func(*stream.Store) error{
		"fold.event.>":                              cancel,
		"$JS.API.STREAM.MSG.GET.FOLD_EVENTS":        cancel,
		"$JS.API.STREAM.MSG.DELETE.FOLD_WORK":       cancel,
		"$JS.API.CONSUMER.CREATE.FOLD_DEFS.>":       list,
		"$JS.API.CONSUMER.MSG.NEXT.FOLD_DEFS.*":     list,
		"$JS.API.CONSUMER.MSG.NEXT.FOLD_WORK.p=_=0": fetch,
	} {
		t.Run(subject, func(t *testing.T) {
			t.Parallel()
			s := deniedServer(t, subject)
			create(t, s, streamtest.Task(1), streamtest.Task(2))
			began := time.Now()
			if err := do(s); !foldstream.Is(err, foldstream.Denied) {
				t.Errorf("%v; want denied", err)
			}
			if took := time.Since(began); took > patienceDenied/8 {
				t.Errorf("it was told after %v", took)
			}
		})
	}
}

// Answers to tickets and orders and the signs of life have no reply that could fail to come. Who may not publish them is told all the same,
// when it asks for more: what it has would come again for ever.
func TestDenied_Unheard(t *testing.T) {
	fetch := func(s *stream.Store) error {
		l, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{})
		if err == nil {
			err = l.Commit(t.Context(), foldstream.Result{})
		}
		return err
	}
	order := func(s *stream.Store) error {
		if err := s.OrderNow(t.Context(), "n"); err != nil {
			return err
		}
		o, err := s.NextOrder(t.Context(), 10*time.Second)
		if err == nil {
			err = o.Done(t.Context(), foldstream.Outcome{})
		}
		return err
	}
	for subject, do := range map[string]func(*stream.Store) error{"$JS.ACK.FOLD_WORK.>": fetch, "$KV.FOLD_WORKERS.>": fetch, "$JS.ACK.FOLD_SCHEDULES.>": order} {
		t.Run(subject, func(t *testing.T) {
			t.Parallel()
			s := deniedServer(t, subject)
			create(t, s, streamtest.Tasks(0, 1000)...)
			if err := s.Schedule(t.Context(), foldstream.Schedule{Name: "n", When: "@every 1h", Kind: "k"}, false); err != nil {
				t.Fatal(err)
			}
			err := streamtest.Eventually(t.Context(), func() error {
				if err := do(s); !foldstream.Is(err, foldstream.Denied) || !strings.Contains(err.Error(), strings.TrimSuffix(subject, ">")) {
					return fmt.Errorf("%w; want denied", cmp.Or(err, errors.New("nothing")))
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// Who may not read which pools there are is told so when it opens the store.
func TestErrDenied_Open(t *testing.T) {
	const subject = "$JS.API.CONSUMER.CREATE.KV_FOLD_POOLS.>"
	url := forbidding(t, subject).ClientURL()
	nc := connect(t, url, nats.UserInfo("u", "p"))
	var err error
	for range 2 { // no consumer is asked for while the bucket has nothing
		s, openErr := stream.Open(t.Context(), nc, stream.Config{Patience: patienceDenied})
		if err = openErr; err != nil {
			break
		}
		create(t, s, streamtest.Task(1))
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if !foldstream.Is(err, foldstream.Denied) || !strings.Contains(err.Error(), strings.TrimSuffix(subject, ">")) {
		t.Errorf("%v; want denied", err)
	}
}

// A connection that is lost is lost, also where something else had been denied just before: who is denied gives up, who lost the
// connection waits for it.
func TestDenied_IsNoLostConnection(t *testing.T) {
	const forbidden = "$KV.FOLD_COLLECTIONS.>"
	srv := forbidding(t, forbidden)
	s := open(t, srv.ClientURL(), stream.Config{Patience: 2 * time.Second}, nats.UserInfo("u", "p"))
	if _, err := s.Values(foldstream.Collections).Put(t.Context(), foldstream.Value{Key: "x"}); !foldstream.Is(err, foldstream.Denied) {
		t.Fatalf("%v; want denied", err)
	}
	srv.Shutdown()
	srv.WaitForShutdown()
	if _, err := s.Pool("p").Stat(t.Context()); !foldstream.Is(err, foldstream.Unavailable) {
		t.Errorf("without a server: %v; want unavailable", err)
	}
}

// TestDenied_StrangerOnATask has a message that is nobody's on a task's subject, above nothing and above an event of the task, where who works the
// pool may not delete events, as a consumer in its role: it works all other tasks, and this one once somebody has set the message aside.
func TestDenied_StrangerOnATask(t *testing.T) {
	ctx := t.Context()
	srv := forbidding(t, "$JS.API.STREAM.MSG.DELETE.FOLD_EVENTS")
	nc := connect(t, srv.ClientURL(), nats.UserInfo("u", "p"))
	s := open(t, srv.ClientURL(), stream.Config{Lease: 500 * time.Millisecond}, nats.UserInfo("u", "p"))
	first, returned, last := streamtest.Task(1), streamtest.Task(2), streamtest.Task(3)
	create(t, s, returned)
	l, err := s.Pool("p").Fetch(ctx, foldstream.Filter{Wait: time.Minute})
	if err == nil {
		err = l.Return(ctx, nil, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range []foldstream.Task{returned, first} {
		if _, err := nc.Request("fold.event.p."+string(task.ID), []byte("nobody's"), time.Minute); err != nil {
			t.Fatal(err)
		}
	}
	create(t, s, first, last)
	for done := false; !done; {
		l, err := s.Pool("p").Fetch(ctx, foldstream.Filter{Wait: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		err = l.Commit(ctx, foldstream.Result{})
		switch done = l.Task().ID == last.ID; {
		case done && err != nil:
			t.Errorf("a task without a stranger: %v", err)
		case !done && !foldstream.Is(err, foldstream.Invalid):
			t.Errorf("a task with a stranger: %v, want invalid", err)
		}
	}
	// Their tickets come again and are put off again; nothing else of this user is denied for it.
	if _, err := s.Pool("p").Fetch(ctx, foldstream.Filter{Wait: time.Second}); !foldstream.Is(err, foldstream.NotFound) {
		t.Errorf("a fetch of what is left: %v, want not found", err)
	}
	if s.DeniedFor(time.Minute) {
		t.Error("what is not answered from now on counts as denied")
	}
	admin := open(t, srv.ClientURL(), stream.Config{Lease: 500 * time.Millisecond}, nats.UserInfo("admin", "p"))
	for range 2 {
		l, err := admin.Pool("p").Fetch(ctx, foldstream.Filter{Wait: time.Minute})
		if err == nil {
			err = l.Commit(ctx, foldstream.Result{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if counts, err := admin.Pool("p").Stat(ctx); err != nil || counts[foldstream.Done] != 3 {
		t.Errorf("in the end: %v, %v; want 3 done", counts, err)
	}
}
