package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"

	"github.com/foldstream/foldstream/internal/heap"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := program(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// program is the parent, or the child that its flags name.
func program(ctx context.Context) error {
	role := flag.String("role", "", "what a child of this program is: server, client, fold or soak")
	work := flag.String("job", "", "the child's job")
	url := flag.String("url", "", "of a child: the server")
	only := flag.String("only", "", "only the points whose name holds this")
	jobs := flag.String("jobs", "create,insert,drain,idle,look", "only these jobs of each point")
	rounds := flag.Int("rounds", 3, "rounds of each point")
	profiles := flag.String("profile", "", "folder for CPU profiles of the last round; of a child: the file")
	fold := flag.Int("fold", 0, "measure the aggregator on so many small results instead, beside a reader that drops them")
	load := flag.String("load", "", "measure so many tasks instead, each on a server of its own: 1000,10000")
	crowded := flag.Bool("crowd", false, "measure many consumers and many pools instead")
	lasts := flag.Duration("soak", 0, "run all roles for so long instead, and look for what grows")
	replay := flag.Int("replay", 0, "measure instead the command that makes so many recorded tasks again")
	running := flag.String("at", "", "measure the server or the cluster at this address instead")
	prefix := flag.String("prefix", "bench", "of the store there")
	replicas := flag.Int("replicas", 1, "of the store there")
	tasks := flag.Int("tasks", 5000, "that are made there")
	asJSON := flag.Bool("json", false, "print JSON, an object a figure")
	flag.Parse()
	if *role != "" {
		return child(ctx, *role, *work, *url)
	}
	switch {
	case *running != "":
		return at(ctx, *running, *prefix, *replicas, *tasks)
	case *load != "":
		return loads(ctx, *load)
	case *crowded:
		return crowds(ctx)
	case *lasts > 0:
		return soak(ctx, *lasts)
	case *fold > 0:
		return foldings(ctx, *fold, base.Workers*4, *rounds, *profiles)
	case *replay > 0:
		p := replaying(*replay)
		p.Profiles = *profiles
		return replays(ctx, p, *rounds, printer(*asJSON))
	}
	return all(ctx, choose(*only, *jobs, *profiles), *rounds, printer(*asJSON))
}

// child is what this program does as a process of another of its kind.
func child(ctx context.Context, role, work, url string) error {
	heap.Room(heap.OfPrograms) // on both sides, and the server's
	read := func(into any, then func() error) error {
		if err := json.Unmarshal([]byte(work), into); err != nil {
			return err
		}
		return then()
	}
	switch role {
	case "server":
		var o serving
		return read(&o, func() error { return serve(ctx, o) })
	case "fold":
		var f folding
		return read(&f, func() error { return f.do(ctx) })
	case "client":
		var j job
		return read(&j, func() error { return do(ctx, j) })
	case "soak":
		return soaking(ctx, work, url)
	}
	return fmt.Errorf("no role %q", role)
}

// choose returns the points whose name holds a text, with those of their jobs that are named.
func choose(name, jobs, profiles string) (chosen []point) {
	for _, p := range star() {
		p.Profiles = profiles
		p.Jobs = slices.DeleteFunc(p.Jobs, func(j string) bool { return !slices.Contains(strings.Split(jobs, ","), j) })
		if strings.Contains(p.Name, name) && len(p.Jobs) > 0 {
			chosen = append(chosen, p)
		}
	}
	return chosen
}

// all measures the points and prints each as it is done.
func all(ctx context.Context, points []point, rounds int, show func(figure) error) error {
	began := time.Now()
	for _, p := range points {
		fmt.Fprintf(os.Stderr, "%s (after %v)\n", p.Name, time.Since(began).Round(time.Second))
		figures, err := measure(ctx, p, rounds)
		if err != nil {
			return err
		}
		for _, f := range figures {
			if err := show(f); err != nil {
				return err
			}
		}
	}
	return nil
}

func printer(asJSON bool) func(figure) error {
	if asJSON {
		enc := json.NewEncoder(os.Stdout)
		return func(f figure) error { return enc.Encode(f) }
	}
	before := heading
	return func(f figure) error {
		_, err := fmt.Print(before + f.row())
		before = ""
		return err
	}
}
