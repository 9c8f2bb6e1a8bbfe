package stream

import (
	"context"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
)

// listing is one reading of the states of a pool's tasks.
type listing struct {
	p     *Pool
	q     foldstream.TaskQuery
	past  uint64 // sequence of the definition that was read last
	left  int    // how many more are wanted, where there is a limit; 0 and less is all
	yield func(foldstream.TaskState) bool
	over  bool

	pages int                        // that were read by definitions
	links map[foldstream.TaskID]link // where all tasks stood after fewPages of them; nil before
}

// fewPages are looked up by their tasks. The server goes through the stream for each, so of more pages it is done once for all.
const fewPages = 2

func (l *listing) run(ctx context.Context) error {
	if l.q.Limit < 0 {
		return foldstream.Errorf(foldstream.Invalid, "tasks", "a limit of %d is below 0", l.q.Limit)
	}
	if err := l.begin(ctx); err != nil {
		return err
	}
	for !l.over {
		page, ok := l.p.s.askTasks(ctx, question{Pool: l.p.name, Statuses: l.q.Statuses, Past: l.past, Limit: max(0, min(l.left, pageSize))})
		if !ok {
			return l.scan(ctx)
		}
		if err := l.told(ctx, page); err != nil {
			return err
		}
		l.over = l.over || !page.More
	}
	return nil
}

// begin finds the place behind q.After. Errors: NotFound.
func (l *listing) begin(ctx context.Context) error {
	if l.q.After == "" {
		return nil
	}
	var m *stored
	var err error
	if l.q.After.Valid() {
		m, err = l.p.s.newest(ctx, l.p.s.lay.defs(), l.p.s.lay.def(l.p.name, l.q.After))
	}
	if err != nil {
		return err
	}
	if m == nil {
		return foldstream.Errorf(foldstream.NotFound, "tasks", "no task %s in pool %s", l.q.After, l.p.name)
	}
	l.past = m.seq
	return nil
}

// give hands a page on.
func (l *listing) give(page []foldstream.TaskState) {
	for _, state := range page {
		if l.over {
			return
		}
		l.left--
		l.over = !l.yield(state) || l.left == 0
	}
}

// told reads the tasks that an index named.
func (l *listing) told(ctx context.Context, page pageReply) error {
	var defs, troubled []uint64
	for _, r := range page.Tasks {
		defs = append(defs, r.Def)
		if r.Trouble {
			troubled = append(troubled, r.Event)
		}
		l.past = r.Def
	}
	bodies, err := l.p.s.pick(ctx, l.p.s.lay.defs(), defs)
	if err != nil {
		return err
	}
	events, err := l.p.s.pick(ctx, l.p.s.lay.events(), troubled)
	if err != nil {
		return err
	}
	var states []foldstream.TaskState
	for _, r := range page.Tasks {
		m := bodies[r.Def]
		if m == nil {
			continue // its life began anew: it comes later
		}
		state, err := r.state(m, events[r.Event], l.p.s.now())
		if l.p.s.passes(err) {
			continue
		}
		if err != nil {
			return err
		}
		states = append(states, state)
	}
	if err := l.p.placeAll(ctx, states); err != nil {
		return err
	}
	l.give(states)
	return nil
}

// state is where a task stands now by its row, its definition and, where it has trouble, its last event; nil is one that is gone.
func (r row) state(def, event *stored, now time.Time) (foldstream.TaskState, error) {
	t, err := readDefinition(def)
	if err != nil {
		return foldstream.TaskState{}, err
	}
	last := link{
		Event:   foldstream.Event{Seq: foldstream.Cursor(r.Event), At: r.Updated, Status: r.Status, Stage: r.Stage, Attempt: r.Attempt, Worker: r.Worker},
		crashes: r.Crashes, moved: r.Moved, until: r.NotBefore,
	}
	if event != nil {
		if last, err = readLink(event); err != nil {
			return foldstream.TaskState{}, err
		}
	}
	state := foldstream.TaskState{Task: t, Created: def.at}
	tell(&state, last, now)
	return state, nil
}

// scan reads the definitions that come next, and where their tasks stand, a page at a time.
func (l *listing) scan(ctx context.Context) error {
	var page []foldstream.TaskState
	size := pageSize
	if l.left > 0 && len(l.q.Statuses) == 0 {
		size = min(size, l.left)
	}
	q := query{stream: l.p.s.lay.defs(), filters: []string{l.p.s.lay.def(l.p.name, "*")}, from: l.past + 1}
	for m, err := range l.p.s.scan(ctx, q) {
		if err != nil {
			return err
		}
		t, err := readDefinition(m)
		if l.p.s.passes(err) {
			continue
		}
		if err != nil {
			return err
		}
		page = append(page, foldstream.TaskState{Task: t, Created: m.at})
		if len(page) < size {
			continue
		}
		if err := l.read(ctx, page); err != nil || l.over {
			return err
		}
		page = page[:0]
	}
	return l.read(ctx, page)
}

// read sets where the tasks of a page stand and hands on those that are asked for.
func (l *listing) read(ctx context.Context, page []foldstream.TaskState) error {
	if err := l.fill(ctx, page); err != nil {
		return err
	}
	page = slices.DeleteFunc(page, func(t foldstream.TaskState) bool { return !l.q.Wants(t.Status) })
	if err := l.p.placeAll(ctx, page); err != nil {
		return err
	}
	l.give(page)
	return nil
}

// fill sets in a page where its tasks stand, by their last events.
func (l *listing) fill(ctx context.Context, page []foldstream.TaskState) error {
	last, err := l.last(ctx, page)
	for i := range page {
		tell(&page[i], last[page[i].ID], l.p.s.now())
	}
	return err
}

// last reads the last events of a page's tasks; of all tasks, once, where there were fewPages before.
func (l *listing) last(ctx context.Context, page []foldstream.TaskState) (_ map[foldstream.TaskID]link, err error) {
	if l.pages++; l.pages <= fewPages {
		ids := make([]foldstream.TaskID, len(page))
		for i := range page {
			ids[i] = page[i].ID
		}
		return l.p.lastLinks(ctx, ids)
	}
	if l.links == nil {
		l.links, err = l.p.lastLinks(ctx, nil)
	}
	return l.links, err
}
