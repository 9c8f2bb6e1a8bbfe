package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/online"
	"github.com/foldstream/foldstream/record"
)

// strategyFile is an experiment file whose windows go on, with all that it names. It makes a strategy's tasks.
type strategyFile struct {
	sources
	name string // of the strategy
}

var _ online.Windows = strategyFile{}

// loadStrategy reads such a file. as is the strategy's name, "" the file's. Errors: Invalid.
func loadStrategy(path, as string) (strategyFile, error) {
	s, err := openSources(path, openNamed)
	if err != nil {
		return strategyFile{}, err
	}
	if err := s.file.GoesOn(); err != nil {
		return strategyFile{}, err
	}
	f := strategyFile{s, s.file.Name}
	if as != "" {
		f.name = as
	}
	return f, foldstream.ValidName("strategy", f.name)
}

// session returns the session that a flag names, else the last of history up to a day: a calendar may know sessions that have not
// come. Errors: Invalid.
func (s strategyFile) session(flag, text string, today foldstream.Time) (foldstream.Time, error) {
	at, err := s.calendar.ClipEnd(today), error(nil)
	if text != "" {
		at, err = foldstream.ParseTime(text)
	}
	if now := s.calendar.Now(); err == nil && at.After(now) {
		err = foldstream.Errorf(foldstream.Invalid, "", "%s is after the last session of history, %s", at, now)
	}
	if err == nil {
		at, err = s.calendar.Align(at, calendar.End)
	}
	if err != nil {
		return at, foldstream.Errorf(foldstream.Invalid, "", "%s: %w", flag, err)
	}
	return at, nil
}

// today is the date where this program runs.
func today() foldstream.Time { return dateOf(time.Now()) }

// dateOf is the date of a moment, in the moment's zone.
func dateOf(t time.Time) foldstream.Time { return foldstream.DateOf(t.Date()) }

// Calendar returns the file's calendar.
func (s strategyFile) Calendar() *calendar.Calendar { return s.calendar }

// First returns the windows that the file has as of a session, a task a member.
func (s strategyFile) First(begin foldstream.Time) ([]foldstream.Task, error) {
	p, err := s.planAt(begin)
	if err != nil {
		return nil, err
	}
	byID := map[foldstream.TaskID]foldstream.Task{}
	for _, t := range p.Tasks {
		byID[t.ID] = t
	}
	all := make([]foldstream.Task, len(p.Expectations))
	for i, e := range p.Expectations {
		all[i] = byID[e.Task].Clone()
		all[i].Key, all[i].Window = e.Key, e.Window
	}
	return all, nil
}

// Following returns the windows after a model's.
func (s strategyFile) Following(model foldstream.Template, until foldstream.Time) ([]foldstream.Task, error) {
	return s.named(s.file.Following(s.calendar, s.data, model, until))
}

// Predicting returns the task that predicts other sessions.
func (s strategyFile) Predicting(model foldstream.Task, test foldstream.Segment) (foldstream.Task, error) {
	t, err := s.file.Predicting(s.calendar, s.data, model, test)
	t.Experiment = s.name
	return t, err
}

func (s strategyFile) named(tasks []foldstream.Task, err error) ([]foldstream.Task, error) {
	for i := range tasks {
		tasks[i].Experiment = s.name
	}
	return tasks, err
}

// planAt is the experiment of the first windows, as the file has it at a session.
func (s strategyFile) planAt(session foldstream.Time) (*plan, error) {
	cal, err := s.calendar.WithNow(session)
	if err != nil {
		return nil, err
	}
	p := &plan{calendar: cal, data: s.data}
	if p.Plan, err = s.file.Plan(cal, s.data); err != nil {
		return nil, err
	}
	p.rename(s.name)
	return p, nil
}

// begin makes the strategy known and submits the experiment of its first windows. Repeating it completes what was left.
func (s strategyFile) begin(ctx context.Context, store foldstream.Store, session foldstream.Time) error {
	p, err := s.planAt(session)
	if err != nil {
		return err
	}
	if err := record.CheckExperiment(ctx, store, p.Experiment, p.Expectations, p.calendar.Sessions()...); err != nil {
		return err
	}
	state := online.State{Pool: p.Experiment.Pool, Begin: session, Spec: p.Experiment.Collection}
	if _, err := online.Begin(ctx, store, s.name, state); err != nil {
		return err
	}
	_, err = p.submit(ctx, store)
	return err
}

// supply stores what the tasks of a routine need before they are published.
func (s strategyFile) supply(ctx context.Context, store foldstream.Store) error {
	if _, _, err := store.Artifacts().Put(ctx, bytes.NewReader(s.calendar.Text())); err != nil {
		return err
	}
	for _, d := range s.data {
		if err := upload(ctx, store, d); err != nil {
			return err
		}
	}
	return nil
}

// step does one step of the strategy's routine.
func (s strategyFile) step(ctx context.Context, store online.Store, session foldstream.Time) (online.Progress, error) {
	return online.Routine{Store: store, Name: s.name, Windows: s}.Step(ctx, session)
}

// How often a routine looks whether its tasks have ended.
const routinePoll = 200 * time.Millisecond

// routine takes the strategy to a session and waits for the tasks that it takes. told hears how far it is; it may be nil.
func (s strategyFile) routine(ctx context.Context, store online.Store, session foldstream.Time, told progress) (online.Progress, error) {
	if err := s.supply(ctx, store); err != nil {
		return online.Progress{}, err
	}
	for {
		p, err := s.step(ctx, store, session)
		if err != nil || p.Done {
			return p, err
		}
		if told != nil {
			told.set(p.Tasks-p.Open-p.Failed, p.Failed, p.Tasks)
		}
		if pause(ctx, routinePoll); ctx.Err() != nil {
			return p, s.gaveUp(ctx, p)
		}
	}
}

// gaveUp is the error of a routine that its time, or a person, ended.
func (s strategyFile) gaveUp(ctx context.Context, p online.Progress) error {
	kind, how := foldstream.Cancelled, "when it was interrupted"
	if errors.Is(context.Cause(ctx), errWaited) {
		kind, how = foldstream.Timeout, "when the time ran out"
	}
	return foldstream.Errorf(kind, "", "%s: %s: %d of %d tasks were open %s; say it again to go on", s.name, p.What, p.Open, p.Tasks, how)
}

// reached tells in a line where a strategy is.
func reached(name string, p online.Progress) string {
	s := p.State
	rows, sessions := 0, 0
	for _, part := range s.Signals {
		rows, sessions = rows+part.Rows, sessions+part.Sessions
	}
	text := fmt.Sprintf("%s: at %s: %d models online, %d in all; %d signals of %d sessions", name, s.Session, len(s.Online(s.Session)), len(s.Switches), rows, sessions)
	if p.Failed > 0 {
		text += fmt.Sprintf("; %d tasks failed", p.Failed)
	}
	return text
}
