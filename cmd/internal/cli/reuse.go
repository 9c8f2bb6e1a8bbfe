package cli

import (
	"context"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
)

// Reuse is the flags by which results that are there already are left out of account.
type Reuse struct {
	NoCache bool `group:"Key" help:"Take over no results of other pools or of earlier lives: what is new or changed is worked."`
	Refresh bool `group:"Key" help:"Work all of it again, also what is done."`
	Revise  bool `group:"Key" help:"An experiment of the name may have other members, or another collection: it becomes the file's. What is done stays done."`
}

// Queueing is the flag by which experience decides in which order tasks are queued.
type Queueing struct {
	LongestFirst bool `help:"Queue the tasks that took longest before the others of their priority, so that no worker waits for the last one."`
}

// wanted says what results must depend on, so that they are worth having.
type wanted struct {
	Reuse
	code        func(foldstream.Task) string
	environment string
	// Who works the tasks, or was told what will, knows the parts of the key: a result that differs in them is not wanted any more. Who does
	// not guesses them: what is equal is taken over, but no result that is there is given up for a guess.
	sureCode, sureEnvironment bool
}

// wants returns what the flags want; works says that the command itself works the tasks.
func (k KeyFlags) wants(r Reuse, works bool) wanted {
	return wanted{Reuse: r, code: k.codes(), environment: k.environment(), sureCode: works || k.Code != "", sureEnvironment: works || k.Environment != ""}
}

// in returns what is wanted in a pool, which may require a version of the code.
func (w wanted) in(ctx context.Context, a administered, pool string) (wanted, error) {
	settings, err := a.Settings(ctx, pool)
	if err == nil && settings.Code != "" {
		w.code, w.sureCode = func(foldstream.Task) string { return settings.Code }, true
	}
	return w, err
}

func (w wanted) key(t foldstream.Task) foldstream.ResultKey {
	return foldstream.ResultKey{Code: w.code(t), Data: foldstream.DataDigest(t.Data), Environment: w.environment}
}

// differs names the parts of a result's key that it is not wanted for.
func (w wanted) differs(want, got foldstream.ResultKey) []string {
	return slices.DeleteFunc(want.Differs(got), func(part string) bool {
		return part == "code" && !w.sureCode || part == "environment" && !w.sureEnvironment
	})
}

// What is to be done with a task. A task of which nothing is to be done has its status.
const (
	doNew     = "new"     // it is created and worked
	doCached  = "cached"  // it is created, or waits, and ended by a result of another pool or life
	doChanged = "changed" // its life is ended and another begins, because the one there has other data, or its result another key
)

// step is a task and what is to be done with it.
type step struct {
	Task   foldstream.TaskID  `json:"task"`
	Do     string             `json:"do,omitempty"` // "" is nothing
	Status foldstream.Status  `json:"status,omitempty"`
	Last   foldstream.Cursor  `json:"last,omitempty"` // its last event
	From   *foldstream.Origin `json:"from,omitempty"` // the result that is taken over
	Why    []string           `json:"why,omitempty"`  // the parts in which a changed one differs; "refresh"
}

// state is the step in one word.
func (s step) state() foldstream.Status {
	if s.Do != "" {
		return foldstream.Status(s.Do)
	}
	return s.Status
}

// survey is what is to be done with the tasks of a plan, as the store stands.
type survey struct {
	steps        []step // in order of the plan's tasks
	dropped      []foldstream.TaskID
	wanted       wanted // in the plan's pool
	longestFirst bool   // those that are created are queued so
	forgone      int    // tasks of which the store did not let this user do it
}

// pools are those whose results tell how long the tasks take: the plan's own, and those whose results are taken over.
func (s *survey) pools(own string) map[string]bool {
	pools := map[string]bool{own: true}
	for _, one := range s.steps {
		if one.From != nil {
			pools[one.From.Pool] = true
		}
	}
	return pools
}

// look compares a plan with the store.
func (p *plan) look(ctx context.Context, a administered, w wanted) (*survey, error) {
	w, err := w.in(ctx, a, p.Experiment.Pool)
	if err != nil {
		return nil, err
	}
	there, err := knownTasks(ctx, a, p.Experiment.Pool, p.Tasks)
	if err != nil {
		return nil, err
	}
	s := &survey{steps: make([]step, len(p.Tasks)), wanted: w}
	var open []foldstream.Task
	for i, t := range p.Tasks {
		if s.steps[i] = w.step(t, there[t.ID]); s.steps[i].open() {
			open = append(open, t)
		}
	}
	from, err := candidates(ctx, a, w, open)
	if err != nil {
		return nil, err
	}
	for i := range s.steps {
		s.steps[i].by(from[s.steps[i].Task])
	}
	s.dropped, err = p.dropped(ctx, a)
	return s, err
}

// step decides what is to be done with one task, but for a result to take over.
func (w wanted) step(t foldstream.Task, is knownTask) step {
	s := step{Task: t.ID, Status: is.status, Last: is.last}
	want := w.key(t)
	other := is.data != "" && is.data != want.Data
	switch {
	case is.status == "" || is.status == foldstream.Removed:
		s.Do = doNew
	case w.Refresh && is.status.Final():
		s.Do, s.Why = doChanged, []string{"refresh"}
	case is.status == foldstream.Done:
		s.Why = w.differs(want, is.key())
	case other:
		s.Why = []string{"data"}
	}
	if len(s.Why) > 0 {
		s.Do = doChanged
	}
	return s
}

// open reports whether a result may be taken over.
func (s step) open() bool { return s.Do != "" || s.Status == foldstream.Waiting }

// by has the task ended by a result; nil is none.
func (s *step) by(from *foldstream.Origin) {
	if s.From = from; from != nil && s.Do != doChanged {
		s.Do = doCached
	}
}

// candidates returns the newest results that may be taken over.
func candidates(ctx context.Context, a administered, w wanted, tasks []foldstream.Task) (map[foldstream.TaskID]*foldstream.Origin, error) {
	found := map[foldstream.TaskID]*foldstream.Origin{}
	if w.NoCache || w.Refresh {
		return found, nil
	}
	keys, ids := make(map[foldstream.TaskID]foldstream.ResultKey, len(tasks)), make([]foldstream.TaskID, 0, len(tasks))
	for _, t := range tasks {
		if key := w.key(t); key.Whole() {
			keys[t.ID], ids = key, append(ids, t.ID)
		}
	}
	if len(ids) == 0 {
		return found, nil
	}
	for e, err := range a.Results(ctx, ids...) {
		if err != nil {
			return nil, err
		}
		if e.Result.Key() == keys[e.Task] {
			found[e.Task] = &foldstream.Origin{Pool: e.Pool, Seq: e.Seq}
		}
	}
	return found, nil
}

// dropped returns the tasks that the stored experiment has and the plan has not.
func (p *plan) dropped(ctx context.Context, a administered) (ids []foldstream.TaskID, err error) {
	e, err := record.ReadExperiment(ctx, a, p.Experiment.Name)
	if foldstream.Is(err, foldstream.NotFound) || err == nil && e.Members == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	members, _, err := record.Members(ctx, a, e)
	if err != nil {
		return nil, err
	}
	here := make(map[foldstream.TaskID]bool, len(p.Tasks))
	for _, t := range p.Tasks {
		here[t.ID] = true
	}
	for _, m := range members {
		if !here[m.Task] {
			here[m.Task] = true
			ids = append(ids, m.Task)
		}
	}
	return ids, nil
}

// knownTask is where a task stands in a pool; "" is unknown to it.
type knownTask struct {
	status foldstream.Status
	last   foldstream.Cursor
	result foldstream.ResultKey // of one that is done
	data   foldstream.Digest    // of its definition, where that was read
}

// key is what its result depends on. One that an older program stored does not say of which data; its definition does.
func (s knownTask) key() foldstream.ResultKey {
	k := s.result
	if k.Data == "" {
		k.Data = s.data
	}
	return k
}

// knownTasks returns where tasks stand in a pool. Definitions are read only where the events do not tell all.
func knownTasks(ctx context.Context, a administered, pool string, tasks []foldstream.Task) (map[foldstream.TaskID]knownTask, error) {
	there, ids := make(map[foldstream.TaskID]knownTask, len(tasks)), make([]foldstream.TaskID, len(tasks))
	for i, t := range tasks {
		ids[i] = t.ID
	}
	told := 0
	for e, err := range a.Newest(ctx, pool, ids...) {
		if err != nil {
			return nil, err
		}
		s := knownTask{status: e.Status, last: e.Seq}
		if e.Kind == foldstream.EventResult && e.Result != nil {
			if s.result = e.Result.Key(); s.result.Data != "" {
				told++
			}
		}
		there[e.Task] = s
	}
	if told == len(tasks) {
		return there, nil
	}
	asked := make(map[foldstream.TaskID]bool, len(ids))
	for _, id := range ids {
		asked[id] = true
	}
	for t, err := range a.Definitions(ctx, pool) {
		if err != nil {
			return nil, err
		}
		if !asked[t.ID] {
			continue
		}
		s := there[t.ID]
		if s.data = foldstream.DataDigest(t.Data); s.status == "" {
			s.status = foldstream.Waiting
		}
		there[t.ID] = s
	}
	return there, nil
}
