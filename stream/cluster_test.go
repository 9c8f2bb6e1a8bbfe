//go:build cluster

package stream_test

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestConformance_Cluster runs the suite on three servers with three replicas of everything: where a refused compare may mean
// "not decided", and where a replica may answer with what was true a moment ago.
func TestConformance_Cluster(t *testing.T) {
	nodes := cluster(t, 3)
	var n atomic.Int64
	streamtest.Run(t, func(t *testing.T, opts streamtest.Options) streamtest.Harness {
		cfg := stream.Config{Prefix: fmt.Sprint("r", n.Add(1)), Lease: opts.Lease, Replicas: 3, Patience: 30 * time.Second}
		first, second := open(t, nodes[0].ClientURL(), cfg), open(t, nodes[1].ClientURL(), cfg)
		return streamtest.Harness{
			Store: first, Second: second, Lease: opts.Lease, MaxPayload: 1 << 20, MaxCrashes: 5,
			Abandon: stream.Abandon, DeleteTicket: first.DeleteTicket,
			Corrupt: func(ctx context.Context, d foldstream.Digest) error {
				return corrupt(ctx, nodes[2].ClientURL(), cfg.Prefix, d)
			},
		}
	})
}

// cluster runs servers that replicate, until the test ends.
func cluster(t *testing.T, size int) []*server.Server {
	t.Helper()
	var routes []*url.URL
	ports := make([]int, size)
	for i := range size {
		ports[i] = freePort(t)
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", ports[i])})
	}
	nodes := make([]*server.Server, size)
	for i := range nodes {
		srv, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(),
			NoLog: true, NoSigs: true, Routes: routes, Cluster: server.ClusterOpts{Name: "c", Host: "127.0.0.1", Port: ports[i]},
		})
		if err != nil {
			t.Fatal(err)
		}
		nodes[i] = srv
		srv.Start()
		t.Cleanup(func() {
			srv.Shutdown()
			srv.WaitForShutdown()
		})
	}
	err := streamtest.Eventually(t.Context(), func() error {
		for _, n := range nodes {
			if n.JetStreamIsLeader() && len(n.JetStreamClusterPeers()) == size {
				return nil
			}
		}
		return fmt.Errorf("no leader of %d servers", size)
	})
	if err != nil {
		t.Fatal(err)
	}
	return nodes
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}
