package mem_test

import (
	"context"
	"testing"

	"go.uber.org/goleak"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream/mem"
	"github.com/foldstream/foldstream/stream/streamtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestStore(t *testing.T) { streamtest.RunBubble(t, open) }

func TestStore_Admin(t *testing.T) { streamtest.RunAdminBubble(t, open) }

func open(_ *testing.T, opts streamtest.Options) streamtest.Harness {
	const payload, crashes = 1 << 20, 5
	s := mem.New(mem.Options{Lease: opts.Lease, MaxPayload: payload, MaxCrashes: crashes})
	return streamtest.Harness{
		Store: s, Lease: opts.Lease, MaxPayload: payload, MaxCrashes: crashes, Abandon: mem.Abandon, AbandonOrder: mem.AbandonOrder,
		DeleteTicket: func(_ context.Context, pool string, id foldstream.TaskID) error { return s.DeleteTicket(pool, id) },
		Corrupt:      func(_ context.Context, d foldstream.Digest) error { return s.Corrupt(d) },
	}
}

func TestStore_Model(t *testing.T) {
	streamtest.RunModelBubble(t, open, streamtest.ModelSize{Checks: 60, Steps: 60})
}
