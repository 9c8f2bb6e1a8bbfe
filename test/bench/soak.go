package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/work"
)

// A soak runs every role in a process of its own for a while, at a load that they can bear, and looks for what grows. The producer makes an
// experiment of soakTasks every soakEvery, and removes each when it is soakKept behind, so that what the system has to remember stays the same.
const (
	soakTasks  = 600
	soakEvery  = 10 * time.Second
	soakKept   = 3
	sampleTime = 5 * time.Second
	soakWorker = "bench-noop"
)

// soak runs the roles for a time and prints a line of each.
func soak(ctx context.Context, lasts time.Duration) error {
	roles, err := soakFor(ctx, lasts)
	fmt.Print("| role | samples | tasks | goroutines, least and most | an hour | open files | an hour | live heap MiB | an hour | resident MiB | an hour |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, r := range roles {
		fmt.Println(r.row())
	}
	return err
}

// soakFor runs the roles for a time, or until ctx ends, and returns them with what they said.
func soakFor(ctx context.Context, lasts time.Duration) ([]*role, error) {
	life := context.WithoutCancel(ctx) // of the processes: they end in order
	s, err := startServer(life, serving{Samples: true})
	if err != nil {
		return nil, err
	}
	roles := []*role{{name: "server", process: s.process}}
	for _, name := range []string{"aggregator", "consumer", "consumer", "producer"} {
		p, err := spawn(life, "-role", "soak", "-job", name, "-url", s.url)
		if err != nil {
			return roles, err
		}
		roles = append(roles, &role{name: name, process: p})
	}
	for _, r := range roles {
		r.left = make(chan struct{})
		go r.read()
	}
	select {
	case <-time.After(lasts):
	case <-ctx.Done():
	}
	for i := len(roles) - 1; i >= 0; i-- {
		_ = roles[i].in.Close() // upon which it leaves; it may be gone
		<-roles[i].left
		err = errors.Join(err, roles[i].cmd.Wait())
	}
	return roles, err
}

// soaking is one role of a soak, until the input ends.
func soaking(ctx context.Context, name, url string) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // its end is what is waited for
		stop()
	}()
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer nc.Close()
	store, err := stream.Open(ctx, nc, stream.Config{Patience: time.Minute})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	var r counter
	var sampled sync.WaitGroup
	sampled.Go(func() {
		if err := sampling(ctx, r.value); err != nil {
			fmt.Fprintln(os.Stderr, "bench:", name, err)
		}
	})
	defer sampled.Wait()
	switch name {
	case "aggregator":
		var serving sync.WaitGroup
		serving.Go(func() { err = store.ServeIndex(ctx) })
		ranErr := (&collect.Aggregator{Store: store}).Run(ctx)
		serving.Wait()
		return errors.Join(ranErr, err)
	case "consumer":
		return consume(ctx, store, &r)
	}
	return produce(ctx, store, &r)
}

type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += n
}

func (c *counter) value() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// soakPool is the one pool that the experiments share, as consumers stay at one.
const soakPool = "soak"

func consume(ctx context.Context, store *stream.Store, r *counter) error {
	noops := foldstream.WorkerFunc(func(context.Context, foldstream.Task, foldstream.Recorder) (foldstream.Result, error) {
		return noop(), nil
	})
	return (&work.Runner{
		Pool: store.Pool(soakPool), Artifacts: store.Artifacts(), Workers: work.Registry{soakWorker: noops}, Concurrency: 4, Metrics: store.Metrics(),
		Settings: store, Locks: store.Values(foldstream.Locks), PoolName: soakPool,
		Done: func(_ foldstream.Task, err error) {
			if err == nil {
				r.add(1)
			}
		},
	}).Run(ctx)
}

// produce makes an experiment, waits for the next turn, and removes an old one.
func produce(ctx context.Context, store *stream.Store, r *counter) error {
	tick := time.NewTicker(soakEvery)
	defer tick.Stop()
	for n := 0; ; n++ {
		if err := produceOne(ctx, store, n); err != nil {
			return quiet(ctx, err)
		}
		r.add(soakTasks)
		if n >= soakKept {
			if err := removeOld(ctx, store, n-soakKept); err != nil {
				return quiet(ctx, err)
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}

// quiet drops the error of a process that was told to leave.
func quiet(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

func soakName(n int) string { return "soak-" + strconv.Itoa(n) }

func produceOne(ctx context.Context, store *stream.Store, n int) error {
	name := soakName(n)
	all := tasks(n*soakTasks, soakTasks)
	members := make([]foldstream.Expectation, len(all))
	for i := range all {
		t := &all[i]
		t.Worker, t.Experiment = soakWorker, name
		t.Key, t.Window, t.Segments["test"] = folding{}.place(i)
		members[i] = foldstream.Expectation{Key: t.Key, Window: t.Window, Test: t.Segments["test"], Task: t.ID}
	}
	if err := record.PutExperiment(ctx, store, foldstream.Experiment{Name: name, Pool: soakPool}, members); err != nil {
		return err
	}
	_, err := store.Pool(soakPool).Create(ctx, all...)
	return err
}

// removeOld ends what was left of an experiment, and has it forgotten.
func removeOld(ctx context.Context, store *stream.Store, n int) error {
	_, err := record.Delete(ctx, store, soakName(n), record.Deletion{Tasks: true})
	return err
}
