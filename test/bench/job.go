package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream/stream/embed"
)

// job is what one client process is asked to do.
type job struct {
	Do      string // a name in steps
	Raw     bool   // on the floor instead of on the pool
	URL     string // of the server; "" is one inside this process, which is drained after a create
	Sync    bool   // of the server inside
	Tasks   int
	Workers int
	Batch   int    // of the floor's atomic batches; 0 is none
	Single  bool   // the floor makes a task by one publish and works it by one, which expect nothing, as peers' floors do
	Profile string // file for a CPU profile of the job; "" is none
}

// report is what came of a job.
type report struct {
	Done   int
	Began  time.Time
	Ended  time.Time // of the last task, not of the job
	P50    map[string]time.Duration
	Peak   int64         // bytes of memory of the client process, at most
	CPU    time.Duration // that the client processes spent on the job
	Server time.Duration // that the server did, where it is a process of its own
}

// rate is tasks a second.
func (r report) rate() float64 { return float64(r.Done) / r.Ended.Sub(r.Began).Seconds() }

// client is a connected process with what it can do, on the pool or on the floor.
type client interface {
	create(ctx context.Context, tasks int) (report, error)
	insert(ctx context.Context, tasks int) (report, error)
	drain(ctx context.Context, workers int) (report, error)
	idle(ctx context.Context, tasks int) (report, error)
	look(ctx context.Context, tasks int) (report, error)
}

// do carries a job out and prints its report.
func do(ctx context.Context, j job) error {
	nc, closeServer, err := j.connect(ctx)
	if err != nil {
		return err
	}
	defer closeServer()
	defer nc.Close()
	c, closeClient, err := open(ctx, nc, j)
	if err != nil {
		return err
	}
	defer closeClient()
	if j.URL == "" && j.Do == "drain" {
		if _, err := c.create(ctx, j.Tasks); err != nil {
			return err
		}
	}
	r, err := start(ctx, c, j)
	if err != nil {
		return err
	}
	r.Peak, err = peak("self")
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// start says that the client is ready, waits until all others are, and works.
func start(ctx context.Context, c client, j job) (report, error) {
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return report{}, err
	}
	stop, err := profile(j.Profile)
	if err != nil {
		return report{}, err
	}
	defer stop()
	spent := spending("self")
	r, err := j.on(ctx, c)
	r.CPU = spending("self") - spent
	return r, err
}

func (j job) on(ctx context.Context, c client) (report, error) {
	switch j.Do {
	case "create":
		return c.create(ctx, j.Tasks)
	case "insert":
		return c.insert(ctx, j.Tasks)
	case "drain":
		return c.drain(ctx, j.Workers)
	case "idle":
		return c.idle(ctx, j.Tasks)
	case "look":
		return c.look(ctx, j.Tasks)
	}
	if p, ours := c.(*pool); ours {
		switch j.Do {
		case "list":
			return p.list(ctx, j.Tasks)
		case "pools":
			return p.pools(ctx, j.Tasks)
		case "drainPools":
			return p.drainPools(ctx, j.Tasks)
		}
	}
	return report{}, fmt.Errorf("no job %q", j.Do)
}

func (j job) connect(ctx context.Context) (*nats.Conn, func(), error) {
	if j.URL != "" {
		nc, err := nats.Connect(j.URL)
		return nc, func() {}, err
	}
	s, err := embed.Start(ctx, embed.Config{Port: embed.NoListener, SyncAlways: j.Sync})
	if err != nil {
		return nil, nil, err
	}
	nc, err := s.Conn()
	return nc, func() { _ = s.Close() }, err
}

func open(ctx context.Context, nc *nats.Conn, j job) (client, func(), error) {
	if j.Raw {
		f, err := openFloor(ctx, nc, j)
		return f, func() {}, err
	}
	p, err := openPool(ctx, nc)
	if err != nil {
		return nil, nil, err
	}
	return p, func() { _ = p.store.Close() }, nil
}
