package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/record"
	"github.com/foldstream/foldstream/report"
)

// reportOf makes the report of a collection from what the store holds of it.
func reportOf(ctx context.Context, store foldstream.Store, col collect.Collection) (report.Report, error) {
	e, err := record.ReadExperiment(ctx, store, col.Experiment)
	if err != nil {
		return report.Report{}, err
	}
	r := report.Report{Experiment: e, Collection: col}
	if r.Tasks, err = memberTasks(ctx, store, e); err != nil {
		return r, err
	}
	cal, err := (&calendars{artifacts: store.Artifacts()}).get(ctx, e.Calendar)
	if err != nil {
		return r, err
	}
	p, err := pastOf(ctx, store, e.Pool, r.Tasks)
	if err != nil {
		return r, err
	}
	r.Run, r.Absent = p.run, p.absent
	r.Facts = [][2]string{
		{"sessions", fmt.Sprintf("%d, %s to %s", cal.Len(), cal.First(), cal.Last())},
		{"code", strings.Join(slices.Sorted(maps.Keys(p.codes)), ", ")},
	}
	if codes := col.Codes(); codes.Mixed() {
		r.Facts[1][1] = fmt.Sprintf("%d versions made the results: %s", len(codes), codes)
	}
	if mixed := calendarsOf(r.Tasks); len(mixed) > 1 {
		r.Facts = append(r.Facts, [2]string{"calendars", fmt.Sprintf("%d, mixed: %s", len(mixed), strings.Join(mixed, ", "))})
	}
	return r, nil
}

// calendarsOf names the calendars that tasks are on, in order. Those of an experiment file have one; a program may list members of several.
func calendarsOf(tasks []foldstream.Task) []string {
	versions := map[string]bool{}
	for _, t := range tasks {
		versions[t.Calendar] = true
	}
	return slices.Sorted(maps.Keys(versions))
}

// memberTasks reads the tasks of an experiment's members, in order of these; each has the key and the window of its member. A task
// whose definition is gone is left out.
func memberTasks(ctx context.Context, store foldstream.Store, e foldstream.Experiment) ([]foldstream.Task, error) {
	members, _, err := record.Members(ctx, store, e)
	if err != nil {
		return nil, err
	}
	archive, ok := store.(foldstream.Archive)
	if !ok {
		return nil, foldstream.Errorf(foldstream.Internal, "", "this store (%T) has no archive", store)
	}
	known := map[foldstream.TaskID]foldstream.Task{}
	for t, err := range archive.Definitions(ctx, e.Pool) {
		if err != nil {
			return nil, err
		}
		known[t.ID] = t
	}
	tasks := make([]foldstream.Task, 0, len(members))
	for _, m := range members {
		if t, ok := known[m.Task]; ok {
			t.Key, t.Window = m.Key, m.Window
			tasks = append(tasks, t)
		}
	}
	return tasks, nil
}

// past is what the events of some tasks tell: how their results came to be, and why there is none.
type past struct {
	run     report.Run
	codes   map[string]bool // versions of the code that made results
	workers map[string]bool // that made them
	absent  map[foldstream.TaskID]report.Absence
	last    map[foldstream.TaskID]foldstream.EventKind
}

// pastOf reads the events of tasks.
func pastOf(ctx context.Context, store foldstream.Store, pool string, tasks []foldstream.Task) (*past, error) {
	p := &past{codes: map[string]bool{}, workers: map[string]bool{}, absent: map[foldstream.TaskID]report.Absence{}, last: map[foldstream.TaskID]foldstream.EventKind{}}
	for _, t := range tasks {
		p.last[t.ID] = ""
	}
	for e, err := range store.Events(ctx, foldstream.EventFilter{Pool: pool}, 0) {
		if err != nil {
			return nil, err
		}
		if _, ours := p.last[e.Task]; ours {
			p.take(e)
		}
	}
	p.run.Workers = slices.Sorted(maps.Keys(p.workers))
	return p, nil
}

// take adds an event. A claim that follows a claim took over from a worker that was lost.
func (p *past) take(e foldstream.Event) {
	if p.run.Started.IsZero() {
		p.run.Started = e.At
	}
	if e.At.After(p.run.Finished) {
		p.run.Finished = e.At
	}
	a := p.absent[e.Task]
	a.Status = e.Status
	switch e.Kind {
	case foldstream.EventClaim:
		p.run.Attempts++
		if p.last[e.Task] == foldstream.EventClaim {
			p.run.Lost++
		}
		a.Attempts, a.Worker = a.Attempts+1, e.Worker
	case foldstream.EventEnd:
		if a.Error = e.Error; e.Error != "" {
			p.run.Failed++
		}
	}
	p.absent[e.Task], p.last[e.Task] = a, e.Kind
	p.result(e)
}

// result adds what an event says of a result; a task that has one is not absent.
func (p *past) result(e foldstream.Event) {
	if e.Result == nil {
		return
	}
	p.run.Working += e.Result.Duration
	p.codes[e.Result.Code], p.workers[e.Worker] = true, true
	if e.Kind == foldstream.EventResult {
		delete(p.absent, e.Task)
	}
}
