package online

import (
	"context"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

// Store is what a routine needs.
type Store interface {
	foldstream.Store
	foldstream.Index
}

// Windows makes a strategy's tasks, ready to be created: checked for leaks, identified, with their data. Equal questions on equal
// calendars and data give equal tasks.
type Windows interface {
	// Calendar returns the calendar as it is now.
	Calendar() *calendar.Calendar
	// First returns the windows there are as of the strategy's first session, a task a member: two may be the same task.
	First(begin foldstream.Time) ([]foldstream.Task, error)
	// Following returns the windows of a model's configuration after its own, up to a session.
	Following(model foldstream.Template, until foldstream.Time) ([]foldstream.Task, error)
	// Predicting returns the task by which a model predicts other sessions than it did.
	Predicting(model foldstream.Task, test foldstream.Segment) (foldstream.Task, error)
}

// Routine takes a strategy from session to session. It is safe for several processes at once.
type Routine struct {
	Store   Store
	Name    string
	Windows Windows
}

// Progress is how far a routine is.
type Progress struct {
	State  State // as it is stored now
	Done   bool  // the strategy is at the session
	What   string
	Tasks  int
	Open   int // not done and not given up
	Failed int
}

// The two things that a routine waits for.
const (
	Training   = "training"
	Predicting = "predicting"
)

// Step does what can be done now to bring the strategy to a session, the last of history where it is open or later. It creates tasks and
// returns; while some of them are open the routine is not done, and whoever calls it calls it again. Once all have ended it switches the
// online set and stores the signals by one compare-and-set. Done twice, by two at once or again after a crash it comes to the same state.
//
// Errors: NotFound (no such strategy), Invalid (a session before its first), Failed (no model of it is trained), Incomplete (no model
// predicts the session, so that it cannot be over), those of the Windows.
func (r Routine) Step(ctx context.Context, session foldstream.Time) (Progress, error) {
	state, revision, err := Read(ctx, r.Store, r.Name)
	if err != nil {
		return Progress{}, err
	}
	cal := r.Windows.Calendar()
	if session, err = cal.Align(cal.ClipEnd(session), calendar.End); err != nil {
		return Progress{}, err
	}
	switch {
	case session.Before(state.Begin):
		return Progress{}, foldstream.Errorf(foldstream.Invalid, "", "the strategy %s begins at %s, after %s", r.Name, state.Begin, session)
	case !state.Session.IsOpen() && !session.After(state.Session):
		return Progress{State: state, Done: true}, nil
	}
	t := turn{Routine: r, state: state, session: session, cal: cal}
	if state.Session.IsOpen() {
		t.session = state.Begin // whenever it is done, the first routine is that of the first session
	}
	next, p, err := t.take(ctx)
	if err != nil || p.Open > 0 {
		p.State = state
		return p, err
	}
	err = write(ctx, r.Store, r.Name, next, revision)
	if foldstream.Is(err, foldstream.Conflict) || err == nil && t.session.Before(session) {
		return r.Step(ctx, session) // another one was first, or the next turn is due
	}
	p.State, p.Done = next, err == nil
	return p, err
}
