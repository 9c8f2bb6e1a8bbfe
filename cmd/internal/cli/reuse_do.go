package cli

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
)

// do publishes the plan by a survey: first what tasks need, then the tasks, then what their collection must have. What can be refused is
// refused before a task is published. Repeating it, with a survey of its own, completes what an interrupted one left: a task whose life was
// ended is new to it, and one that was made but not ended by its result waits.
func (p *plan) do(ctx context.Context, a administered, s *survey) ([]foldstream.Created, error) {
	if err := p.prepare(ctx, a, s.wanted.Revise); err != nil {
		return nil, err
	}
	expect, err := p.expecting(ctx, a, s) // before lives are ended that tell it
	if err != nil {
		return nil, err
	}
	if err := s.forgo(p.give(ctx, a, s), doChanged); err != nil {
		return nil, err
	}
	if s.renews() {
		if err := record.Renew(ctx, a, p.Experiment.Name, time.Now()); err != nil {
			return nil, err
		}
	}
	adopted, err := p.adopt(ctx, a, s)
	if err != nil {
		adopted, err = nil, s.forgo(err, doCached)
	}
	if err != nil {
		return nil, err
	}
	created, err := p.create(ctx, a, s.settled(adopted), expect)
	if err != nil {
		return nil, err
	}
	return created, p.keep(ctx, a, s.wanted.Revise)
}

// renews reports whether tasks that a collection may have results of begin new lives.
func (s *survey) renews() bool {
	return slices.ContainsFunc(s.steps, func(one step) bool { return one.Do == doChanged || one.Do != "" && one.Status == foldstream.Removed })
}

// settled adds to the tasks that were adopted those that are done and stay so: there is nothing to create of them.
func (s *survey) settled(adopted map[foldstream.TaskID]foldstream.Created) map[foldstream.TaskID]foldstream.Created {
	if adopted == nil {
		adopted = map[foldstream.TaskID]foldstream.Created{}
	}
	for _, one := range s.steps {
		if one.Do == "" && one.Status == foldstream.Done {
			adopted[one.Task] = foldstream.Created{ID: one.Task, Status: foldstream.Done}
		}
	}
	return adopted
}

// forgo gives a kind of reuse up where the store does not let this user do it, as a producer may neither end lives nor write results: what changed stays
// as it is, and what is cached is worked. Any other error is returned.
func (s *survey) forgo(err error, do string) error {
	if !foldstream.Is(err, foldstream.Denied) {
		return err
	}
	for i := range s.steps {
		one := &s.steps[i]
		if do == doCached {
			one.From = nil
		}
		if one.Do == do {
			s.forgone++
			if one.Do, one.From, one.Why = "", nil, nil; one.Status == "" || one.Status == foldstream.Removed {
				one.Do = doNew
			}
		}
	}
	return nil
}

// submit publishes the plan and reuses nothing: what is known stays as it is.
func (p *plan) submit(ctx context.Context, store foldstream.Store) ([]foldstream.Created, error) {
	if err := p.prepare(ctx, store, false); err != nil {
		return nil, err
	}
	created, err := p.create(ctx, store, nil, nil)
	if err != nil {
		return nil, err
	}
	return created, p.keep(ctx, store, false)
}

// prepare refuses what can be refused and stores what the tasks need.
func (p *plan) prepare(ctx context.Context, store foldstream.Store, revise bool) error {
	check := record.CheckExperiment
	if revise {
		check = record.CheckRevision
	}
	if err := check(ctx, store, p.Experiment, p.Expectations, p.calendar.Sessions()...); err != nil {
		return err
	}
	if _, _, err := store.Artifacts().Put(ctx, bytes.NewReader(p.calendar.Text())); err != nil {
		return err
	}
	for _, d := range p.data {
		if err := upload(ctx, store, d); err != nil {
			return err
		}
	}
	return nil
}

// keep stores the experiment.
func (p *plan) keep(ctx context.Context, store foldstream.Store, revise bool) error {
	e := p.Experiment
	e.Notes, e.Created = p.Notes, time.Now()
	put := record.PutExperiment
	if revise {
		put = record.ReviseExperiment
	}
	return put(ctx, store, e, p.Expectations, p.calendar.Sessions()...)
}

// give ends the lives of what changed.
func (p *plan) give(ctx context.Context, a administered, s *survey) error {
	why := map[string][]foldstream.TaskID{}
	for _, one := range s.steps {
		if one.Do == doChanged {
			text := strings.Join(one.Why, ", ")
			why[text] = append(why[text], one.Task)
		}
	}
	for text, ids := range why {
		if _, err := a.Remove(ctx, p.Experiment.Pool, "changed: "+text, ids...); err != nil {
			return err
		}
	}
	return nil
}

// adopt makes the tasks whose results are taken over, and returns what became of them.
func (p *plan) adopt(ctx context.Context, a administered, s *survey) (map[foldstream.TaskID]foldstream.Created, error) {
	var all []foldstream.Adoption
	for i, one := range s.steps {
		if one.From != nil {
			all = append(all, foldstream.Adoption{Task: p.Tasks[i], From: *one.From})
		}
	}
	if len(all) == 0 {
		return nil, nil
	}
	made, err := a.Adopt(ctx, p.Experiment.Pool, all...)
	adopted := make(map[foldstream.TaskID]foldstream.Created, len(made))
	for _, c := range made {
		adopted[c.ID] = c
	}
	return adopted, err
}

// create makes the tasks that are not settled, those that are expected to take longest first where that is told, and returns what became of all.
func (p *plan) create(ctx context.Context, store foldstream.Store, settled map[foldstream.TaskID]foldstream.Created, expect func(foldstream.Task) time.Duration) ([]foldstream.Created, error) {
	created, rest := make([]foldstream.Created, len(p.Tasks)), []int{}
	for i, t := range p.Tasks {
		if c, is := settled[t.ID]; is {
			created[i] = c
			continue
		}
		rest = append(rest, i)
	}
	if expect != nil {
		slices.SortStableFunc(rest, func(a, b int) int { return cmp.Compare(expect(p.Tasks[b]), expect(p.Tasks[a])) })
	}
	tasks := make([]foldstream.Task, len(rest))
	for j, i := range rest {
		tasks[j] = p.Tasks[i]
	}
	made, err := store.Pool(p.Experiment.Pool).Create(ctx, tasks...)
	if err != nil {
		return nil, err
	}
	for j, i := range rest {
		created[i] = made[j]
	}
	return created, nil
}

// expecting returns how long tasks take by experience, where the longest are to be first; else nil.
func (p *plan) expecting(ctx context.Context, a administered, s *survey) (func(foldstream.Task) time.Duration, error) {
	if !s.longestFirst {
		return nil, nil
	}
	h, err := p.experience(ctx, a, s)
	if err != nil {
		return nil, err
	}
	return h.expect, nil
}

// experience is that of the pools whose results tell how long the tasks take.
func (p *plan) experience(ctx context.Context, a administered, s *survey) (*history, error) {
	return historyOf(ctx, a, p.Tasks, slices.Collect(maps.Keys(s.pools(p.Experiment.Pool)))...)
}
