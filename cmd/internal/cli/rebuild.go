package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/record"
)

// RebuildCmd folds collections anew.
type RebuildCmd struct {
	Connection
	Output
	Experiments []string `arg:"" optional:"" name:"experiment" help:"Experiments whose collections to fold; default: all."`
	Check       bool     `help:"Store nothing; end with exit code 5 where the bytes of a settled collection differ."`
}

// rebuiltJSON is one collection that was folded anew, for machines.
type rebuiltJSON struct {
	Experiment string   `json:"experiment"`
	Settled    bool     `json:"settled"`
	Values     int      `json:"values"`
	Differ     []string `json:"differ"` // keys
	Replaced   bool     `json:"replaced"`
}

// Run folds, compares, and replaces what differs. Errors: Differs (with --check), Conflict.
func (c *RebuildCmd) Run(ctx context.Context, env *Env) (err error) {
	store, closeStore, err := c.openStore(ctx, env, c.logger(env))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	pools, err := c.byPool(ctx, store)
	if err != nil {
		return err
	}
	list, wrong := []rebuiltJSON{}, []string{}
	for _, pool := range slices.Sorted(maps.Keys(pools)) {
		all, err := collect.Rebuild(ctx, store, !c.Check, pools[pool]...)
		if err != nil {
			return err
		}
		for _, r := range all {
			one := rebuiltJSON{r.Experiment, r.Settled, r.Values, append([]string{}, r.Differ...), !c.Check && len(r.Differ) > 0}
			list = append(list, one)
			if !c.JSON {
				fmt.Fprintln(env.Stdout, one)
			}
			if c.Check && r.Settled && len(r.Differ) > 0 {
				wrong = append(wrong, r.Experiment)
			}
		}
	}
	if c.JSON {
		if err := printJSON(env.Stdout, list); err != nil {
			return err
		}
	}
	if len(wrong) > 0 {
		return foldstream.Errorf(foldstream.Differs, "", "what is stored is not what the events fold into: %s", strings.Join(wrong, ", "))
	}
	return nil
}

// byPool returns the experiments that are meant, by pool: the events of one are read once for all of them. Errors: NotFound.
func (c *RebuildCmd) byPool(ctx context.Context, store foldstream.Store) (map[string][]foldstream.Experiment, error) {
	pools := map[string][]foldstream.Experiment{}
	for _, name := range slices.Compact(slices.Sorted(slices.Values(c.Experiments))) {
		e, err := experimentNamed(ctx, store, name)
		if err != nil {
			return nil, err
		}
		if e.Members == "" {
			return nil, foldstream.Errorf(foldstream.Invalid, "", "experiment %s has no tasks, and so no collection", e.Name)
		}
		pools[e.Pool] = append(pools[e.Pool], e)
	}
	if len(pools) > 0 {
		return pools, nil
	}
	for e, err := range record.Experiments(ctx, store) {
		if err != nil {
			return nil, err
		}
		if e.Members != "" {
			pools[e.Pool] = append(pools[e.Pool], e)
		}
	}
	return pools, nil
}

// String says it in a line.
func (r rebuiltJSON) String() string {
	text := fmt.Sprintf("%s: %d values, all as they were", r.Experiment, r.Values)
	if len(r.Differ) > 0 {
		done := map[bool]string{true: "replaced", false: "differ"}[r.Replaced]
		text = fmt.Sprintf("%s: %d of %d values %s: %s", r.Experiment, len(r.Differ), r.Values, done, strings.Join(r.Differ, ", "))
	}
	if !r.Settled {
		text += " (it still grows)"
	}
	return text
}
