package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/report"
)

// PlanCmd shows the tasks that an experiment file makes. It publishes nothing; with a server named it counts what is known there.
type PlanCmd struct {
	Connection
	Output
	File  string `arg:"" help:"Experiment file."`
	Store string `type:"path" placeholder:"DIR" help:"Store of the embedded server to compare with; default: none, all tasks are new."`
	SVG   string `name:"svg" type:"path" placeholder:"FILE" help:"File to draw the windows into, as SVG."`
}

// planJSON is a plan for machines.
type planJSON struct {
	Experiment string            `json:"experiment"`
	Pool       string            `json:"pool"`
	Calendar   string            `json:"calendar"`
	Policy     foldstream.Policy `json:"leaks"`
	Members    int               `json:"members"`
	New        int               `json:"new"`
	Known      int               `json:"known"`
	Done       int               `json:"done"`
	Work       float64           `json:"work_seconds"` // of those that are not done, by experience; 0 where there is none
	Experience int               `json:"experience"`   // results that this is of
	Notes      []string          `json:"notes"`
	Tasks      []taskJSON        `json:"tasks"`
}

type taskJSON struct {
	ID       foldstream.TaskID   `json:"id"`
	Key      string              `json:"key"`
	Window   int                 `json:"window"`
	Of       int                 `json:"of"`
	Segments foldstream.Segments `json:"segments"`
	Gap      int                 `json:"leak_gap"`
	Status   foldstream.Status   `json:"status"` // "new" where the store does not know it
	Task     map[string]any      `json:"task"`
}

const statusNew foldstream.Status = "new"

// Run prints the plan.
func (c *PlanCmd) Run(ctx context.Context, env *Env) error {
	p, err := load(c.File)
	if err != nil {
		return err
	}
	known, ahead, err := c.known(ctx, env, p)
	if err != nil {
		return err
	}
	if c.SVG != "" {
		plot := report.WindowsPlot(p.Experiment.Name, report.Timelines(p.Tasks))
		if err := writeFile(c.SVG, plot.WriteSVG); err != nil {
			return err
		}
	}
	out := planOf(p, known)
	out.Work, out.Experience = ahead.Work.Seconds(), ahead.Results
	if c.JSON {
		return printJSON(env.Stdout, out)
	}
	printPlan(env.Stdout, out)
	if ahead.Results > 0 && out.Done < len(out.Tasks) {
		fmt.Fprintf(env.Stdout, "%s: %d to do: %v\n", out.Experiment, len(out.Tasks)-out.Done, ahead)
	}
	return nil
}

// known returns the statuses of the pool's tasks in the store that the flags name, and what those that are not done will cost by the experience
// of that pool; nothing where they name none.
func (c *PlanCmd) known(ctx context.Context, env *Env, p *plan) (statuses map[foldstream.TaskID]foldstream.Status, ahead cost, err error) {
	var s *session
	switch {
	case c.Store != "":
		s, err = embedded(ctx, env, Embedding{Dir: c.Store, Log: c.logger(env)})
	case c.Server != "" || c.Context != "":
		s, err = c.dial(ctx, c.logger(env))
	default:
		return nil, ahead, nil
	}
	if err != nil {
		return nil, ahead, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if statuses, err = statusesIn(ctx, s.store, p.Experiment.Pool); err != nil {
		return nil, ahead, err
	}
	h, err := historyOf(ctx, s.store, p.Experiment.Pool, p.Tasks)
	if err != nil {
		return nil, ahead, err
	}
	var left []foldstream.Task
	for _, t := range p.Tasks {
		if statuses[t.ID] != foldstream.Done {
			left = append(left, t)
		}
	}
	return statuses, h.cost(left), nil
}

// statusesIn returns the statuses of a pool's tasks. The store must have an index.
func statusesIn(ctx context.Context, store foldstream.Store, pool string) (map[foldstream.TaskID]foldstream.Status, error) {
	index, ok := store.(foldstream.Index)
	if !ok {
		return statusesRead(ctx, store, pool)
	}
	statuses := map[foldstream.TaskID]foldstream.Status{}
	for t, err := range index.Tasks(ctx, pool) {
		if err != nil {
			return nil, err
		}
		statuses[t.ID] = t.Status
	}
	return statuses, nil
}

// statusesRead is statusesIn for a store that has an archive and no index.
func statusesRead(ctx context.Context, store foldstream.Store, pool string) (map[foldstream.TaskID]foldstream.Status, error) {
	archive, ok := store.(foldstream.Archive)
	if !ok {
		return nil, foldstream.Errorf(foldstream.Internal, "", "this store (%T) has neither an index nor an archive", store)
	}
	statuses := map[foldstream.TaskID]foldstream.Status{}
	for t, err := range archive.Definitions(ctx, pool) {
		if err != nil {
			return nil, err
		}
		statuses[t.ID] = foldstream.Waiting
	}
	for e, err := range store.Events(ctx, foldstream.EventFilter{Pool: pool}, 0) {
		if err != nil {
			return nil, err
		}
		statuses[e.Task] = e.Status
	}
	return statuses, nil
}

func planOf(p *plan, known map[foldstream.TaskID]foldstream.Status) planJSON {
	out := planJSON{
		Experiment: p.Experiment.Name, Pool: p.Experiment.Pool, Calendar: p.calendar.Version(), Policy: p.Experiment.Policy,
		Members: len(p.Expectations), Notes: p.Notes, Tasks: make([]taskJSON, len(p.Tasks)),
	}
	for i, t := range p.Tasks {
		status, ok := known[t.ID]
		switch {
		case !ok:
			status = statusNew
			out.New++
		case status == foldstream.Done:
			out.Done++
		default:
			out.Known++
		}
		out.Tasks[i] = taskJSON{
			ID: t.ID, Key: t.Key.String(), Window: t.Window.Index, Of: t.Window.Of,
			Segments: t.Segments, Gap: t.Leak.Gap, Status: status, Task: t.Dict(),
		}
	}
	return out
}

func printPlan(w io.Writer, p planJSON) {
	t := newTable(w, "task", "configuration", "window", "train", "valid", "test", "leak gap", "status")
	for _, task := range p.Tasks {
		window := ""
		if task.Of > 0 {
			window = fmt.Sprintf("%d of %d", task.Window+1, task.Of)
		}
		t.AppendRow([]any{task.ID, task.Key, window,
			span(task.Segments, "train"), span(task.Segments, "valid"), span(task.Segments, "test"), task.Gap, task.Status})
	}
	t.SuppressEmptyColumns()
	t.Render()
	fmt.Fprintf(w, "%s: %d tasks for %d members: %d new, %d known, %d done; leaks: %s\n",
		p.Experiment, len(p.Tasks), p.Members, p.New, p.Known, p.Done, p.Policy)
	for _, note := range p.Notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
}

// span writes a segment as "from … to", nothing where the task has none of the name.
func span(s foldstream.Segments, name string) string {
	seg, ok := s[name]
	if !ok {
		return ""
	}
	end := seg.End.String()
	if end == "" {
		end = "open"
	}
	return seg.Start.String() + " to " + end
}
