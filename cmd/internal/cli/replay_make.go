package cli

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
)

// replay makes an experiment of the recorded tasks of another one. It stores the experiment first, marked as open, and with it which tasks it
// has; then the tasks; then it takes the mark away. So whoever repeats it finds what was begun, and makes the same tasks whatever
// became of the original meanwhile.
type replay struct {
	store   administered
	kept    where // nil is all
	sample  int
	changes []func(*foldstream.CollectionSpec) error
	asked   string

	longestFirst bool // not part of what is asked: the tasks are the same

	from     foldstream.Experiment
	to       foldstream.Experiment
	members  []foldstream.Expectation
	sessions []foldstream.Time
}

// read reads the original. Errors: NotFound, Invalid (a change of its collection that makes no sense).
func (r *replay) read(ctx context.Context, name string) (err error) {
	if r.from, err = record.ReadExperiment(ctx, r.store, name); err != nil {
		return err
	}
	if r.from.Members == "" {
		return foldstream.Errorf(foldstream.NotFound, "", "experiment %s has no tasks to replay", name)
	}
	cal, err := (&calendars{artifacts: r.store.Artifacts()}).get(ctx, r.from.Calendar)
	if err != nil {
		return err
	}
	r.sessions = cal.Sessions()
	r.to = r.from
	r.to.Source, r.to.Replay = "replay of "+name, foldstream.Replay{Of: name, Life: r.from.ID, Asked: r.asked}
	for _, change := range r.changes {
		if err := change(&r.to.Collection); err != nil {
			return err
		}
	}
	return nil
}

// place chooses the name, and the members: those of the replay that was begun there, or those that are asked for. Errors: Conflict (the
// name is taken), NotFound (no task is asked for).
func (r *replay) place(ctx context.Context, as string) error {
	begun, err := r.look(ctx, as)
	if as == "" {
		as, begun, err = r.next(ctx)
	}
	if err != nil {
		return err
	}
	r.to.Name, r.to.Pool = as, as
	if begun.Name != "" {
		r.to = begun
		r.members, _, err = record.Members(ctx, r.store, begun)
		return err
	}
	all, defined, err := r.original(ctx)
	if err == nil {
		r.members, err = r.selected(ctx, all, defined)
	}
	r.to.Collection.Weights = weightsOf(r.to.Collection.Weights, r.members)
	return err
}

// original reads the members of the original and beside them, unless something is asked of the tasks, which of its pool are defined.
func (r *replay) original(ctx context.Context) (members []foldstream.Expectation, defined map[foldstream.TaskID]bool, err error) {
	both, ctx := errgroup.WithContext(ctx)
	both.Go(func() (err error) {
		members, _, err = record.Members(ctx, r.store, r.from)
		return err
	})
	if r.kept == nil {
		both.Go(func() error {
			defined = map[foldstream.TaskID]bool{}
			for id, err := range r.store.Defined(ctx, r.from.Pool) {
				if err != nil {
					return err
				}
				defined[id] = true
			}
			return nil
		})
	}
	err = both.Wait()
	return members, defined, err
}

// next returns the first name behind the original's that is free, or whose replay was begun and is this one.
func (r *replay) next(ctx context.Context) (name string, begun foldstream.Experiment, err error) {
	base := r.from.Name
	if of := r.from.Replay.Of; of != "" {
		if i := strings.LastIndexByte(base, '-'); i > 0 && strings.Trim(base[i+1:], "0123456789") == "" {
			base = base[:i]
		}
	}
	for n := 2; ; n++ {
		name := fmt.Sprintf("%s-%d", base, n)
		if err := foldstream.ValidName("experiment", name); err != nil {
			return "", begun, err
		}
		begun, err := r.look(ctx, name)
		switch {
		case foldstream.Is(err, foldstream.Conflict), err == nil && begun.Name != "" && !begun.Replay.Open:
		default:
			return name, begun, err
		}
	}
}

// look returns the replay of that name, if it is this one; the zero Experiment where the name is free. Errors: Conflict.
func (r *replay) look(ctx context.Context, name string) (foldstream.Experiment, error) {
	if name == "" {
		return foldstream.Experiment{}, nil
	}
	counts, err := r.store.Pool(name).Stat(ctx) // before the experiment, which is stored before its tasks
	if err != nil {
		return foldstream.Experiment{}, err
	}
	there, err := record.ReadExperiment(ctx, r.store, name)
	switch {
	case foldstream.Is(err, foldstream.NotFound) && counts.Total() > 0:
		return there, foldstream.Errorf(foldstream.Conflict, "", "there is a pool %s with %s already; choose another name by --as", name, tasksN(counts.Total()))
	case foldstream.Is(err, foldstream.NotFound):
		return foldstream.Experiment{}, nil
	case err != nil:
		return there, err
	}
	is, want := there.Replay, r.to.Replay
	switch {
	case is.Same(want):
		return there, nil
	case is.Of == want.Of && is.Life == want.Life:
		return there, foldstream.Errorf(foldstream.Conflict, "", "%s exists as a replay of %s with other flags (%s); choose another name by --as", name, is.Of, orNone(is.Asked))
	}
	return there, foldstream.Errorf(foldstream.Conflict, "", "%s exists and is no replay of this %s; choose another name by --as", name, r.from.Name)
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// make makes the experiment and its tasks, and returns how many are new. The code is required before there is a task.
func (r *replay) make(ctx context.Context, code string, p progress) (int, error) {
	e := r.to
	e.Created, e.Replay.Open = time.Now(), true
	if err := record.PutExperiment(ctx, r.store, e, r.members, r.sessions...); err != nil {
		return 0, err
	}
	if code != "" {
		if _, err := r.store.Change(ctx, e.Pool, func(s *foldstream.PoolSettings) { s.Code = code }); err != nil {
			return 0, err
		}
	}
	n, err := r.copyTasks(ctx, p)
	if err != nil {
		return n, err
	}
	return n, record.EndReplay(ctx, r.store, e.Name)
}

// copyTasks creates the tasks in the order in which they were recorded, or those that are expected to take longest first.
func (r *replay) copyTasks(ctx context.Context, p progress) (made int, err error) {
	left := tasksOf(r.members)
	total := len(left)
	p.set(0, 0, total)
	wanted := func(id foldstream.TaskID) bool {
		is := left[id]
		delete(left, id)
		return is
	}
	copies := r.store.Copy(ctx, r.from.Pool, r.to.Pool, r.to.Name, wanted)
	if r.longestFirst {
		copies = r.longest(ctx, wanted)
	}
	for created, err := range copies {
		if err != nil {
			return made, err
		}
		made += len(fresh(created))
		p.set(made, 0, total)
	}
	return made, notRecorded(r.from.Name, left)
}

// createdAtOnce is how many tasks are created between two words about it.
const createdAtOnce = 5000

// longest is a Copy of the tasks, those that are expected to take longest first. It holds them all.
func (r *replay) longest(ctx context.Context, wanted func(foldstream.TaskID) bool) iter.Seq2[[]foldstream.Created, error] {
	return func(yield func([]foldstream.Created, error) bool) {
		tasks, err := r.sorted(ctx, wanted)
		if err != nil {
			yield(nil, err)
			return
		}
		for some := range slices.Chunk(tasks, createdAtOnce) {
			if created, err := r.store.Pool(r.to.Pool).Create(ctx, some...); !yield(created, err) || err != nil {
				return
			}
		}
	}
}

// sorted reads the tasks that are wanted, as the replay makes them, those first that are expected to take longest.
func (r *replay) sorted(ctx context.Context, wanted func(foldstream.TaskID) bool) (tasks []foldstream.Task, _ error) {
	for t, err := range r.store.Definitions(ctx, r.from.Pool) {
		if err != nil {
			return nil, err
		}
		if wanted(t.ID) {
			t.Experiment, t.Replaces = r.to.Name, ""
			tasks = append(tasks, t)
		}
	}
	h, err := historyOf(ctx, r.store, tasks, r.from.Pool)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(tasks, func(a, b foldstream.Task) int { return cmp.Compare(h.expect(b), h.expect(a)) })
	return tasks, nil
}

// cost is what the replay will cost by the experience of the original.
func (r *replay) cost(ctx context.Context) (cost, error) {
	var all, ours []foldstream.Task
	tasks := tasksOf(r.members)
	for t, err := range r.store.Definitions(ctx, r.from.Pool) {
		if err != nil {
			return cost{}, err
		}
		all = append(all, foldstream.Task{ID: t.ID, Template: foldstream.Template{Key: t.Key, Segments: t.Segments}}) // what counts, and no more
		if tasks[t.ID] {
			ours = append(ours, all[len(all)-1])
		}
	}
	h, err := historyOf(ctx, r.store, all, r.from.Pool)
	if err != nil {
		return cost{}, err
	}
	return h.cost(ours), nil
}

// tasksOf returns the tasks of members.
func tasksOf(members []foldstream.Expectation) map[foldstream.TaskID]bool {
	tasks := make(map[foldstream.TaskID]bool, len(members))
	for _, m := range members {
		tasks[m.Task] = true
	}
	return tasks
}
