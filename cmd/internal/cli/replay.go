package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/foldstream/foldstream"
)

// ReplayCmd makes a new experiment of the recorded tasks of an experiment, in a pool of its own. The original is not touched. Repeating
// the command completes what an interrupted one left.
type ReplayCmd struct {
	Managed
	Experiment string `arg:"" help:"Experiment whose recorded tasks to run again."`
	As         string `placeholder:"NAME" help:"Name of the new experiment and of its pool; default: the experiment's with -2, -3, …, the first that is free."`
	Code       string `placeholder:"VERSION" help:"Version of the code that must do the work: consumers that declare another get none of its tasks."`
	Recorded
	Set    []string `short:"S" sep:"none" group:"Change" placeholder:"collection.PATH=VALUE" help:"Fold the results otherwise: collection.portfolio.cost=0.002."`
	DryRun bool     `group:"Change" help:"Count what would be made; make nothing."`

	LongestFirst bool `group:"Change" help:"Queue the tasks that took longest before the others of their priority, so that no worker waits for the last one."`
}

// replayed is what replay tells machines.
type replayed struct {
	Experiment string `json:"experiment"`
	Pool       string `json:"pool"`
	Of         string `json:"of"`
	Asked      string `json:"asked"` // which of its tasks and what was changed, as flags
	DryRun     bool   `json:"dry_run,omitempty"`
	Members    int    `json:"members"`
	Tasks      int    `json:"tasks"`
	New        int    `json:"new"`
	Known      int    `json:"known"`

	Work       float64 `json:"work_seconds,omitempty"` // of a dry run: by the experience of the original
	Experience int     `json:"experience,omitempty"`   // results that this is of
}

// Run replays.
func (c *ReplayCmd) Run(ctx context.Context, env *Env) error {
	r, err := c.prepare()
	if err != nil {
		return err
	}
	return c.on(ctx, env, func(a administered) error {
		r.store = a
		if err := r.read(ctx, c.Experiment); err != nil {
			return err
		}
		if err := r.place(ctx, c.As); err != nil {
			return err
		}
		out := replayed{Experiment: r.to.Name, Pool: r.to.Pool, Of: c.Experiment, Asked: r.to.Replay.Asked, DryRun: c.DryRun, Members: len(r.members)}
		out.Tasks = len(tasksOf(r.members))
		if c.DryRun {
			ahead, err := r.cost(ctx)
			if err != nil {
				return err
			}
			out.Work, out.Experience = ahead.Work.Seconds(), ahead.Results
			return c.tell(env, out, ahead)
		}
		p := newProgress(env, r.to.Name)
		out.New, err = r.make(ctx, c.Code, p)
		p.close()
		if err != nil {
			return err
		}
		out.Known = out.Tasks - out.New
		return c.tell(env, out, cost{})
	})
}

// prepare reads the flags. Errors: Invalid.
func (c *ReplayCmd) prepare() (*replay, error) {
	if c.As != "" {
		if err := foldstream.ValidName("--as", c.As); err != nil {
			return nil, err
		}
		if c.As == c.Experiment {
			return nil, foldstream.Errorf(foldstream.Invalid, "", "--as %s: a replay needs another name", c.As)
		}
	}
	if len(c.Code) > foldstream.MaxCode {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "--code: a version of code has at most %d bytes, this one has %d", foldstream.MaxCode, len(c.Code))
	}
	r := &replay{sample: c.Sample, longestFirst: c.LongestFirst}
	var err error
	if r.kept, err = c.filter(); err != nil {
		return nil, err
	}
	if r.changes, err = collectionChanges(c.Set); err != nil {
		return nil, err
	}
	r.asked = c.asked()
	return r, nil
}

// asked is which tasks and what changes the flags name, in an order of its own: equal for replays of one experiment that come to the same.
func (c *ReplayCmd) asked() string {
	words := c.words()
	if c.Code != "" {
		words = append(words, "--code "+c.Code)
	}
	for _, text := range c.Set {
		words = append(words, "-S "+text)
	}
	return strings.Join(words, " ")
}

func (c *ReplayCmd) tell(env *Env, out replayed, ahead cost) error {
	if c.JSON {
		return printJSON(env.Stdout, out)
	}
	of := out.Of
	if out.Asked != "" {
		of += " (" + out.Asked + ")"
	}
	if c.DryRun {
		fmt.Fprintf(env.Stdout, "%s: nothing published; %d recorded tasks of %s\n", out.Experiment, out.Tasks, of)
		if ahead.Results > 0 {
			fmt.Fprintf(env.Stdout, "%s: %v\n", out.Experiment, ahead)
		}
		return nil
	}
	fmt.Fprintf(env.Stdout, "%s: %d recorded tasks of %s: %d new, %d known\n", out.Experiment, out.Tasks, of, out.New, out.Known)
	if c.Code != "" {
		fmt.Fprintf(env.Stderr, "%s: its pool requires code %s: consumers need --code %[2]s\n", out.Experiment, c.Code)
	}
	return nil
}
