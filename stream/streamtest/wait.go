package streamtest

import (
	"context"
	"fmt"
	"time"
)

// patience is how long Eventually and the suite's fetches wait for what must come.
const patience = 15 * time.Second

// Eventually tries until try returns nil: a message is visible a moment after its publish is acknowledged. It tries often at first,
// gives up after 15 s or when the context ends, and returns the last error.
func Eventually(ctx context.Context, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for pause := 2 * time.Millisecond; ; pause = min(pause*3/2, 100*time.Millisecond) {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return fmt.Errorf("did not come about: %w", err)
		}
	}
}
