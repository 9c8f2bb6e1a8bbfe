package record

import (
	"context"
	"time"

	"github.com/foldstream/foldstream"
)

// change stores under a key of the bucket Experiments what next makes of the newest value, as often as somebody else was first. Of a key that
// is not there next gets a Value without a revision. Where next returns nil nothing is stored. Errors: those of next and of the bucket.
func change(ctx context.Context, store foldstream.Store, key string, next func(foldstream.Value) ([]byte, error)) error {
	values := store.Values(foldstream.Experiments)
	for pause := time.Millisecond; ; pause = min(2*pause, 100*time.Millisecond) {
		v, err := values.Get(ctx, key)
		if foldstream.Is(err, foldstream.NotFound) {
			v, err = foldstream.Value{Key: key}, nil
		}
		if err != nil {
			return err
		}
		data, err := next(v)
		if err != nil || data == nil {
			return err
		}
		_, err = values.Put(ctx, foldstream.Value{Key: key, Data: data, Revision: v.Revision})
		if !foldstream.Is(err, foldstream.Conflict) {
			return err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return foldstream.E(foldstream.Cancelled, "record", ctx.Err())
		}
	}
}
