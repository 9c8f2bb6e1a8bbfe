package cli

import (
	"context"
	"errors"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/record"
)

// WaitCmd waits until every task of an experiment, or of a pool, is done or given up.
type WaitCmd struct {
	Endpoint
	ServerTimeout time.Duration `group:"Server" env:"NATS_TIMEOUT" setting:"timeout" default:"5s" help:"How long to wait for the server's answers: --timeout of other commands."`
	Output
	ExperimentArg
	Pool    string        `placeholder:"POOL" help:"Wait for all tasks of a pool instead."`
	Timeout time.Duration `aliases:"for" setting:"own" placeholder:"TIME" help:"Give up after this time, with exit code 6; default: never."`

	FailFast    bool `xor:"failures" help:"Wait no longer once a task has failed."`
	MaxFailures *int `xor:"failures" placeholder:"N" help:"Wait no longer once more than N tasks have failed."`
}

// Run waits. Errors: Failed where tasks failed, Timeout.
func (c *WaitCmd) Run(ctx context.Context, env *Env) (err error) {
	if err := c.check(); err != nil {
		return err
	}
	connection := Connection{Endpoint: c.Endpoint, Timeout: c.ServerTimeout}
	store, closeStore, err := connection.openStore(ctx, env, c.logger(env))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	if c.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.Timeout, errWaited)
		defer cancel()
	}
	if c.Pool != "" {
		return c.waitForPool(ctx, env, store)
	}
	e, err := experimentNamed(ctx, store, c.Experiment)
	if err != nil {
		return err
	}
	if e.Members == "" {
		return foldstream.Errorf(foldstream.Invalid, "", "experiment %s has no tasks to wait for", e.Name)
	}
	p := newProgress(env, c.Experiment)
	stop := observe(ctx, store, e.Pool, p)
	sum, err := awaitUntil(ctx, store, c.Experiment, p, func(s collect.Summary) bool {
		return c.tooMany(s.Failed) || settledNow(ctx, store, e, s)
	})
	stop()
	p.close()
	if err != nil {
		return err
	}
	if c.JSON {
		if err := printJSON(env.Stdout, summaryOf(c.Experiment, sum)); err != nil {
			return err
		}
	}
	return verdict(c.Experiment, sum)
}

func (c *WaitCmd) check() (err error) {
	if c.Pool == "" {
		if c.Experiment, err = chosen(c.Experiment); err != nil {
			return err
		}
	}
	switch {
	case c.Experiment != "" && c.Pool != "":
		return foldstream.Errorf(foldstream.Invalid, "", "wait for one: the experiment %s, or --pool %s", c.Experiment, c.Pool)
	case c.MaxFailures != nil && *c.MaxFailures < 0:
		return foldstream.Errorf(foldstream.Invalid, "", "--max-failures %d is below 0", *c.MaxFailures)
	case c.Timeout < 0:
		return foldstream.Errorf(foldstream.Invalid, "", "--timeout %v is below 0", c.Timeout)
	}
	return nil
}

// tooMany reports whether so many tasks failed that nobody wants to wait for the rest.
func (c *WaitCmd) tooMany(failed int) bool {
	return c.FailFast && failed > 0 || c.MaxFailures != nil && failed > *c.MaxFailures
}

// upToDate reports whether the failures that a settled collection tells are still so: who retries tasks and waits at once would
// else be told what was before. Where that cannot be found out it is.
func upToDate(ctx context.Context, store foldstream.Store, e foldstream.Experiment, s collect.Summary) bool {
	index, ok := store.(foldstream.Index)
	if !ok || s.Failed == 0 {
		return true
	}
	col, err := collect.Load(ctx, store, e.Name)
	if err != nil {
		return true
	}
	for _, g := range col.Groups {
		for _, w := range g.Windows {
			if w.Status == foldstream.Done {
				continue
			}
			state, err := index.Task(ctx, e.Pool, w.Task)
			if err == nil && state.Status != w.Status {
				return false
			}
		}
	}
	return true
}

var errWaited = errors.New("waited long enough")

// await returns the summary of the experiment's collection once it is settled. Errors: NotFound, Timeout, Cancelled.
func await(ctx context.Context, store foldstream.Store, experiment string, p progress) (collect.Summary, error) {
	e, err := record.ReadExperiment(ctx, store, experiment)
	if err != nil {
		return collect.Summary{}, err
	}
	return awaitUntil(ctx, store, experiment, p, func(s collect.Summary) bool { return settledNow(ctx, store, e, s) })
}

// settledNow reports whether a summary is of an experiment as it is, settled, and not of what was before tasks were put back.
func settledNow(ctx context.Context, store foldstream.Store, e foldstream.Experiment, s collect.Summary) bool {
	return s.Settled && s.Members == e.Members && s.Round == e.Round() && upToDate(ctx, store, e, s)
}

// awaitUntil returns the first summary of the experiment's collection that is enough. Errors: Timeout, Cancelled.
func awaitUntil(ctx context.Context, store foldstream.Store, experiment string, p progress, enough func(collect.Summary) bool) (collect.Summary, error) {
	var last collect.Summary
	for sum, err := range collect.Watch(ctx, store, experiment) {
		if err != nil {
			return last, err
		}
		last = sum
		p.set(sum.Present, sum.Failed, sum.Expected)
		if enough(sum) {
			return sum, nil
		}
	}
	if errors.Is(context.Cause(ctx), errWaited) {
		return last, foldstream.Errorf(foldstream.Timeout, "", "%s: %d of %d members are there, %d failed, when the time ran out",
			experiment, last.Present, last.Expected, last.Failed)
	}
	return last, foldstream.Errorf(foldstream.Cancelled, "", "interrupted; %d of %d members of %s are there", last.Present, last.Expected, experiment)
}

// verdict is the error of a settled collection that lacks members, nil for a complete one.
func verdict(experiment string, sum collect.Summary) error {
	if sum.Failed > 0 && !sum.Settled {
		return foldstream.Errorf(foldstream.Failed, "", "%s: %d of %d members failed, %d are there; not waited for the rest", experiment, sum.Failed, sum.Expected, sum.Present)
	}
	if sum.Failed > 0 {
		return foldstream.Errorf(foldstream.Failed, "", "%s: %d of %d members failed", experiment, sum.Failed, sum.Expected)
	}
	if !sum.Complete() {
		return foldstream.Errorf(foldstream.Incomplete, "", "%s: %d of %d members are there, with %d gaps, %d overlaps, %d duplicates",
			experiment, sum.Present, sum.Expected, sum.Gaps, sum.Overlaps, sum.Duplicates)
	}
	return nil
}

// summaryJSON is a collection in counts, for machines.
type summaryJSON struct {
	Experiment string  `json:"experiment"`
	Expected   int     `json:"expected"`
	Present    int     `json:"present"`
	Failed     int     `json:"failed"`
	Coverage   float64 `json:"coverage"`
	Settled    bool    `json:"settled"`
	Complete   bool    `json:"complete"`
	Certified  bool    `json:"certified"`

	Gaps       int           `json:"gaps"` // runs of sessions
	Overlaps   int           `json:"overlaps"`
	Duplicates int           `json:"duplicates"`
	Codes      collect.Codes `json:"codes"` // results by the version of the code that made them
}

func summaryOf(experiment string, s collect.Summary) summaryJSON {
	return summaryJSON{
		Experiment: experiment, Expected: s.Expected, Present: s.Present, Failed: s.Failed,
		Coverage: float64(s.Present) / float64(max(s.Expected, 1)), Settled: s.Settled, Complete: s.Complete(), Certified: s.Certified,
		Gaps: s.Gaps, Overlaps: s.Overlaps, Duplicates: s.Duplicates, Codes: s.Codes,
	}
}
