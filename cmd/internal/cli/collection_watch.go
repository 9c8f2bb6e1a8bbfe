package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// CollectionWatchCmd follows a collection while it grows.
type CollectionWatchCmd struct {
	Connection
	Output
	ExperimentArg
}

// Run tells how much of the collection is there, and again whenever that changes, until it is settled: with --json as an object a line, on a
// terminal in one line that is written over. Errors: Failed, Incomplete, as wait.
func (c *CollectionWatchCmd) Run(ctx context.Context, env *Env) (err error) {
	if c.Experiment, err = chosen(c.Experiment); err != nil {
		return err
	}
	store, closeStore, err := c.openStore(ctx, env, c.logger(env))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	e, err := experimentNamed(ctx, store, c.Experiment)
	if err != nil {
		return err
	}
	if e.Members == "" {
		return foldstream.Errorf(foldstream.Invalid, "", "experiment %s has no tasks, and so no collection", e.Name)
	}
	var last collect.Summary
	for sum, err := range collect.Watch(ctx, store, e.Name) {
		if err == nil {
			last = sum
			err = c.tell(env, sum)
		}
		if err != nil {
			return err
		}
		if sum.Settled {
			return verdict(e.Name, sum)
		}
	}
	return foldstream.Errorf(foldstream.Cancelled, "", "interrupted; %d of %d members of %s are there", last.Present, last.Expected, e.Name)
}

// tell writes one summary. On a terminal it is written over by the next, until the last.
func (c *CollectionWatchCmd) tell(env *Env, s collect.Summary) (err error) {
	out := summaryOf(c.Experiment, s)
	line := fmt.Sprintf("%s: %d of %d members (%s), %d failed", out.Experiment, out.Present, out.Expected, percent(out.Coverage), out.Failed)
	switch {
	case c.JSON:
		err = json.NewEncoder(env.Stdout).Encode(out)
	case env.TTY && !s.Settled:
		_, err = fmt.Fprintf(cmp.Or(env.Terminal, env.Stderr), "\r\x1b[K%s", line)
	case env.TTY:
		_, err = fmt.Fprint(cmp.Or(env.Terminal, env.Stderr), "\r\x1b[K")
		fallthrough
	default:
		_, err2 := fmt.Fprintln(env.Stdout, line)
		err = errors.Join(err, err2)
	}
	return err
}
