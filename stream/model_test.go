package stream_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestModel drives two stores on a server beside the model of a task's life.
func TestModel(t *testing.T) {
	url := streamtest.Server(t).URL()
	var n atomic.Int64
	streamtest.RunModel(t, func(t *testing.T, opts streamtest.Options) streamtest.Harness {
		cfg := stream.Config{Prefix: fmt.Sprint("m", n.Add(1)), Lease: opts.Lease}
		first, second := open(t, url, cfg), open(t, url, cfg)
		return streamtest.Harness{
			Store: first, Second: second, Lease: opts.Lease, MaxPayload: 1 << 20, MaxCrashes: 5,
			Abandon: stream.Abandon, AbandonOrder: stream.AbandonOrder, DeleteTicket: first.DeleteTicket,
		}
	}, streamtest.ModelSize{Checks: 3, Steps: 40})
}
