package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// PoolCmd is the commands that look at pools and change their settings.
type PoolCmd struct {
	List PoolListCmd `cmd:"" aliases:"ls" help:"List the pools and their settings."`
	Show PoolShowCmd `cmd:"" aliases:"info,view" help:"Show a pool: settings and counts."`
	Set  PoolSetCmd  `cmd:"" aliases:"edit" help:"Change how many tasks may run at once, and by which code."`
}

// poolJSON is a pool for machines.
type poolJSON struct {
	Pool   string            `json:"pool"`
	Paused bool              `json:"paused"`
	Lease  string            `json:"lease"`
	Code   string            `json:"code"` // that it requires; "" is any
	Limit  int               `json:"limit"`
	Limits map[string]int    `json:"key_limits"`
	Counts foldstream.Counts `json:"counts"`
	Total  int               `json:"total"`
}

func poolOf(ctx context.Context, a administered, name string) (poolJSON, error) {
	set, err := a.Settings(ctx, name)
	if err != nil {
		return poolJSON{}, err
	}
	counts, err := a.Pool(name).Stat(ctx)
	p := poolJSON{Pool: name, Paused: set.Paused, Lease: set.Lease.String(), Code: set.Code, Limit: set.Limit, Limits: set.Limits, Counts: counts, Total: counts.Total()}
	if p.Limits == nil {
		p.Limits = map[string]int{}
	}
	return p, err
}

func (p poolJSON) state() string {
	if p.Paused {
		return "paused"
	}
	return "active"
}

func (p poolJSON) code() string {
	if p.Code == "" {
		return "any"
	}
	return p.Code
}

func (p poolJSON) limits() string {
	var parts []string
	if p.Limit > 0 {
		parts = append(parts, fmt.Sprint(p.Limit))
	}
	for _, key := range slices.Sorted(maps.Keys(p.Limits)) {
		parts = append(parts, fmt.Sprintf("%s=%d", key, p.Limits[key]))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

// PoolListCmd lists pools.
type PoolListCmd struct {
	Managed
	Names bool `short:"n" help:"Print the names alone."`
}

// Run prints a line a pool.
func (c *PoolListCmd) Run(ctx context.Context, env *Env) error {
	return c.on(ctx, env, func(a administered) error {
		names, err := a.Pools(ctx)
		if err != nil {
			return err
		}
		pools := make([]poolJSON, len(names))
		for i, name := range names {
			if pools[i], err = poolOf(ctx, a, name); err != nil {
				return err
			}
		}
		t := newTable(env.Stdout, "pool", "state", "limits", "open", "total")
		rightFrom(t, 4, 5)
		for _, p := range pools {
			t.AppendRow([]any{p.Pool, p.state(), p.limits(), p.Counts.Open(), p.Total})
		}
		return printList(env.Stdout, c.JSON, c.Names, pools, func(p poolJSON) string { return p.Pool }, t)
	})
}

// PoolShowCmd shows one pool.
type PoolShowCmd struct {
	Managed
	PoolArg
}

// Run prints the pool.
func (c *PoolShowCmd) Run(ctx context.Context, env *Env) error {
	return c.onPool(ctx, env, c.PoolArg, func(a administered) error {
		p, err := poolOf(ctx, a, c.Pool)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, p)
		}
		f := facts{env.Stdout}
		f.line("pool", p.Pool)
		f.line("state", p.state())
		f.line("limits", p.limits())
		f.line("lease", p.Lease)
		f.line("code", p.code())
		for _, s := range statuses {
			f.line(string(s), fmt.Sprint(p.Counts[s]))
		}
		f.line("total", fmt.Sprint(p.Total))
		return nil
	})
}

// PoolSetCmd changes limits.
type PoolSetCmd struct {
	Managed
	PoolArg
	Limit    *int           `placeholder:"N" help:"Tasks of the pool that may run at once, on all machines; 0 is no limit."`
	KeyLimit map[string]int `placeholder:"KEY=N" help:"Tasks of a key (a data set, a licence) that may run at once, on all machines; 0 takes the limit away."`
	Code     *string        `placeholder:"VERSION" help:"Version of the code that must work its tasks: consumers that declare another get none; '' is any."`
	Lease    time.Duration  `name:"pool-lease" placeholder:"TIME" help:"How long a lease lives without a beat; only before the pool's first task."`
}

// Run stores the settings. A pool may be set before its first task.
func (c *PoolSetCmd) Run(ctx context.Context, env *Env) error {
	if err := c.check(); err != nil {
		return err
	}
	return c.on(ctx, env, func(a administered) error {
		if _, err := a.Change(ctx, c.Pool, c.apply); err != nil {
			return err
		}
		return tellPool(ctx, env, a, c.Pool, c.JSON)
	})
}

func (c *PoolSetCmd) check() error {
	if err := foldstream.ValidName("pool", c.Pool); err != nil {
		return err
	}
	if c.Limit == nil && len(c.KeyLimit) == 0 && c.Code == nil && c.Lease == 0 {
		return foldstream.Errorf(foldstream.Invalid, "", "nothing to set: say --limit N, --key-limit KEY=N or --code VERSION")
	}
	if c.Limit != nil && *c.Limit < 0 {
		return foldstream.Errorf(foldstream.Invalid, "", "--limit %d is below 0", *c.Limit)
	}
	for key, n := range c.KeyLimit {
		if n < 0 || key == "" {
			return foldstream.Errorf(foldstream.Invalid, "", "--key-limit %s=%d: a key with a number from 0", key, n)
		}
	}
	return nil
}

func (c *PoolSetCmd) apply(s *foldstream.PoolSettings) {
	if c.Limit != nil {
		s.Limit = *c.Limit
	}
	if c.Lease != 0 {
		s.Lease = c.Lease
	}
	if c.Code != nil {
		s.Code = *c.Code
	}
	for key, n := range c.KeyLimit {
		if s.Limits == nil {
			s.Limits = map[string]int{}
		}
		if s.Limits[key] = n; n == 0 {
			delete(s.Limits, key)
		}
	}
}

// PauseCmd stops the fetching of a pool's tasks.
type PauseCmd struct {
	Managed
	PoolArg
}

// Run pauses. What runs goes on.
func (c *PauseCmd) Run(ctx context.Context, env *Env) error {
	return c.setPaused(ctx, env, c.PoolArg, true)
}

// ResumeCmd lets a pool's tasks be fetched again.
type ResumeCmd struct {
	Managed
	PoolArg
}

// Run resumes.
func (c *ResumeCmd) Run(ctx context.Context, env *Env) error {
	return c.setPaused(ctx, env, c.PoolArg, false)
}

func (m Managed) setPaused(ctx context.Context, env *Env, p PoolArg, paused bool) error {
	return m.onPool(ctx, env, p, func(a administered) error {
		if _, err := a.Change(ctx, p.Pool, func(s *foldstream.PoolSettings) { s.Paused = paused }); err != nil {
			return err
		}
		return tellPool(ctx, env, a, p.Pool, m.JSON)
	})
}

func tellPool(ctx context.Context, env *Env, a administered, pool string, json bool) error {
	p, err := poolOf(ctx, a, pool)
	if err != nil {
		return err
	}
	if json {
		return printJSON(env.Stdout, p)
	}
	code := ""
	if p.Code != "" {
		code = ", code: " + p.Code
	}
	fmt.Fprintf(env.Stdout, "%s: %s, limits: %s%s\n", p.Pool, p.state(), p.limits(), code)
	return nil
}
