package stream_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestConformance_Admin runs the suite of administration, with the operator at a second store. Both ask an index.
func TestConformance_Admin(t *testing.T) {
	streamtest.RunAdmin(t, administered(t, func(t *testing.T, s *stream.Store) { serve(t, s) }))
}

// TestConformance_NoIndex runs what an index is asked for where there is none.
func TestConformance_NoIndex(t *testing.T) {
	streamtest.RunSome(t, administered(t, func(*testing.T, *stream.Store) {}), func(name string) bool {
		return strings.HasPrefix(name, "index/")
	})
}

// administered opens two stores for each check, on one server, and does something beside.
func administered(t *testing.T, beside func(t *testing.T, s *stream.Store)) streamtest.Open {
	url := streamtest.Server(t).URL()
	var n atomic.Int64
	return func(t *testing.T, opts streamtest.Options) streamtest.Harness {
		cfg := stream.Config{Prefix: fmt.Sprint("a", n.Add(1)), Lease: opts.Lease}
		compared(t, url, cfg.Prefix)
		first, second := open(t, url, cfg), open(t, url, cfg)
		beside(t, first)
		return streamtest.Harness{
			Store: first, Second: second, Lease: opts.Lease, MaxPayload: 1 << 20, MaxCrashes: 5,
			Abandon: stream.Abandon, AbandonOrder: stream.AbandonOrder, DeleteTicket: first.DeleteTicket,
		}
	}
}
