package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/report"
)

// TableCmd makes the table of models and data sets over the runs of experiments.
type TableCmd struct {
	Connection
	Output
	Experiments []string `arg:"" optional:"" name:"experiment" help:"Experiments; default: all there are."`
	Store       string   `type:"path" placeholder:"DIR" help:"Store of the embedded server, instead of a server's."`
	Where       string   `placeholder:"EXPR" help:"Only runs for whose recorders this is true: params.model.class == \"Ridge\" and seed < 3."`
	Recorders   bool     `help:"Each recorder is a run, with the metrics that it recorded; default: each configuration, with the metrics of its windows as one series."`
	Model       string   `placeholder:"EXPR" help:"Name of a run's model; default: its class, and what was chosen for it but for the seed."`
	Dataset     string   `placeholder:"EXPR" help:"Name of a run's data set; default: its class, and its test period where that was chosen."`
	Markdown    bool     `short:"m" help:"Print Qlib's table, to the letter, in Markdown."`
}

// Run prints the table as it stands: it is partial while runs are open, and says which runs it leaves out and why.
func (c *TableCmd) Run(ctx context.Context, env *Env) (err error) {
	all, err := c.reader()
	if err != nil {
		return err
	}
	store, closeStore, err := c.open(ctx, env)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	a, err := administration(store)
	if err != nil {
		return err
	}
	names, err := c.experiments(ctx, a)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := all.read(ctx, a, name); err != nil {
			return err
		}
	}
	b := report.Compare(all.runs)
	switch {
	case c.JSON:
		return printJSON(env.Stdout, benchmarkOf(b))
	case c.Markdown:
		return b.WriteMarkdown(env.Stdout)
	}
	printBenchmark(env, b)
	return nil
}

func (c *TableCmd) open(ctx context.Context, env *Env) (foldstream.Store, func() error, error) {
	if c.Store == "" {
		return c.openStore(ctx, env, c.logger(env))
	}
	s, err := embedded(ctx, env, Embedding{Dir: c.Store, Log: c.logger(env)})
	if err != nil {
		return nil, nil, err
	}
	return s.store, s.Close, nil
}

// experiments returns the names that were told, each of an experiment that is there, or those of all. Errors: NotFound, Invalid.
func (c *TableCmd) experiments(ctx context.Context, store foldstream.Store) (names []string, err error) {
	for _, name := range c.Experiments {
		if _, err := experimentNamed(ctx, store, name); err != nil {
			return nil, err
		}
		if !slices.Contains(names, name) { // a run counts once
			names = append(names, name)
		}
	}
	if len(names) > 0 {
		return names, nil
	}
	for e, err := range record.Experiments(ctx, store) {
		if err != nil {
			return nil, err
		}
		names = append(names, e.Name)
	}
	return names, nil
}

// printBenchmark writes the table for people, and under it what it leaves out.
func printBenchmark(env *Env, b report.Benchmark) {
	columns := report.BenchmarkColumns()
	head := []any{"model", "data set", "runs"}
	for _, name := range columns {
		head = append(head, name)
	}
	t := newTable(env.Stdout, head...)
	rightFrom(t, 3, 3+len(columns))
	for _, r := range b.Rows {
		row := table.Row{r.Model, r.Dataset, fmt.Sprintf("%d of %d", r.N(), r.Runs)}
		for _, cell := range r.Cells {
			row = append(row, cell.String())
		}
		t.AppendRow(row)
	}
	t.Render()
	for _, l := range b.Left {
		fmt.Fprintf(env.Stdout, "left out: %s, %s on %s: %s\n", l.Run.Name, l.Run.Model, l.Run.Dataset, brief(l.Why))
	}
}

// benchmarkJSON is the table for machines.
type benchmarkJSON struct {
	Rows []benchmarkRowJSON `json:"rows"`
	Left []leftOutJSON      `json:"left_out"`
}

type benchmarkRowJSON struct {
	Model   string                 `json:"model"`
	Dataset string                 `json:"dataset"`
	N       int                    `json:"n"` // runs that count
	Runs    int                    `json:"runs"`
	Metrics map[string]meanStdJSON `json:"metrics"`
}

// meanStdJSON is a cell and what it is made of; null where there is nothing to make it of.
type meanStdJSON struct {
	Mean   *float64  `json:"mean"`
	Std    *float64  `json:"std"`
	Values []float64 `json:"values"`
}

type leftOutJSON struct {
	Run     string `json:"run"`
	Model   string `json:"model"`
	Dataset string `json:"dataset"`
	Why     string `json:"why"`
}

func benchmarkOf(b report.Benchmark) benchmarkJSON {
	out := benchmarkJSON{Rows: []benchmarkRowJSON{}, Left: []leftOutJSON{}}
	for _, r := range b.Rows {
		row := benchmarkRowJSON{r.Model, r.Dataset, r.N(), r.Runs, map[string]meanStdJSON{}}
		for i, name := range report.BenchmarkColumns() {
			cell := meanStdJSON{Values: append([]float64{}, r.Values[i]...)}
			if m := r.Cells[i]; !math.IsNaN(m.Mean) {
				cell.Mean, cell.Std = &m.Mean, &m.Std
			}
			row.Metrics[name] = cell
		}
		out.Rows = append(out.Rows, row)
	}
	for _, l := range b.Left {
		out.Left = append(out.Left, leftOutJSON{l.Run.Name, l.Run.Model, l.Run.Dataset, l.Why})
	}
	return out
}
