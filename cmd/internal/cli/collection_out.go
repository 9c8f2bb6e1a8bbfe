package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/frame"
)

// formatTable is the format of a collection on a terminal.
const formatTable = "table"

// write prints a collection's table or its series in a format of files.
func (c *CollectionShowCmd) write(ctx context.Context, env *Env, store foldstream.Store, col collect.Collection) error {
	format := frame.Format(c.Format)
	if c.JSON {
		format = frame.JSON
	}
	if _, terminal := env.Stdout.(*plain); terminal && format == frame.Parquet {
		return foldstream.Errorf(foldstream.Invalid, "", "a Parquet file is nothing to read on a terminal: send it to a file with > NAME.parquet")
	}
	if !c.Series {
		return collect.WriteTable(env.Stdout, format, col)
	}
	if err := c.refuse(col); err != nil {
		return err
	}
	if format == formatTable {
		format = frame.Markdown
	}
	return collect.WriteSeries(ctx, env.Stdout, format, store, col)
}

// CollectionExportCmd writes a collection into files.
type CollectionExportCmd struct {
	Connection
	Output
	Partial
	Experiment string         `arg:"" help:"Experiment whose collection to write."`
	Dir        string         `arg:"" help:"Folder to write to; made where it is not there. Files of the same names are replaced."`
	Format     []frame.Format `short:"f" enum:"csv,json,markdown,parquet" default:"csv,json,markdown,parquet" help:"Formats to write: csv, json, markdown, parquet. The series, which is long, only as csv or parquet, unless these are named."`
}

// exported is one file that an export wrote.
type exported struct {
	File string `json:"file"`
	Size int64  `json:"size"`
}

// Run writes table.* and series.*, each whole or not at all, and says which. Of an incomplete collection it writes nothing, or all there
// is, marked, where that is allowed; it ends in Incomplete.
func (c *CollectionExportCmd) Run(ctx context.Context, env *Env) (err error) {
	store, closeStore, err := c.openStore(ctx, env, c.logger(env))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	col, err := loadCollection(ctx, store, c.Experiment)
	if err != nil {
		return err
	}
	if err := c.refuse(col); err != nil {
		return err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return foldstream.E(foldstream.Invalid, "", err)
	}
	files := []exported{}
	put := func(name string, write func(io.Writer) error) error {
		one := exported{File: filepath.Join(c.Dir, name)}
		err := writeFile(one.File, func(w io.Writer) error { return write(counted{w, &one.Size}) })
		files = append(files, one)
		return err
	}
	for _, format := range c.Format {
		err := put("table"+format.Extension(), func(w io.Writer) error { return collect.WriteTable(w, format, col) })
		if err != nil {
			return err
		}
	}
	series, err := collect.SeriesOf(ctx, store, col)
	if err != nil {
		return err
	}
	for _, format := range c.seriesFormats() {
		if err := put("series"+format.Extension(), func(w io.Writer) error { return frame.Write(w, format, series) }); err != nil {
			return err
		}
	}
	if err := c.tell(env, files); err != nil {
		return err
	}
	return refuseIncomplete(col)
}

// seriesFormats are the formats to write the series in: all that were named, or CSV and Parquet where all are.
func (c *CollectionExportCmd) seriesFormats() []frame.Format {
	if len(c.Format) == len(frame.Formats()) {
		return []frame.Format{frame.CSV, frame.Parquet}
	}
	return c.Format
}

func (c *CollectionExportCmd) tell(env *Env, files []exported) error {
	if c.JSON {
		return printJSON(env.Stdout, files)
	}
	for _, f := range files {
		fmt.Fprintf(env.Stdout, "%s\n", f.File)
	}
	return nil
}

// counted counts what is written.
type counted struct {
	io.Writer
	n *int64
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.Writer.Write(b)
	*c.n += int64(n)
	return n, err
}
