package streamtest

import (
	"context"
	"fmt"
	"strings"

	"github.com/foldstream/foldstream"
)

var verifyChecks = []Check{
	{"verify/balanced", verifyBalanced},
	{"verify/a ticket lost", verifyTicket},
}

func verifyBalanced(ctx context.Context, h Harness) error {
	if err := stand(ctx, h, foldstream.Counts{}); err != nil {
		return fmt.Errorf("a pool without tasks: %w", err)
	}
	if _, err := everyStatus(ctx, h); err != nil { // it verifies
		return err
	}
	if err := did("remove", 1)(admin(h).Remove(ctx, pool, "cleared", Task(3).ID)); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{
		foldstream.Waiting: 1, foldstream.Running: 1, foldstream.Removed: 1, foldstream.Dead: 1, foldstream.Withdrawn: 1, foldstream.PartDone: 1,
	})
}

// verifyTicket loses the ticket of one task of two: it is named, and no more once it is mended.
func verifyTicket(ctx context.Context, h Harness) error {
	if err := create(ctx, h.Store, Task(1), Task(2)); err != nil {
		return err
	}
	if err := h.DeleteTicket(ctx, pool, Task(1).ID); err != nil {
		return err
	}
	err := Eventually(ctx, func() error {
		c, err := admin(h).Verify(ctx, pool)
		if err == nil && (len(c.Faults) != 1 || !strings.Contains(c.Faults[0], string(Task(1).ID))) {
			err = fmt.Errorf("task %s has no ticket; verify found %q", Task(1).ID, c.Faults)
		}
		return err
	})
	if err != nil {
		return err
	}
	if err := mended(ctx, h, 1); err != nil {
		return err
	}
	if err := stand(ctx, h, foldstream.Counts{foldstream.Waiting: 2}); err != nil {
		return err
	}
	if _, err := drain(ctx, h.Store, 2); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 2})
}
