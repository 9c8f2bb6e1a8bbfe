package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"
)

// point is one place of the star.
type point struct {
	Name      string
	Jobs      []string
	Tasks     int
	Workers   int
	Processes int
	Inside    bool   // the server is in the client's process
	Sync      bool   // the server flushes before each acknowledgement
	Batch     int    // of the floor
	Single    bool   // of the floor
	Rounds    int    // 0 is as many as asked for
	Profiles  string // folder for CPU profiles of the last round; "" is none
}

// the base case: 16 workers in one process, 10,000 tasks, TCP, file storage.
var base = point{Name: "base", Jobs: []string{"create", "drain", "look"}, Tasks: 10_000, Workers: 16, Processes: 1}

// star is the base case and its variations, one factor at a time.
func star() []point {
	vary := func(name string, change func(*point)) point {
		p := base
		p.Name, p.Jobs = name, slices.Clone(base.Jobs)
		change(&p)
		return p
	}
	return []point{
		base,
		vary("1 worker", func(p *point) { p.Workers = 1 }),
		vary("64 workers", func(p *point) { p.Workers = 64 }),
		vary("2 processes", func(p *point) { p.Processes = 2 }),
		vary("4 processes", func(p *point) { p.Processes = 4 }),
		vary("in process", func(p *point) { p.Inside, p.Jobs = true, []string{"create", "drain"} }),
		vary("in process, 64 workers", func(p *point) { p.Inside, p.Jobs, p.Workers = true, []string{"drain"}, 64 }),
		vary("one by one", func(p *point) { p.Tasks, p.Jobs = 5000, []string{"insert"} }),
		vary("idle", func(p *point) { p.Tasks, p.Jobs = 300, []string{"idle"} }),
		vary("idle, in process", func(p *point) { p.Inside, p.Tasks, p.Jobs = true, 300, []string{"idle"} }),
		vary("idle, beside one publish", func(p *point) { p.Tasks, p.Single, p.Jobs = 300, true, []string{"idle"} }),
		vary("sync always", func(p *point) { p.Sync, p.Tasks = true, 2000 }),
		vary("sync always, beside atomic batches of 500", func(p *point) { p.Sync, p.Tasks, p.Batch, p.Jobs = true, 10_000, 500, []string{"create"} }),
		vary("1 worker, beside one publish", func(p *point) { p.Workers, p.Single, p.Jobs = 1, true, []string{"create", "drain"} }),
		vary("16 workers, beside one publish", func(p *point) { p.Single, p.Jobs = true, []string{"create", "drain"} }),
		vary("64 workers, beside one publish", func(p *point) { p.Workers, p.Single, p.Jobs = 64, true, []string{"create", "drain"} }),
		vary("1k tasks", func(p *point) { p.Tasks = 1000 }),
		vary("100k tasks", func(p *point) { p.Tasks = 100_000 }),
		vary("1M tasks", func(p *point) { p.Tasks, p.Rounds = 1_000_000, 1 }),
	}
}

// sides are what is measured against each other.
var sides = []bool{false, true}

// measure goes through the rounds of a point, in which pool and floor take turns at being first.
func measure(ctx context.Context, p point, rounds int) ([]figure, error) {
	if p.Rounds > 0 {
		rounds = min(rounds, p.Rounds)
	}
	all := newFigures(p)
	for round := range rounds {
		order := slices.Clone(sides)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, raw := range order {
			if err := p.round(ctx, raw, all); err != nil {
				return nil, fmt.Errorf("%s: %w", p.Name, err)
			}
		}
	}
	return all.list(rounds), nil
}

// round does the point's jobs once on one side.
func (p point) round(ctx context.Context, raw bool, all *figures) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	j := job{Raw: raw, Sync: p.Sync, Tasks: p.Tasks, Workers: p.Workers, Batch: p.Batch, Single: p.Single}
	if p.Inside {
		return p.roundInside(ctx, j, all)
	}
	s, err := startServer(ctx, serving{Sync: p.Sync, Profile: p.profile(raw, "server")})
	if err != nil {
		return err
	}
	j.URL = s.url
	for _, j.Do = range p.Jobs {
		j.Profile = p.profile(raw, j.Do)
		processes := 1
		if j.Do == "drain" {
			processes = p.Processes
		}
		pid := fmt.Sprint(s.cmd.Process.Pid)
		spent := spending(pid)
		r, err := run(ctx, j, processes)
		if err != nil {
			return fmt.Errorf("%s: %w", j.Do, err)
		}
		r.Server = spending(pid) - spent
		if err := p.complete(j, r); err != nil {
			return err
		}
		all.add(j, r)
	}
	memory, err := peak(fmt.Sprint(s.cmd.Process.Pid))
	if err != nil {
		return err
	}
	all.server(raw, memory)
	return s.end()
}

func (p point) roundInside(ctx context.Context, j job, all *figures) error {
	for _, j.Do = range p.Jobs {
		r, err := run(ctx, j, 1)
		if err == nil {
			err = p.complete(j, r)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", j.Do, err)
		}
		all.add(j, r)
	}
	return nil
}

// profile names the file for the CPU profile of a process.
func (p point) profile(raw bool, what string) string {
	if p.Profiles == "" {
		return ""
	}
	return filepath.Join(p.Profiles, []string{"ours", "floor"}[side(raw)]+"-"+what+".pprof")
}

// complete reports a job that left something undone: its rate would be of something else.
func (p point) complete(j job, r report) error {
	if r.Done != p.Tasks {
		return fmt.Errorf("%s: %d of %d tasks", j.Do, r.Done, p.Tasks)
	}
	return nil
}
