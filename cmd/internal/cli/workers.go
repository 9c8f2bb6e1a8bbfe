package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/foldstream/foldstream"
)

// WorkersCmd is the commands that look at workers.
type WorkersCmd struct {
	List WorkersListCmd `cmd:"" aliases:"ls" help:"List the workers that are alive and what each works."`
}

// WorkersListCmd lists who is alive.
type WorkersListCmd struct {
	Managed
	Names bool `short:"n" help:"Print the names alone."`
}

// workerJSON is a live worker, for machines.
type workerJSON struct {
	Worker  string       `json:"worker"`
	Host    string       `json:"host"`
	Version string       `json:"version"`
	Since   time.Time    `json:"since"`
	Expires time.Time    `json:"expires"`
	Tasks   []inHandJSON `json:"tasks"`
}

type inHandJSON struct {
	Pool    string            `json:"pool"`
	Task    foldstream.TaskID `json:"task"`
	Attempt int               `json:"attempt"`
	Since   time.Time         `json:"since"`
	Second  bool              `json:"second"` // a second copy of what another worker has
	Percent float64           `json:"percent"`
	Step    int64             `json:"step"`
	Message string            `json:"message"`
}

func workerOf(p foldstream.Presence) workerJSON {
	out := workerJSON{p.Worker, p.Host, p.Version, p.Since.UTC(), p.Expires.UTC(), []inHandJSON{}}
	for _, t := range p.Tasks {
		out.Tasks = append(out.Tasks, inHandJSON{t.Pool, t.Task, t.Attempt, t.Since.UTC(), t.Second, t.Progress.Percent, t.Progress.Step, t.Progress.Message})
	}
	return out
}

// Run prints a line a worker and task.
func (c *WorkersListCmd) Run(ctx context.Context, env *Env) error {
	return c.on(ctx, env, func(a administered) error {
		workers := []workerJSON{}
		for p, err := range a.Workers(ctx) {
			if err != nil {
				return err
			}
			workers = append(workers, workerOf(p))
		}
		switch {
		case c.JSON:
			return printJSON(env.Stdout, workers)
		case c.Names:
			for _, w := range workers {
				fmt.Fprintln(env.Stdout, w.Worker)
			}
			return nil
		}
		printWorkers(env, workers)
		return nil
	})
}

func printWorkers(env *Env, workers []workerJSON) {
	t := newTable(env.Stdout, "worker", "host", "version", "since", "pool", "task", "attempt", "works since", "progress")
	for _, w := range workers {
		who := []any{w.Worker, w.Host, w.Version, instant(w.Since)}
		if len(w.Tasks) == 0 {
			t.AppendRow(who)
		}
		for _, task := range w.Tasks {
			t.AppendRow(append(who, task.Pool, task.Task, task.attempt(), instant(task.Since), task.progress()))
			who = []any{"", "", "", ""}
		}
	}
	t.Render()
}

// attempt tells which attempt it is, and that it is a second copy of it.
func (t inHandJSON) attempt() any {
	if t.Second {
		return fmt.Sprintf("%d, second copy", t.Attempt)
	}
	return t.Attempt
}

func (t inHandJSON) progress() string {
	if t.Percent == 0 && t.Step == 0 && t.Message == "" {
		return ""
	}
	return fmt.Sprintf("%.0f %% %s", t.Percent, t.Message)
}
