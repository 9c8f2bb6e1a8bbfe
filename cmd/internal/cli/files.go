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
	"github.com/foldstream/foldstream/report"
)

// writeFiles writes report.html and, of a complete collection only, collection.csv into dir, and says where they are.
func writeFiles(ctx context.Context, env *Env, store foldstream.Store, p *plan, col collect.Collection, dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	failures, err := failuresOf(ctx, store, p.Experiment.Pool, col)
	if err != nil {
		return err
	}
	page := filepath.Join(dir, "report.html")
	if err := writeFile(page, reportOf(p, col, failures).WriteHTML); err != nil {
		return err
	}
	fmt.Fprintf(env.Stderr, "wrote %s\n", page)
	if !col.Coverage.Complete() {
		fmt.Fprintf(env.Stderr, "no collection.csv: the collection is incomplete\n")
		return nil
	}
	csv := filepath.Join(dir, "collection.csv")
	err = writeFile(csv, func(w io.Writer) error { return collect.WriteSeries(ctx, w, frame.CSV, store, col) })
	if err == nil {
		fmt.Fprintf(env.Stderr, "wrote %s\n", csv)
	}
	return err
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

// reportOf makes the report of a plan and its collection; failures are the errors of the tasks that were given up.
func reportOf(p *plan, col collect.Collection, failures map[foldstream.TaskID]string) report.Report {
	r := report.Report{
		Experiment: p.Experiment.Name, Pool: p.Experiment.Pool, Calendar: p.calendar.Version(),
		Policy: string(p.Experiment.Policy), Collection: col, Generated: time.Now(),
		Windows: report.Timelines(p.Tasks), Notes: p.Notes, Failures: failures,
		Facts: [][2]string{
			{"experiment file", filepath.Base(p.Experiment.Source)},
			{"tasks", fmt.Sprint(len(p.Tasks))},
			{"code", CodeVersion()},
			{"sessions", fmt.Sprintf("%d, %s to %s", p.calendar.Len(), p.calendar.First(), p.calendar.Last())},
		},
	}
	for _, d := range p.data {
		r.Facts = append(r.Facts, [2]string{"data " + d.Name, fmt.Sprintf("%s, SHA-256 %s", filepath.Base(d.Path), d.Digest)})
	}
	return r
}

// failuresOf reads the errors of the tasks that the collection names as failed.
func failuresOf(ctx context.Context, store foldstream.Store, pool string, col collect.Collection) (map[foldstream.TaskID]string, error) {
	failures := map[foldstream.TaskID]string{}
	for _, id := range col.Coverage.Failed {
		for e, err := range store.Events(ctx, foldstream.EventFilter{Pool: pool, Task: id}, 0) {
			if err != nil {
				return nil, err
			}
			failures[id] = e.Error
		}
	}
	return failures, nil
}
