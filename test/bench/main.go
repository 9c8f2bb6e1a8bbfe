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
	role := flag.String("role", "", "what a child of this program is: server or client")
	work := flag.String("job", "", "the client's job")
	sync := flag.Bool("sync", false, "the server flushes before each acknowledgement")
	only := flag.String("only", "", "only the points whose name holds this")
	jobs := flag.String("jobs", "create,insert,drain,idle,look", "only these jobs of each point")
	rounds := flag.Int("rounds", 3, "rounds of each point")
	profiles := flag.String("profile", "", "folder for CPU profiles of the last round; of a child: the file")
	fold := flag.Int("fold", 0, "measure the aggregator on so many small results instead, beside a reader that drops them")
	asJSON := flag.Bool("json", false, "print JSON, an object a figure")
	flag.Parse()
	switch *role {
	case "server":
		return serve(ctx, *sync, *profiles)
	case "fold":
		var f folding
		if err := json.Unmarshal([]byte(*work), &f); err != nil {
			return err
		}
		return f.do(ctx)
	case "client":
		var j job
		if err := json.Unmarshal([]byte(*work), &j); err != nil {
			return err
		}
		return do(ctx, j)
	}
	if *fold > 0 {
		return foldings(ctx, *fold, base.Workers*4, *rounds, *profiles)
	}
	return all(ctx, choose(*only, *jobs, *profiles), *rounds, printer(*asJSON))
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
