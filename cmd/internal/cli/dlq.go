package cli

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/foldstream/foldstream"
)

// DLQCmd is the commands that look at dead letters.
type DLQCmd struct {
	List  DLQListCmd  `cmd:"" aliases:"ls" help:"List the dead letters of a pool, the oldest first."`
	Show  DLQShowCmd  `cmd:"" aliases:"get,info,view" help:"Show a dead letter: the error, the log's last lines, the attempts."`
	Retry DLQRetryCmd `cmd:"" help:"Put the tasks of dead letters back to waiting."`
	Drop  DLQDropCmd  `cmd:"" aliases:"rm,delete" help:"Remove dead letters; the tasks stay failed."`
}

// letterJSON is a dead letter, for machines.
type letterJSON struct {
	ID         foldstream.TaskID `json:"id"`
	Experiment string            `json:"experiment"`
	Key        map[string]string `json:"key"`
	Window     int               `json:"window"`
	Of         int               `json:"of"`
	At         time.Time         `json:"at"`
	Worker     string            `json:"worker"`
	Error      string            `json:"error"`
	Events     []eventJSON       `json:"events"`
}

func letterOf(l foldstream.DeadLetter) letterJSON {
	out := letterJSON{l.Task.ID, l.Task.Experiment, keyMap(l.Task.Key), l.Task.Window.Index, l.Task.Window.Of, l.At.UTC(), l.Worker, l.Error, []eventJSON{}}
	for _, e := range l.Events {
		out.Events = append(out.Events, eventOf(e))
	}
	return out
}

// DLQListCmd lists dead letters.
type DLQListCmd struct {
	Managed
	PoolArg
	Names bool `short:"n" help:"Print the ids alone."`
}

// Run lists. With --json it prints one object a line.
func (c *DLQListCmd) Run(ctx context.Context, env *Env) error {
	return c.onPool(ctx, env, c.PoolArg, func(a administered) error {
		enc := json.NewEncoder(env.Stdout)
		t := newTable(env.Stdout, "task", "configuration", "window", "failed", "attempts", "worker", "error")
		for l, err := range a.Letters(ctx, c.Pool) {
			switch {
			case err != nil:
				return err
			case c.JSON:
				err = enc.Encode(letterOf(l))
			case c.Names:
				err = taskNames{env}.add(foldstream.TaskState{Task: l.Task})
			default:
				t.AppendRow(table.Row{l.Task.ID, l.Task.Key, windowOf(l.Task), instant(l.At), attempts(l), l.Worker, brief(l.Error)})
			}
			if err != nil {
				return err
			}
		}
		if !c.JSON && !c.Names {
			t.Render()
		}
		return nil
	})
}

// attempts counts the claims of a dead task.
func attempts(l foldstream.DeadLetter) int {
	n := 0
	for _, e := range l.Events {
		if e.Kind == foldstream.EventClaim {
			n++
		}
	}
	return n
}

// DLQShowCmd shows one dead letter.
type DLQShowCmd struct {
	Managed
	OneTask
}

// Run prints the letter. Errors: NotFound.
func (c *DLQShowCmd) Run(ctx context.Context, env *Env) error {
	return c.onTask(ctx, env, c.OneTask, func(a administered, task foldstream.TaskState) error {
		for l, err := range a.Letters(ctx, c.Pool) {
			switch {
			case err != nil:
				return err
			case l.Task.ID != c.ID:
				continue
			case c.JSON:
				return printJSON(env.Stdout, letterOf(l))
			}
			f := facts{env.Stdout}
			f.line("task", string(c.ID))
			f.content(l.Task)
			f.line("failed", instant(l.At))
			f.line("worker", l.Worker)
			f.line("error", l.Error)
			printHistory(env.Stdout, task.Created, l.Events)
			return nil
		}
		return foldstream.Errorf(foldstream.NotFound, "", "task %s of pool %s has no dead letter: it is %s", c.ID, c.Pool, task.Status)
	})
}

// dead are the tasks of a pool that have dead letters.
type dead map[foldstream.TaskID]bool

// read reads the dead letters of a pool.
func (d dead) read(ctx context.Context, a administered, pool string) error {
	for l, err := range a.Letters(ctx, pool) {
		if err != nil {
			return err
		}
		d[l.Task.ID] = true
	}
	return nil
}

// DLQRetryCmd puts the tasks of dead letters back to waiting.
type DLQRetryCmd struct {
	Managed
	PoolArg
	Selection
	Change
	Why
}

// Run retries. A task whose letter was dropped, and one that was cancelled, is left to `retry`.
func (c *DLQRetryCmd) Run(ctx context.Context, env *Env) error {
	letters := dead{}
	return c.change(ctx, env, c.PoolArg, c.Selection, c.Change, action{
		verb: "retry", past: "put back",
		before:  func(ctx context.Context, a administered) error { return letters.read(ctx, a, c.Pool) },
		applies: func(t foldstream.TaskState) bool { return letters[t.ID] },
		do: func(ctx context.Context, a administered, ids []foldstream.TaskID) (int, error) {
			return a.Retry(ctx, c.Pool, c.text(), ids...)
		},
	})
}

// DLQDropCmd removes dead letters.
type DLQDropCmd struct {
	Managed
	PoolArg
	Selection
	Change
}

// Run drops.
func (c *DLQDropCmd) Run(ctx context.Context, env *Env) error {
	letters := dead{}
	return c.change(ctx, env, c.PoolArg, c.Selection, c.Change, action{
		verb: "drop", past: "dropped the dead letters of",
		before:  func(ctx context.Context, a administered) error { return letters.read(ctx, a, c.Pool) },
		applies: func(t foldstream.TaskState) bool { return letters[t.ID] },
		do: func(ctx context.Context, a administered, ids []foldstream.TaskID) (int, error) {
			return a.Drop(ctx, c.Pool, ids...)
		},
	})
}
