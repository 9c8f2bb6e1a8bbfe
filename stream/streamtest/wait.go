package streamtest

import (
	"context"
	"fmt"
	"time"
)

// patience is how long Eventually and the suite's fetches wait for what must come.
const patience = 15 * time.Second

// Eventually tries until try returns nil: a message is visible a moment after its publish is acknowledged. It gives up after
// 15 s or when the context ends, and returns the last error.
func Eventually(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("did not come about: %w", err)
		}
	}
}
