package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/foldstream/foldstream"
)

// TaskReplaceCmd puts a task in the place of another. By default it starts from the task that is replaced.
type TaskReplaceCmd struct {
	Managed
	OneTask
	Draft
	Why
	DryRun bool `group:"Change" help:"Show what would be replaced by what; change nothing."`
	Force  bool `short:"f" group:"Change" help:"Also where the task is a member of an experiment's collection, which then lacks it."`
}

// replaced is what task replace tells machines.
type replaced struct {
	Pool    string            `json:"pool"`
	DryRun  bool              `json:"dry_run"`
	Old     foldstream.TaskID `json:"old"`
	Task    drafted           `json:"task"`
	Members []memberJSON      `json:"member_of"` // what the old one is a member of
}

// Run replaces. Repeating it completes what an interrupted one left, and changes nothing else. Errors: Conflict.
func (c *TaskReplaceCmd) Run(ctx context.Context, env *Env) error {
	return c.onTask(ctx, env, c.OneTask, func(a administered, old foldstream.TaskState) error {
		if c.File == "" && c.From == "" {
			c.From = c.ID
		}
		d, err := c.prepare(ctx, env, a, c.Pool)
		if err != nil {
			return err
		}
		switch {
		case len(d.tasks) != 1:
			return foldstream.Errorf(foldstream.Invalid, "", "one task takes the place of one, not %d", len(d.tasks))
		case d.tasks[0].ID == c.ID:
			return foldstream.Errorf(foldstream.Invalid, "", "nothing of the content of task %s is changed, so it is the same task: say what, as -S model.kwargs.alpha=0.1; `foldstream remove` and `task add` give it a new life as it is", c.ID)
		}
		out := replaced{Pool: c.Pool, DryRun: c.DryRun, Old: c.ID}
		if out.Members, err = memberships(ctx, a, c.Pool, c.ID); err != nil {
			return err
		}
		if err := c.mayLeave(out.Members); err != nil {
			return err
		}
		if out.Task, err = c.replace(ctx, a, d); err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, out)
		}
		c.print(env, old, out)
		return nil
	})
}

// mayLeave refuses to take a member from its collection, which names its members once and for all.
func (c *TaskReplaceCmd) mayLeave(members []memberJSON) error {
	if len(members) == 0 || c.Force {
		return nil
	}
	var names []string
	for _, m := range members {
		names = append(names, fmt.Sprintf("%s (%s, window %d of %d)", m.Experiment, m.name, m.Window+1, m.Of))
	}
	return foldstream.Errorf(foldstream.Conflict, "", "task %s is a member of the collection of %s, which would lack it for ever: submit an experiment of another name for other content, or say --force",
		c.ID, strings.Join(names, " and of "))
}

// replace replaces, or looks what it would come to.
func (c *TaskReplaceCmd) replace(ctx context.Context, a administered, d *draft) (drafted, error) {
	if c.DryRun {
		known, err := d.known(ctx, a, c.Pool)
		if err != nil {
			return drafted{}, err
		}
		return known[0], nil
	}
	if err := d.supply(ctx, a); err != nil {
		return drafted{}, err
	}
	made, err := a.Replace(ctx, c.Pool, c.text(), c.ID, d.tasks[0])
	return draftedOf(d.tasks[0], made), err
}

func (c *TaskReplaceCmd) print(env *Env, old foldstream.TaskState, out replaced) {
	printDrafts(env, []drafted{out.Task})
	verb := "replaced"
	if c.DryRun {
		verb = "would replace"
	}
	fmt.Fprintf(env.Stdout, "%s: %s %s, which was %s, by %s: %s\n", c.Pool, verb, c.ID, old.Status, out.Task.ID, newAndKnown([]drafted{out.Task}))
	for _, m := range out.Members {
		fmt.Fprintf(env.Stdout, "%s lacks it from now on: %s, window %d of %d\n", m.Experiment, m.name, m.Window+1, m.Of)
	}
}
