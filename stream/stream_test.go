package stream_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

func TestMain(m *testing.M) { streamtest.Main(m) }

// connect opens a connection that ends with the test.
func connect(t testing.TB, url string, opts ...nats.Option) *nats.Conn {
	t.Helper()
	nc, err := nats.Connect(url, append([]nats.Option{nats.MaxReconnects(-1), nats.ReconnectWait(20e6), nats.ErrorHandler(
		func(*nats.Conn, *nats.Subscription, error) {})}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// open opens a store that ends with the test.
func open(t testing.TB, url string, cfg stream.Config, opts ...nats.Option) *stream.Store {
	t.Helper()
	s, err := stream.Open(t.Context(), connect(t, url, opts...), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestConformance runs the suite of all stores, with a second store as another process would have it.
func TestConformance(t *testing.T) {
	streamtest.Run(t, harness(streamtest.Server(t).URL(), func(*stream.Store) {}))
}

// harness opens stores with prefixes of their own on one server, and sets each up.
func harness(url string, set func(*stream.Store)) streamtest.Open {
	var n atomic.Int64
	return func(t *testing.T, opts streamtest.Options) streamtest.Harness {
		cfg := stream.Config{Prefix: fmt.Sprint("p", n.Add(1)), Lease: opts.Lease}
		compared(t, url, cfg.Prefix)
		first, second := open(t, url, cfg), open(t, url, cfg)
		set(first)
		set(second)
		return streamtest.Harness{
			Store: first, Second: second, Lease: opts.Lease, MaxPayload: 1 << 20, MaxCrashes: 5,
			Abandon: stream.Abandon, DeleteTicket: first.DeleteTicket,
			Corrupt: func(ctx context.Context, d foldstream.Digest) error { return corrupt(ctx, url, cfg.Prefix, d) },
		}
	}
}

// corrupt replaces the first chunk of an artifact by one with a changed byte.
func corrupt(ctx context.Context, url, prefix string, d foldstream.Digest) error {
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	return stream.Corrupt(ctx, js, prefix, d)
}
