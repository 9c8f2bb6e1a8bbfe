package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/foldstream/foldstream/stream"
)

// at measures a server or a cluster that runs already, in a store of its own there: what keeping a task safe costs. It leaves the store.
func at(ctx context.Context, url, prefix string, replicas, tasks int) error {
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	defer nc.Close()
	s, err := stream.Open(ctx, nc, stream.Config{Prefix: prefix, Replicas: replicas, Patience: time.Minute})
	if err != nil {
		return err
	}
	p := &pool{nc, s, s.Pool("bench")}
	one := &pool{nc, s, s.Pool("single")}
	for _, part := range []struct {
		name string
		do   func() (report, error)
	}{
		{"create in bulk", func() (report, error) { return p.create(ctx, tasks) }},
		{"drain, 16 workers", func() (report, error) { return p.drain(ctx, base.Workers) }},
		{"create one by one", func() (report, error) { return one.insert(ctx, tasks/10) }},
	} {
		r, err := part.do()
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stdout, "%-17s %6.0f/s\n", part.name, r.rate())
	}
	return nil
}
