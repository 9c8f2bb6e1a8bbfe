package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/frame"
)

// writeFiles writes report.html, which tells of failures too, and collection.csv, unless that is refused, into dir, and says where they are.
func (c *RunCmd) writeFiles(ctx context.Context, env *Env, store foldstream.Store, p *plan, col collect.Collection, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fileError("--out", dir, err)
	}
	r, err := reportOf(ctx, store, col)
	if err != nil {
		return err
	}
	r.Experiment.Notes, r.Generated = p.Notes, time.Now() // the file may say more than when it was submitted
	page := filepath.Join(dir, "report.html")
	if err := writeFile(page, r.WriteHTML); err != nil {
		return err
	}
	fmt.Fprintf(env.Stderr, "wrote %s\n", page)
	if err := c.refuse(col); err != nil {
		fmt.Fprintf(env.Stderr, "no collection.csv: %v\n", err)
		return nil
	}
	csv := filepath.Join(dir, "collection.csv")
	err = writeFile(csv, func(w io.Writer) error { return collect.WriteSeries(ctx, w, frame.CSV, store, col) })
	if err == nil {
		fmt.Fprintf(env.Stderr, "wrote %s\n", csv)
	}
	return err
}

// canBeFolder reports a path that is no folder and cannot become one, as the path of a file. Errors: Invalid.
func canBeFolder(what, path string) error {
	for at := filepath.Clean(path); ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case err == nil && !info.IsDir():
			return foldstream.Errorf(foldstream.Invalid, "", "%s %s: %s is no folder", what, path, at)
		case err == nil || at == filepath.Dir(at):
			return nil
		}
	}
}

// writeFile writes a file whole or not at all.
func writeFile(path string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
	}()
	buf := bufio.NewWriterSize(f, 1<<16)
	if err := errors.Join(write(buf), buf.Flush(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
