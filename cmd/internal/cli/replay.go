package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream"
)

// ReplayCmd makes the recorded tasks of a pool anew in another pool, and its experiments with them. The original is not
// touched. Repeating the command completes what an interrupted one left and changes nothing else.
type ReplayCmd struct {
	Connection
	Output
	Pool string `arg:"" help:"Pool whose recorded tasks to run again."`
	As   string `required:"" placeholder:"POOL" help:"Pool to run them in; the experiment gets the same name."`
}

// Run replays.
func (c *ReplayCmd) Run(ctx context.Context, env *Env) (err error) {
	if err := errors.Join(foldstream.ValidName("pool", c.Pool), foldstream.ValidName("--as", c.As)); err != nil {
		return err
	}
	if c.As == c.Pool {
		return foldstream.Errorf(foldstream.Invalid, "", "--as %s: a replay needs a pool of another name", c.As)
	}
	s, err := c.dial(ctx, c.logger(env))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	created, err := replay(ctx, s.store, c.Pool, c.As)
	if err != nil {
		return err
	}
	out := tell(c.As, c.As, created)
	if c.JSON {
		return printJSON(env.Stdout, out)
	}
	fmt.Fprintf(env.Stdout, "%s: %d recorded tasks of %s: %d new, %d known\n", c.As, out.Tasks, c.Pool, out.New, out.Known)
	return nil
}

// replayChunk is how many tasks are held at once.
const replayChunk = 5000

// replay copies the experiments of a pool, then the recorded tasks. An experiment of the pool's own name takes the new
// pool's name; another one's name is put behind it.
func replay(ctx context.Context, store *stream.Store, from, to string) ([]foldstream.Created, error) {
	found := false
	for e, err := range record.Experiments(ctx, store) {
		if err != nil {
			return nil, err
		}
		if e.Pool != from {
			continue
		}
		found = true
		if err := copyExperiment(ctx, store, e, to); err != nil {
			return nil, err
		}
	}
	if !found {
		return nil, foldstream.Errorf(foldstream.NotFound, "", "no experiment was ever submitted to a pool %q", from)
	}
	return copyTasks(ctx, store, from, to)
}

func copyExperiment(ctx context.Context, store foldstream.Store, e foldstream.Experiment, to string) error {
	members, _, err := record.Members(ctx, store, e)
	if err != nil {
		return err
	}
	cal, err := (&calendars{artifacts: store.Artifacts()}).get(ctx, e.Calendar)
	if err != nil {
		return err
	}
	name := to
	if e.Name != e.Pool {
		name = to + "-" + e.Name
	}
	e.Source = "replay of " + e.Name
	e.Name, e.Pool = name, to
	return record.PutExperiment(ctx, store, e, members, cal.Sessions()...)
}

func copyTasks(ctx context.Context, store *stream.Store, from, to string) ([]foldstream.Created, error) {
	var all []foldstream.Created
	var chunk []foldstream.Task
	flush := func() error {
		created, err := store.Pool(to).Create(ctx, chunk...)
		all, chunk = append(all, created...), chunk[:0]
		return err
	}
	for t, err := range store.Definitions(ctx, from) {
		if err != nil {
			return all, err
		}
		t.Experiment = to
		if chunk = append(chunk, t); len(chunk) == replayChunk {
			if err := flush(); err != nil {
				return all, err
			}
		}
	}
	return all, flush()
}
