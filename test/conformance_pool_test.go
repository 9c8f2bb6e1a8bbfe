package test

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen"
	"github.com/foldstream/foldstream/stream/mem"
)

// poolStep is one call of a script. The original's task manager is mirrored by workflow/task/manage.py:TaskManager and run_task.
type poolStep struct {
	Op       string
	Defs     []map[string]any
	Labels   []string
	Task     string // a label
	Res      any
	Status   string // "" is null or absent
	Priority *int
	Query    map[string]any
	Raise    string
	Before   string `json:"before_status"`
	After    string `json:"after_status"`
	FailOn   any    `json:"fail_on"`
	Kwargs   map[string]any
}

// poolOutcome is what a step gives and how the tasks stand after it.
type poolOutcome struct {
	Result any            `json:"result"`
	Stat   map[string]int `json:"stat"`
}

// poolScript plays a script on a pool in memory, because some fetch by a query: such a fetch leases tasks until one fits and
// returns the others, which wait in their old places again only there. A definition is the dict of a template; where the script has
// a part_done in it, tasks have two stages.
type poolScript struct {
	store  *mem.Store
	stages []string
	labels map[foldstream.TaskID]string
	leases map[string][]*scriptLease // by label, the oldest first
}

// scriptLease is a lease and whether a call was made on it that ends one.
type scriptLease struct {
	foldstream.Lease
	used bool
}

// The pool of the scripts and the stages of Qlib's two phases.
const (
	scriptPool  = "scripts"
	firstPhase  = "first"
	secondPhase = "second"
)

// runTaskManager plays the script. What fails in a step is an error in its outcome; where the original failed by design, any
// error of ours is as good as its own.
func runTaskManager(v *vector) (any, error) {
	var steps []poolStep
	if err := v.into("steps", &steps); err != nil {
		return nil, err
	}
	var recorded []poolOutcome
	if err := json.Unmarshal(v.Expect, &recorded); err != nil {
		return nil, err
	}
	s := &poolScript{store: mem.New(mem.Options{}), labels: map[foldstream.TaskID]string{}, leases: map[string][]*scriptLease{}}
	for _, step := range steps {
		if step.Status == "part_done" || step.After == "part_done" {
			s.stages = []string{firstPhase, secondPhase}
		}
	}
	var outcomes []poolOutcome
	for i, step := range steps {
		result, err := s.play(context.Background(), step)
		if err != nil {
			result = named(err)
		}
		if !v.Quirk {
			result = sameFailure(result, recorded[i].Result)
		}
		stat, err := s.stat(context.Background())
		if err != nil {
			return nil, err
		}
		outcomes = append(outcomes, poolOutcome{result, stat})
	}
	return outcomes, nil
}

// named is an error as an outcome shows it.
func named(err error) any { return map[string]any{"error": foldstream.KindOf(err).String()} }

// sameFailure returns the recorded failure for one of ours.
func sameFailure(got, recorded any) any {
	g, isMap := got.(map[string]any)
	r, wasMap := recorded.(map[string]any)
	if !isMap || !wasMap {
		return got
	}
	if g["error"] != nil && r["error"] != nil {
		return r
	}
	if g["returned"] != nil {
		g["returned"] = sameFailure(g["returned"], r["returned"])
	}
	return g
}

// play makes one call.
func (s *poolScript) play(ctx context.Context, step poolStep) (any, error) {
	switch step.Op {
	case "create":
		return s.create(ctx, step)
	case "fetch":
		l, err := s.fetch(ctx, step.Status, step.Query)
		if l == nil || err != nil {
			return nil, err
		}
		return s.doc(ctx, l.Task().ID)
	case "commit":
		return nil, s.commit(ctx, step)
	case "return":
		return nil, s.giveBack(ctx, step)
	case "prioritize":
		_, err := s.store.Prioritize(ctx, scriptPool, step.Priority, s.id(step.Task))
		return nil, err
	case "stat":
		return s.stat(ctx)
	case "undone":
		counts, err := s.store.Pool(scriptPool).Stat(ctx)
		return counts.Open(), err
	case "re_query":
		return s.doc(ctx, s.id(step.Task))
	case "query":
		return s.query(ctx, step.Query)
	case "remove":
		ids, err := s.matching(ctx, step.Query)
		if err == nil {
			_, err = s.store.Remove(ctx, scriptPool, "removed", ids...)
		}
		return nil, err
	case "reset_waiting":
		return nil, s.resetWaiting(ctx, step.Query)
	case "reset_status":
		return nil, s.resetStatus(ctx, step)
	case "safe_fetch_fail":
		return s.safeFetch(ctx, step)
	case "run_task":
		return s.runTask(ctx, step)
	}
	return nil, foldstream.Errorf(foldstream.Internal, "script", "no call %q", step.Op)
}

func (s *poolScript) create(ctx context.Context, step poolStep) (any, error) {
	var tasks []foldstream.Task
	for _, def := range step.Defs {
		template, err := foldstream.TemplateOf(def)
		if err != nil {
			return nil, err
		}
		template.Stages = s.stages
		id, err := gen.ID(template)
		if err != nil {
			return nil, err
		}
		tasks = append(tasks, foldstream.Task{ID: id, Template: template, Retry: foldstream.Retry{Attempts: 2}})
	}
	made, err := s.store.Pool(scriptPool).Create(ctx, tasks...)
	labels := []string{}
	for i, m := range made {
		if s.labels[m.ID] == "" {
			s.labels[m.ID] = step.Labels[i]
		}
		labels = append(labels, s.labels[m.ID])
	}
	return labels, err
}

// fetch leases the next task of a status that fits the query; nil where there is none.
func (s *poolScript) fetch(ctx context.Context, status string, query map[string]any) (foldstream.Lease, error) {
	filter, err := s.phase(status)
	if err != nil {
		return nil, err
	}
	fits, err := s.matching(ctx, query)
	if err != nil {
		return nil, err
	}
	var others []foldstream.Lease
	defer func() {
		for _, l := range others {
			_ = l.Return(ctx, nil, 0) // a lease in memory that was just given is not lost
		}
	}()
	for {
		l, err := s.store.Pool(scriptPool).Fetch(ctx, filter)
		if foldstream.Is(err, foldstream.NotFound) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if slices.Contains(fits, l.Task().ID) {
			label := s.labels[l.Task().ID]
			s.leases[label] = append(s.leases[label], &scriptLease{Lease: l})
			return l, nil
		}
		others = append(others, l)
	}
}

// phase returns the filter of a status that can be fetched. Errors: Invalid.
func (s *poolScript) phase(status string) (foldstream.Filter, error) {
	switch {
	case status == "part_done":
		return foldstream.Filter{Stage: secondPhase}, nil
	case status != "" && status != "waiting":
		return foldstream.Filter{}, foldstream.Errorf(foldstream.Invalid, "fetch", "a task that is %s cannot be fetched", status)
	case s.stages != nil:
		return foldstream.Filter{Stage: firstPhase}, nil
	}
	return foldstream.Filter{}, nil
}

// held returns the lease that a call on a task goes by: the oldest that no call was made on yet, else the newest. Errors: Conflict.
func (s *poolScript) held(label string) (foldstream.Lease, error) {
	leases := s.leases[label]
	for _, l := range leases {
		if !l.used {
			l.used = true
			return l, nil
		}
	}
	if len(leases) == 0 {
		return nil, foldstream.Errorf(foldstream.Conflict, "script", "nobody has fetched task %s", label)
	}
	return leases[len(leases)-1], nil
}

func (s *poolScript) commit(ctx context.Context, step poolStep) error {
	l, err := s.held(step.Task)
	if err != nil {
		return err
	}
	return finish(ctx, l, step.Res, step.Status)
}

// finish commits a result; part_done is the end of the first of two stages.
func finish(ctx context.Context, l foldstream.Lease, res any, status string) error {
	part := status == "part_done"
	if part == l.Task().LastStage() || !part && status != "" && status != "done" {
		return foldstream.Errorf(foldstream.Invalid, "commit", "task %s cannot become %q", l.Task().ID, status)
	}
	r := foldstream.Result{}
	if res != nil {
		text, err := json.Marshal(res)
		if err != nil {
			return err
		}
		r.Params = map[string]string{"res": string(text)}
	}
	return l.Commit(ctx, r)
}

// giveBack returns a task. To return it as part_done is to end its first stage with nothing to hand on.
func (s *poolScript) giveBack(ctx context.Context, step poolStep) error {
	l, err := s.held(step.Task)
	if err != nil {
		return err
	}
	switch step.Status {
	case "", "waiting":
		return l.Return(ctx, nil, 0)
	case "part_done":
		return finish(ctx, l, nil, step.Status)
	}
	return foldstream.Errorf(foldstream.Invalid, "return", "%q is no status to return a task to", step.Status)
}

// resetWaiting resets what runs; what is done gets a new life.
func (s *poolScript) resetWaiting(ctx context.Context, query map[string]any) error {
	if query["status"] == nil {
		query = entry(query, "status", "running")
	}
	ids, err := s.matching(ctx, query)
	if err != nil {
		return err
	}
	if query["status"] == "running" {
		_, err = s.store.Reset(ctx, scriptPool, true, ids...)
		return err
	}
	var again []foldstream.Task
	for _, id := range ids {
		state, err := s.store.Task(ctx, scriptPool, id)
		if err != nil {
			return err
		}
		again = append(again, state.Task)
	}
	_, removed := s.store.Remove(ctx, scriptPool, "to be worked again", ids...)
	_, made := s.store.Pool(scriptPool).Create(ctx, again...)
	return errors.Join(removed, made)
}

// resetStatus makes waiting tasks done, which is to lease each and to commit a result with nothing in it.
func (s *poolScript) resetStatus(ctx context.Context, step poolStep) error {
	for {
		l, err := s.fetch(ctx, "waiting", step.Query)
		if l == nil || err != nil {
			return err
		}
		if err := finish(ctx, l, nil, step.Status); err != nil {
			return err
		}
	}
}

// safeFetch fetches a task for work that ends in an error: the task waits again and the error goes on.
func (s *poolScript) safeFetch(ctx context.Context, step poolStep) (any, error) {
	l, err := s.fetch(ctx, step.Status, nil)
	if l == nil || err != nil {
		return []any{nil, step.Raise}, err
	}
	doc, err := s.doc(ctx, l.Task().ID)
	if err != nil {
		return nil, err
	}
	return []any{doc, step.Raise}, l.Return(ctx, errors.New(step.Raise), 0)
}

// runTask works tasks until there are none or one fails.
func (s *poolScript) runTask(ctx context.Context, step poolStep) (any, error) {
	seen, ran := []any{}, false
	end := func(returned any) (any, error) { return map[string]any{"params_seen": seen, "returned": returned}, nil }
	if step.After != "" && step.After == step.Before || step.After == "waiting" {
		return end(named(foldstream.Errorf(foldstream.Invalid, "run", "tasks that end as %s would never end", step.After)))
	}
	for {
		l, err := s.fetch(ctx, step.Before, step.Query)
		if err != nil {
			return end(named(err))
		}
		if l == nil {
			return end(ran)
		}
		ran = true
		param := paramOf(l.Task())
		seen = append(seen, param)
		if step.FailOn != nil && (step.FailOn == s.labels[l.Task().ID] || reflect.DeepEqual(step.FailOn, param)) {
			why := foldstream.Errorf(foldstream.Failed, "work", "task %s was told to fail", l.Task().ID)
			return end(named(errors.Join(why, giveUp(ctx, l, why))))
		}
		if err := finish(ctx, l, entry(step.Kwargs, "result_of", param), step.After); err != nil {
			return nil, err
		}
	}
}

// giveUp gives a failed attempt back as long as there are attempts.
func giveUp(ctx context.Context, l foldstream.Lease, why error) error {
	if l.Task().Attempt < l.Task().Retry.Attempts {
		return l.Return(ctx, why, 0)
	}
	return l.Fail(ctx, why)
}
