package cli

import (
	"context"
	"errors"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// WaitCmd waits until every task of an experiment is done or given up.
type WaitCmd struct {
	Connection
	Output
	Experiment string        `arg:"" help:"Experiment to wait for."`
	For        time.Duration `name:"for" placeholder:"TIME" help:"Give up after this time, with exit code 6; default: never."`
}

// Run waits. Errors: Failed where tasks failed, Timeout.
func (c *WaitCmd) Run(ctx context.Context, env *Env) (err error) {
	s, err := c.dial(ctx, c.logger(env))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, err := collect.ReadExperiment(ctx, s.store, c.Experiment); err != nil {
		return err
	}
	if c.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, c.For, errWaited)
		defer cancel()
	}
	p := newProgress(env, c.Experiment)
	sum, err := await(ctx, s.store, c.Experiment, p)
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

var errWaited = errors.New("waited long enough")

// await returns the summary of the experiment's collection once it is settled. Errors: Timeout, Cancelled.
func await(ctx context.Context, store foldstream.Store, experiment string, p progress) (collect.Summary, error) {
	var last collect.Summary
	for sum, err := range collect.Watch(ctx, store, experiment) {
		if err != nil {
			return last, err
		}
		last = sum
		p.set(sum.Present, sum.Failed, sum.Expected)
		if sum.Settled {
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
	if sum.Failed > 0 {
		return foldstream.Errorf(foldstream.Failed, "", "%s: %d of %d members failed", experiment, sum.Failed, sum.Expected)
	}
	if !sum.Complete() {
		return foldstream.Errorf(foldstream.Incomplete, "", "%s: %d of %d members are there", experiment, sum.Present, sum.Expected)
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
}

func summaryOf(experiment string, s collect.Summary) summaryJSON {
	return summaryJSON{
		Experiment: experiment, Expected: s.Expected, Present: s.Present, Failed: s.Failed,
		Coverage: float64(s.Present) / float64(max(s.Expected, 1)), Settled: s.Settled, Complete: s.Complete(), Certified: s.Certified,
	}
}
