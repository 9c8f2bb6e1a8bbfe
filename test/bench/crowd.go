package main

import (
	"context"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/foldstream/foldstream"
)

// A crowd: many consumers of one pool, and many pools of one server.
const (
	crowdConsumers = 200
	crowdPools     = 1000
	crowdTasks     = 20_000
)

// crowds measures both.
func crowds(ctx context.Context) error {
	fmt.Print("| case | what | tasks a second | processor ms of all clients | largest client MiB | server MiB |\n|---|---|---:|---:|---:|---:|\n")
	err := crowd(ctx, fmt.Sprintf("%d consumers, each a process", crowdConsumers), crowdConsumers, []job{{Do: "create"}, {Do: "drain", Workers: 1}})
	if err == nil {
		err = crowd(ctx, fmt.Sprintf("%s pools of %d tasks", thousands(crowdPools), crowdTasks/crowdPools), 1, []job{{Do: "pools"}, {Do: "drainPools"}})
	}
	return err
}

// crowd has the tasks made by one process and worked by some.
func crowd(ctx context.Context, name string, processes int, jobs []job) error {
	s, err := startServer(ctx, serving{})
	if err != nil {
		return err
	}
	for i, j := range jobs {
		fmt.Fprintf(os.Stderr, "%s: %s\n", name, j.Do)
		j.URL, j.Tasks = s.url, crowdTasks
		many := 1
		if i > 0 {
			many = processes
		}
		r, err := run(ctx, j, many)
		if err == nil && r.Done != crowdTasks {
			err = fmt.Errorf("%d of %d tasks", r.Done, crowdTasks)
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", name, j.Do, err)
		}
		memory, err := peak(fmt.Sprint(s.cmd.Process.Pid))
		if err != nil {
			return err
		}
		what := []string{"created", "drained"}[i]
		fmt.Printf("| %s | %s | %s/s | %s | %d | %d |\n", name, what, thousands(int(r.rate())), thousands(int(r.CPU.Milliseconds())), r.Peak>>20, memory>>20)
	}
	return s.end()
}

func crowdPool(i int) string { return fmt.Sprintf("crowd-%04d", i) }

// pools makes as many tasks of each of the pools.
func (p *pool) pools(ctx context.Context, n int) (report, error) {
	next := make(chan int, crowdPools)
	for i := range crowdPools {
		next <- i
	}
	close(next)
	share := n / crowdPools
	r, err := spread(base.Workers, func(done func()) error {
		for i := range next {
			if _, err := p.store.Pool(crowdPool(i)).Create(ctx, tasks(i*share, share)...); err != nil {
				return err
			}
			for range share {
				done()
			}
		}
		return nil
	})
	return r, err
}

// drainPools has one worker at each of the pools, all in this process.
func (p *pool) drainPools(ctx context.Context, n int) (report, error) {
	var next atomic.Int64
	return spread(crowdPools, func(done func()) error {
		mine := p.store.Pool(crowdPool(int(next.Add(1)) - 1))
		for range n / crowdPools {
			l, err := mine.Fetch(ctx, foldstream.Filter{Wait: time.Minute})
			if err == nil {
				err = l.Commit(ctx, noop())
			}
			if err != nil {
				return err
			}
			done()
		}
		return nil
	})
}
