package streamtest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
)

func (m *machine) cancel(rt *rapid.T) error {
	t := m.any(rt)
	n, err := admin(m.h).Cancel(m.ctx, pool, "enough", t.def.ID)
	if t.status.Final() {
		return did("cancel of what is "+string(t.status), 0)(n, err)
	}
	m.lost(t)
	t.end(foldstream.Withdrawn)
	return did("cancel", 1)(n, err)
}

func (m *machine) remove(rt *rapid.T) error {
	t := m.any(rt)
	n, err := admin(m.h).Remove(m.ctx, pool, "cleared", t.def.ID)
	if t.status == foldstream.Removed {
		return did("remove of what is removed", 0)(n, err)
	}
	m.lost(t)
	t.end(foldstream.Removed)
	t.by = ""
	return did("remove", 1)(n, err)
}

// replace puts a task, mostly a new one, in the place of another.
func (m *machine) replace(rt *rapid.T) error {
	old, t := m.any(rt), m.any(rt)
	fresh := len(m.order) < 12 && rapid.IntRange(0, 3).Draw(rt, "fresh") > 0
	if fresh {
		next := born(Task(len(m.order)), false)
		t = &next
	}
	made, err := admin(m.h).Replace(m.ctx, pool, "better", old.def.ID, t.def)
	switch {
	case old.def.ID == t.def.ID:
		return want(err, foldstream.Invalid, "replace by itself")
	case old.status == foldstream.Removed && old.by != t.def.ID:
		return want(err, foldstream.Conflict, "replace of what is removed")
	}
	m.lost(old)
	old.end(foldstream.Removed)
	old.by = t.def.ID
	answer := foldstream.Created{ID: t.def.ID, Status: t.status, New: fresh}
	if t.status == foldstream.Removed {
		*t = born(t.def, false)
		t.unknown, answer.Status, answer.New = true, foldstream.Waiting, true
	}
	if fresh {
		m.tasks[t.def.ID], m.order = t, append(m.order, t.def.ID)
	}
	return errors.Join(err, same("what replace answers", made, answer))
}

func (m *machine) retry(rt *rapid.T) error {
	t := m.any(rt)
	n, err := admin(m.h).Retry(m.ctx, pool, "mended", t.def.ID)
	if t.status != foldstream.Dead && t.status != foldstream.Withdrawn {
		return did("retry of what is "+string(t.status), 0)(n, err)
	}
	t.rewind()
	return errors.Join(did("retry", 1)(n, err), m.letters())
}

// reset takes a task from its worker by force, or from a worker that is dead once that can be known.
func (m *machine) reset(rt *rapid.T) error {
	t := m.any(rt)
	if rapid.Bool().Draw(rt, "running") {
		t = m.pick(rt, func(t *modelled) bool { return t.status == foldstream.Running })
	}
	force := rapid.Bool().Draw(rt, "force")
	changes := t.status == foldstream.Running && (force || t.dead)
	do := func() (int, error) { return admin(m.h).Reset(m.ctx, pool, force, t.def.ID) }
	if !changes {
		return did(fmt.Sprintf("reset of what is %s, by force: %v", t.status, force), 0)(do())
	}
	m.lost(t)
	if t.dead {
		t.losses++ // it may count as one
	}
	t.giveBack("", false)
	if force {
		return did("reset by force", 1)(do())
	}
	return Eventually(m.ctx, func() error { return did("reset of a dead worker's task", 1)(do()) })
}

// prioritize moves a task to another band. What the contracts say of tasks between stages is left open.
func (m *machine) prioritize(rt *rapid.T) error {
	t := m.pick(rt, func(t *modelled) bool { return t.status != foldstream.PartDone })
	var p *int
	if rapid.IntRange(0, 4).Draw(rt, "none") != 0 {
		p = priority(rapid.IntRange(foldstream.MinPriority, foldstream.MaxPriority).Draw(rt, "priority"))
	}
	if slices.Equal(intsOf(p), intsOf(t.priority)) {
		rt.Skip("it has that priority")
	}
	n, err := admin(m.h).Prioritize(m.ctx, pool, p, t.def.ID)
	if t.status != foldstream.Waiting {
		return did("prioritize of what is "+string(t.status), 0)(n, err)
	}
	t.priority = p
	return did("prioritize", 1)(n, err)
}

// pause pauses or resumes the pool, and waits until all workers obey.
func (m *machine) pause(rt *rapid.T) error {
	if len(m.order) == 0 {
		rt.Skip("there is no pool")
	}
	m.paused = !m.paused
	if err := pauseOrResume(m.ctx, m.h, m.paused); err != nil || !m.paused {
		return err
	}
	return after(m.ctx, time.Now().Add(obeyed))
}

func (m *machine) reconcile(*rapid.T) error {
	n, err := m.h.Second.(foldstream.Reconciler).Reconcile(m.ctx, pool)
	return did("reconcile with nothing to mend", 0)(n, err)
}

// lose loses a ticket: verification names the task, and it is mended by reconciling or by creating the task again. A task that was moved
// to another priority is left out: where only the ticket knows of it, the priority is lost with it.
func (m *machine) lose(rt *rapid.T) error {
	t := m.pick(rt, func(t *modelled) bool { return t.waits() && slices.Equal(intsOf(t.priority), intsOf(t.def.Priority)) })
	if err := m.h.DeleteTicket(m.ctx, pool, t.def.ID); err != nil {
		return err
	}
	err := Eventually(m.ctx, func() error {
		c, err := admin(m.h).Verify(m.ctx, pool)
		if err == nil && len(c.Faults) != 1 {
			err = fmt.Errorf("one ticket is lost; verify found %q", c.Faults)
		}
		return err
	})
	if err != nil {
		return err
	}
	if rapid.Bool().Draw(rt, "reconcile") {
		return mended(m.ctx, m.h, 1)
	}
	return m.make(rt, t.def, false, foldstream.Created{ID: t.def.ID, Status: t.status})
}

// drop drops a dead letter, or what is none.
func (m *machine) drop(rt *rapid.T) error {
	t := m.any(rt)
	letters := 0
	if t.letter {
		letters = 1
	}
	t.letter = false
	return did("drop", letters)(admin(m.h).Drop(m.ctx, pool, t.def.ID))
}

// finish works everything off.
func (m *machine) finish() error {
	if len(m.order) == 0 {
		return nil
	}
	a := admin(m.h)
	if err := m.letters(); err != nil {
		return err
	}
	if err := pauseOrResume(m.ctx, m.h, false); err != nil {
		return err
	}
	var delayed []foldstream.TaskID
	var defs []foldstream.Task
	for _, id := range m.order {
		t := m.tasks[id]
		if defs = append(defs, t.def); t.delayed {
			delayed = append(delayed, id)
		}
		if t.held() {
			m.h.Abandon(t.lease)
		}
	}
	_, removed := a.Remove(m.ctx, pool, "it waits too long", delayed...)
	_, retried := a.Retry(m.ctx, pool, "to the end", m.order...)
	_, created := m.h.Store.Pool(pool).Create(m.ctx, defs...)
	if err := errors.Join(removed, retried, created); err != nil {
		return err
	}
	for m.left() > 0 {
		l, err := fetch(m.ctx, m.h.Store)
		if err != nil {
			return err
		}
		if err := l.Commit(m.ctx, by("last")); err != nil {
			return err
		}
		if l.Task().LastStage() {
			m.tasks[l.Task().ID].status = foldstream.Done
		}
	}
	return stand(m.ctx, m.h, foldstream.Counts{foldstream.Done: len(m.order)})
}

// left returns how many tasks are not done.
func (m *machine) left() (n int) {
	for _, t := range m.tasks {
		if t.status != foldstream.Done {
			n++
		}
	}
	return n
}

// letters wants the dead letters to be the model's.
func (m *machine) letters() error {
	return Eventually(m.ctx, func() error {
		got, err := collect(admin(m.h).Letters(m.ctx, pool))
		if err != nil {
			return err
		}
		has := map[foldstream.TaskID]bool{}
		for _, l := range got {
			has[l.Task.ID] = true
		}
		for id, t := range m.tasks {
			if has[id] != t.letter {
				return fmt.Errorf("task %s, which is %s, has a dead letter: %v", id, t.status, has[id])
			}
		}
		return nil
	})
}
