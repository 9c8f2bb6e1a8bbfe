package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen"
	"github.com/foldstream/foldstream/internal/archive"
	"github.com/foldstream/foldstream/record"
)

// ArchiveExportCmd writes an experiment into a file.
type ArchiveExportCmd struct {
	Managed
	Experiment string `arg:"" help:"Experiment."`
	File       string `arg:"" type:"path" help:"File to write, whole or not at all."`
}

// How an export goes: so many tasks are looked at together, so many results read at once, and so long an entry of tasks becomes.
const (
	exportChunk  = 500
	exportReads  = 16
	exportLength = 4 << 20
)

// Run writes the file. What is open, failed or was cancelled goes in without a result.
func (c *ArchiveExportCmd) Run(ctx context.Context, env *Env) error {
	return c.on(ctx, env, func(a administered) error {
		e, err := record.ReadExperiment(ctx, a, c.Experiment)
		if err != nil {
			return err
		}
		if e.Members == "" {
			return foldstream.Errorf(foldstream.NotFound, "", "experiment %s has no tasks", e.Name)
		}
		out := &exporter{store: a, experiment: e, blobs: map[foldstream.Digest]bool{}, progress: newProgress(env, e.Name)}
		out.told = archivedJSON{File: c.File, Experiment: e.Name}
		err = writeFile(c.File, func(w io.Writer) error { return out.write(ctx, w) })
		out.progress.close()
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, out.told)
		}
		_, err = fmt.Fprintln(env.Stdout, out.told)
		return err
	})
}

// exporter writes one archive.
type exporter struct {
	store      administered
	experiment foldstream.Experiment
	progress   progress
	told       archivedJSON
	out        *archive.Writer
	order      []foldstream.Digest // of the artifacts, as they were met
	blobs      map[foldstream.Digest]bool
	entries    int
	data       []byte // of the entry of tasks that is being made
}

func (x *exporter) write(ctx context.Context, w io.Writer) (err error) {
	if x.out, err = archive.NewWriter(w); err != nil {
		return err
	}
	data, err := record.EncodeArchived(x.experiment)
	if err != nil {
		return err
	}
	members, _, err := record.Members(ctx, x.store, x.experiment)
	if err != nil {
		return err
	}
	x.told.Members = len(members)
	if err := x.out.PutBytes(archive.Experiment, data); err != nil {
		return err
	}
	x.meet(x.experiment.Members, foldstream.Digest(x.experiment.Calendar))
	if err := x.tasks(ctx, tasksOf(members)); err != nil {
		return err
	}
	for _, d := range x.order {
		if err := x.blob(ctx, d); err != nil {
			return err
		}
	}
	x.told.Artifacts = len(x.order)
	return x.out.Close()
}

// meet notes artifacts that are to be written.
func (x *exporter) meet(all ...foldstream.Digest) {
	for _, d := range all {
		if !x.blobs[d] {
			x.blobs[d] = true
			x.order = append(x.order, d)
		}
	}
}

// tasks writes the recorded tasks of the members, in order of creation.
func (x *exporter) tasks(ctx context.Context, left map[foldstream.TaskID]bool) error {
	total := len(left)
	var chunk []archive.Item
	flush := func() error {
		err := x.chunk(ctx, chunk)
		chunk = chunk[:0]
		x.progress.set(total-len(left), 0, total)
		return err
	}
	for t, err := range x.store.Definitions(ctx, x.experiment.Pool) {
		if err != nil {
			return err
		}
		if !left[t.ID] {
			continue
		}
		delete(left, t.ID)
		if chunk = append(chunk, archive.Item{Task: t}); len(chunk) == exportChunk {
			if err := flush(); err != nil {
				return err
			}
		}
	}
	if err := errors.Join(flush(), notRecorded(x.experiment.Name, left)); err != nil {
		return err
	}
	return x.entry()
}

// chunk writes some tasks with their results.
func (x *exporter) chunk(ctx context.Context, chunk []archive.Item) error {
	if err := x.results(ctx, chunk); err != nil {
		return err
	}
	for _, item := range chunk {
		if err := sameContent(item.Task); err != nil {
			return err
		}
		var err error
		if x.data, err = archive.AppendItem(x.data, item); err != nil {
			return err
		}
		x.meet(blobsOf(item)...)
		x.told.Tasks++
		if item.Result != nil {
			x.told.Results++
		}
		if len(x.data) >= exportLength {
			if err := x.entry(); err != nil {
				return err
			}
		}
	}
	return nil
}

// results reads the winning results of a chunk, several at once.
func (x *exporter) results(ctx context.Context, chunk []archive.Item) error {
	at, ids := map[foldstream.TaskID]int{}, make([]foldstream.TaskID, len(chunk))
	for i, item := range chunk {
		at[item.Task.ID], ids[i] = i, item.Task.ID
	}
	if len(ids) == 0 {
		return nil
	}
	group, within := errgroup.WithContext(ctx)
	group.SetLimit(exportReads)
	for newest, err := range x.store.Newest(ctx, x.experiment.Pool, ids...) {
		if err != nil {
			return errors.Join(err, group.Wait())
		}
		if newest.Kind == foldstream.EventResult {
			group.Go(func() error { return x.result(within, &chunk[at[newest.Task]], newest.Seq) })
		}
	}
	return group.Wait()
}

// result reads one winning result.
func (x *exporter) result(ctx context.Context, item *archive.Item, seq foldstream.Cursor) error {
	for e, err := range x.store.Events(ctx, foldstream.EventFilter{Pool: x.experiment.Pool, Task: item.Task.ID}, seq-1) {
		if err != nil {
			return err
		}
		item.Result = e.Result // a later event ends the life that the result is of
	}
	return ctx.Err()
}

// entry writes the entry of tasks that was made.
func (x *exporter) entry() error {
	if len(x.data) == 0 {
		return nil
	}
	err := x.out.PutBytes(archive.TasksName(x.entries), x.data)
	x.entries, x.data = x.entries+1, x.data[:0]
	return err
}

// blob copies an artifact; the store and the archive both verify its digest.
func (x *exporter) blob(ctx context.Context, d foldstream.Digest) error {
	size, err := x.store.Artifacts().Stat(ctx, d)
	if err != nil {
		return err
	}
	r, err := x.store.Artifacts().Open(ctx, d)
	if err != nil {
		return err
	}
	defer r.Close()
	return x.out.Put(archive.BlobName(d), size, bufio.NewReaderSize(r, 1<<16))
}

// sameContent reports a task whose id is not that of its content. Errors: Invalid.
func sameContent(t foldstream.Task) error {
	id, err := gen.ID(t.Template)
	if err == nil && id != t.ID {
		err = foldstream.Errorf(foldstream.Invalid, "", "the content of task %s has the id %s", t.ID, id)
	}
	return err
}
