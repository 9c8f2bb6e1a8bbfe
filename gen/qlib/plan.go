package qlib

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen"
)

// Plan is what an experiment comes to: what to work and what its collection must have.
type Plan struct {
	Experiment   foldstream.Experiment // without Members and Created, which belong to the store
	Tasks        []foldstream.Task     // in order of generation; equal content stands once
	Expectations []foldstream.Expectation
	Notes        []string // what a person should know: the file's own notes, what is not certified, what comes twice
}

// Import adds the template of the workflow file that From names, and what the workflow says where the file says nothing: its
// name and the calendar of Qlib's data. Leaks are then a warning unless the file says otherwise: Qlib's own files seldom leave
// the gap that a certificate needs. Errors: Invalid where the file names no workflow or has its template already, or where
// the workflow's name is none for an experiment.
func (f *File) Import(w *Workflow) error {
	if f.From == "" || len(f.templates) > 0 {
		return foldstream.Errorf(foldstream.Invalid, "", "%s: no template is wanted from %s", f.Source, w.Source)
	}
	if f.Name == "" {
		f.Name = w.Name("")
		if err := foldstream.ValidName("experiment", f.Name); err != nil {
			return foldstream.Errorf(foldstream.Invalid, "", "%s: experiment_name: %w; write a name in %s", w.Source, unwrapped(err), f.Source)
		}
		f.Pool = cmp.Or(f.Pool, f.Name)
	}
	f.templates, f.Notes = []foldstream.Template{w.Template}, append(f.Notes, w.Notes...)
	if !f.leaksSet {
		f.Leaks = foldstream.Warn
	}
	if f.Calendar == (CalendarSource{}) {
		f.Calendar = CalendarSource{Qlib: w.Provider, Freq: "day"}
	}
	return nil
}

// Plan puts the templates through the generators on a calendar, checks each for leaks by the file's policy, and fixes the
// tasks. data are the file's Data with digest and size. It is pure: equal files and calendars give equal plans.
//
// Errors: Leak under refuse; Invalid: a template that From names and nobody imported, a generator that the template or the
// calendar does not suit (with the place in the file), two members of one key and window with different content.
func (f *File) Plan(cal *calendar.Calendar, data []foldstream.Data) (Plan, error) {
	if cal == nil {
		return Plan{}, foldstream.Errorf(foldstream.Invalid, "", "%s: there is no calendar", f.Source)
	}
	if len(f.templates) == 0 {
		return Plan{}, foldstream.Errorf(foldstream.Invalid, "", "%s: the template in %s was not read", f.Source, f.From)
	}
	if err := f.inCalendar(cal); err != nil {
		return Plan{}, err
	}
	templates, err := f.generate(cal)
	if err != nil {
		return Plan{}, err
	}
	if len(templates) == 0 {
		return Plan{}, foldstream.Errorf(foldstream.Invalid, "", "%s: the generators make no task", f.Source)
	}
	p := Plan{}
	uncertified := 0
	for i, t := range templates {
		if templates[i], err = gen.Certify(t, cal, f.Leaks); err != nil {
			return Plan{}, f.wrap(err, t)
		}
		if !templates[i].Leak.Certified {
			uncertified++
		}
	}
	tasks, err := gen.Tasks(templates)
	if err != nil {
		return Plan{}, f.wrap(err, foldstream.Template{})
	}
	if err := p.fill(f, tasks, data); err != nil {
		return Plan{}, err
	}
	if err := f.checkWeights(p.Expectations); err != nil {
		return Plan{}, err
	}
	p.Notes = slices.Clone(f.Notes)
	p.note(uncertified, templates)
	p.noteCalendar(f.Calendar)
	p.Experiment = f.experiment(cal, len(p.Expectations))
	return p, nil
}

// inCalendar refuses segments that begin or end where the calendar has no sessions: the period would be shorter than it says.
func (f *File) inCalendar(cal *calendar.Calendar) error {
	first, last := cal.First(), cal.Last()
	if f.Calendar.Exchange != "" { // it is known there, be it closed
		first, last = f.Calendar.From, f.Calendar.To
	}
	for _, t := range f.templates {
		for _, name := range t.Segments.Names() {
			s := t.Segments[name]
			for _, end := range []foldstream.Time{s.Start, s.End} {
				if !end.IsOpen() && (end.Before(first) || end.After(last)) {
					return foldstream.Errorf(foldstream.Invalid, "", "%s: dataset.kwargs.segments.%s: %s is outside the calendar, which has %s to %s; write null for an open end",
						f.Source, name, end, first, last)
				}
			}
		}
	}
	return nil
}

// generate makes the templates in their final form.
func (f *File) generate(cal *calendar.Calendar) ([]foldstream.Template, error) {
	var all []foldstream.Template
	names := labels(f.templates)
	for i, t := range f.templates {
		first := t.Clone()
		first.Worker, first.Calendar, first.Stages = f.Worker, cal.Version(), f.Stages
		if f.Reach.Known {
			first.Reach = f.Reach
		}
		if f.exec != nil {
			first.Task["exec"] = f.exec
		}
		if len(names) > 1 {
			first.Key = first.Key.With("template", names[i])
		}
		made, err := gen.All([]foldstream.Template{first}, generators(f.steps, cal)...)
		if err != nil {
			return nil, f.wrap(err, foldstream.Template{})
		}
		all = append(all, made...)
	}
	return all, nil
}

// fill makes members of all tasks, and tasks of those whose content is new.
func (p *Plan) fill(f *File, tasks []foldstream.Task, data []foldstream.Data) error {
	type place struct {
		key   string
		index int
	}
	members, seen := map[place]foldstream.TaskID{}, map[foldstream.TaskID]bool{}
	for _, t := range tasks {
		at := place{t.Key.String(), t.Window.Index}
		if id, twice := members[at]; twice && id != t.ID {
			return foldstream.Errorf(foldstream.Invalid, "", "%s: two different tasks are window %d of the configuration %q: give the alternatives names of their own",
				f.Source, t.Window.Index+1, at.key)
		} else if twice {
			continue
		}
		members[at] = t.ID
		p.Expectations = append(p.Expectations, foldstream.Expectation{Key: t.Key, Window: t.Window, Test: t.Segments["test"], Task: t.ID})
		if !seen[t.ID] {
			seen[t.ID] = true
			p.Tasks = append(p.Tasks, f.task(t, data))
		}
	}
	return nil
}

// task adds to a task how and for whom it runs.
func (f *File) task(t foldstream.Task, data []foldstream.Data) foldstream.Task {
	t.Experiment, t.Priority, t.Tags, t.Data, t.Retry, t.Deadline = f.Name, f.Priority, f.Tags, data, f.Retry, f.Deadline
	t.Silence, t.Keys = f.Silence, f.Keys
	return t.Clone()
}

func (f *File) experiment(cal *calendar.Calendar, members int) foldstream.Experiment {
	return foldstream.Experiment{Name: f.Name, Pool: f.Pool, Calendar: cal.Version(), Expected: members,
		Collection: f.Collection, Policy: f.Leaks, Source: f.Source}
}

// note says in words what the plan does not show.
func (p *Plan) note(uncertified int, templates []foldstream.Template) {
	if uncertified > 0 {
		i := slices.IndexFunc(templates, func(t foldstream.Template) bool { return !t.Leak.Certified })
		p.Notes = append(p.Notes, fmt.Sprintf("%d of %d tasks are not certified against leaks: %s", uncertified, len(templates), templates[i].Leak.Faults[0]))
	}
	if n := len(p.Expectations) - len(p.Tasks); n > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("%d members are the same task as another member and are worked once", n))
	}
	if n := len(templates) - len(p.Expectations); n > 0 {
		p.Notes = append(p.Notes, fmt.Sprintf("%d tasks were generated more than once", n))
	}
}

// noteCalendar says that coming sessions are what the rules of today give.
func (p *Plan) noteCalendar(c CalendarSource) {
	if e, err := calendar.ExchangeOf(c.Exchange); err == nil && e.Projected(c.To) {
		p.Notes = append(p.Notes, fmt.Sprintf("the sessions of %s after %s are projected: its closures are announced up to then", e.Code, e.Announced))
	}
}

// wrap says which file an error is about, and which of its tasks, unless it says so already.
func (f *File) wrap(err error, t foldstream.Template) error {
	if p, ok := errors.AsType[placedError](err); ok {
		return p.err
	}
	where := f.Source
	if len(t.Key) > 0 {
		where = fmt.Sprintf("%s: %s", where, t.Key)
	}
	if t.Window.Of > 0 {
		where = fmt.Sprintf("%s: window %d of %d", where, t.Window.Index+1, t.Window.Of)
	}
	return foldstream.E(foldstream.KindOf(err), "", fmt.Errorf("%s: %w", where, err))
}
