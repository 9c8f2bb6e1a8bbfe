package streamtest

import (
	"slices"

	"github.com/foldstream/foldstream"
)

// modelled is the model of one task's life.
type modelled struct {
	def      foldstream.Task // of the present life, without a time
	priority *int
	status   foldstream.Status
	stage    int // the stage to run now
	attempt  int
	part     string            // who made the part that the stage before handed on; "" where none did
	delayed  bool              // for longer than the test takes
	losses   int               // workers that died at it since its attempts began anew
	letter   bool              // it has a dead letter
	by       foldstream.TaskID // of a removed one: what replaced it

	lease foldstream.Lease // of the worker that has it
	dead  bool             // that worker does not beat any more

	err     string // of the last attempt that failed
	unknown bool   // the contracts do not say what err is now
}

// born is the start of a life.
func born(def foldstream.Task, delayed bool) modelled {
	return modelled{def: def, priority: def.Priority, status: foldstream.Waiting, attempt: 1, delayed: delayed}
}

// rewind puts the task before its first attempt.
func (t *modelled) rewind() {
	t.status, t.stage, t.attempt, t.part, t.losses = foldstream.Waiting, 0, 1, "", 0
	t.delayed, t.letter, t.unknown = false, false, true
	t.lease, t.dead = nil, false
}

// waits reports whether a worker may get it.
func (t *modelled) waits() bool {
	return (t.status == foldstream.Waiting || t.status == foldstream.PartDone) && !t.delayed
}

// fetchable reports whether a fetch gets it, now or when the lease of its dead worker has run out.
func (t *modelled) fetchable() bool {
	return t.waits() || t.status == foldstream.Running && t.dead
}

// held reports whether a live worker has it.
func (t *modelled) held() bool { return t.status == foldstream.Running && !t.dead }

// stageName returns the stage to run now.
func (t *modelled) stageName() string {
	if len(t.def.Stages) == 0 {
		return ""
	}
	return t.def.Stages[t.stage]
}

// claim gives it to a worker.
func (t *modelled) claim(l foldstream.Lease) {
	if t.dead {
		t.losses++
	}
	t.status, t.lease, t.dead, t.delayed = foldstream.Running, l, false, false
}

// commit ends its stage.
func (t *modelled) commit(who string) {
	t.lease, t.dead = nil, false
	if t.stage+1 >= len(t.def.Stages) {
		t.status = foldstream.Done
		return
	}
	t.status, t.stage, t.attempt, t.part = foldstream.PartDone, t.stage+1, 1, who
}

// giveBack ends its attempt.
func (t *modelled) giveBack(err string, delayed bool) {
	t.status, t.lease, t.dead, t.delayed = foldstream.Waiting, nil, false, delayed
	if err != "" {
		t.attempt, t.err, t.unknown = t.attempt+1, err, false
	}
}

// fail gives it up.
func (t *modelled) fail(err string) {
	t.status, t.lease, t.dead, t.err, t.unknown, t.letter = foldstream.Dead, nil, false, err, false, true
}

// end takes it from whoever has it.
func (t *modelled) end(status foldstream.Status) {
	t.status, t.lease, t.dead, t.delayed, t.letter = status, nil, false, false, false
}

// differs says how a task is not as the model has it, by words; "" where it is.
func (t *modelled) differs(s foldstream.TaskState) string {
	switch {
	case s.Status != t.status:
		return "its status should be " + string(t.status)
	case !t.unknown && s.Error != t.err:
		return "its error should be " + t.err
	case t.status == foldstream.Running && (s.Stage != t.stageName() || s.Attempt != t.attempt):
		return "its stage or attempt is not that of its worker"
	case s.NotBefore.IsZero() == t.delayed:
		return "it is delayed and should not be, or is not and should be"
	case !slices.Equal(intsOf(s.Priority), intsOf(t.priority)):
		return "it has another priority"
	case t.lease != nil && s.Worker == "":
		return "its worker is not known"
	}
	return ""
}

// intsOf returns no ints for nil.
func intsOf(p *int) []int {
	if p == nil {
		return nil
	}
	return []int{*p}
}
