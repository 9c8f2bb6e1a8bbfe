package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/work"
)

// RunCmd takes an experiment file to its collection in one process: server, consumers and aggregator. On a store that has
// results already only what is missing is worked on.
type RunCmd struct {
	Connection
	Output
	Labour
	Reuse
	Queueing
	Partial
	File     string `arg:"" help:"Experiment file."`
	Store    string `type:"path" placeholder:"DIR" help:"Store of the embedded server; default: a folder of the experiment's name under the user's data folder."`
	Embedded bool   `help:"Use the embedded server though a server is named."`
	Durability
	Out string `type:"path" placeholder:"DIR" help:"Folder for report.html and collection.csv; default: out/NAME."`
}

// Run runs the experiment.
func (c *RunCmd) Run(ctx context.Context, env *Env) error {
	p, err := load(c.File)
	if err != nil {
		return err
	}
	out := c.Out
	if out == "" {
		out = filepath.Join("out", p.Experiment.Name)
	}
	return c.run(ctx, env, p, out)
}

func (c *RunCmd) run(ctx context.Context, env *Env, p *plan, out string) (err error) {
	log := c.logger(env)
	if err := c.check(); err != nil {
		return err
	}
	if err := canBeFolder("--out", out); err != nil {
		return err
	}
	if len(p.Tasks) > 0 { // all have the file's worker; here is where they will be worked, so say it before anything is published
		if _, err := work.Builtin().Lookup(p.Tasks[0].Worker); err != nil {
			return foldstream.Errorf(foldstream.Invalid, "", "%s: %w", p.Experiment.Source, err)
		}
	}
	s, err := c.open(ctx, env, p.Experiment.Name, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	started := time.Now()
	seen, err := p.look(ctx, s.store, c.wants(c.Reuse, true))
	if err != nil {
		return err
	}
	seen.longestFirst = c.LongestFirst
	created, err := p.do(ctx, s.store, seen)
	if err != nil {
		return err
	}
	told := tell(p.Experiment.Name, p.Experiment.Pool, seen, created)
	fmt.Fprintf(env.Stderr, "%s: %d tasks, %v%s\n", told.Experiment, told.Tasks, told, told.skipped())
	worked, sum, err := c.work(ctx, env, s, p, log)
	if err != nil {
		return err
	}
	fmt.Fprintf(env.Stderr, "%s: executed %d tasks in %v\n", told.Experiment, worked, time.Since(started).Round(10*time.Millisecond))
	if err := c.show(ctx, env, s, p, out); err != nil {
		return err
	}
	return verdict(p.Experiment.Name, sum)
}

// open opens the store: the embedded one unless a server was named.
func (c *RunCmd) open(ctx context.Context, env *Env, name string, log *slog.Logger) (*session, error) {
	named := c.Server != "" || c.Context != ""
	if named && !c.Embedded && c.Store == "" {
		return c.dial(ctx, log)
	}
	dir := c.Store
	if dir == "" {
		dir = filepath.Join(dataHome(os.Getenv), name)
	}
	return embedded(ctx, env, Embedding{Dir: dir, SyncAlways: c.SyncAlways, Log: log})
}

// work runs consumers and an aggregator until the experiment is settled. It returns how many attempts were made.
func (c *RunCmd) work(ctx context.Context, env *Env, s *session, p *plan, log *slog.Logger) (int, collect.Summary, error) {
	name := p.Experiment.Name
	runner, err := c.runner(ctx, s.store, p.Experiment.Pool, p.allows(), log)
	if err != nil {
		return 0, collect.Summary{}, err
	}
	worked := make(chan struct{}, 1024)
	runner.Done = func(foldstream.Task, error) { worked <- struct{}{} }
	count := make(chan int)
	go func() {
		n := 0
		for range worked {
			n++
		}
		count <- n
	}()
	var sum collect.Summary
	group, ctx := errgroup.WithContext(ctx)
	serving, stop := context.WithCancel(ctx)
	group.Go(func() error { return runner.Run(serving) })
	group.Go(func() error { return aggregate(serving, s.store, 0, log) })
	group.Go(func() (err error) {
		defer stop()
		bar := newProgress(env, name)
		defer bar.close()
		defer observe(ctx, s.store, p.Experiment.Pool, bar)()
		sum, err = await(ctx, s.store, name, bar)
		return err
	})
	err = group.Wait()
	close(worked)
	return <-count, sum, err
}

// show prints the table and writes the files.
func (c *RunCmd) show(ctx context.Context, env *Env, s *session, p *plan, out string) error {
	col, err := collect.Load(ctx, s.store, p.Experiment.Name)
	if err != nil {
		return err
	}
	if c.JSON {
		if err := printJSON(env.Stdout, collectionOf(col)); err != nil {
			return err
		}
	} else {
		printCollection(env.Stdout, col)
	}
	return c.writeFiles(ctx, env, s.store, p, col, out)
}

// DemoCmd runs the example on a fresh embedded store.
type DemoCmd struct {
	Output
	Labour
	Out string `type:"path" placeholder:"DIR" help:"Folder for the example's files, report.html and collection.csv; default: a temporary one that is kept."`
}

// Run runs the demo.
func (c *DemoCmd) Run(ctx context.Context, env *Env) (err error) {
	if env.Example == nil {
		return foldstream.Errorf(foldstream.Invalid, "", "this program has no example inside")
	}
	out := c.Out
	if out == "" {
		if out, err = os.MkdirTemp("", "foldstream-demo-"); err != nil {
			return err
		}
	}
	if err := unpack(env.Example, out); err != nil {
		return err
	}
	p, err := load(filepath.Join(out, "experiment.yaml"))
	if err != nil {
		return err
	}
	store, err := os.MkdirTemp("", "foldstream-store-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(store)) }()
	run := RunCmd{Output: c.Output, Labour: c.Labour, Store: store}
	return run.run(ctx, env, p, out)
}

// unpack writes the files of an example into a folder; those that are there are written anew.
func unpack(files fs.FS, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return writeFile(filepath.Join(dir, path), func(w io.Writer) error {
			text, err := fs.ReadFile(files, path)
			if err == nil {
				_, err = w.Write(text)
			}
			return err
		})
	})
}
