package cli

import (
	"context"
	"fmt"

	"github.com/foldstream/foldstream"
)

// TaskAddCmd adds single tasks to a pool: those of an experiment file, or variations of a task that the pool knows. They are no
// members of any experiment's collection.
type TaskAddCmd struct {
	Managed
	PoolArg
	Draft
	DryRun bool `group:"Change" help:"Show what would be added; change nothing."`
}

// added is what task add tells machines.
type added struct {
	Pool   string    `json:"pool"`
	DryRun bool      `json:"dry_run"`
	Tasks  []drafted `json:"tasks"`
}

// Run adds. Adding what is known changes nothing.
func (c *TaskAddCmd) Run(ctx context.Context, env *Env) error {
	if err := foldstream.ValidName("pool", c.Pool); err != nil {
		return err
	}
	return c.on(ctx, env, func(a administered) error {
		d, err := c.prepare(ctx, env, a, c.Pool)
		if err != nil {
			return err
		}
		out := added{Pool: c.Pool, DryRun: c.DryRun}
		if out.Tasks, err = d.known(ctx, a, c.Pool); err != nil {
			return err
		}
		if !c.DryRun {
			if out.Tasks, err = d.create(ctx, a, c.Pool); err != nil {
				return err
			}
		}
		if c.JSON {
			return printJSON(env.Stdout, out)
		}
		printDrafts(env, out.Tasks)
		verb := "added"
		if c.DryRun {
			verb = "would add"
		}
		fmt.Fprintf(env.Stdout, "%s: %s %s: %s\n", c.Pool, verb, tasksN(len(out.Tasks)), newAndKnown(out.Tasks))
		return nil
	})
}

// create publishes the tasks.
func (d *draft) create(ctx context.Context, store foldstream.Store, pool string) ([]drafted, error) {
	if err := d.supply(ctx, store); err != nil {
		return nil, err
	}
	made, err := store.Pool(pool).Create(ctx, d.tasks...)
	if err != nil {
		return nil, err
	}
	out := make([]drafted, len(made))
	for i, m := range made {
		out[i] = draftedOf(d.tasks[i], m)
	}
	return out, nil
}
