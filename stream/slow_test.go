package stream_test

import (
	"io"
	"net"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestFetch_SlowServer has one task in the lowest of many bands, and a server so far away that looking at all of them takes longer than a
// fetch waits: it comes all the same.
func TestFetch_SlowServer(t *testing.T) {
	t.Parallel()
	near := streamtest.Server(t).URL()
	producer := open(t, near, stream.Config{})
	tasks := streamtest.Tasks(0, 20)
	for i := range tasks[1:] {
		p := i + foldstream.MinPriority
		tasks[i+1].Priority = &p
	}
	create(t, producer, tasks...)
	for range tasks[1:] {
		if err := fetch(t, producer).Commit(t.Context(), foldstream.Result{}); err != nil {
			t.Fatal(err)
		}
	}
	const delay, wait = 20 * time.Millisecond, 100 * time.Millisecond
	s := open(t, distant(t, near, func() time.Duration { return delay }), stream.Config{})
	l, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{Wait: wait})
	if err != nil {
		t.Fatal(err)
	}
	if got := l.Task().ID; got != tasks[0].ID {
		t.Errorf("fetched %s, not %s", got, tasks[0].ID)
	}
	if err := l.Commit(t.Context(), foldstream.Result{}); err != nil {
		t.Error(err)
	}
	if _, err := s.Pool("p").Fetch(t.Context(), foldstream.Filter{Wait: wait}); !foldstream.Is(err, foldstream.NotFound) {
		t.Errorf("a fetch from an empty pool: %v", err)
	}
}

// TestCreate_ManyInFlight makes more tasks at once than the client lets wait for their replies, at a server so far away that it takes longer
// than the client is patient by itself.
func TestCreate_ManyInFlight(t *testing.T) {
	t.Parallel()
	near := streamtest.Server(t).URL()
	var delay atomic.Int64
	s := open(t, distant(t, near, func() time.Duration { return time.Duration(delay.Load()) }), stream.Config{})
	s.SetSlow(time.Hour) // no batches
	delay.Store(int64(150 * time.Millisecond))
	const producers, each = 3, 4200
	var all sync.WaitGroup
	for i := range producers {
		all.Go(func() {
			made, err := s.Pool("p").Create(t.Context(), streamtest.Tasks(i*each, each)...)
			if err != nil {
				t.Error(err)
			}
			if i := slices.IndexFunc(made, func(c foldstream.Created) bool { return !c.New }); i >= 0 {
				t.Errorf("task %d is not new", i)
			}
		})
	}
	all.Wait()
	verify(t, open(t, near, stream.Config{}), foldstream.Counts{foldstream.Waiting: producers * each})
}

// distant returns the URL of a server as it is seen from far away: all that is sent comes later.
func distant(t *testing.T, near string, delay func() time.Duration) string {
	t.Helper()
	target, err := url.Parse(near)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", target.Host)
			if err != nil {
				_ = in.Close()
				return
			}
			conns.Go(func() { late(out, in, delay) })
			conns.Go(func() { late(in, out, delay) })
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		conns.Wait()
	})
	return "nats://" + l.Addr().String()
}

// late copies what comes, each piece after a while, until one side is closed.
func late(to io.WriteCloser, from io.ReadCloser, delay func() time.Duration) {
	defer to.Close()
	defer from.Close()
	type piece struct {
		data []byte
		at   time.Time
	}
	pieces := make(chan piece, 1024)
	var writing sync.WaitGroup
	writing.Go(func() {
		for p := range pieces {
			<-time.After(time.Until(p.at))
			if _, err := to.Write(p.data); err != nil {
				from.Close()
			}
		}
	})
	for {
		data := make([]byte, 32<<10)
		n, err := from.Read(data)
		if err != nil {
			break
		}
		pieces <- piece{data[:n], time.Now().Add(delay())}
	}
	close(pieces)
	writing.Wait()
}
