package stream_test

import (
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
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoLog: true, NoSigs: true,
		Users: []*server.User{{Username: "u", Password: "p", Permissions: &server.Permissions{
			Publish: &server.SubjectPermission{Allow: []string{">"}, Deny: []string{subject}},
		}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
	if !srv.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server does not answer")
	}
	return open(t, srv.ClientURL(), stream.Config{Patience: patienceDenied}, nats.UserInfo("u", "p"))
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
