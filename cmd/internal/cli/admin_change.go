package cli

import (
	"context"
	"fmt"

	"github.com/foldstream/foldstream"
)

// action is a change to tasks of a pool, in words and as a deed.
type action struct {
	verb, past string                                          // "cancel", "cancelled"
	before     func(ctx context.Context, a administered) error // what applies has to know; nil is nothing
	applies    func(foldstream.TaskState) bool
	do         func(ctx context.Context, a administered, ids []foldstream.TaskID) (int, error)
}

// changed is what a command that changes tasks tells machines.
type changed struct {
	Pool    string              `json:"pool"`
	Action  string              `json:"action"`
	DryRun  bool                `json:"dry_run"`
	Meant   int                 `json:"meant"`   // tasks that were chosen
	Changed int                 `json:"changed"` // of them; 0 with dry_run
	Tasks   []foldstream.TaskID `json:"tasks"`   // those to which the change applies
}

// change finds the tasks that are meant, asks, and changes those that the action applies to.
func (m Managed) change(ctx context.Context, env *Env, p PoolArg, s Selection, c Change, act action) error {
	if err := s.one(); err != nil {
		return err
	}
	return m.onPool(ctx, env, p, func(a administered) error {
		if act.before != nil {
			if err := act.before(ctx, a); err != nil {
				return err
			}
		}
		tasks, meant, err := s.choose(ctx, a, p.Pool, act.applies)
		if err != nil {
			return err
		}
		out := changed{Pool: p.Pool, Action: act.verb, DryRun: c.DryRun, Meant: meant, Tasks: ids(tasks)}
		if c.DryRun {
			return m.tellDry(env, out, tasks)
		}
		if err := confirm(ctx, env, c.Force, len(tasks), fmt.Sprintf("%s %d tasks of pool %s", act.verb, len(tasks), p.Pool)); err != nil {
			return err
		}
		if out.Changed, err = act.do(ctx, a, out.Tasks); err != nil {
			return foldstream.Errorf(foldstream.KindOf(err), "", "%s %d of %d tasks: %w; say it again to complete it", act.past, out.Changed, len(tasks), err)
		}
		if m.JSON {
			return printJSON(env.Stdout, out)
		}
		fmt.Fprintf(env.Stdout, "%s: %s %s%s\n", p.Pool, act.past, tasksN(out.Changed), rest(meant-out.Changed))
		return nil
	})
}

func (m Managed) tellDry(env *Env, out changed, tasks []foldstream.TaskState) error {
	if m.JSON {
		return printJSON(env.Stdout, out)
	}
	for _, t := range tasks {
		fmt.Fprintf(env.Stdout, "%s %s %s\n", t.ID, t.Status, placeOf(t.Task))
	}
	fmt.Fprintf(env.Stdout, "%s: would %s %s%s\n", out.Pool, out.Action, tasksN(len(tasks)), rest(out.Meant-len(tasks)))
	return nil
}

func tasksN(n int) string {
	if n == 1 {
		return "1 task"
	}
	return fmt.Sprintf("%d tasks", n)
}

// rest says how many of the tasks that were meant stay as they are.
func rest(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf("; %d left as they are", n)
}

// placeOf writes a task's configuration and window.
func placeOf(t foldstream.Task) string {
	text := t.Key.String()
	if t.Window.Of > 0 {
		text += " window " + windowOf(t)
	}
	return text
}

// windowOf writes "3 of 20", nothing outside a sequence.
func windowOf(t foldstream.Task) string {
	if t.Window.Of == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d", t.Window.Index+1, t.Window.Of)
}
