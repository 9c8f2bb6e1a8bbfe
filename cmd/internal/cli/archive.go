package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/archive"
	"github.com/foldstream/foldstream/record"
)

// ArchiveCmd is the commands by which an experiment moves from one store to another.
type ArchiveCmd struct {
	Export ArchiveExportCmd `cmd:"" help:"Write an experiment into one file: its tasks, their results, and all that these refer to."`
	Import ArchiveImportCmd `cmd:"" help:"Make the experiment of such a file here: what was done is done."`
	Verify ArchiveVerifyCmd `cmd:"" help:"Read such a file and prove that it is whole; needs no server."`
}

// archivedJSON is what is in an archive, for machines.
type archivedJSON struct {
	File       string            `json:"file"`
	Experiment string            `json:"experiment"`
	Digest     foldstream.Digest `json:"digest"`
	Members    int               `json:"members"`
	Tasks      int               `json:"tasks"`
	Results    int               `json:"results"`
	Artifacts  int               `json:"artifacts"`
}

func (a archivedJSON) String() string {
	return fmt.Sprintf("%s: experiment %s, %d members, %s, %d results, %d artifacts", a.File, a.Experiment, a.Members, tasksN(a.Tasks), a.Results, a.Artifacts)
}

// ArchiveVerifyCmd reads an archive.
type ArchiveVerifyCmd struct {
	Output
	File string `arg:"" help:"Archive."`
}

// Run prints what is in it.
func (c *ArchiveVerifyCmd) Run(env *Env) error {
	a, err := openArchive(c.File)
	if err != nil {
		return err
	}
	defer a.file.Close()
	if c.JSON {
		return printJSON(env.Stdout, a.told)
	}
	_, err = fmt.Fprintf(env.Stdout, "%s: whole\n", a.told)
	return err
}

// archived is an archive that was read once and found whole.
type archived struct {
	file       *os.File
	told       archivedJSON
	experiment foldstream.Experiment
	members    []foldstream.Expectation
	sessions   []foldstream.Time
}

// openArchive reads an archive from end to end, and verifies all of it. Errors: Invalid, Differs.
func openArchive(path string) (*archived, error) {
	f, err := openPlain(path)
	if err != nil {
		return nil, fileError("archive", path, err)
	}
	a := &archived{file: f, told: archivedJSON{File: path}}
	if err := a.verify(); err != nil {
		return nil, errors.Join(fileError("archive", path, err), f.Close())
	}
	return a, nil
}

// verify reads the archive and takes over what is small.
func (a *archived) verify() error {
	tasks := map[foldstream.TaskID]bool{}
	blobs := map[foldstream.Digest]bool{}
	var wanted []foldstream.Digest
	var members []byte
	m, err := archive.Read(a.file, func(kind archive.Kind, name string, _ int64, r io.Reader) (err error) {
		switch d := foldstream.Digest(name); {
		case kind == archive.KindExperiment:
			err = a.readExperiment(r)
		case kind == archive.KindTasks:
			err = archive.Items(r, func(item archive.Item) error { return a.count(item, tasks, &wanted) })
		case kind == archive.KindBlob && d == a.experiment.Members:
			members, err = io.ReadAll(r)
		}
		if kind == archive.KindBlob {
			blobs[foldstream.Digest(name)] = true
			a.told.Artifacts++
		}
		return err
	})
	if err != nil {
		return err
	}
	if a.members, a.sessions, err = record.DecodeMembers("members of "+a.experiment.Name, members); err != nil {
		return err
	}
	for _, member := range a.members {
		if !tasks[member.Task] {
			return foldstream.Errorf(foldstream.Invalid, "", "it lacks task %s of the members of %s", member.Task, a.experiment.Name)
		}
	}
	for _, d := range append(wanted, foldstream.Digest(a.experiment.Calendar)) {
		if !blobs[d] {
			return foldstream.Errorf(foldstream.Invalid, "", "it lacks the artifact %s", d)
		}
	}
	a.told.Experiment, a.told.Members, a.told.Tasks = a.experiment.Name, len(a.members), len(tasks)
	a.told.Digest, err = m.Digest()
	return err
}

// readExperiment takes the experiment over.
func (a *archived) readExperiment(r io.Reader) error {
	data, err := io.ReadAll(io.LimitReader(r, 8<<20))
	if err == nil {
		a.experiment, err = record.DecodeArchived(data)
	}
	return err
}

// count checks one task and its result. Errors: Invalid.
func (a *archived) count(item archive.Item, tasks map[foldstream.TaskID]bool, wanted *[]foldstream.Digest) error {
	t := item.Task
	if err := sameContent(t); err != nil {
		return err
	}
	if tasks[t.ID] {
		return foldstream.Errorf(foldstream.Invalid, "", "task %s stands in it twice", t.ID)
	}
	tasks[t.ID] = true
	*wanted = append(*wanted, blobsOf(item)...)
	if item.Result == nil {
		return nil
	}
	a.told.Results++
	for name, f := range item.Result.Frames {
		if err := f.Validate(); err != nil {
			return foldstream.Errorf(foldstream.Invalid, "", "task %s: frame %s: %w", t.ID, name, err)
		}
	}
	return nil
}

// blobsOf are the artifacts that a task and its result refer to, but for those that its data have elsewhere.
func blobsOf(item archive.Item) (all []foldstream.Digest) {
	for _, d := range item.Task.Data {
		if d.Upload {
			all = append(all, d.Digest)
		}
	}
	if item.Result != nil {
		for _, blob := range item.Result.Artifacts {
			all = append(all, blob.Digest)
		}
	}
	return all
}

// each reads the archive again from its beginning.
func (a *archived) each(ctx context.Context, do archive.Do) error {
	if _, err := a.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err := archive.Read(a.file, func(kind archive.Kind, name string, size int64, r io.Reader) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return do(kind, name, size, r)
	})
	return err
}
