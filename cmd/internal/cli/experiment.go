package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/record"
)

// ExperimentCmd is the commands about experiments.
type ExperimentCmd struct {
	List     ExperimentListCmd     `cmd:"" aliases:"ls" help:"List the experiments in order of their names."`
	Show     ExperimentShowCmd     `cmd:"" aliases:"get,info,view" help:"Show an experiment: its members, how far they are, where it comes from."`
	Activate ExperimentActivateCmd `cmd:"" aliases:"select" help:"Make an experiment the one that commands are about which are told none."`
	Sign     ExperimentSignCmd     `cmd:"" help:"Sign what a complete experiment is: members, results, collection, by their digests."`
	Verify   ExperimentVerifyCmd   `cmd:"" help:"Verify such a signature, and that the store still holds exactly that."`
	Remove   ExperimentRemoveCmd   `cmd:"" aliases:"rm,delete" help:"Delete an experiment for good; its name is free afterwards."`
}

// experimentJSON is an experiment with how complete its collection is, for machines.
type experimentJSON struct {
	Experiment string    `json:"experiment"`
	ID         string    `json:"id"`
	Active     bool      `json:"active"`
	Pool       string    `json:"pool"`
	Source     string    `json:"source"`
	Created    time.Time `json:"created"`
	Expected   int       `json:"expected"` // members
	Present    int       `json:"present"`
	Failed     int       `json:"failed"`
	Coverage   float64   `json:"coverage"`
	Complete   bool      `json:"complete"`
	Certified  bool      `json:"certified"`
}

// experimentOf tells of an experiment and of its collection, as far as there is one.
func experimentOf(ctx context.Context, store foldstream.Store, e foldstream.Experiment, active string) (experimentJSON, error) {
	out := experimentJSON{
		Experiment: e.Name, ID: e.ID, Active: e.Name == active, Pool: e.Pool, Source: e.Source, Created: e.Created.UTC(), Expected: e.Expected,
		Certified: e.Members != "" && e.Policy != foldstream.Warn,
	}
	sum, err := collect.LoadSummary(ctx, store, e.Name)
	if foldstream.Is(err, foldstream.NotFound) {
		return out, nil
	}
	out.Present, out.Failed, out.Complete = sum.Present, sum.Failed, e.Members != "" && sum.Complete()
	out.Coverage = float64(sum.Present) / float64(max(e.Expected, 1))
	return out, err
}

// experimentEnv is an experiment as an expression sees it.
type experimentEnv struct {
	Name      string        `expr:"name"`
	Pool      string        `expr:"pool"`
	Source    string        `expr:"source"`
	Expected  int           `expr:"expected"`
	Present   int           `expr:"present"`
	Failed    int           `expr:"failed"`
	Coverage  float64       `expr:"coverage"`
	Complete  bool          `expr:"complete"`
	Certified bool          `expr:"certified"`
	Active    bool          `expr:"active"`
	Created   time.Time     `expr:"created"`
	Age       time.Duration `expr:"age"`
}

var aboutExperiments = language{flag: "--where", env: experimentEnv{}}

// experimentFilter makes an expression a filter of experiments. Errors: Invalid, with line and column.
func experimentFilter(text string) (func(experimentJSON) (bool, error), error) {
	if strings.TrimSpace(text) == "" {
		return func(experimentJSON) (bool, error) { return true, nil }, nil
	}
	program, err := aboutExperiments.compile(text)
	if err != nil {
		return nil, err
	}
	return func(e experimentJSON) (bool, error) {
		v, err := aboutExperiments.run(program, text, experimentEnv{
			e.Experiment, e.Pool, e.Source, e.Expected, e.Present, e.Failed, e.Coverage, e.Complete, e.Certified, e.Active, e.Created, time.Since(e.Created),
		})
		yes, _ := v.(bool) // AsBool sees to it
		return yes, err
	}, nil
}

// ExperimentListCmd lists the experiments.
type ExperimentListCmd struct {
	Managed
	Where string `placeholder:"EXPR" help:"Only experiments for which this is true: failed > 0 or not complete."`
	Limit int    `placeholder:"N" help:"At most so many; default: all."`
	After string `placeholder:"NAME" help:"Only experiments whose names stand behind this one: where the last page ended."`
	Names bool   `short:"n" help:"Print the names alone."`
}

// Run lists. With --json it prints one object a line.
func (c *ExperimentListCmd) Run(ctx context.Context, env *Env) error {
	filter, err := experimentFilter(c.Where)
	if err != nil {
		return err
	}
	if c.Limit < 0 {
		return foldstream.Errorf(foldstream.Invalid, "", "--limit %d is below 0", c.Limit)
	}
	active, err := activeExperiment()
	if err != nil {
		return err
	}
	return c.on(ctx, env, func(a administered) error {
		enc, n := json.NewEncoder(env.Stdout), 0
		t := newTable(env.Stdout, "", "experiment", "pool", "members", "present", "failed", "coverage", "created", "source")
		for e, err := range record.Experiments(ctx, a) {
			if err != nil {
				return err
			}
			if e.Name <= c.After {
				continue
			}
			one, err := experimentOf(ctx, a, e, active)
			if err != nil {
				return err
			}
			yes, err := filter(one)
			switch {
			case err != nil:
				return foldstream.Errorf(foldstream.Invalid, "", "experiment %s: %w", e.Name, err)
			case !yes:
				continue
			case c.JSON:
				err = enc.Encode(one)
			case c.Names:
				_, err = fmt.Fprintln(env.Stdout, e.Name)
			default:
				t.AppendRow([]any{mark(one.Active), e.Name, e.Pool, e.Expected, one.Present, one.Failed, share(one), instant(e.Created), e.Source})
			}
			if err != nil {
				return err
			}
			if n++; n == c.Limit {
				break
			}
		}
		if !c.JSON && !c.Names {
			rightFrom(t, 4, 7)
			t.Render()
		}
		return nil
	})
}

// mark marks the active one of a list.
func mark(active bool) string {
	if active {
		return "*"
	}
	return ""
}

// share writes how complete a collection is, nothing where there is none.
func share(e experimentJSON) string {
	if e.Expected == 0 {
		return ""
	}
	return percent(e.Coverage)
}

// ExperimentActivateCmd chooses the active experiment.
type ExperimentActivateCmd struct {
	Managed
	Experiment string `arg:"" optional:"" help:"Experiment; without it the active one is shown."`
	None       bool   `help:"Make none active."`
}

// Run keeps the name in the user's state folder, or shows it. Errors: NotFound (there is no such experiment, or none is active).
func (c *ExperimentActivateCmd) Run(ctx context.Context, env *Env) error {
	name := c.Experiment
	switch {
	case c.None && name != "":
		return foldstream.Errorf(foldstream.Invalid, "", "--none and %s: say one of both", name)
	case c.None:
		if err := activate(""); err != nil {
			return err
		}
	case name == "":
		var err error
		if name, err = activeExperiment(); err != nil {
			return err
		}
		if name == "" {
			return foldstream.Errorf(foldstream.NotFound, "", "no experiment is active")
		}
	default:
		err := c.on(ctx, env, func(a administered) error {
			_, err := record.ReadExperiment(ctx, a, name)
			return err
		})
		if err == nil {
			err = activate(name)
		}
		if err != nil {
			return err
		}
	}
	if c.JSON {
		return printJSON(env.Stdout, map[string]string{"active": name})
	}
	if name == "" {
		name = "no experiment is active"
	}
	_, err := fmt.Fprintln(env.Stdout, name)
	return err
}

// ExperimentRemoveCmd deletes an experiment.
type ExperimentRemoveCmd struct {
	Managed
	Change
	Why
	Experiment string `arg:"" help:"Experiment."`
	Tasks      bool   `help:"End its tasks, and forget them and their results, but for those that another experiment has, too."`
}

// removedJSON is what was deleted, for machines.
type removedJSON struct {
	Experiment string `json:"experiment"`
	DryRun     bool   `json:"dry_run"`
	Recorders  int    `json:"recorders"` // free ones, and what people added to tasks'
	Values     int    `json:"values"`    // of its collection
	Tasks      int    `json:"tasks"`
}

// Run deletes. What a deletion left that died is deleted by repeating it.
func (c *ExperimentRemoveCmd) Run(ctx context.Context, env *Env) error {
	return c.on(ctx, env, func(a administered) error {
		meant, err := record.Meant(ctx, a, c.Experiment, record.Deletion{Tasks: c.Tasks})
		if err != nil {
			return err
		}
		out := removedJSON{Experiment: c.Experiment, DryRun: c.DryRun, Recorders: meant.Recorders, Values: meant.Values, Tasks: meant.Tasks}
		if c.DryRun {
			return c.tell(env, "would delete", out)
		}
		question := fmt.Sprintf("delete experiment %s with %d recorders, %d values of its collection and %d tasks", c.Experiment, meant.Recorders, meant.Values, meant.Tasks)
		if err := confirm(ctx, env, c.Force, 2, question); err != nil {
			return err
		}
		did, err := record.Delete(ctx, a, c.Experiment, record.Deletion{Tasks: c.Tasks, Why: c.text()})
		if err != nil {
			return foldstream.Errorf(foldstream.KindOf(err), "", "%w; say it again to complete it", err)
		}
		out.Recorders, out.Values, out.Tasks = did.Recorders, did.Values, did.Tasks
		if active, err := activeExperiment(); err == nil && active == c.Experiment {
			if err := activate(""); err != nil {
				return err
			}
		}
		return c.tell(env, "deleted", out)
	})
}

func (c *ExperimentRemoveCmd) tell(env *Env, did string, out removedJSON) error {
	if c.JSON {
		return printJSON(env.Stdout, out)
	}
	left := ""
	if !c.Tasks {
		left = "; its tasks and their results stay"
	}
	_, err := fmt.Fprintf(env.Stdout, "%s: %s, with %d recorders, %d values of its collection and %s%s\n", out.Experiment, did, out.Recorders, out.Values, tasksN(out.Tasks), left)
	return err
}
