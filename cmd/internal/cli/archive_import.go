package cli

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/archive"
	"github.com/foldstream/foldstream/record"
)

// ArchiveImportCmd makes the experiment of an archive.
type ArchiveImportCmd struct {
	Managed
	File string `arg:"" help:"Archive."`
	As   string `placeholder:"NAME" help:"Name of the experiment and of its pool here; default: the experiment's name there."`
}

// imported is what an import tells machines.
type imported struct {
	archivedJSON
	As    string `json:"as"`
	Added int    `json:"added"` // results that were not here yet
	Open  int    `json:"open"`  // tasks without a result in the archive
}

// Run verifies the whole archive, and then imports it. Repeating it completes what an interrupted one left and changes nothing else.
func (c *ArchiveImportCmd) Run(ctx context.Context, env *Env) error {
	if c.As != "" {
		if err := foldstream.ValidName("--as", c.As); err != nil {
			return err
		}
	}
	a, err := openArchive(c.File)
	if err != nil {
		return err
	}
	defer a.file.Close()
	return c.on(ctx, env, func(store administered) error {
		m := &importer{archived: a, store: store, progress: newProgress(env, a.experiment.Name)}
		err := m.run(ctx, c.As)
		m.progress.close()
		if err != nil {
			return err
		}
		out := imported{archivedJSON: a.told, As: m.to.Name, Added: m.added, Open: a.told.Tasks - a.told.Results}
		if c.JSON {
			return printJSON(env.Stdout, out)
		}
		_, err = fmt.Fprintf(env.Stdout, "%s: %s of %s: %d results added, %d known, %d tasks open\n",
			out.As, tasksN(out.Tasks), c.File, out.Added, out.Results-out.Added, out.Open)
		return err
	})
}

// importer makes the experiment of an archive in a store. It works its tasks as a worker does, by leases, and commits the results that the
// archive has: there is no other way to a result than the protocol's, and so none is lost or doubled whatever dies. While it does, the
// pool requires the archive itself as the code, so that nobody else works the tasks.
type importer struct {
	*archived
	store    administered
	progress progress
	to       foldstream.Experiment
	code     string

	mu      sync.Mutex
	pending map[foldstream.TaskID]*foldstream.Result
	added   int
	done    int
}

// How an import goes: so many tasks, or bytes of results, are held together; so many leases at once; and so long a wait for one.
const (
	importChunk  = 1000
	importLeases = 16
	importWait   = time.Second
)

func (m *importer) run(ctx context.Context, as string) error {
	ended, err := m.place(ctx, as)
	if err != nil || ended {
		return err
	}
	if err := m.blobs(ctx); err != nil {
		return err
	}
	if err := record.PutExperiment(ctx, m.store, m.to, m.members, m.sessions...); err != nil {
		return err
	}
	if err := m.require(ctx, m.code); err != nil {
		return err
	}
	if err := m.tasks(ctx, true, m.finish); err != nil {
		return err
	}
	if err := m.require(ctx, ""); err != nil {
		return err
	}
	open := func(ctx context.Context, items []archive.Item) error {
		_, err := m.store.Pool(m.to.Pool).Create(ctx, m.tasksOf(items)...)
		return err
	}
	if err := m.tasks(ctx, false, open); err != nil {
		return err
	}
	return record.EndReplay(ctx, m.store, m.to.Name)
}

// place chooses the name; ended says that this archive is there already. Errors: Conflict.
func (m *importer) place(ctx context.Context, as string) (ended bool, err error) {
	m.to, m.code = m.experiment, "archive "+string(m.told.Digest)
	if as != "" {
		m.to.Name = as
	}
	m.to.Pool = m.to.Name
	m.to.Source = "archive of " + m.experiment.Name
	m.to.Replay = foldstream.Replay{Of: m.experiment.Name, Life: m.experiment.ID, Asked: m.code, Open: true}
	counts, err := m.store.Pool(m.to.Pool).Stat(ctx) // before the experiment, which is stored before its tasks
	if err != nil {
		return false, err
	}
	there, err := record.ReadExperiment(ctx, m.store, m.to.Name)
	switch {
	case foldstream.Is(err, foldstream.NotFound) && counts.Total() == 0:
		return false, nil
	case foldstream.Is(err, foldstream.NotFound):
		return false, foldstream.Errorf(foldstream.Conflict, "", "there is a pool %s with %s already; choose another name by --as", m.to.Pool, tasksN(counts.Total()))
	case err != nil:
		return false, err
	case !there.Replay.Same(m.to.Replay):
		return false, foldstream.Errorf(foldstream.Conflict, "", "there is another experiment %s; choose another name by --as", m.to.Name)
	}
	return !there.Replay.Open, nil
}

// blobs stores the artifacts that are not here yet.
func (m *importer) blobs(ctx context.Context) error {
	return m.each(ctx, func(kind archive.Kind, name string, size int64, r io.Reader) error {
		if kind != archive.KindBlob {
			return nil
		}
		if have, err := m.store.Artifacts().Renew(ctx, foldstream.Digest(name)); err == nil && have == size {
			return nil
		}
		d, _, err := m.store.Artifacts().Put(ctx, r)
		if err == nil && d != foldstream.Digest(name) {
			err = foldstream.Errorf(foldstream.Differs, "", "artifact %s of the archive came to %s: the file was changed meanwhile", name, d)
		}
		return err
	})
}

func (m *importer) require(ctx context.Context, code string) error {
	_, err := m.store.Change(ctx, m.to.Pool, func(s *foldstream.PoolSettings) { s.Code = code })
	return err
}

// tasks calls do with the tasks of the archive that have results, or those that have none, some at a time and in order.
func (m *importer) tasks(ctx context.Context, finished bool, do func(context.Context, []archive.Item) error) error {
	var chunk []archive.Item
	flush := func() error {
		if len(chunk) == 0 {
			return nil
		}
		err := do(ctx, chunk)
		chunk = nil
		return err
	}
	err := m.each(ctx, func(kind archive.Kind, _ string, _ int64, r io.Reader) error {
		if kind != archive.KindTasks {
			return nil
		}
		err := archive.Items(r, func(item archive.Item) error {
			if (item.Result != nil) != finished {
				return nil
			}
			if chunk = append(chunk, item); len(chunk) < importChunk {
				return nil
			}
			return flush()
		})
		if err != nil {
			return err
		}
		return flush() // an entry's bytes are bounded, and with them what is held
	})
	return err
}

// tasksOf returns tasks as they are made here.
func (m *importer) tasksOf(items []archive.Item) []foldstream.Task {
	tasks := make([]foldstream.Task, len(items))
	for i, item := range items {
		tasks[i] = item.Task
		tasks[i].Experiment, tasks[i].Replaces = m.to.Name, ""
		if item.Result != nil {
			tasks[i].NotBefore = time.Time{}
		}
	}
	return tasks
}

// finish makes some tasks and commits their results, those that are not here yet.
func (m *importer) finish(ctx context.Context, items []archive.Item) error {
	m.pending = map[foldstream.TaskID]*foldstream.Result{}
	for _, item := range items {
		m.pending[item.Task.ID] = item.Result
	}
	if err := m.refresh(ctx, items); err != nil {
		return err
	}
	for len(m.pending) > 0 {
		group, within := errgroup.WithContext(ctx)
		for range importLeases {
			group.Go(func() error { return m.work(within) })
		}
		if err := group.Wait(); err != nil {
			return err
		}
		if err := m.refresh(ctx, items); err != nil { // what is left is in the hands of an importer that died, or of another
			return err
		}
	}
	m.done += len(items)
	m.progress.set(m.done, 0, m.told.Results)
	return nil
}

// refresh makes the tasks, as far as they are not, and forgets those that are done.
func (m *importer) refresh(ctx context.Context, items []archive.Item) error {
	created, err := m.store.Pool(m.to.Pool).Create(ctx, m.tasksOf(items)...)
	if err != nil {
		return err
	}
	var given []foldstream.TaskID
	for _, c := range created {
		switch c.Status {
		case foldstream.Done:
			delete(m.pending, c.ID)
		case foldstream.Dead, foldstream.Withdrawn:
			given = append(given, c.ID)
		}
	}
	_, err = m.store.Retry(ctx, m.to.Pool, "imported again by "+asker(), given...)
	return err
}

// work leases tasks and commits their results until none is there.
func (m *importer) work(ctx context.Context) error {
	for {
		m.mu.Lock()
		left := len(m.pending)
		m.mu.Unlock()
		if left == 0 {
			return nil
		}
		l, err := m.store.Pool(m.to.Pool).Fetch(ctx, foldstream.Filter{Wait: importWait, Code: m.code})
		if foldstream.Is(err, foldstream.NotFound) {
			return nil
		}
		if err == nil {
			err = m.commit(ctx, l)
		}
		if err != nil && (!foldstream.Is(err, foldstream.Conflict) || l == nil) {
			return err
		}
	}
}

// commit ends a lease with the task's result; of one with several stages all but the last end empty. What is none of this chunk goes back.
func (m *importer) commit(ctx context.Context, l foldstream.Lease) error {
	id := l.Task().ID
	m.mu.Lock()
	r := m.pending[id]
	m.mu.Unlock()
	switch {
	case r == nil:
		return l.Return(ctx, nil, importWait)
	case !l.Task().LastStage():
		return l.Commit(ctx, foldstream.Result{})
	}
	if err := l.Commit(ctx, *r); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.pending, id)
	m.added++
	return nil
}
