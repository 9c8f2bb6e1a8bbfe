package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// ApplyCmd publishes exactly what a plan file says. Repeating it completes what an interrupted one left.
type ApplyCmd struct {
	Connection
	Output
	Plan  string `arg:"" help:"Plan file, as plan --out writes it."`
	Store string `type:"path" placeholder:"DIR" help:"Store of the embedded server; default: the server that the flags name."`
}

// movedShown is how many things that moved are told.
const movedShown = 5

// Run derives the plan again, refuses what has moved, and publishes.
func (c *ApplyCmd) Run(ctx context.Context, env *Env) (err error) {
	f, err := readPlanFile(c.Plan)
	if err != nil {
		return err
	}
	p, err := load(f.File)
	if err != nil {
		return err
	}
	a, closeStore, err := c.open(ctx, env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	began := time.Now()
	seen, err := p.look(ctx, a, f.Flags.wants())
	if err != nil {
		return err
	}
	if err := f.stands(p, seen); err != nil {
		return err
	}
	left := f.left(seen)
	created, err := p.do(ctx, a, left)
	if err != nil {
		return err
	}
	out := tell(p.Experiment.Name, p.Experiment.Pool, left, created)
	if c.JSON {
		return printJSON(env.Stdout, out)
	}
	_, err = fmt.Fprintf(env.Stdout, "%s: %d tasks in pool %s: %v (%v)\n", out.Experiment, out.Tasks, out.Pool, out, time.Since(began).Round(time.Millisecond))
	return err
}

func (c *ApplyCmd) open(ctx context.Context, env *Env) (administered, func() error, error) {
	if c.Store == "" {
		store, closeStore, err := c.openStore(ctx, env, c.logger(env))
		if err != nil {
			return nil, nil, err
		}
		a, err := administration(store)
		return a, closeStore, err
	}
	s, err := embedded(ctx, env, Embedding{Dir: c.Store, Log: c.logger(env)})
	if err != nil {
		return nil, nil, err
	}
	return s.store, s.Close, nil
}

// stands reports what has moved since the plan was made. Errors: Conflict.
func (f planFile) stands(p *plan, seen *survey) error {
	now, err := planned(p, seen, f.File, f.Flags)
	if err != nil {
		return err
	}
	what := f.moved(now)
	if len(what) == 0 {
		return nil
	}
	more := ""
	if n := len(what) - movedShown; n > 0 {
		what, more = what[:movedShown], fmt.Sprintf("\n  and %d more", n)
	}
	return foldstream.Errorf(foldstream.Conflict, "", "the plan of %s does not hold any more; make another\n  %s%s", p.Experiment.Name, strings.Join(what, "\n  "), more)
}
