package collect_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/stream/mem"
)

// broken is a reconciler that fails, the first times because the store is away.
type broken struct{ away, asked int }

func (b *broken) Pools(context.Context) ([]string, error) { return []string{"p"}, nil }

func (b *broken) Reconcile(context.Context, string) (int, error) {
	if b.asked++; b.asked <= b.away {
		return 0, foldstream.Errorf(foldstream.Unavailable, "reconcile", "the store is away")
	}
	return 0, foldstream.Errorf(foldstream.Denied, "reconcile", "no permission")
}

// A store that is away is waited for; what it forbids ends the aggregator, also while it only looks after the pools.
func TestErrAggregator_Denied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &broken{away: 3}
		err := (&collect.Aggregator{Store: mem.New(mem.Options{}), Reconciler: b}).Run(t.Context())
		if !foldstream.Is(err, foldstream.Denied) || b.asked != 4 {
			t.Errorf("%v, when it had asked %d times", err, b.asked)
		}
	})
}
