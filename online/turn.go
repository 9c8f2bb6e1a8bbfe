package online

import (
	"context"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/frame"
	"github.com/foldstream/foldstream/internal/wire"
)

// turn is one routine at work: from a state to a session after its own.
type turn struct {
	Routine
	state   State
	session foldstream.Time
	cal     *calendar.Calendar
}

// take returns the next state, or how far it is where tasks are open.
func (t turn) take(ctx context.Context) (State, Progress, error) {
	due, err := t.due(ctx)
	if err != nil {
		return State{}, Progress{}, err
	}
	done, p, err := t.create(ctx, Training, due)
	if err != nil || p.Open > 0 {
		return State{}, p, err
	}
	trained := wire.Each(done, memberOf)
	next, err := t.state.Advance(t.cal, t.session, trained)
	if err != nil {
		return next, p, err
	}
	if len(next.Switches) == 0 {
		return next, p, foldstream.Errorf(foldstream.Failed, "", "%s: none of %d models is trained: no model can go online", t.Name, p.Tasks)
	}
	signals, said, err := t.say(ctx, next)
	if err != nil || said.Open > 0 {
		return next, said, err
	}
	p.Tasks, p.Failed = p.Tasks+said.Tasks, p.Failed+said.Failed
	next.Signals, err = keep(ctx, t.Store, t.state.Signals, signals)
	return next, p, err
}

// memberOf is the model that a task trains. How many windows there are depends on the day that asks, so that is left out.
func memberOf(t foldstream.Task) foldstream.Expectation {
	window := foldstream.Window{Index: t.Window.Index, Of: t.Window.Index + 1}
	return foldstream.Expectation{Key: t.Key, Window: window, Test: t.Segments["test"], Task: t.ID}
}

// due returns the windows to train: the first ones where no model is online, else what follows the newest of each configuration.
func (t turn) due(ctx context.Context) (due []foldstream.Task, err error) {
	if t.state.Session.IsOpen() {
		return t.Windows.First(t.state.Begin)
	}
	for _, w := range t.state.Online(t.state.Session) {
		model, err := t.task(ctx, w.Model)
		if err != nil {
			return nil, err
		}
		following, err := t.Windows.Following(model.Template, t.session)
		if err != nil {
			return nil, err
		}
		due = append(due, following...)
	}
	return due, nil
}

// task reads the task of a model, as the configuration that the model is of: two configurations may share a task.
func (t turn) task(ctx context.Context, m foldstream.Expectation) (foldstream.Task, error) {
	state, err := t.Store.Task(ctx, t.state.Pool, m.Task)
	if err != nil {
		return foldstream.Task{}, err
	}
	task := state.Clone()
	task.Key, task.Window = m.Key, m.Window
	return task, nil
}

// create makes the tasks known and returns those that are done.
func (t turn) create(ctx context.Context, what string, tasks []foldstream.Task) (done []foldstream.Task, p Progress, err error) {
	p = Progress{What: what, Tasks: len(tasks)}
	if len(tasks) == 0 {
		return nil, p, nil
	}
	created, err := t.Store.Pool(t.state.Pool).Create(ctx, tasks...)
	if err != nil {
		return nil, p, err
	}
	for i, c := range created {
		switch {
		case c.Status == foldstream.Done:
			done = append(done, tasks[i])
		case c.Status.Final():
			p.Failed++
		default:
			p.Open++
		}
	}
	return done, p, nil
}

// say returns the signals of the sessions that are new in a state. What a model's result does not have it is asked for by a task.
func (t turn) say(ctx context.Context, next State) (foldstream.Frame, Progress, error) {
	duties, err := next.Duties(t.cal, t.state.Session)
	if err != nil {
		return foldstream.Frame{}, Progress{}, err
	}
	said := make([]foldstream.Frame, len(duties))
	lacks := make([][]foldstream.Time, len(duties))
	for i, d := range duties {
		if said[i], lacks[i], err = t.predictions(ctx, d.Model.Task, d.Sessions); err != nil {
			return foldstream.Frame{}, Progress{}, err
		}
	}
	asked, p, err := t.ask(ctx, duties, lacks)
	if err != nil || p.Open > 0 {
		return foldstream.Frame{}, p, err
	}
	var all []says
	for i, d := range duties {
		if id := asked[i]; id != "" {
			more, _, err := t.predictions(ctx, id, lacks[i])
			if err != nil {
				return foldstream.Frame{}, p, err
			}
			said[i] = join(said[i], more)
		}
		all = add(all, d.Model.Key, said[i])
	}
	signals, err := fold(next.Spec, all)
	if err == nil && !slices.Contains(signals.Times, t.session) {
		err = foldstream.Errorf(foldstream.Incomplete, "", "%s: no model has a prediction for %s: is that session in the data?", t.Name, t.session)
	}
	return signals, p, err
}

// add puts what a model says to what its configuration says.
func add(all []says, key foldstream.Key, f foldstream.Frame) []says {
	i := slices.IndexFunc(all, func(s says) bool { return s.key.Compare(key) == 0 })
	if i < 0 {
		return append(all, says{key, f})
	}
	all[i].frame = join(all[i].frame, f)
	return all
}

// ask creates the tasks that predict what the models' results lack, and returns those that are done by the duty.
func (t turn) ask(ctx context.Context, duties []Duty, lacks [][]foldstream.Time) (map[int]foldstream.TaskID, Progress, error) {
	var tasks []foldstream.Task
	var of []int
	for i, d := range duties {
		if len(lacks[i]) == 0 {
			continue
		}
		model, err := t.task(ctx, d.Model)
		if err != nil {
			return nil, Progress{}, err
		}
		task, err := t.Windows.Predicting(model, foldstream.Segment{Start: lacks[i][0], End: lacks[i][len(lacks[i])-1]})
		if err != nil {
			return nil, Progress{}, err
		}
		tasks, of = append(tasks, task), append(of, i)
	}
	done, p, err := t.create(ctx, Predicting, tasks)
	asked := map[int]foldstream.TaskID{}
	for j, task := range tasks {
		if slices.ContainsFunc(done, func(d foldstream.Task) bool { return d.ID == task.ID }) {
			asked[of[j]] = task.ID
		}
	}
	return asked, p, err
}

// predictions returns what the result of a done task says of the sessions, and which it does not have.
func (t turn) predictions(ctx context.Context, id foldstream.TaskID, sessions []foldstream.Time) (foldstream.Frame, []foldstream.Time, error) {
	f, err := t.result(ctx, id)
	if err != nil {
		return f, nil, err
	}
	f, lacks, err := pick(f, t.state.Spec.Score, sessions)
	if err != nil {
		err = foldstream.Errorf(foldstream.Invalid, "", "task %s: %w", id, err)
	}
	return f, lacks, err
}

// result reads the frame of predictions of a task's winning result, inline or from its artifact. Errors: NotFound.
func (t turn) result(ctx context.Context, id foldstream.TaskID) (foldstream.Frame, error) {
	var last *foldstream.Result
	for ev, err := range t.Store.Events(ctx, foldstream.EventFilter{Pool: t.state.Pool, Task: id}, 0) {
		if err != nil {
			return foldstream.Frame{}, err
		}
		if ev.Kind == foldstream.EventResult {
			last = ev.Result
		}
	}
	if last == nil {
		return foldstream.Frame{}, foldstream.Errorf(foldstream.NotFound, "", "task %s has no result", id)
	}
	name := t.state.Spec.Frame
	if f, ok := last.Frames[name]; ok {
		return f, nil
	}
	i := slices.IndexFunc(last.Artifacts, func(a foldstream.Artifact) bool { return a.Name == name })
	if i < 0 {
		return foldstream.Frame{}, foldstream.Errorf(foldstream.Invalid, "", "the result of task %s has no frame %q", id, name)
	}
	data, err := wire.ReadArtifact(ctx, t.Store.Artifacts(), last.Artifacts[i].Digest)
	if err != nil {
		return foldstream.Frame{}, err
	}
	return frame.Decode(data)
}
