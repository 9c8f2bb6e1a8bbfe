package online

import (
	"cmp"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
)

// State is where a strategy stands. It is a value: nobody changes one, they make the next.
type State struct {
	Pool     string
	Spec     foldstream.CollectionSpec // frame and column of the predictions, and the ensemble that makes signals of them
	Begin    foldstream.Time           // the session of its first routine
	Session  foldstream.Time           // the session of its last routine; open where no model is trained yet
	Calendar string                    // version of the calendar that the last routine was on
	Switches []Switch                  // in order of From, then of the models: the history of the online set
	Signals  []Part                    // in order: what was said up to Session
}

// Switch puts a model online for its configuration, in the place of the one before it.
type Switch struct {
	From  foldstream.Time // the first session that the model is online for
	Model foldstream.Expectation
}

// Online returns the online set at a session: of each configuration the newest model whose switch came, in key order.
func (s State) Online(at foldstream.Time) []Switch {
	var set []Switch
	for _, w := range s.Switches {
		if w.From.After(at) {
			break
		}
		i, there := slices.BinarySearchFunc(set, w.Model.Key, func(o Switch, k foldstream.Key) int { return o.Model.Key.Compare(k) })
		if there {
			set[i] = w
		} else {
			set = slices.Insert(set, i, w)
		}
	}
	return set
}

// Advance returns the state as of a later session, without new signals. The trained models go online from their first test session
// on; one that was trained late, from the first session after s.Session on: what was said is not said again. A configuration of which
// no model was trained keeps the one that it has. A session must be one of the calendar's, after s.Session.
func (s State) Advance(cal *calendar.Calendar, session foldstream.Time, trained []foldstream.Expectation) (State, error) {
	next := s
	next.Session, next.Calendar = session, cal.Version()
	next.Switches = slices.Clone(s.Switches)
	first, err := s.next(cal)
	if err != nil {
		return s, err
	}
	for _, m := range trained {
		w := Switch{From: m.Test.Start, Model: m}
		if first.After(w.From) {
			w.From = first
		}
		if !w.From.After(session) {
			next.Switches = append(next.Switches, w)
		}
	}
	slices.SortFunc(next.Switches, compareSwitches)
	return next, nil
}

// next returns the first session after s.Session, an open time where the state has none. Errors: Invalid.
func (s State) next(cal *calendar.Calendar) (foldstream.Time, error) {
	if s.Session.IsOpen() {
		return foldstream.Time{}, nil
	}
	i, err := cal.Index(s.Session, calendar.End)
	if err != nil {
		return foldstream.Time{}, err
	}
	return cal.At(i + 1)
}

func compareSwitches(a, b Switch) int {
	return cmp.Or(a.From.Compare(b.From), foldstream.CompareMembers(a.Model, b.Model))
}

// Duty is the sessions, in order, whose signals a model says something of.
type Duty struct {
	Model    foldstream.Expectation
	Sessions []foldstream.Time
}

// Duties returns who is to say what of the sessions after a time, up to s.Session: of every configuration one model a session. Models
// without such a session are left out.
func (s State) Duties(cal *calendar.Calendar, after foldstream.Time) ([]Duty, error) {
	var out []Duty
	for i, w := range s.Switches {
		sessions, err := cal.Slice(foldstream.Segment{Start: w.From, End: s.Session})
		if err != nil {
			return nil, err
		}
		until := s.replaced(i)
		sessions = slices.DeleteFunc(sessions, func(t foldstream.Time) bool {
			return !t.After(after) || !until.IsOpen() && !t.Before(until)
		})
		if len(sessions) > 0 {
			out = append(out, Duty{w.Model, sessions})
		}
	}
	return out, nil
}

// replaced returns from when on another model is in the place of switch i; open where none is.
func (s State) replaced(i int) foldstream.Time {
	for _, w := range s.Switches[i+1:] {
		if w.Model.Key.Compare(s.Switches[i].Model.Key) == 0 {
			return w.From
		}
	}
	return foldstream.Time{}
}
