package qlib

import (
	"fmt"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen"
)

// GoesOn reports why the file's windows cannot go on with the sessions to come: nothing rolls, or its last window depends on where
// history ends. Errors: Invalid.
func (f *File) GoesOn() error {
	rolls := f.rollings()
	if len(rolls) == 0 {
		return foldstream.Errorf(foldstream.Invalid, "", "%s: no window follows another: generators has no rolling", f.Source)
	}
	for _, r := range rolls {
		if r.Last != "" && r.Last != gen.Keep {
			return foldstream.Errorf(foldstream.Invalid, "", "%s: rolling: last: %s: the window that history ends in is a whole one later; where windows go on it is %q",
				f.Source, r.Last, gen.Keep)
		}
	}
	return nil
}

// rollings are the file's rollings, in their order, those inside of alternatives too.
func (f *File) rollings() []gen.Rolling {
	var all []gen.Rolling
	for _, s := range f.steps {
		all = append(all, s.rolls...)
	}
	return all
}

// Following returns the windows of t's configuration after t, up to a session, on a calendar that may be newer than t's: as
// gen.Rolling.Following, by that rolling of the file that made t, and then as Plan makes tasks. Errors: Invalid, also where none made it; Leak.
func (f *File) Following(cal *calendar.Calendar, data []foldstream.Data, t foldstream.Template, until foldstream.Time) ([]foldstream.Task, error) {
	for _, r := range f.rollings() {
		if r.Choice() != t.Key.Get("rolling") {
			continue
		}
		r.Calendar = cal
		made, err := r.Following(t, until)
		if err != nil {
			return nil, f.wrap(err, t)
		}
		return f.ready(cal, data, made)
	}
	return nil, foldstream.Errorf(foldstream.Invalid, "", "%s: the configuration %q is of a rolling that the file does not have any more", f.Source, t.Key)
}

// Predicting returns the task by which the training of t predicts another period: t with that test segment. Under "predict" its content says
// of which task it is, for a worker that keeps models and need not train again, and the digests of its data: with data that have grown it is
// another task. Errors: Invalid, Leak.
func (f *File) Predicting(cal *calendar.Calendar, data []foldstream.Data, t foldstream.Task, test foldstream.Segment) (foldstream.Task, error) {
	made, err := gen.Retest(t.Template, cal, test)
	if err != nil {
		return foldstream.Task{}, f.wrap(err, t.Template)
	}
	digests := map[string]any{}
	for _, d := range data {
		digests[d.Name] = string(d.Digest)
	}
	made.Task["predict"] = map[string]any{"of": string(t.ID), "data": digests}
	ready, err := f.ready(cal, data, []foldstream.Template{made})
	if err != nil {
		return foldstream.Task{}, err
	}
	return ready[0], nil
}

// ready makes tasks of templates, as Plan does.
func (f *File) ready(cal *calendar.Calendar, data []foldstream.Data, templates []foldstream.Template) ([]foldstream.Task, error) {
	for i, t := range templates {
		certified, err := gen.Certify(t, cal, f.Leaks)
		if err != nil {
			return nil, f.wrap(err, t)
		}
		templates[i] = certified
	}
	tasks, err := gen.Tasks(templates)
	if err != nil {
		return nil, f.wrap(fmt.Errorf("a following window: %w", err), foldstream.Template{})
	}
	for i := range tasks {
		tasks[i] = f.task(tasks[i], data)
	}
	return tasks, nil
}
