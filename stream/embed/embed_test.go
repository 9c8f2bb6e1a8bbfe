package embed_test

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/embed"
	"github.com/foldstream/foldstream/stream/streamtest"
)

func TestMain(m *testing.M) { streamtest.Main(m) }

func start(t *testing.T, c embed.Config) *embed.Server {
	t.Helper()
	s, err := embed.Start(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeServer(t, s) })
	return s
}

func closeServer(t *testing.T, s *embed.Server) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// stream gives the connection's stream EVENTS, made where it is not there.
func stream(t *testing.T, nc *nats.Conn) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "EVENTS", Subjects: []string{"event.>"}}); err != nil {
		t.Fatal(err)
	}
	return js
}

// messages returns how many messages EVENTS has.
func messages(t *testing.T, js jetstream.JetStream) uint64 {
	t.Helper()
	s, err := js.Stream(t.Context(), "EVENTS")
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}

func publish(t *testing.T, js jetstream.JetStream, n int) {
	t.Helper()
	for i := range n {
		if _, err := js.Publish(t.Context(), fmt.Sprint("event.", i), []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
}

func inProcess(t *testing.T, s *embed.Server) *nats.Conn {
	t.Helper()
	nc, err := s.Conn()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func wantError(t *testing.T, err error, kind foldstream.Kind, words ...string) {
	t.Helper()
	if !foldstream.Is(err, kind) {
		t.Fatalf("got %v, want an error of kind %v", err, kind)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

func TestStart_Restart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "deep", "store")
	for i := range 3 {
		s, err := embed.Start(t.Context(), embed.Config{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		nc, err := nats.Connect(s.URL())
		if err != nil {
			t.Fatal(err)
		}
		js := stream(t, nc)
		if got := messages(t, js); got != uint64(10*i) {
			t.Errorf("start %d: %d messages, want %d", i, got, 10*i)
		}
		publish(t, js, 10)
		nc.Close()
		closeServer(t, s)
		closeServer(t, s)
	}
}

func TestStart_Private(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := start(t, embed.Config{Dir: dir})
	publish(t, stream(t, inProcess(t, s)), 3)
	host, _, err := net.SplitHostPort(strings.TrimPrefix(s.URL(), "nats://"))
	if err != nil || !net.ParseIP(host).IsLoopback() {
		t.Errorf("it listens on %q, want a loopback address (%v)", host, err)
	}
	files := 0
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("others may see %s: %v", path, info.Mode())
		}
		files++
		return err
	})
	if err != nil || files < 4 {
		t.Errorf("saw %d files, %v", files, err)
	}
}

func TestStart_NoListener(t *testing.T) {
	s := start(t, embed.Config{Dir: t.TempDir(), Port: embed.NoListener})
	if s.URL() != "" {
		t.Errorf("a server without a listener has URL %q", s.URL())
	}
	publish(t, stream(t, inProcess(t, s)), 1)
}

func TestStart_Temporary(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	s := start(t, embed.Config{Port: embed.NoListener})
	publish(t, stream(t, inProcess(t, s)), 1)
	if _, err := os.Stat(s.Dir()); err != nil {
		t.Fatal(err)
	}
	closeServer(t, s)
	if _, err := os.Stat(s.Dir()); !os.IsNotExist(err) {
		t.Errorf("the temporary directory %s is left over: %v", s.Dir(), err)
	}
}

func TestStart_MaxPayload(t *testing.T) {
	s := start(t, embed.Config{Dir: t.TempDir(), MaxPayload: 4096, SyncAlways: true})
	if got := inProcess(t, s).MaxPayload(); got != 4096 {
		t.Errorf("largest payload is %d, want 4096", got)
	}
}

func TestStart_ErrConflictSameProcess(t *testing.T) {
	s := start(t, embed.Config{Dir: t.TempDir()})
	_, err := embed.Start(t.Context(), embed.Config{Dir: s.Dir()})
	wantError(t, err, foldstream.Conflict, "store directory in use", s.Dir(), fmt.Sprint("process ", os.Getpid()))
	publish(t, stream(t, inProcess(t, s)), 1) // the first goes on
	closeServer(t, s)
	start(t, embed.Config{Dir: s.Dir()})
}

func TestStart_ErrConflictOtherProcess(t *testing.T) {
	dir := t.TempDir()
	p := streamtest.ServerProcess(t, dir)
	_, err := embed.Start(t.Context(), embed.Config{Dir: dir})
	wantError(t, err, foldstream.Conflict, dir, fmt.Sprint("process ", p.PID()))
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	start(t, embed.Config{Dir: dir})
}

func TestStart_ErrConflictPort(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	dir, port := t.TempDir(), taken.Addr().(*net.TCPAddr).Port
	_, err = embed.Start(t.Context(), embed.Config{Dir: dir, Port: port})
	wantError(t, err, foldstream.Conflict, fmt.Sprint("port ", port))
	start(t, embed.Config{Dir: dir}) // the lock is free again
}

func TestStart_ErrInvalid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []embed.Config{{Dir: file}, {Port: 65536}, {Port: -2}, {MaxPayload: -1}} {
		_, err := embed.Start(t.Context(), c)
		wantError(t, err, foldstream.Invalid)
	}
}

func TestStart_ErrCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := embed.Start(ctx, embed.Config{Dir: t.TempDir()})
	wantError(t, err, foldstream.Cancelled)
}

// TestKill kills the server's process in the middle of publishing: what was acknowledged is there after the restart.
func TestKill(t *testing.T) {
	p := streamtest.ServerProcess(t, t.TempDir())
	nc, err := nats.Connect(p.URL(), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, url := stream(t, nc), p.URL()
	for round := range 3 {
		before := messages(t, js)
		acknowledged := publishUntilKilled(t, js, p)
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		if p.URL() != url {
			t.Fatalf("started again on %s, was on %s", p.URL(), url)
		}
		waitConnected(t, nc)
		if got := messages(t, js); got < before+acknowledged {
			t.Errorf("round %d: %d messages, of which %d were acknowledged now and %d before", round, got, acknowledged, before)
		}
	}
}

// publishUntilKilled publishes and kills the server after a while; it returns how many were acknowledged.
func publishUntilKilled(t *testing.T, js jetstream.JetStream, p *streamtest.Process) (acknowledged uint64) {
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	flowing := make(chan struct{})
	wg.Go(func() {
		for ctx.Err() == nil {
			if _, err := js.Publish(ctx, "event.x", []byte("x")); err == nil {
				if acknowledged++; acknowledged == 500 {
					close(flowing)
				}
			}
		}
	})
	<-flowing
	if err := p.Kill(); err != nil {
		t.Error(err)
	}
	cancel()
	wg.Wait()
	return acknowledged
}

func waitConnected(t *testing.T, nc *nats.Conn) {
	t.Helper()
	err := streamtest.Eventually(t.Context(), func() error {
		_, err := nc.RTT()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestLog(t *testing.T) {
	var buf syncBuffer
	log := slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s := start(t, embed.Config{Dir: t.TempDir(), Log: log})
	closeServer(t, s)
	if got := buf.String(); !strings.Contains(got, "level=DEBUG") || !strings.Contains(got, "nats-server: ") {
		t.Errorf("the log does not tell of the server: %q", got)
	}
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
