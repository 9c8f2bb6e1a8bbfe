package cli

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/report"
)

// drawn is the flags of the commands that draw a collection.
type drawn struct {
	Connection
	Experiment string `arg:"" help:"Experiment whose collection to draw."`
	Store      string `type:"path" placeholder:"DIR" help:"Store of the embedded server, instead of a server's."`
	Out        string `short:"o" type:"path" placeholder:"FILE" help:"File to write; default: standard output."`
	Verbose    bool   `short:"v" help:"Log what happens, to stderr."`
}

// draw makes the report of the collection and writes what of it is asked for. An incomplete collection is refused where strict says so; else
// it is drawn with what it has, and says so; the command ends in Incomplete.
func (d drawn) draw(ctx context.Context, env *Env, strict func(collect.Collection) error, write func(report.Report, io.Writer) error) (err error) {
	store, done, err := d.open(ctx, env, Output{Verbose: d.Verbose}.logger(env))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	col, err := loadCollection(ctx, store, d.Experiment)
	if err != nil {
		return err
	}
	if err := strict(col); err != nil {
		return err
	}
	r, err := reportOf(ctx, store, col)
	if err != nil {
		return err
	}
	if err := writeTo(env, d.Out, func(w io.Writer) error { return write(r, w) }); err != nil {
		return err
	}
	return refuseIncomplete(col)
}

func (d drawn) open(ctx context.Context, env *Env, log *slog.Logger) (foldstream.Store, func() error, error) {
	if d.Store == "" {
		return d.openStore(ctx, env, log)
	}
	s, err := embedded(ctx, env, Embedding{Dir: d.Store, Log: log})
	if err != nil {
		return nil, nil, err
	}
	return s.store, s.Close, nil
}

// writeTo writes a file whole or not at all, or to standard output where it has no name.
func writeTo(env *Env, file string, write func(io.Writer) error) error {
	if file == "" || file == "-" {
		return write(env.Stdout)
	}
	return writeFile(file, write)
}

// CollectionReportCmd writes the report of a collection.
type CollectionReportCmd struct {
	drawn
	Partial
}

// Run writes the page.
func (c *CollectionReportCmd) Run(ctx context.Context, env *Env) error {
	return c.draw(ctx, env, c.refuse, report.Report.WriteHTML)
}

// CollectionPlotCmd writes a picture of a collection's report.
type CollectionPlotCmd struct {
	drawn
	What string `enum:"curves,drawdown,ic,histogram,months,costs,turnover,coverage,windows" default:"curves" help:"What to draw: ${enum}."`
	SVG  bool   `name:"svg" xor:"form" help:"Write SVG, in light or dark as the reader's screen is: the default."`
	PNG  bool   `name:"png" xor:"form" help:"Write PNG, 1920 dots wide; the default of a file named so."`
}

// Run writes the picture. That of an incomplete collection says so in its title.
func (c *CollectionPlotCmd) Run(ctx context.Context, env *Env) error {
	always := func(collect.Collection) error { return nil }
	return c.draw(ctx, env, always, func(r report.Report, w io.Writer) error {
		p, err := r.Plot(c.What)
		if err != nil {
			return err
		}
		if c.PNG || !c.SVG && filepath.Ext(c.Out) == ".png" {
			return p.WritePNG(w)
		}
		return p.WriteSVG(w)
	})
}
