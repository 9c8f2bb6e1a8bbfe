package record

import (
	"cmp"
	"context"
	"iter"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
)

// List reads the recorders of an experiment: those of the tasks that are its members, or that name it in its pool, and its free ones. Removed tasks have
// none. In order of creation they are read as they are asked for, some thousands ahead; results come without frames and series. A list
// tells what the newest event of each task says: of a task between two stages what the last one handed on.
//
// It ends with its first error. Errors: NotFound (the experiment; the recorder q.After), those of q.Keep and of the store.
func List(ctx context.Context, store Store, experiment string, q Query) iter.Seq2[Recorder, error] {
	return func(yield func(Recorder, error) bool) {
		l, err := newLister(ctx, store, experiment, q)
		if err == nil {
			if q.Less == nil {
				err = l.inOrder(ctx, yield)
			} else {
				err = l.sorted(ctx, yield)
			}
		}
		if err != nil {
			yield(Recorder{}, err)
		}
	}
}

// lister is one list on its way.
type lister struct {
	store      Store
	q          Query
	experiment foldstream.Experiment
	tasks      map[foldstream.TaskID]bool // the members
	documents  map[string]*document
	free       []Recorder // in order of creation
	hands      hands
	now        time.Time
	behind     bool                                    // the recorder q.After was passed, or is not to be waited for
	pages      int                                     // whose results were read
	loaded     map[foldstream.TaskID]*foldstream.Event // results that were read ahead
}

func newLister(ctx context.Context, store Store, experiment string, q Query) (*lister, error) {
	e, err := ReadExperiment(ctx, store, experiment)
	if err != nil {
		return nil, err
	}
	l := &lister{store: store, q: q, experiment: e, now: store.Now(), behind: q.After == "" || q.Less != nil}
	if l.tasks, err = memberTasks(ctx, store, e); err != nil {
		return nil, err
	}
	if l.documents, err = documents(ctx, store, e); err != nil {
		return nil, err
	}
	if l.hands, err = handsOf(ctx, store, e.Pool); err != nil {
		return nil, err
	}
	for id, d := range l.documents {
		if d.Work != nil {
			l.free = append(l.free, ofFree(e, id, d, l.now))
		}
	}
	slices.SortFunc(l.free, func(a, b Recorder) int { return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID)) })
	return l, nil
}

// memberTasks returns the tasks of an experiment's members.
func memberTasks(ctx context.Context, store foldstream.Store, e foldstream.Experiment) (map[foldstream.TaskID]bool, error) {
	members, _, err := Members(ctx, store, e)
	tasks := make(map[foldstream.TaskID]bool, len(members))
	for _, m := range members {
		tasks[m.Task] = true
	}
	return tasks, err
}

// inOrder yields the list in order of creation until it is told that this is enough, or the list is at its limit.
func (l *lister) inOrder(ctx context.Context, yield func(Recorder, error) bool) error {
	left := l.q.Limit
	err := l.each(ctx, func(r Recorder) (bool, error) {
		if !l.behind {
			l.behind = r.ID == l.q.After
			return true, nil
		}
		keep, err := l.keeps(r)
		if err != nil || !keep {
			return true, err
		}
		if !yield(r, nil) {
			return false, nil
		}
		left--
		return left != 0, nil
	})
	if err == nil && !l.behind {
		err = l.notListed()
	}
	return err
}

// sorted yields the list in the order of q.Less.
func (l *lister) sorted(ctx context.Context, yield func(Recorder, error) bool) error {
	type listed struct {
		Recorder
		kept bool
	}
	var all []listed
	behind := l.q.After == ""
	err := l.each(ctx, func(r Recorder) (bool, error) {
		keep, err := l.keeps(r)
		if keep || r.ID == l.q.After {
			all = append(all, listed{r, keep})
		}
		return true, err
	})
	if err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b listed) int {
		switch {
		case l.q.Less(a.Recorder, b.Recorder):
			return -1
		case l.q.Less(b.Recorder, a.Recorder):
			return 1
		}
		return 0
	})
	left := l.q.Limit
	for _, r := range all {
		if !behind {
			behind = r.ID == l.q.After
			continue
		}
		if !r.kept {
			continue
		}
		if left--; !yield(r.Recorder, nil) || left == 0 {
			return nil
		}
	}
	if !behind {
		return l.notListed()
	}
	return nil
}

func (l *lister) notListed() error {
	return foldstream.Errorf(foldstream.NotFound, "recorder", "there is no recorder %s in experiment %s to go on behind", l.q.After, l.experiment.Name)
}

// keeps reports whether a recorder is asked for.
func (l *lister) keeps(r Recorder) (bool, error) {
	if l.q.Statuses != nil && !slices.Contains(l.q.Statuses, r.Status) {
		return false, nil
	}
	if l.q.Keep == nil {
		return true, nil
	}
	return l.q.Keep(r)
}

// each calls do with every recorder in order of creation until it is told that this is enough.
func (l *lister) each(ctx context.Context, do func(Recorder) (bool, error)) error {
	free, enough := l.free, false
	tell := func(r Recorder) error {
		for !enough && len(free) > 0 && free[0].Created.Before(r.Created) {
			more, err := do(free[0])
			if err != nil {
				return err
			}
			free, enough = free[1:], !more
		}
		if enough {
			return nil
		}
		more, err := do(r)
		enough = !more
		return err
	}
	if l.experiment.Pool != "" {
		if err := l.eachTask(ctx, func(r Recorder) (bool, error) { err := tell(r); return !enough, err }); err != nil || enough {
			return err
		}
	}
	for _, r := range free {
		if more, err := do(r); err != nil || !more {
			return err
		}
	}
	return nil
}

// The pages in which tasks are read: the first is small, so that it is there soon. Behind it the results of a whole experiment are read at
// once, which costs less than asking for them by name; of one that is larger than preloadable they are asked for page by page.
const (
	firstPage   = 256
	furtherPage = 2048
	preloadable = 128 << 10
)

// eachTask is each for the tasks' recorders.
func (l *lister) eachTask(ctx context.Context, do func(Recorder) (bool, error)) error {
	page, size := make([]foldstream.TaskState, 0, firstPage), firstPage
	for s, err := range l.store.Tasks(ctx, l.experiment.Pool) {
		if err != nil {
			return err
		}
		if !l.tasks[s.ID] && s.Experiment != l.experiment.Name {
			continue
		}
		if page = append(page, s); len(page) < size {
			continue
		}
		more, err := l.tell(ctx, page, do)
		if err != nil || !more {
			return err
		}
		page, size = page[:0], furtherPage
	}
	if err := ctx.Err(); err != nil {
		return foldstream.E(foldstream.Cancelled, "recorders", err)
	}
	_, err := l.tell(ctx, page, do)
	return err
}

// tell calls do with the recorders of a page.
func (l *lister) tell(ctx context.Context, page []foldstream.TaskState, do func(Recorder) (bool, error)) (more bool, err error) {
	results, err := l.results(ctx, page)
	if err != nil {
		return false, err
	}
	for _, s := range page {
		r, there := ofTask(l.experiment, s.Task, s.Created).standing(s, results[s.ID])
		if !there {
			continue
		}
		r = l.hands.judge(r, l.now).added(l.documents[r.ID])
		if more, err := do(r); err != nil || !more {
			return false, err
		}
	}
	return true, nil
}

// results reads the newest events of those tasks whose last event has a result; none of a page that is passed over.
func (l *lister) results(ctx context.Context, page []foldstream.TaskState) (map[foldstream.TaskID]*foldstream.Event, error) {
	if !l.behind && !slices.ContainsFunc(page, func(s foldstream.TaskState) bool { return string(s.ID) == l.q.After }) {
		return nil, nil
	}
	l.pages++
	if l.pages == 2 && len(l.tasks) <= preloadable {
		if err := l.preload(ctx); err != nil {
			return nil, err
		}
	}
	var ids []foldstream.TaskID
	results := make(map[foldstream.TaskID]*foldstream.Event, len(page))
	for _, s := range page {
		if s.Status != foldstream.Done && s.Status != foldstream.PartDone {
			continue
		}
		if e, ok := l.loaded[s.ID]; ok {
			results[s.ID] = e
			delete(l.loaded, s.ID)
		} else {
			ids = append(ids, s.ID)
		}
	}
	if len(ids) == 0 {
		return results, nil
	}
	return results, l.newest(ctx, ids, func(e *foldstream.Event) { results[e.Task] = e })
}

// preload reads the results of all members.
func (l *lister) preload(ctx context.Context) error {
	l.loaded = make(map[foldstream.TaskID]*foldstream.Event, len(l.tasks))
	return l.newest(ctx, nil, func(e *foldstream.Event) {
		if l.tasks[e.Task] && e.Result != nil {
			l.loaded[e.Task] = e
		}
	})
}

func (l *lister) newest(ctx context.Context, ids []foldstream.TaskID, take func(*foldstream.Event)) error {
	for e, err := range l.store.Newest(ctx, l.experiment.Pool, ids...) {
		if err != nil {
			return err
		}
		take(&e)
	}
	return nil
}
