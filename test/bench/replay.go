package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// replaying is the point at which `foldstream replay` makes so many recorded tasks again, beside a floor that makes as many of its own.
func replaying(tasks int) point {
	p := base
	p.Name, p.Tasks, p.Jobs = "replay", tasks, []string{"replay"}
	return p
}

// replays measures the command as people run it: the time is that of its process, from its start to its end. Each round has servers of its
// own, on which an experiment of so many tasks is done before.
func replays(ctx context.Context, p point, rounds int, show func(figure) error) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	tool := filepath.Join(dir, "foldstream")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", tool, "./cmd/foldstream").CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w: %s", err, out)
	}
	all := newFigures(p)
	for round := range rounds {
		order := slices.Clone(sides)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, raw := range order {
			if err := p.replay(ctx, raw, tool, all); err != nil {
				return fmt.Errorf("%s: %w", p.Name, err)
			}
		}
	}
	for _, f := range all.list(rounds) {
		if err := show(f); err != nil {
			return err
		}
	}
	return nil
}

// replay does a round on one side.
func (p point) replay(ctx context.Context, raw bool, tool string, all *figures) error {
	s, err := startServer(ctx, serving{Profile: p.profile(raw, "server")})
	if err != nil {
		return err
	}
	if !raw {
		if err := p.record(ctx, s.url); err != nil {
			return err
		}
	}
	pid := fmt.Sprint(s.cmd.Process.Pid)
	spent := spending(pid)
	j := job{Do: "create", Raw: raw, URL: s.url, Tasks: p.Tasks}
	var r report
	if raw {
		r, err = run(ctx, j, 1)
	} else {
		r, err = again(ctx, tool, s.url)
	}
	if err == nil {
		err = p.complete(j, r)
	}
	if err != nil {
		return err
	}
	r.Server = spending(pid) - spent
	j.Do = "replay"
	all.add(j, r)
	memory, err := peak(pid)
	if err != nil {
		return err
	}
	all.server(raw, memory)
	return s.end()
}

// record makes the experiment and works its tasks, all but one.
func (p point) record(ctx context.Context, url string) error {
	for _, do := range []string{"fill", "work"} {
		if _, err := spawnFold(ctx, folding{Do: do, URL: url, Members: p.Tasks, Large: true, Workers: p.Workers * 4}); err != nil {
			return err
		}
	}
	return nil
}

// again replays the experiment.
func again(ctx context.Context, tool, url string) (r report, err error) {
	cmd := exec.CommandContext(ctx, tool, "replay", foldPool, "--server", url, "--json")
	cmd.Stderr = os.Stderr
	r.Began = time.Now()
	out, err := cmd.Output()
	r.Ended = time.Now()
	if err != nil {
		return r, fmt.Errorf("replay: %w", err)
	}
	var said struct{ New int }
	if err := json.Unmarshal(out, &said); err != nil {
		return r, err
	}
	r.Done, r.CPU, r.Peak = said.New, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime(), mostMemory(cmd.ProcessState)
	return r, nil
}
