package cli

import (
	"context"
	"strconv"
	"strings"

	"github.com/foldstream/foldstream"
)

// Why is the flag of every command that leaves its reason in a task's history.
type Why struct {
	Why string `group:"Change" placeholder:"TEXT" help:"Why, for the task's history; default: who asked."`
}

func (w Why) text() string {
	if w.Why != "" {
		return w.Why
	}
	return "asked for by " + asker()
}

// CancelCmd ends open tasks.
type CancelCmd struct {
	Managed
	PoolArg
	Selection
	Change
	Why
}

// Run cancels.
func (c *CancelCmd) Run(ctx context.Context, env *Env) error {
	return c.change(ctx, env, c.PoolArg, c.Selection, c.Change, action{
		verb: "cancel", past: "cancelled",
		applies: func(t foldstream.TaskState) bool { return !t.Status.Final() },
		do: func(ctx context.Context, a administered, ids []foldstream.TaskID) (int, error) {
			return a.Cancel(ctx, c.Pool, c.text(), ids...)
		},
	})
}

// RemoveCmd ends the life of tasks of any status.
type RemoveCmd struct {
	Managed
	PoolArg
	Selection
	Change
	Why
}

// Run removes.
func (c *RemoveCmd) Run(ctx context.Context, env *Env) error {
	return c.change(ctx, env, c.PoolArg, c.Selection, c.Change, action{
		verb: "remove", past: "removed",
		applies: func(t foldstream.TaskState) bool { return t.Status != foldstream.Removed },
		do: func(ctx context.Context, a administered, ids []foldstream.TaskID) (int, error) {
			return a.Remove(ctx, c.Pool, c.text(), ids...)
		},
	})
}

// RetryCmd puts failed and cancelled tasks back to waiting.
type RetryCmd struct {
	Managed
	PoolArg
	Selection
	Change
	Why
}

// Run retries.
func (c *RetryCmd) Run(ctx context.Context, env *Env) error {
	return c.change(ctx, env, c.PoolArg, c.Selection, c.Change, action{
		verb: "retry", past: "put back",
		applies: func(t foldstream.TaskState) bool {
			return t.Status == foldstream.Dead || t.Status == foldstream.Withdrawn
		},
		do: func(ctx context.Context, a administered, ids []foldstream.TaskID) (int, error) {
			return a.Retry(ctx, c.Pool, c.text(), ids...)
		},
	})
}

// ResetCmd puts running tasks back to waiting.
type ResetCmd struct {
	Managed
	PoolArg
	Selection
	Change
	ForceLive bool `group:"Change" help:"Also tasks whose worker is alive: it loses them at once."`
}

// Run resets. Without --force-live only tasks whose worker is gone are meant.
func (c *ResetCmd) Run(ctx context.Context, env *Env) error {
	held := map[foldstream.TaskID]bool{}
	return c.change(ctx, env, c.PoolArg, c.Selection, c.Change, action{
		verb: "reset", past: "reset",
		before: func(ctx context.Context, a administered) (err error) {
			if !c.ForceLive {
				held, err = inHand(ctx, a, c.Pool)
			}
			return err
		},
		applies: func(t foldstream.TaskState) bool { return t.Status == foldstream.Running && !held[t.ID] },
		do: func(ctx context.Context, a administered, ids []foldstream.TaskID) (int, error) {
			return a.Reset(ctx, c.Pool, c.ForceLive, ids...)
		},
	})
}

// inHand returns the tasks of a pool that live workers work.
func inHand(ctx context.Context, a administered, pool string) (map[foldstream.TaskID]bool, error) {
	held := map[foldstream.TaskID]bool{}
	for p, err := range a.Workers(ctx) {
		if err != nil {
			return nil, err
		}
		for _, t := range p.Tasks {
			if t.Pool == pool {
				held[t.Task] = true
			}
		}
	}
	return held, nil
}

// PrioritizeCmd moves waiting tasks to another priority.
type PrioritizeCmd struct {
	Managed
	PoolArg
	Priority Priority `arg:"" help:"From -9 to 9, the largest first; 'none' is below all."`
	Selection
	Change
}

// Run prioritizes.
func (c *PrioritizeCmd) Run(ctx context.Context, env *Env) error {
	return c.change(ctx, env, c.PoolArg, c.Selection, c.Change, action{
		verb: "prioritize", past: "moved to priority " + c.Priority.String() + ":",
		applies: func(t foldstream.TaskState) bool {
			waits := t.Status == foldstream.Waiting || t.Status == foldstream.PartDone
			return waits && (Priority{t.Priority}).String() != c.Priority.String()
		},
		do: func(ctx context.Context, a administered, ids []foldstream.TaskID) (int, error) {
			return a.Prioritize(ctx, c.Pool, c.Priority.level, ids...)
		},
	})
}

// Priority is a task's priority as people write it: a number, or none.
type Priority struct{ level *int }

// UnmarshalText reads a number or "none". The typographic minus is one too: see numbers.
func (p *Priority) UnmarshalText(text []byte) error {
	word := strings.Replace(string(text), "−", "-", 1)
	if word == "none" {
		p.level = nil
		return nil
	}
	n, err := strconv.Atoi(word)
	if err != nil || n < foldstream.MinPriority || n > foldstream.MaxPriority {
		return foldstream.Errorf(foldstream.Invalid, "", "priority %q is neither a number from %d to %d nor none", word, foldstream.MinPriority, foldstream.MaxPriority)
	}
	p.level = &n
	return nil
}

// String writes what UnmarshalText reads.
func (p Priority) String() string {
	if p.level == nil {
		return "none"
	}
	return strconv.Itoa(*p.level)
}

// numbers writes negative numbers with the typographic minus, so that kong takes them for values: no flag of ours is a digit.
func numbers(args []string) []string {
	out := make([]string, len(args))
	for i, arg := range args {
		out[i] = arg
		if n, err := strconv.Atoi(arg); err == nil && n < 0 {
			out[i] = "−" + arg[1:]
		}
	}
	return out
}
