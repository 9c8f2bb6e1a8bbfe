package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"
)

// ServeCmd runs the embedded server for consumers and producers on this machine, with an aggregator and who executes schedules beside it.
type ServeCmd struct {
	Output
	Store string `type:"path" placeholder:"DIR" help:"Store directory; default: 'serve' under the user's data folder."`
	Port  int    `default:"4222" help:"Loopback port; 0 is a free one."`
	Room
	Durability
}

// Room is how much an embedded server may keep.
type Room struct {
	MaxStore Size `placeholder:"SIZE" help:"Size that the store may have: 20G; beyond it the server refuses, and what is refused is tried again. Default: three quarters of the disk."`
}

// Durability is what outlives what, of an embedded server.
type Durability struct {
	SyncAlways bool `help:"Flush the store to disk before each acknowledgement: what is acknowledged outlives a power failure too, and not only the end of the process."`
}

// Run serves until ctx ends. It prints the server's address once it answers.
func (c *ServeCmd) Run(ctx context.Context, env *Env) (err error) {
	log := c.logger(env)
	dir := c.Store
	if dir == "" {
		dir = filepath.Join(dataHome(os.Getenv), "serve")
	}
	s, err := embedded(ctx, env, Embedding{Dir: dir, Port: c.Port, SyncAlways: c.SyncAlways, MaxStore: int64(c.MaxStore), Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if c.JSON {
		err = printJSON(env.Stdout, map[string]string{"url": s.url, "store": dir})
	} else {
		_, err = fmt.Fprintf(env.Stdout, "serving %s on %s\n", dir, s.url)
	}
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return aggregate(ctx, s.store, 0, log) })
	group.Go(func() error { return executor{store: s.store, log: log}.run(ctx) })
	return group.Wait()
}
