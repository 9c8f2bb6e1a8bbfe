package stream_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestConformance_Admin runs the suite of administration, with the operator at a second store.
func TestConformance_Admin(t *testing.T) {
	url := streamtest.Server(t).URL()
	var n atomic.Int64
	streamtest.RunAdmin(t, func(t *testing.T, opts streamtest.Options) streamtest.Harness {
		cfg := stream.Config{Prefix: fmt.Sprint("a", n.Add(1)), Lease: opts.Lease}
		first, second := open(t, url, cfg), open(t, url, cfg)
		return streamtest.Harness{
			Store: first, Second: second, Lease: opts.Lease, MaxPayload: 1 << 20, MaxCrashes: 5,
			Abandon: stream.Abandon, AbandonOrder: stream.AbandonOrder, DeleteTicket: first.DeleteTicket,
		}
	})
}
