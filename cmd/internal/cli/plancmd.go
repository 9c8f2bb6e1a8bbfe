package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/report"
)

// PlanCmd shows the tasks that an experiment file makes. It publishes nothing; with a server named it counts what is known there.
type PlanCmd struct {
	Connection
	Output
	KeyFlags
	Reuse
	File  string `arg:"" help:"Experiment file."`
	Store string `type:"path" placeholder:"DIR" help:"Store of the embedded server to compare with; default: none, all tasks are new."`
	Out   string `type:"path" placeholder:"FILE" help:"File to write the plan into, for apply; needs a store to compare with."`
	SVG   string `name:"svg" type:"path" placeholder:"FILE" help:"File to draw the windows into, as SVG."`
}

// planJSON is a plan for machines.
type planJSON struct {
	Experiment string              `json:"experiment"`
	Pool       string              `json:"pool"`
	Calendar   string              `json:"calendar"`
	Policy     foldstream.Policy   `json:"leaks"`
	Members    int                 `json:"members"`
	New        int                 `json:"new"`
	Cached     int                 `json:"cached"`
	Changed    int                 `json:"changed"`
	Known      int                 `json:"known"`
	Done       int                 `json:"done"`
	Dropped    []foldstream.TaskID `json:"dropped"`      // members of the stored experiment that the file makes no more
	Code       string              `json:"code"`         // that results are wanted of, where that is one for all; "" is unknown
	Work       float64             `json:"work_seconds"` // of those that are not done, by experience; 0 where there is none
	Experience int                 `json:"experience"`   // results that this is of
	Notes      []string            `json:"notes"`
	Tasks      []taskJSON          `json:"tasks"`
}

type taskJSON struct {
	ID       foldstream.TaskID   `json:"id"`
	Key      string              `json:"key"`
	Window   int                 `json:"window"`
	Of       int                 `json:"of"`
	Segments foldstream.Segments `json:"segments"`
	Gap      int                 `json:"leak_gap"`
	Status   foldstream.Status   `json:"status"`         // "new" where the store does not know it, "cached", "changed"
	Why      []string            `json:"why,omitempty"`  // the parts of the key in which a changed one differs
	From     string              `json:"from,omitempty"` // the pool whose result is taken over
	Task     map[string]any      `json:"task"`
}

// Run prints the plan.
func (c *PlanCmd) Run(ctx context.Context, env *Env) error {
	p, err := load(c.File)
	if err != nil {
		return err
	}
	if err := c.checkKey(); err != nil {
		return err
	}
	seen, ahead, err := c.survey(ctx, env, p)
	if err != nil {
		return err
	}
	if c.SVG != "" {
		plot := report.WindowsPlot(p.Experiment.Name, report.Timelines(p.Tasks))
		if err := writeFile(c.SVG, plot.WriteSVG); err != nil {
			return err
		}
	}
	out := planOf(p, seen)
	out.Code = oneCode(p.Tasks, c.codes())
	out.Work, out.Experience = ahead.Work.Seconds(), ahead.Results
	if c.JSON {
		return printJSON(env.Stdout, out)
	}
	printPlan(env.Stdout, out)
	if ahead.Results > 0 && ahead.Tasks > 0 {
		fmt.Fprintf(env.Stdout, "%s: %d to do: %v\n", out.Experiment, ahead.Tasks, ahead.cost)
	}
	if len(out.Dropped) > 0 && !c.Revise {
		fmt.Fprintf(env.Stdout, "%s: it has other members in the store: run and submit take --revise, or another name\n", out.Experiment)
	}
	if out.Code == "" && seen != nil {
		fmt.Fprintf(env.Stdout, "%s: key unknown: code; no results are taken over (--code VERSION)\n", out.Experiment)
	}
	return nil
}

// toDo is how much work lies ahead.
type toDo struct {
	cost
	Tasks int
}

// survey compares the plan with the store that the flags name, and tells what is to do by the experience of its pool; nothing where they name none.
func (c *PlanCmd) survey(ctx context.Context, env *Env, p *plan) (seen *survey, ahead toDo, err error) {
	a, closeStore, err := c.named(ctx, env)
	if err == nil && a == nil && c.Out != "" {
		err = foldstream.Errorf(foldstream.Invalid, "", "--out: a plan is made against a store; name one by --store or --server")
	}
	if err != nil || a == nil {
		return nil, ahead, err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	flags := planFlags{c.Code, c.Environment, c.NoCache, c.Refresh, c.Revise, c.Store != ""}
	if seen, err = p.look(ctx, a, flags.wants()); err != nil {
		return nil, ahead, err
	}
	if c.Out != "" {
		f, err := planned(p, seen, c.File, flags)
		if err == nil {
			err = f.write(c.Out)
		}
		if err != nil {
			return nil, ahead, err
		}
	}
	h, err := p.experience(ctx, a, seen)
	if err != nil {
		return nil, ahead, err
	}
	var left []foldstream.Task
	for i, one := range seen.steps {
		if one.From == nil && (one.Do != "" || !one.Status.Final()) {
			left = append(left, p.Tasks[i])
		}
	}
	return seen, toDo{h.cost(left), len(left)}, nil
}

// named opens the store that the flags name; nil where they name none.
func (c *PlanCmd) named(ctx context.Context, env *Env) (administered, func() error, error) {
	var s *session
	var err error
	switch {
	case env.Store != nil:
		a, err := administration(env.Store)
		return a, func() error { return nil }, err
	case c.Store != "":
		s, err = embedded(ctx, env, Embedding{Dir: c.Store, Log: c.logger(env)})
	case c.Server != "" || c.Context != "":
		s, err = c.dial(ctx, c.logger(env))
	default:
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	return s.store, s.Close, nil
}

// oneCode is the version of the code that all the tasks have; "" where it is unknown, or they have several.
func oneCode(tasks []foldstream.Task, codes func(foldstream.Task) string) string {
	if all := codesOf(tasks, codes); len(all) == 1 {
		return all[0]
	}
	return ""
}

// planOf is a plan as the survey sees it; without one all is new.
func planOf(p *plan, seen *survey) planJSON {
	out := planJSON{
		Experiment: p.Experiment.Name, Pool: p.Experiment.Pool, Calendar: p.calendar.Version(), Policy: p.Experiment.Policy,
		Members: len(p.Expectations), Notes: p.Notes, Tasks: make([]taskJSON, len(p.Tasks)), Dropped: []foldstream.TaskID{},
	}
	if seen != nil {
		out.Dropped = append(out.Dropped, seen.dropped...)
	}
	for i, t := range p.Tasks {
		one := step{Task: t.ID, Do: doNew}
		if seen != nil {
			one = seen.steps[i]
		}
		out.count(one)
		out.Tasks[i] = taskJSON{
			ID: t.ID, Key: t.Key.String(), Window: t.Window.Index, Of: t.Window.Of,
			Segments: t.Segments, Gap: t.Leak.Gap, Status: one.state(), Why: one.Why, Task: t.Dict(),
		}
		if one.From != nil {
			out.Tasks[i].From = one.From.Pool
		}
	}
	return out
}

func (p *planJSON) count(s step) {
	switch {
	case s.Do == doNew:
		p.New++
	case s.Do == doCached:
		p.Cached++
	case s.Do == doChanged:
		p.Changed++
	case s.Status == foldstream.Done:
		p.Done++
	default:
		p.Known++
	}
}

func printPlan(w io.Writer, p planJSON) {
	t := newTable(w, "task", "configuration", "window", "train", "valid", "test", "leak gap", "status")
	for _, task := range p.Tasks {
		window := ""
		if task.Of > 0 {
			window = fmt.Sprintf("%d of %d", task.Window+1, task.Of)
		}
		t.AppendRow([]any{task.ID, task.Key, window,
			span(task.Segments, "train"), span(task.Segments, "valid"), span(task.Segments, "test"), task.Gap, stateText(task)})
	}
	t.SuppressEmptyColumns()
	t.Render()
	fmt.Fprintf(w, "%s: %d tasks for %d members: %s; leaks: %s\n", p.Experiment, len(p.Tasks), p.Members, p.counts(), p.Policy)
	for _, note := range p.Notes {
		fmt.Fprintf(w, "note: %s\n", note)
	}
}

// counts tells how many tasks are what: of cached, changed and dropped ones only where there are any.
func (p planJSON) counts() string {
	text := fmt.Sprintf("%d new, %d known, %d done", p.New, p.Known, p.Done)
	for _, more := range []struct {
		n    int
		what string
	}{{p.Cached, "cached"}, {p.Changed, "changed"}, {len(p.Dropped), "dropped"}} {
		if more.n > 0 {
			text += fmt.Sprintf(", %d %s", more.n, more.what)
		}
	}
	return text
}

// stateText is a task's status with why it changed, and whose result is taken over.
func stateText(t taskJSON) string {
	text := string(t.Status)
	if len(t.Why) > 0 {
		text += ": " + strings.Join(t.Why, ", ")
	}
	if t.From != "" {
		text += " (of " + t.From + ")"
	}
	return text
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
