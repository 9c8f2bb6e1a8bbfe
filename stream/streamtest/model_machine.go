package streamtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
)

// machine is a store and the model of it.
type machine struct {
	ctx    context.Context // of one run of the model, which rapid's actions have no other way to get
	h      Harness
	tasks  map[foldstream.TaskID]*modelled
	order  []foldstream.TaskID
	stale  []foldstream.Lease // leases that ended or were lost
	paused bool
	nonce  int
}

// hour is a delay that no run of the model lives to see the end of.
const hour = time.Hour

func newMachine(ctx context.Context, h Harness) *machine {
	return &machine{ctx: ctx, h: h, tasks: map[foldstream.TaskID]*modelled{}}
}

// actions are what may happen, by name, and the comparison.
func (m *machine) actions() map[string]func(*rapid.T) {
	actions := map[string]func(*rapid.T) error{
		"create": m.create, "create known": m.createKnown, "fetch": m.fetch, "fetch again": m.fetch, "fetch once more": m.fetch,
		"commit": m.commit, "commit again": m.commit, "return": m.giveBack, "fail": m.fail, "die": m.die, "wake": m.wake, "late": m.late,
		"cancel": m.cancel, "remove": m.remove, "replace": m.replace, "retry": m.retry, "reset": m.reset, "prioritize": m.prioritize,
		"pause": m.pause, "reconcile": m.reconcile, "lose": m.lose, "drop": m.drop,
	}
	all := map[string]func(*rapid.T){"": func(rt *rapid.T) { must(rt, m.compare()) }}
	for name, act := range actions {
		all[name] = func(rt *rapid.T) { must(rt, act(rt)) }
	}
	return all
}

// store returns one of the two processes.
func (m *machine) store(rt *rapid.T) foldstream.Store {
	return rapid.SampledFrom([]foldstream.Store{m.h.Store, m.h.Second}).Draw(rt, "store")
}

// any picks a task, or skips the action where there is none.
func (m *machine) any(rt *rapid.T) *modelled {
	return m.pick(rt, func(*modelled) bool { return true })
}

// pick picks a task of which is holds, or skips the action where there is none.
func (m *machine) pick(rt *rapid.T, is func(*modelled) bool) *modelled {
	var ids []int
	for i, id := range m.order {
		if is(m.tasks[id]) {
			ids = append(ids, i)
		}
	}
	if len(ids) == 0 {
		rt.Skip("no such task")
	}
	return m.tasks[m.order[rapid.SampledFrom(ids).Draw(rt, "task")]]
}

// lost notes that nobody has the lease of the task any more.
func (m *machine) lost(t *modelled) {
	if t.lease != nil {
		m.stale = append(m.stale, t.lease)
	}
}

func (m *machine) create(rt *rapid.T) error {
	if len(m.order) >= 12 {
		rt.Skip("enough tasks")
	}
	def := Task(len(m.order))
	def.Stages = stages[:rapid.IntRange(0, 3).Draw(rt, "stages")]
	if rapid.Bool().Draw(rt, "urgent") {
		def = withPriority(def, rapid.IntRange(foldstream.MinPriority, foldstream.MaxPriority).Draw(rt, "priority"))
	}
	delayed := rapid.IntRange(0, 4).Draw(rt, "delayed") == 0
	if err := m.make(rt, def, delayed, foldstream.Created{ID: def.ID, Status: foldstream.Waiting, New: true}); err != nil {
		return err
	}
	t := born(def, delayed)
	m.tasks[def.ID], m.order = &t, append(m.order, def.ID)
	return nil
}

// createKnown creates a task again: it begins a new life where it was removed.
func (m *machine) createKnown(rt *rapid.T) error {
	t := m.any(rt)
	fresh := t.status == foldstream.Removed
	want := foldstream.Created{ID: t.def.ID, Status: t.status, New: fresh}
	if fresh {
		want.Status = foldstream.Waiting
	}
	if err := m.make(rt, t.def, false, want); err != nil {
		return err
	}
	if fresh {
		*t = born(t.def, false)
		t.unknown = true
	}
	return nil
}

func (m *machine) make(rt *rapid.T, def foldstream.Task, delayed bool, want foldstream.Created) error {
	if delayed {
		def.NotBefore = time.Now().Add(hour)
	}
	made, err := m.store(rt).Pool(pool).Create(m.ctx, def)
	if err == nil {
		err = same("what create answers", made, []foldstream.Created{want})
	}
	return err
}

// fetch gets one of the tasks that can be had, or none where there is none.
func (m *machine) fetch(rt *rapid.T) error {
	there := slices.ContainsFunc(m.order, func(id foldstream.TaskID) bool { return m.tasks[id].fetchable() })
	if m.paused || !there {
		l, err := m.store(rt).Pool(pool).Fetch(m.ctx, foldstream.Filter{})
		if err == nil {
			return fmt.Errorf("fetched task %s, where none can be had; paused: %v", l.Task().ID, m.paused)
		}
		return want(err, foldstream.NotFound, "fetch")
	}
	l, err := m.store(rt).Pool(pool).Fetch(m.ctx, foldstream.Filter{Wait: patience})
	if err != nil {
		return err
	}
	return m.took(l)
}

// took checks a task that was fetched.
func (m *machine) took(l foldstream.Lease) error {
	got := l.Task()
	t := m.tasks[got.ID]
	if t == nil || !t.fetchable() {
		return fmt.Errorf("fetched task %s, which cannot be had: %+v", got.ID, t)
	}
	part := ""
	if got.Part != nil {
		part = got.Part.Params["by"]
	}
	if got.Stage != t.stageName() || got.Attempt != t.attempt || part != t.part {
		return fmt.Errorf("fetched stage %q, attempt %d with part %q; want %q, %d, %q", got.Stage, got.Attempt, part, t.stageName(), t.attempt, t.part)
	}
	if !slices.Equal(intsOf(got.Priority), intsOf(t.priority)) {
		return fmt.Errorf("fetched a task with priority %v, want %v", intsOf(got.Priority), intsOf(t.priority))
	}
	m.lost(t)
	t.claim(l)
	return nil
}

func (m *machine) commit(rt *rapid.T) error { return m.commits(m.pick(rt, (*modelled).held)) }

// wake has a frozen worker commit before anybody took its task over.
func (m *machine) wake(rt *rapid.T) error {
	return m.commits(m.pick(rt, func(t *modelled) bool { return t.dead }))
}

func (m *machine) commits(t *modelled) error {
	m.nonce++
	who := fmt.Sprint("worker ", m.nonce)
	if err := t.lease.Commit(m.ctx, by(who)); err != nil {
		return err
	}
	m.lost(t)
	t.commit(who)
	return nil
}

func (m *machine) giveBack(rt *rapid.T) error {
	t := m.pick(rt, (*modelled).held)
	var why error
	after, words := time.Duration(0), rapid.SampledFrom([]string{"", "busy", "singular matrix"}).Draw(rt, "error")
	if words != "" {
		why = errors.New(words)
	}
	delayed := rapid.IntRange(0, 3).Draw(rt, "delayed") == 0
	if delayed {
		after = hour
	}
	if err := t.lease.Return(m.ctx, why, after); err != nil {
		return err
	}
	m.lost(t)
	t.giveBack(words, delayed)
	return nil
}

func (m *machine) fail(rt *rapid.T) error {
	t := m.pick(rt, (*modelled).held)
	if err := t.lease.Fail(m.ctx, errors.New("no use")); err != nil {
		return err
	}
	m.lost(t)
	t.fail("no use")
	return m.letters()
}

// die stops the worker of a task. A task does not lose so many that it fails by it.
func (m *machine) die(rt *rapid.T) error {
	t := m.pick(rt, func(t *modelled) bool { return t.held() && t.losses < m.h.MaxCrashes-2 })
	m.h.Abandon(t.lease)
	t.dead = true
	return nil
}

// late has a worker do something that lost its lease.
func (m *machine) late(rt *rapid.T) error {
	if len(m.stale) == 0 {
		rt.Skip("no lease was lost")
	}
	return refused(m.ctx, m.stale[rapid.IntRange(0, len(m.stale)-1).Draw(rt, "lease")])
}

// compare wants the index and the counts to be the model's.
func (m *machine) compare() error {
	want := foldstream.Counts{}
	for _, t := range m.tasks {
		want[t.status]++
	}
	return Eventually(m.ctx, func() error {
		seen := 0
		for s, err := range admin(m.h).Tasks(m.ctx, pool) {
			if err != nil {
				return err
			}
			seen++
			t := m.tasks[s.ID]
			if t == nil {
				return fmt.Errorf("the index has task %s, which was never created", s.ID)
			}
			if how := t.differs(s); how != "" {
				return fmt.Errorf("%s: the index says %+v, the model %+v", how, s, *t)
			}
		}
		got, err := m.h.Store.Pool(pool).Stat(m.ctx)
		if err == nil && (seen != len(m.tasks) || !maps.Equal(got, want)) {
			err = fmt.Errorf("the index has %d tasks, stat says %v; want %d, %v", seen, got, len(m.tasks), want)
		}
		return err
	})
}
