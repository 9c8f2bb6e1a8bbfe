package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/foldstream/foldstream"
)

// SubmitCmd publishes the tasks of an experiment file. Submitting twice is submitting once.
type SubmitCmd struct {
	Connection
	Output
	File string `arg:"" help:"Experiment file."`
}

// submitted is what submit tells.
type submitted struct {
	Experiment string `json:"experiment"`
	Pool       string `json:"pool"`
	Tasks      int    `json:"tasks"`
	New        int    `json:"new"`
	Known      int    `json:"known"`
}

// Run reads the file, then publishes.
func (c *SubmitCmd) Run(ctx context.Context, env *Env) (err error) {
	p, err := load(c.File)
	if err != nil {
		return err
	}
	s, err := c.dial(ctx, c.logger(env))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	started := time.Now()
	created, err := p.submit(ctx, s.store)
	if err != nil {
		return err
	}
	out := tell(p.Experiment.Name, p.Experiment.Pool, created)
	if c.JSON {
		return printJSON(env.Stdout, out)
	}
	fmt.Fprintf(env.Stdout, "%s: %d tasks in pool %s: %d new, %d known (%v)\n",
		out.Experiment, out.Tasks, out.Pool, out.New, out.Known, time.Since(started).Round(time.Millisecond))
	return nil
}

func tell(experiment, pool string, created []foldstream.Created) submitted {
	out := submitted{Experiment: experiment, Pool: pool, Tasks: len(created)}
	for _, c := range created {
		if c.New {
			out.New++
		}
	}
	out.Known = out.Tasks - out.New
	return out
}
