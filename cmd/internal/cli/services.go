package cli

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/work"
	"github.com/foldstream/foldstream/work/cache"
	"github.com/foldstream/foldstream/work/exec"
	"github.com/foldstream/foldstream/work/ridge"
)

// Producer is the commands that make tasks.
type Producer struct {
	Submit SubmitCmd `cmd:"" help:"Publish the tasks of an experiment file."`
	Plan   PlanCmd   `cmd:"" help:"Show the tasks of an experiment file; publish nothing."`
	Replay ReplayCmd `cmd:"" help:"Make a new experiment of the recorded tasks of an experiment."`
	Serve  OrdersCmd `cmd:"" help:"Execute what schedules order until told to stop."`
}

// Consumer is the commands that work on tasks.
type Consumer struct {
	Run ConsumerCmd `cmd:"" help:"Work on a pool's tasks until told to stop."`
}

// Aggregator is the commands that fold results.
type Aggregator struct {
	Run     AggregatorCmd `cmd:"" help:"Keep the collections of a server up to date until told to stop."`
	Rebuild RebuildCmd    `cmd:"" help:"Fold collections from the start of their events again, and replace what is stored with other bytes."`
}

// OrdersCmd executes what schedules order until it is told to stop. Several may run: each order comes to one of them.
type OrdersCmd struct {
	Connection
	Output
}

// Run executes until ctx ends. It prints a line an order.
func (c *OrdersCmd) Run(ctx context.Context, env *Env) (err error) {
	log := c.logger(env)
	store, closeStore, err := c.openStore(ctx, env, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	return executor{store, log, tellOrders(env.Stdout, c.JSON)}.run(ctx)
}

// Labour is the flags of every command that works on tasks.
type Labour struct {
	Concurrency int `short:"n" default:"${cpus}" help:"How many tasks to work on at once."`
	KeyFlags
	Cache    string        `type:"path" placeholder:"DIR" help:"Folder of verified copies of input data and of prepared data; default: the user's cache folder."`
	Prepared Size          `default:"4G" placeholder:"SIZE" help:"Size of the copies of prepared data; those used longest ago make room."`
	Grace    time.Duration `default:"10s" help:"How long running tasks may go on after the command is told to stop."`
	Commands
}

// check reports flags that cannot be obeyed, before anything is touched. Errors: Invalid.
func (l Labour) check() error {
	if l.Concurrency < 1 {
		return foldstream.Errorf(foldstream.Invalid, "", "--concurrency %d: at least one task at once", l.Concurrency)
	}
	if l.Grace < 0 {
		return foldstream.Errorf(foldstream.Invalid, "", "--grace %v is below 0", l.Grace)
	}
	if _, err := l.cache(); err != nil {
		return err
	}
	if err := l.checkKey(); err != nil {
		return err
	}
	return l.limits().Check()
}

// runner returns the runner of a pool with everything it needs to work its tasks, the commands among them that allow allows.
func (l Labour) runner(ctx context.Context, store foldstream.Store, pool string, allow func(foldstream.Task) error, log *slog.Logger) (*work.Runner, error) {
	dir, err := l.cache()
	if err != nil {
		return nil, err
	}
	cals := &calendars{artifacts: store.Artifacts()}
	settings, _ := store.(foldstream.PoolAdmin)
	workers := l.workers(allow, log)
	if workers["ridge"], err = l.ridge(store, dir); err != nil {
		return nil, err
	}
	return &work.Runner{
		Pool:        store.Pool(pool),
		PoolName:    pool,
		Settings:    settings,
		Locks:       store.Values(foldstream.Locks),
		Artifacts:   store.Artifacts(),
		Workers:     workers,
		Metrics:     store.Metrics(),
		Guard:       func(t foldstream.Task) error { return cals.guard(ctx, t) },
		Concurrency: l.Concurrency,
		Name:        workerName(),
		Code:        l.Code,
		Build:       buildCode().version,
		Environment: l.environment(),
		CacheDir:    dir,
		Grace:       l.Grace,
		Log:         log,
	}, nil
}

// ridge returns the worker of that name, whose features all processes and machines share.
func (l Labour) ridge(store foldstream.Store, dir string) (foldstream.Worker, error) {
	prepared, err := pieces(store, dir, l.Prepared)
	if err != nil {
		return nil, err
	}
	return &ridge.Worker{Prepared: prepared}, nil
}

// pieces returns the prepared data of a store, with copies in a folder of the user's cache.
func pieces(store foldstream.Store, dir string, limit Size) (*cache.Cache, error) {
	return cache.Open(cache.Config{Store: store, Dir: filepath.Join(dir, "prepared"), Limit: int64(limit), Holder: workerName()})
}

func (l Labour) cache() (string, error) {
	dir := l.Cache
	if dir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			base = os.TempDir()
		}
		dir = filepath.Join(base, "foldstream")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fileError("--cache", dir, err)
	}
	return dir, nil
}

// ConsumerCmd works on a pool's tasks until it is told to stop; then it stops fetching, and what does not finish within the
// grace goes back to the queue.
type ConsumerCmd struct {
	Connection
	Output
	Labour
	Pool       string   `required:"" help:"Pool to work on."`
	Stragglers float64  `placeholder:"TIMES" help:"With nothing to fetch, work a second copy of a task that runs so many times longer elsewhere than its like took: what is done first counts. Default: never."`
	Allow      []string `group:"Commands" placeholder:"COMMAND" help:"Commands that tasks of the worker exec may run, by how they begin: 'python3 train.py'; '*' is all. Default: none, as whoever can write to the pool chooses them."`
}

// Run works until ctx ends.
func (c *ConsumerCmd) Run(ctx context.Context, env *Env) (err error) {
	if err := foldstream.ValidName("--pool", c.Pool); err != nil {
		return err
	}
	if err := c.check(); err != nil {
		return err
	}
	if c.Stragglers != 0 && !(c.Stragglers >= 1) {
		return foldstream.Errorf(foldstream.Invalid, "", "--stragglers %v: what takes less than 1 time as long as its like is no straggler", c.Stragglers)
	}
	log := c.logger(env)
	s, err := c.dial(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	r, err := c.runner(ctx, s.store, c.Pool, exec.Only(c.Allow...), log)
	if err != nil {
		return err
	}
	if c.Stragglers > 0 {
		r.Second = newStragglers(s.store, c.Pool, workerName(), c.Stragglers, log).second
	}
	return r.Run(ctx)
}

// AggregatorCmd keeps the collections of a server up to date. Several may run: one leads, the others stand by.
type AggregatorCmd struct {
	Connection
	Output
	Lead time.Duration `default:"10s" placeholder:"TIME" help:"A leader that is silent for this long is succeeded."`
}

// Run folds until ctx ends.
func (c *AggregatorCmd) Run(ctx context.Context, env *Env) (err error) {
	if c.Lead < minLead {
		return foldstream.Errorf(foldstream.Invalid, "", "--lead %v is below %v", c.Lead, minLead)
	}
	log := c.logger(env)
	s, err := c.dial(ctx, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return aggregate(ctx, s.store, c.Lead, log)
}

// minLead is the shortest lease of a leader: it is renewed three times in it, over a network.
const minLead = time.Second

// aggregate keeps the collections up to date, and an index of all tasks beside, until ctx ends; lead is how long a leader may be silent, 0 is
// the default. Who asks an index that is not there reads the streams: that it fails is told and no more.
func aggregate(ctx context.Context, store *stream.Store, lead time.Duration, log *slog.Logger) error {
	serving, stop := context.WithCancel(ctx)
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := store.ServeIndex(serving); err != nil {
			log.Warn("there is no index of tasks here", "err", err)
		}
	}()
	a := aggregator(store, log)
	a.Lease = lead
	err := a.Run(ctx)
	stop()
	<-served
	return err
}

func aggregator(store *stream.Store, log *slog.Logger) *collect.Aggregator {
	return &collect.Aggregator{Store: store, Reconciler: store, ID: workerName(), Log: log}
}
