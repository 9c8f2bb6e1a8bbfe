package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// OneTask is the task that a command is about.
type OneTask struct {
	PoolArg
	ID foldstream.TaskID `arg:"" help:"Task."`
}

// onTask does something to a task that is there.
func (m Managed) onTask(ctx context.Context, env *Env, o OneTask, do func(administered, foldstream.TaskState) error) error {
	return m.onPool(ctx, env, o.PoolArg, func(a administered) error {
		t, err := a.Task(ctx, o.Pool, o.ID)
		if err != nil {
			return err
		}
		return do(a, t)
	})
}

// stateJSON is a task and where it stands, for machines.
type stateJSON struct {
	ID         foldstream.TaskID   `json:"id"`
	Pool       string              `json:"pool"`
	Experiment string              `json:"experiment"`
	Status     foldstream.Status   `json:"status"`
	Stage      string              `json:"stage,omitempty"`
	Attempt    int                 `json:"attempt"`
	Crashes    int                 `json:"crashes"`
	Priority   *int                `json:"priority"`
	Worker     string              `json:"worker"`
	Error      string              `json:"error,omitempty"`
	Tags       map[string]string   `json:"tags,omitempty"`
	Keys       []string            `json:"keys,omitempty"`
	Key        map[string]string   `json:"key"`
	Window     int                 `json:"window"`
	Of         int                 `json:"of"`
	Segments   foldstream.Segments `json:"segments"`
	Horizon    int                 `json:"horizon,omitempty"`
	Seed       *int64              `json:"seed,omitempty"`
	Runs       string              `json:"runs"`
	Created    time.Time           `json:"created"`
	Updated    time.Time           `json:"updated"`
	NotBefore  *time.Time          `json:"not_before,omitempty"`
	Replaces   foldstream.TaskID   `json:"replaces,omitempty"`
	Task       map[string]any      `json:"task,omitempty"` // Qlib's dict; only of one task
}

func stateOf(pool string, t foldstream.TaskState) stateJSON {
	out := stateJSON{
		ID: t.ID, Pool: pool, Experiment: t.Experiment, Status: t.Status, Stage: t.Stage, Attempt: t.Attempt, Crashes: t.Crashes,
		Priority: t.Priority, Worker: t.Worker, Error: t.Error, Tags: t.Tags, Keys: t.Keys, Key: keyMap(t.Key),
		Window: t.Window.Index, Of: t.Window.Of, Segments: t.Segments, Horizon: t.Horizon, Seed: t.Seed, Runs: t.Task.Worker,
		Created: t.Created.UTC(), Updated: t.Updated.UTC(), Replaces: t.Replaces,
	}
	if !t.NotBefore.IsZero() {
		at := t.NotBefore.UTC()
		out.NotBefore = &at
	}
	return out
}

func keyMap(key foldstream.Key) map[string]string {
	m := map[string]string{}
	for _, c := range key {
		m[c.Name] = c.Value
	}
	return m
}

// TaskShowCmd shows one task.
type TaskShowCmd struct {
	Managed
	OneTask
}

// Run prints the task.
func (c *TaskShowCmd) Run(ctx context.Context, env *Env) error {
	return c.onTask(ctx, env, c.OneTask, func(_ administered, t foldstream.TaskState) error {
		if c.JSON {
			out := stateOf(c.Pool, t)
			out.Task = t.Dict()
			return printJSON(env.Stdout, out)
		}
		f := facts{env.Stdout}
		f.line("task", string(t.ID))
		f.line("pool", c.Pool)
		f.content(t.Task)
		f.state(t)
		return f.dict(t.Task)
	})
}

// facts prints what is known of one thing, a line a fact; what is empty is left out.
type facts struct{ w io.Writer }

func (f facts) line(name, value string) {
	if value != "" {
		fmt.Fprintf(f.w, "%-14s %s\n", name, strings.ReplaceAll(strings.TrimRight(value, "\n"), "\n", "\n"+strings.Repeat(" ", 15)))
	}
}

// content tells what a task is.
func (f facts) content(t foldstream.Task) {
	f.line("experiment", t.Experiment)
	f.line("configuration", t.Key.String())
	f.line("window", windowOf(t))
	for _, name := range t.Segments.Names() {
		f.line(name, span(t.Segments, name))
	}
	if t.Horizon > 0 {
		f.line("horizon", fmt.Sprint(t.Horizon))
	}
	if t.Seed != nil {
		f.line("seed", fmt.Sprint(*t.Seed))
	}
	f.line("runs", t.Worker)
	f.line("stages", strings.Join(t.Stages, ", "))
	f.line("replaces", string(t.Replaces))
	f.line("calendar", t.Calendar)
	for _, d := range t.Data {
		f.line("data "+d.Name, fmt.Sprintf("%s, %d bytes, SHA-256 %s", d.Path, d.Size, d.Digest))
	}
}

// state tells where a task stands.
func (f facts) state(t foldstream.TaskState) {
	f.line("status", string(t.Status))
	f.line("stage", t.Stage)
	f.line("priority", Priority{t.Priority}.String())
	f.line("attempt", fmt.Sprint(t.Attempt))
	if t.Crashes > 0 {
		f.line("crashes", fmt.Sprint(t.Crashes))
	}
	f.line("worker", t.Worker)
	f.line("created", instant(t.Created))
	f.line("updated", instant(t.Updated))
	f.line("not before", instant(t.NotBefore))
	f.line("error", t.Error)
}

// dict prints Qlib's task dict.
func (f facts) dict(t foldstream.Task) error {
	text, err := json.MarshalIndent(t.Dict(), "", "  ")
	f.line("template", string(text))
	return err
}
