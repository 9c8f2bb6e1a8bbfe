package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// TaskHistoryCmd shows a task's life.
type TaskHistoryCmd struct {
	Managed
	OneTask
}

// eventJSON is one step of a task's life, for machines.
type eventJSON struct {
	Seq     foldstream.Cursor    `json:"seq"`
	At      time.Time            `json:"at"`
	Kind    foldstream.EventKind `json:"event"`
	Status  foldstream.Status    `json:"status"`
	Stage   string               `json:"stage,omitempty"`
	Attempt int                  `json:"attempt"`
	Worker  string               `json:"worker,omitempty"`
	Why     string               `json:"why,omitempty"`
	By      foldstream.TaskID    `json:"by,omitempty"`     // what replaced a removed task
	Second  bool                 `json:"second,omitempty"` // a second copy of the attempt came to it, not the worker of the claim
}

func eventOf(e foldstream.Event) eventJSON {
	return eventJSON{e.Seq, e.At.UTC(), e.Kind, e.Status, e.Stage, e.Attempt, e.Worker, e.Error, e.By, false}
}

// eventsOf are the events of one task, the oldest first.
func eventsOf(events []foldstream.Event) []eventJSON {
	out := make([]eventJSON, len(events))
	for i, e := range events {
		out[i] = eventOf(e)
		out[i].Second = i > 0 && isSecond(events[i-1], e)
	}
	return out
}

// isSecond reports whether a second copy came to a result: the claim before it is of another run.
func isSecond(before, e foldstream.Event) bool {
	worked := e.Kind == foldstream.EventPart || e.Kind == foldstream.EventResult && e.Origin.Seq == 0
	return worked && before.Kind == foldstream.EventClaim && before.Run != e.Run
}

// Run prints a line an event, the oldest first.
func (c *TaskHistoryCmd) Run(ctx context.Context, env *Env) error {
	return c.onTask(ctx, env, c.OneTask, func(a administered, t foldstream.TaskState) error {
		events, err := lifeOf(ctx, a, c.Pool, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, eventsOf(events))
		}
		printHistory(env.Stdout, t.Created, events)
		return nil
	})
}

// lifeOf reads the events of a task, the oldest first.
func lifeOf(ctx context.Context, store foldstream.Store, pool string, id foldstream.TaskID) (events []foldstream.Event, err error) {
	for e, err := range store.Events(ctx, foldstream.EventFilter{Pool: pool, Task: id}, 0) {
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}

func printHistory(w io.Writer, created time.Time, events []foldstream.Event) {
	t := newTable(w, "when", "event", "status", "stage", "attempt", "worker", "why")
	t.AppendRow([]any{instant(created), "created", foldstream.Waiting, "", "", "", ""})
	for i, e := range events {
		why := brief(reason(e))
		if i > 0 && isSecond(events[i-1], e) {
			why = "by a second copy, which was first"
		}
		t.AppendRow([]any{instant(e.At), e.Kind, e.Status, e.Stage, e.Attempt, e.Worker, why})
	}
	t.Render()
}

// reason says why an event came.
func reason(e foldstream.Event) string {
	if e.By == "" {
		return e.Error
	}
	return strings.TrimSuffix(fmt.Sprintf("replaced by %s: %s", e.By, e.Error), ": ")
}

// TaskLogsCmd shows the log of a task's last attempt.
type TaskLogsCmd struct {
	Managed
	OneTask
}

// execLog is the artifact that the worker exec keeps its command's output in.
const execLog = "exec.log"

// Run prints the log of the newest result, or else the error of the newest failure, which ends with the log's last lines.
// Errors: NotFound (nothing was logged).
func (c *TaskLogsCmd) Run(ctx context.Context, env *Env) error {
	return c.onTask(ctx, env, c.OneTask, func(a administered, t foldstream.TaskState) error {
		events, err := lifeOf(ctx, a, c.Pool, c.ID)
		if err != nil {
			return err
		}
		text, err := c.log(ctx, a, events)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, map[string]string{"id": string(c.ID), "status": string(t.Status), "log": text})
		}
		_, err = io.WriteString(env.Stdout, text)
		return err
	})
}

// log returns what the newest attempt that left something left.
func (c *TaskLogsCmd) log(ctx context.Context, a administered, events []foldstream.Event) (string, error) {
	for i := len(events) - 1; i >= 0; i-- {
		e := events[i]
		if e.Result != nil {
			for _, artifact := range e.Result.Artifacts {
				if artifact.Name == execLog {
					return readText(ctx, a, artifact.Digest)
				}
			}
		}
		if e.Error != "" && e.Worker != "" {
			return fmt.Sprintf("attempt %d on %s: %s\n", e.Attempt, e.Worker, e.Error), nil
		}
	}
	return "", foldstream.Errorf(foldstream.NotFound, "", "task %s logged nothing: only the worker exec keeps logs, and failures", c.ID)
}

// mostText is far above the logs that the worker exec keeps.
const mostText = 64 << 20

func readText(ctx context.Context, store foldstream.Store, d foldstream.Digest) (text string, err error) {
	r, err := store.Artifacts().Open(ctx, d)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	data, err := io.ReadAll(io.LimitReader(r, mostText+1))
	if len(data) > mostText {
		return "", foldstream.Errorf(foldstream.TooLarge, "", "the log %s is over %d MiB", d, mostText>>20)
	}
	return string(data), err
}
