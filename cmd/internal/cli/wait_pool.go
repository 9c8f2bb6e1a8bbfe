package cli

import (
	"context"
	"errors"
	"time"

	"github.com/foldstream/foldstream"
)

// How often a pool that is waited for is counted: each second, and so seldom that counting takes a tenth of the time at most.
const (
	countEvery = time.Second
	countShare = 10
)

// waitForPool waits until no task of the pool is open. Errors: NotFound, Failed, Timeout, Cancelled.
func (c *WaitCmd) waitForPool(ctx context.Context, env *Env, store foldstream.Store) error {
	if err := foldstream.ValidName("--pool", c.Pool); err != nil {
		return err
	}
	p := newProgress(env, c.Pool)
	stop := observe(ctx, store, c.Pool, p)
	counts, err := c.count(ctx, store.Pool(c.Pool), p)
	stop()
	p.close()
	if err != nil {
		return err
	}
	if c.JSON {
		if err := printJSON(env.Stdout, poolStat{c.Pool, counts, counts.Total()}); err != nil {
			return err
		}
	}
	failed, open := counts[foldstream.Dead], counts.Open()
	switch {
	case open > 0:
		return foldstream.Errorf(foldstream.Failed, "", "%s: %d of %d tasks failed, %d are open; not waited for the rest", c.Pool, failed, counts.Total(), open)
	case failed > 0:
		return foldstream.Errorf(foldstream.Failed, "", "%s: %d of %d tasks failed", c.Pool, failed, counts.Total())
	}
	return nil
}

// count counts the pool's tasks until none is open or too many have failed.
func (c *WaitCmd) count(ctx context.Context, pool foldstream.Pool, p progress) (counts foldstream.Counts, err error) {
	for {
		began := time.Now()
		now, err := pool.Stat(ctx)
		switch {
		case ctx.Err() != nil:
			return counts, c.gaveUp(ctx, counts)
		case err != nil:
			return counts, err
		case now.Total() == 0:
			return now, foldstream.Errorf(foldstream.NotFound, "", "there is no pool %q: no task was ever created in it", c.Pool)
		}
		counts = now
		removed := counts[foldstream.Removed]
		failed := counts[foldstream.Dead] + counts[foldstream.Withdrawn]
		p.set(counts[foldstream.Done], failed, counts.Total()-removed)
		if counts.Open() == 0 || c.tooMany(counts[foldstream.Dead]) {
			return counts, nil
		}
		pause(ctx, max(countEvery, countShare*time.Since(began)))
	}
}

// gaveUp is the error of a wait that its time, or a person, ended.
func (c *WaitCmd) gaveUp(ctx context.Context, counts foldstream.Counts) error {
	kind, how := foldstream.Cancelled, "when it was interrupted"
	if errors.Is(context.Cause(ctx), errWaited) {
		kind, how = foldstream.Timeout, "when the time ran out"
	}
	return foldstream.Errorf(kind, "", "%s: %d of %d tasks are open, %d failed, %s", c.Pool, counts.Open(), counts.Total(), counts[foldstream.Dead], how)
}
