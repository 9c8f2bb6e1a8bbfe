package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/frame"
	"github.com/foldstream/foldstream/record"
)

// CollectionShowCmd shows one collection.
type CollectionShowCmd struct {
	Connection
	Output
	ExperimentArg
	Partial
	Format string `short:"f" enum:"table,csv,json,markdown,parquet" default:"table" help:"Format to print in: ${enum}. --json is json."`
	At     string `placeholder:"TIME" help:"As it was then, folded anew from the events up to then: 2026-03-02T18:00:00Z, or 2026-03-02 18:00 in the zone of this machine."`
	Series bool   `help:"Print the merged series of every configuration, a row a session and instrument, and not the table of them; as a table they are Markdown."`
}

// Run shows it. An incomplete one is shown with what it has and ends in Incomplete.
func (c *CollectionShowCmd) Run(ctx context.Context, env *Env) (err error) {
	if c.Experiment, err = chosen(c.Experiment); err != nil {
		return err
	}
	at, err := c.at()
	if err != nil {
		return err
	}
	store, closeStore, err := c.openStore(ctx, env, c.logger(env))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	col, err := collectionAt(ctx, store, c.Experiment, at)
	if err != nil {
		return err
	}
	switch {
	case c.Series || c.Format != formatTable && c.Format != string(frame.JSON):
		err = c.write(ctx, env, store, col)
	case c.JSON || c.Format == string(frame.JSON):
		err = printJSON(env.Stdout, collectionOf(col))
	default:
		printCollection(env.Stdout, col)
		printFaults(env, col)
	}
	if err != nil {
		return err
	}
	return refuseIncomplete(col)
}

// at is the time to show; zero is now. Errors: Invalid.
func (c *CollectionShowCmd) at() (time.Time, error) {
	if c.At == "" {
		return time.Time{}, nil
	}
	return moment("--at", c.At, time.Local)
}

// collectionAt loads a collection as it was at a time, or as it is.
func collectionAt(ctx context.Context, store foldstream.Store, name string, at time.Time) (collect.Collection, error) {
	if at.IsZero() {
		return loadCollection(ctx, store, name)
	}
	return collect.AsOf(ctx, store, name, at)
}

// loadCollection loads the collection of an experiment. Errors: NotFound (no such experiment), Incomplete (nothing is folded yet).
func loadCollection(ctx context.Context, store foldstream.Store, name string) (collect.Collection, error) {
	col, err := collect.Load(ctx, store, name)
	if !foldstream.Is(err, foldstream.NotFound) {
		return col, err
	}
	e, err := experimentNamed(ctx, store, name)
	if err != nil {
		return col, err
	}
	return col, foldstream.Errorf(foldstream.Incomplete, "", "%s is incomplete: nothing of its %d members is folded yet (is an aggregator running?)", name, e.Expected)
}

// refuseIncomplete is the error of a collection that lacks members or sessions, nil for a complete one.
func refuseIncomplete(col collect.Collection) error {
	if col.Coverage.Complete() {
		return nil
	}
	return foldstream.Errorf(foldstream.Incomplete, "", "%s is incomplete: %s", col.Experiment, col.Coverage)
}

// printFaults says which windows are not there and why, which sessions are missing or doubled, and whether several versions of the code
// made the results.
func printFaults(env *Env, col collect.Collection) {
	for _, g := range col.Groups {
		for _, fault := range g.Faults {
			fmt.Fprintf(env.Stdout, "%s: %s\n", g.Key, fault)
		}
		printSessions(env, g.Key, "gap", g.Coverage.Gaps)
		printSessions(env, g.Key, "overlap", g.Coverage.Overlaps)
		printSessions(env, g.Key, "duplicate", g.Coverage.Duplicates)
		for _, w := range g.Windows {
			if w.Status != foldstream.Done || w.Fault != "" {
				fmt.Fprintf(env.Stdout, "%s window %d (%s to %s): %s %s %s\n", g.Key, w.Index, w.Test.Start, w.Test.End, w.Status, w.Task, w.Fault)
			}
		}
	}
	if codes := col.Codes(); codes.Mixed() {
		fmt.Fprintf(env.Stdout, "%d versions of the code made the results: %s\n", len(codes), codes)
	}
}

func printSessions(env *Env, key foldstream.Key, what string, sessions []foldstream.Segment) {
	for _, s := range sessions {
		fmt.Fprintf(env.Stdout, "%s: %s from %s to %s\n", key, what, s.Start, s.End)
	}
}

// CollectionListCmd lists the experiments.
type CollectionListCmd struct {
	Connection
	Output
}

// Run lists them with how complete their collections are.
func (c *CollectionListCmd) Run(ctx context.Context, env *Env) (err error) {
	store, closeStore, err := c.openStore(ctx, env, c.logger(env))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	list := []summaryJSON{}
	for e, err := range record.Experiments(ctx, store) {
		if err != nil {
			return err
		}
		sum, err := collect.LoadSummary(ctx, store, e.Name)
		switch {
		case foldstream.Is(err, foldstream.NotFound):
			list = append(list, summaryJSON{Experiment: e.Name, Expected: e.Expected})
		case err != nil:
			return err
		default:
			list = append(list, summaryOf(e.Name, sum))
		}
	}
	if c.JSON {
		return printJSON(env.Stdout, list)
	}
	t := newTable(env.Stdout, "experiment", "expected", "present", "failed", "coverage")
	rightFrom(t, 2, 5)
	for _, e := range list {
		t.AppendRow([]any{e.Experiment, e.Expected, e.Present, e.Failed, percent(e.Coverage)})
	}
	t.Render()
	return nil
}

// collectionJSON is a collection for machines: the table, without the series.
type collectionJSON struct {
	Experiment string        `json:"experiment"`
	Complete   bool          `json:"complete"`
	Certified  bool          `json:"certified"`
	Expected   int           `json:"expected"`
	Present    int           `json:"present"`
	Failed     int           `json:"failed"`
	Gaps       int           `json:"gaps"`
	Overlaps   int           `json:"overlaps"`
	Duplicates int           `json:"duplicates"`
	Codes      collect.Codes `json:"codes"`
	Groups     []groupJSON   `json:"groups"`
	Ensemble   *groupJSON    `json:"ensemble"`
}

type groupJSON struct {
	Key      map[string]string   `json:"key"`
	Expected int                 `json:"expected"`
	Present  int                 `json:"present"`
	Failed   []foldstream.TaskID `json:"failed"`
	Missing  []foldstream.TaskID `json:"missing"`
	Metrics  map[string]*float64 `json:"metrics"` // null where undefined

	Gaps       []foldstream.Segment `json:"gaps"` // runs of sessions
	Overlaps   []foldstream.Segment `json:"overlaps"`
	Duplicates []foldstream.Segment `json:"duplicates"`
	Codes      collect.Codes        `json:"codes"`
}

func collectionOf(c collect.Collection) collectionJSON {
	out := collectionJSON{
		Experiment: c.Experiment, Complete: c.Coverage.Complete(), Certified: c.Certified,
		Expected: c.Coverage.Expected, Present: c.Coverage.Present, Failed: len(c.Coverage.Failed),
		Gaps: len(c.Coverage.Gaps), Overlaps: len(c.Coverage.Overlaps), Duplicates: len(c.Coverage.Duplicates), Codes: c.Codes(),
		Groups: make([]groupJSON, len(c.Groups)),
	}
	for i, g := range c.Groups {
		out.Groups[i] = groupOf(g)
	}
	if c.Ensemble != nil {
		g := groupOf(*c.Ensemble)
		out.Ensemble = &g
	}
	return out
}

func groupOf(g collect.Group) groupJSON {
	out := groupJSON{
		Key: map[string]string{}, Expected: g.Coverage.Expected, Present: g.Coverage.Present,
		Failed: g.Coverage.Failed, Missing: g.Coverage.Missing, Metrics: finite(g.Metrics),
		Gaps: g.Coverage.Gaps, Overlaps: g.Coverage.Overlaps, Duplicates: g.Coverage.Duplicates, Codes: g.Codes(),
	}
	for _, c := range g.Key {
		out.Key[c.Name] = c.Value
	}
	return out
}

// finite returns the numbers as JSON can hold them: nil for those that are none.
func finite(metrics map[string]float64) map[string]*float64 {
	out := map[string]*float64{}
	for name, v := range metrics {
		if out[name] = nil; !math.IsNaN(v) && !math.IsInf(v, 0) {
			out[name] = &v
		}
	}
	return out
}
