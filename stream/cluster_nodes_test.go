package stream_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// cluster is three servers that replicate.
type cluster struct {
	options []*server.Options
	nodes   []*server.Server
	stores  atomic.Int64 // prefixes given out
}

// newCluster runs a cluster until the test ends.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	const size = 3
	c := &cluster{options: make([]*server.Options, size), nodes: make([]*server.Server, size)}
	var routes []*url.URL
	for i := range c.options {
		port := freePort(t)
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", port)})
		c.options[i] = &server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: freePort(t), JetStream: true, StoreDir: t.TempDir(),
			NoLog: true, NoSigs: true, Cluster: server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: port},
		}
	}
	for i, o := range c.options {
		o.Routes = routes
		if err := c.start(i); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.stop(i) })
	}
	if err := streamtest.Eventually(t.Context(), c.complete); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cluster) start(i int) error {
	srv, err := server.NewServer(c.options[i])
	if err != nil {
		return err
	}
	c.nodes[i] = srv
	srv.Start()
	if !srv.ReadyForConnections(10 * time.Second) {
		return errors.New("a server does not answer")
	}
	return nil
}

func (c *cluster) stop(i int) {
	c.nodes[i].Shutdown()
	c.nodes[i].WaitForShutdown()
}

func (c *cluster) complete() error {
	for _, n := range c.nodes {
		if n.JetStreamIsLeader() && len(n.JetStreamClusterPeers()) == len(c.nodes) {
			return nil
		}
	}
	return fmt.Errorf("no leader of %d servers", len(c.nodes))
}

// leader returns the node that leads a stream.
func (c *cluster) leader(stream string) (int, error) {
	for i, n := range c.nodes {
		if n.Running() && n.JetStreamIsStreamLeader("$G", stream) {
			return i, nil
		}
	}
	return 0, fmt.Errorf("nobody leads %s", stream)
}

// open opens a store at a node.
func (c *cluster) open(t *testing.T, node int, cfg stream.Config) *stream.Store {
	t.Helper()
	cfg.Replicas, cfg.Patience = len(c.nodes), 30*time.Second
	return open(t, c.nodes[node].ClientURL(), cfg)
}

// prefix returns one of its own for a test. Where there are many, its streams are deleted when it ends: with hundreds of them servers
// are slow.
func (c *cluster) prefix(t *testing.T) string {
	t.Helper()
	prefix := fmt.Sprint("r", c.stores.Add(1))
	if !*whole {
		return prefix
	}
	nc := connect(t, c.nodes[0].ClientURL())
	t.Cleanup(func() {
		js, err := jetstream.New(nc)
		if err != nil {
			t.Error(err)
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		names := js.StreamNames(ctx)
		for name := range names.Name() {
			if strings.Contains(name, strings.ToUpper(prefix)+"_") {
				_ = js.DeleteStream(ctx, name) // what is left is deleted with the cluster
			}
		}
	})
	return prefix
}

func (c *cluster) harness(t *testing.T, opts streamtest.Options, refusals *tally) streamtest.Harness {
	t.Helper()
	cfg := stream.Config{Prefix: c.prefix(t), Lease: 4 * opts.Lease} // for three servers in one process, and their replicas
	first, second := c.open(t, 0, cfg), c.open(t, 1, cfg)
	first.HearRefusals(refusals.hear)
	second.HearRefusals(refusals.hear)
	return streamtest.Harness{
		Store: first, Second: second, Lease: cfg.Lease, MaxPayload: 1 << 20, MaxCrashes: 5,
		Abandon: stream.Abandon, AbandonOrder: stream.AbandonOrder, DeleteTicket: first.DeleteTicket,
		Corrupt: func(ctx context.Context, d foldstream.Digest) error {
			return corrupt(ctx, c.nodes[2].ClientURL(), cfg.Prefix, d)
		},
	}
}

// freePort returns a port below those that systems hand out by themselves: nobody has got it when a node that was stopped comes again.
func freePort(t *testing.T) int {
	t.Helper()
	for range 1000 {
		port := 20_000 + rand.IntN(12_000)
		if l, err := net.Listen("tcp", fmt.Sprint("127.0.0.1:", port)); err == nil {
			_ = l.Close()
			return port
		}
	}
	t.Fatal("no port is free")
	return 0
}
