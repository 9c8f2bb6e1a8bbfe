package mem

import (
	"time"

	"github.com/foldstream/foldstream"
)

// queue is the state of one pool.
type queue struct {
	name    string
	lease   time.Duration // how long a lease lives without a beat
	tasks   []*task       // all there ever were, in order of creation
	known   map[foldstream.TaskID]*task
	open    map[foldstream.TaskID]*task // those whose status is not final
	fetched int                         // leases given out
}

// task is one task and where it stands.
type task struct {
	def      foldstream.Task // as it was created, without its place in life
	priority *int            // the present one; the pointer's int is never changed
	status   foldstream.Status
	stage    string // the stage to run now
	attempt  int    // the attempt to run now, from 1
	crashes  int
	part     *foldstream.Result
	created  time.Time
	last     foldstream.Cursor // its newest event
	letter   foldstream.Cursor // the event it failed by, while that is among the dead letters
	touched  time.Time         // when something last happened to it
	worker   string            // who works it, or worked it last
	err      string            // of its last attempt that failed

	token    foldstream.Cursor // the claim that holds it; 0 is none
	expires  time.Time         // when the claim runs out; zero while its worker beats
	progress foldstream.Progress

	seconds []*lease // beside its claims; some may be over

	order uint64    // of its ticket: first come, first served; 0 is no ticket
	due   time.Time // of its ticket: not before
}

// readyAt returns from when the task may be claimed, false while that cannot be told: it has no ticket or a live worker.
func (t *task) readyAt() (time.Time, bool) {
	if t.order == 0 {
		return time.Time{}, false
	}
	if t.token != 0 {
		return t.expires, !t.expires.IsZero()
	}
	return t.due, true
}

// band returns the band of the present priority, which was checked.
func (t *task) band() int {
	band, _ := foldstream.Task{Priority: t.priority}.Band()
	return band
}

// rewind puts the task before the first attempt of its first stage.
func (t *task) rewind() {
	t.stage, t.attempt, t.crashes, t.part = "", 1, 0, nil
	if len(t.def.Stages) > 0 {
		t.stage = t.def.Stages[0]
	}
}

// heldAt reports whether a worker that is alive has the task in hand.
func (t *task) heldAt(now time.Time) bool {
	return t.token != 0 && (t.expires.IsZero() || t.expires.After(now))
}

// matches reports whether f lets the task through.
func (t *task) matches(f foldstream.Filter) bool {
	return t.band() >= f.MinBand && (f.Stage == "" || f.Stage == t.stage)
}

// nextStage returns the stage after the one to run now. The task must have one.
func (t *task) nextStage() string {
	for i, s := range t.def.Stages {
		if s == t.stage {
			return t.def.Stages[i+1]
		}
	}
	return ""
}

// view returns a copy of the task with its place in life.
func (t *task) view() foldstream.Task {
	v := t.def
	v.Priority, v.Stage, v.Attempt, v.Part = t.priority, t.stage, t.attempt, t.part
	return v.Clone()
}
