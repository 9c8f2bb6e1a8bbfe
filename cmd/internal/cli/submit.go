package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// SubmitCmd publishes the tasks of an experiment file. Submitting twice is submitting once.
type SubmitCmd struct {
	Connection
	Output
	KeyFlags
	Reuse
	Queueing
	File        string        `arg:"" help:"Experiment file."`
	RetryFailed bool          `help:"Work those of its tasks again that failed."`
	Again       bool          `help:"Work those of its tasks again that failed or were cancelled."`
	At          string        `xor:"start" placeholder:"TIME" help:"New tasks wait until then: 2026-03-02T18:00:00Z, or 2026-03-02 18:00 in the zone of this machine."`
	In          time.Duration `xor:"start" placeholder:"TIME" help:"New tasks wait so long: 90m."`
	DryRun      bool          `help:"Publish nothing; say what would be new."`
	PrintNew    bool          `help:"Print the ids of the new tasks."`
}

// submitted is what submit tells.
type submitted struct {
	Experiment string              `json:"experiment"`
	Pool       string              `json:"pool"`
	DryRun     bool                `json:"dry_run,omitempty"`
	Tasks      int                 `json:"tasks"`
	New        int                 `json:"new"`
	Cached     int                 `json:"cached"`  // ended by results of other pools or lives
	Changed    int                 `json:"changed"` // whose results, or data, are others now
	Known      int                 `json:"known"`
	Done       int                 `json:"done"`                 // of the known ones
	Forgone    int                 `json:"forgone,omitempty"`    // cached or changed ones that this user may not treat so
	Failed     int                 `json:"failed"`               // of the known ones, before any was put back
	Cancelled  int                 `json:"cancelled"`            // the same
	PutBack    int                 `json:"put_back"`             // by --retry-failed or --again
	NotBefore  *time.Time          `json:"not_before,omitempty"` // of the new ones
	NewTasks   []foldstream.TaskID `json:"new_tasks,omitempty"`
}

// Run reads the file, then publishes.
func (c *SubmitCmd) Run(ctx context.Context, env *Env) (err error) {
	start, err := c.start()
	if err != nil {
		return err
	}
	if err := c.checkKey(); err != nil {
		return err
	}
	p, err := load(c.File)
	if err != nil {
		return err
	}
	for i := range p.Tasks {
		p.Tasks[i].NotBefore = start
	}
	store, closeStore, err := c.openStore(ctx, env, c.logger(env))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	started := time.Now()
	a, err := administration(store)
	if err != nil {
		return err
	}
	seen, created, err := c.create(ctx, a, p)
	if err != nil {
		return err
	}
	out := tell(p.Experiment.Name, p.Experiment.Pool, seen, created)
	out.DryRun, out.NotBefore = c.DryRun, instantOrNil(start)
	if out.PutBack, err = c.putBack(ctx, store, p.Experiment.Pool, created); err != nil {
		return err
	}
	if c.PrintNew {
		out.NewTasks = fresh(created)
	}
	if c.JSON {
		return printJSON(env.Stdout, out)
	}
	c.print(env, out, time.Since(started))
	if command := p.allowance(); command != "" {
		fmt.Fprintf(env.Stderr, "%s: its tasks run a command: consumers need --allow '%s'\n", out.Experiment, command)
	}
	return nil
}

// start is when new tasks may start; zero is at once. Errors: Invalid.
func (c *SubmitCmd) start() (time.Time, error) {
	switch {
	case c.At != "":
		return future("--at", c.At, time.Local)
	case c.In < 0:
		return time.Time{}, foldstream.Errorf(foldstream.Invalid, "", "--in %v is past", c.In)
	case c.In > 0:
		return time.Now().Add(c.In), nil
	}
	return time.Time{}, nil
}

// create publishes the plan, or only looks at what is known of it.
func (c *SubmitCmd) create(ctx context.Context, a administered, p *plan) (*survey, []foldstream.Created, error) {
	seen, err := p.look(ctx, a, c.wants(c.Reuse, false))
	if err != nil {
		return nil, nil, err
	}
	seen.longestFirst = c.LongestFirst
	if !c.DryRun {
		created, err := p.do(ctx, a, seen)
		return seen, created, err
	}
	created := make([]foldstream.Created, len(p.Tasks))
	for i, one := range seen.steps {
		created[i] = foldstream.Created{ID: one.Task, Status: one.Status, New: one.Do == doNew || one.Do == doChanged && one.From == nil}
	}
	return seen, created, nil
}

// putBack works the tasks again that failed or were cancelled, as the flags ask; with --dry-run it counts them.
func (c *SubmitCmd) putBack(ctx context.Context, store foldstream.Store, pool string, created []foldstream.Created) (int, error) {
	var ids []foldstream.TaskID
	for _, one := range created {
		failed, cancelled := one.Status == foldstream.Dead, one.Status == foldstream.Withdrawn
		if failed && (c.RetryFailed || c.Again) || cancelled && c.Again {
			ids = append(ids, one.ID)
		}
	}
	if len(ids) == 0 || c.DryRun {
		return len(ids), nil
	}
	a, err := administration(store)
	if err != nil {
		return 0, err
	}
	return a.Retry(ctx, pool, "submitted again by "+asker(), ids...)
}

// print tells people. The new ids have stdout for themselves.
func (c *SubmitCmd) print(env *Env, out submitted, took time.Duration) {
	w := env.Stdout
	if c.PrintNew {
		w = env.Stderr
	}
	for _, id := range out.NewTasks {
		fmt.Fprintln(env.Stdout, id)
	}
	would := ""
	if c.DryRun {
		would = "nothing published; "
	}
	fmt.Fprintf(w, "%s: %s%d tasks in pool %s: %v (%v)\n", out.Experiment, would, out.Tasks, out.Pool, out, took.Round(time.Millisecond))
	if out.NotBefore != nil {
		fmt.Fprintf(w, "%s: the new ones wait until %s\n", out.Experiment, out.NotBefore.Format(time.RFC3339))
	}
	if out.Failed+out.Cancelled > 0 {
		fmt.Fprintf(w, "%s: of the known ones %d had failed, %d were cancelled; %d put back%s\n",
			out.Experiment, out.Failed, out.Cancelled, out.PutBack, out.advice(c))
	}
}

// advice says by which flag more of the tasks would be worked again.
func (s submitted) advice(c *SubmitCmd) string {
	switch {
	case s.Cancelled > 0 && !c.Again:
		return " (--again works them all again)"
	case s.Failed > 0 && !c.Again && !c.RetryFailed:
		return " (--retry-failed works them again)"
	}
	return ""
}

func fresh(created []foldstream.Created) (ids []foldstream.TaskID) {
	for _, c := range created {
		if c.New && c.Status != foldstream.Done { // else it was adopted
			ids = append(ids, c.ID)
		}
	}
	return ids
}

// tell counts what was done with each task: what is new is worked, what is cached or done is not.
func tell(experiment, pool string, seen *survey, created []foldstream.Created) submitted {
	out := submitted{Experiment: experiment, Pool: pool, Tasks: len(created), Forgone: seen.forgone}
	for i, c := range created {
		switch one := seen.steps[i]; {
		case one.Do == doChanged:
			out.Changed++
		case one.Do == doCached:
			out.Cached++
		case c.New:
			out.New++
		case c.Status == foldstream.Done:
			out.Done++
		case c.Status == foldstream.Dead:
			out.Failed++
		case c.Status == foldstream.Withdrawn:
			out.Cancelled++
		}
	}
	out.Known = out.Tasks - out.New - out.Cached - out.Changed
	return out
}

// String counts: "3 new, 2 cached, 475 known". What there is always, new and known, is told also where there is none.
func (s submitted) String() string {
	text := fmt.Sprintf("%d new, ", s.New)
	if s.Changed > 0 {
		text += fmt.Sprintf("%d changed, ", s.Changed)
	}
	if s.Cached > 0 {
		text += fmt.Sprintf("%d cached, ", s.Cached)
	}
	text += fmt.Sprintf("%d known", s.Known)
	if s.Forgone > 0 {
		text += fmt.Sprintf(", %d not reused: this user may not", s.Forgone)
	}
	return text
}

// skipped says what of the known tasks is not worked again, and what goes on; "" where none is known.
func (s submitted) skipped() string {
	var parts []string
	if s.Done > 0 {
		parts = append(parts, fmt.Sprintf("%d done are skipped", s.Done))
	}
	if given := s.Failed + s.Cancelled; given > 0 {
		parts = append(parts, fmt.Sprintf("%d failed or cancelled stay", given))
	}
	if open := s.Known - s.Done - s.Failed - s.Cancelled; open > 0 {
		parts = append(parts, fmt.Sprintf("%d go on", open))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}
