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
	return open(t, srv.ClientURL(), stream.Config{Patience: 5 * time.Second}, nats.UserInfo("u", "p"))
}

// What was denied is told soon, though the reply to a publish that was denied never comes.
func TestDenied_Soon(t *testing.T) {
	s := deniedServer(t, "fold.event.>")
	create(t, s, streamtest.Task(1))
	began := time.Now()
	if _, err := s.Cancel(t.Context(), "p", "why", streamtest.Task(1).ID); !foldstream.Is(err, foldstream.Denied) {
		t.Errorf("%v; want denied", err)
	}
	if took := time.Since(began); took > 4*time.Second { // the patience is 5 s
		t.Errorf("it was told after %v", took)
	}
}
