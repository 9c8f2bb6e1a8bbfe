package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/foldstream/foldstream"
)

// TaskCmd is the commands about single tasks.
type TaskCmd struct {
	Add     TaskAddCmd     `cmd:"" aliases:"create,new" help:"Add tasks to a pool: an experiment file's, or variations of a known task."`
	Replace TaskReplaceCmd `cmd:"" help:"Put a task with other content in the place of a task."`
	List    TaskListCmd    `cmd:"" aliases:"ls,query" help:"List the tasks of a pool in order of creation."`
	Show    TaskShowCmd    `cmd:"" aliases:"get,info,view" help:"Show a task: what it is and where it stands."`
	History TaskHistoryCmd `cmd:"" help:"Show a task's life: when, who, which attempt, why."`
	Logs    TaskLogsCmd    `cmd:"" aliases:"log" help:"Show the log of a task's last attempt."`
}

// TaskListCmd lists the tasks of a pool. It holds a page of them at a time, and reads no more than it lists.
type TaskListCmd struct {
	Managed
	PoolArg
	Where  string            `placeholder:"EXPR" help:"Only tasks for which this is true: status == \"failed\" and attempt > 2."`
	Status []string          `enum:"waiting,running,part_done,done,failed,cancelled,removed" placeholder:"STATUS" help:"Only tasks of these statuses."`
	Limit  int               `placeholder:"N" help:"At most so many; default: all."`
	After  foldstream.TaskID `placeholder:"ID" help:"Only tasks that were created after this one: where the last page ended."`
	Names  bool              `short:"n" help:"Print the ids alone."`
}

// Run lists. With --json it prints one object a line.
func (c *TaskListCmd) Run(ctx context.Context, env *Env) error {
	filter, err := compileWhere(c.Where)
	if err != nil {
		return err
	}
	if c.Limit < 0 {
		return foldstream.Errorf(foldstream.Invalid, "", "--limit %d is below 0", c.Limit)
	}
	return c.onPool(ctx, env, c.PoolArg, func(a administered) error {
		out := c.printer(env)
		if err := c.each(ctx, a, filter, out.add); err != nil {
			return err
		}
		return out.flush()
	})
}

// each calls do with each task that is to be listed.
func (c *TaskListCmd) each(ctx context.Context, a administered, filter where, do func(foldstream.TaskState) error) error {
	n := 0
	for t, err := range a.Page(ctx, c.Pool, c.query()) {
		if err != nil {
			return err
		}
		yes, err := filter(c.Pool, t)
		if err != nil {
			return err
		}
		if !yes {
			continue
		}
		if err := do(t); err != nil {
			return err
		}
		if n++; n == c.Limit {
			return nil
		}
	}
	return nil
}

// query asks for the tasks that may be listed: how many of them an expression leaves is not known before.
func (c *TaskListCmd) query() foldstream.TaskQuery {
	q := foldstream.TaskQuery{After: c.After}
	for _, s := range c.Status {
		q.Statuses = append(q.Statuses, foldstream.Status(s))
	}
	if c.Where == "" {
		q.Limit = c.Limit
	}
	return q
}

// printer is a way to print a list that may be long.
type printer interface {
	add(foldstream.TaskState) error
	flush() error
}

func (c *TaskListCmd) printer(env *Env) printer {
	switch {
	case c.JSON:
		return &taskLines{pool: c.Pool, enc: json.NewEncoder(env.Stdout)}
	case c.Names:
		return taskNames{env}
	}
	return &taskPages{env: env}
}

// taskLines prints one JSON object a line.
type taskLines struct {
	pool string
	enc  *json.Encoder
}

func (l *taskLines) add(t foldstream.TaskState) error { return l.enc.Encode(stateOf(l.pool, t)) }
func (l *taskLines) flush() error                     { return nil }

// taskNames prints an id a line.
type taskNames struct{ env *Env }

func (l taskNames) add(t foldstream.TaskState) error {
	_, err := fmt.Fprintln(l.env.Stdout, t.ID)
	return err
}
func (l taskNames) flush() error { return nil }

// pageRows is how many rows of a long table are held and printed at once, under a header of their own.
const pageRows = 500

// taskPages prints a table in pages.
type taskPages struct {
	env   *Env
	table table.Writer
}

func (p *taskPages) add(t foldstream.TaskState) error {
	if p.table == nil {
		p.table = newTable(p.env.Stdout, "task", "configuration", "window", "status", "priority", "attempt", "worker", "updated", "error")
	}
	p.table.AppendRow(table.Row{t.ID, t.Key, windowOf(t.Task), t.Status, Priority{t.Priority}, t.Attempt, t.Worker, instant(t.Updated), brief(t.Error)})
	if p.table.Length() < pageRows {
		return nil
	}
	return p.flush()
}

func (p *taskPages) flush() error {
	if p.table != nil {
		p.table.Render()
	}
	p.table = nil
	return nil
}

// instant writes a point in time as the tables have it, in UTC; nothing where there is none.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// brief returns the first line of a text, cut where it is long.
func brief(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if r := []rune(line); len(r) > 48 {
		return string(r[:47]) + "…"
	}
	return line
}
