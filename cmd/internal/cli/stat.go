package cli

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
)

// StatCmd counts a pool's tasks by status.
type StatCmd struct {
	Connection
	Output
	Pool string `arg:"" optional:"" help:"Pool; default: all."`
}

// poolStat is the counts of one pool, for machines.
type poolStat struct {
	Pool   string            `json:"pool"`
	Counts foldstream.Counts `json:"counts"`
	Total  int               `json:"total"`
}

var statuses = []foldstream.Status{
	foldstream.Waiting, foldstream.Running, foldstream.PartDone, foldstream.Done,
	foldstream.Dead, foldstream.Withdrawn, foldstream.Removed,
}

// Run prints a line a pool.
func (c *StatCmd) Run(ctx context.Context, env *Env) (err error) {
	s, err := c.dial(ctx, c.logger(env))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	stats, err := c.read(ctx, s.store)
	if err != nil {
		return err
	}
	if c.Pool != "" && stats[0].Total == 0 {
		return noPool(ctx, s.store, c.Pool)
	}
	if c.JSON {
		return printJSON(env.Stdout, stats)
	}
	printStats(env, stats)
	return nil
}

// read counts the tasks of the pool that is asked for, or of all in order of their names.
func (c *StatCmd) read(ctx context.Context, store *stream.Store) ([]poolStat, error) {
	if c.Pool != "" {
		counts, err := store.Pool(c.Pool).Stat(ctx)
		return []poolStat{{c.Pool, counts, counts.Total()}}, err
	}
	all, err := store.Stat(ctx)
	stats := make([]poolStat, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		stats = append(stats, poolStat{name, all[name], all[name].Total()})
	}
	return stats, err
}

func printStats(env *Env, stats []poolStat) {
	header := []any{"pool"}
	for _, status := range statuses {
		header = append(header, string(status))
	}
	t := newTable(env.Stdout, append(header, "total")...)
	rightFrom(t, 2, len(header)+1)
	for _, st := range stats {
		row := []any{st.Pool}
		for _, status := range statuses {
			row = append(row, st.Counts[status])
		}
		t.AppendRow(append(row, st.Total))
	}
	t.Render()
}
