package foldstream

import (
	"cmp"
	"slices"
	"time"
)

// Experiment is a set of tasks that make one collection. It is stored in the bucket Experiments under its name.
type Experiment struct {
	Name       string
	ID         string // of this life of the name: an experiment that is made after it was deleted has another. "" for one made by an older program
	Pool       string // "" where it has no tasks
	Calendar   string // version
	Members    Digest // the artifact that lists the members the collection must have; "" where it has no tasks
	Expected   int    // how many members
	Collection CollectionSpec
	Policy     Policy   // leaks; Warn makes the collection uncertified
	Source     string   // where it came from: the experiment file's name, or "replay of NAME"
	Notes      []string // what whoever reads a result must know: where the data are from, what they leave out
	Created    time.Time
	Replay     Replay
	Before     []Revision // what it was before it was revised or renewed, the oldest first
}

// Revision is what an experiment was until it was revised, or until tasks of it that were done began new lives.
type Revision struct {
	Until      time.Time
	Calendar   string
	Members    Digest
	Expected   int
	Collection CollectionSpec
	Policy     Policy
}

// At returns the experiment as it was at a time.
func (e Experiment) At(t time.Time) Experiment {
	for i, r := range e.Before {
		if t.Before(r.Until) {
			e.Calendar, e.Members, e.Expected, e.Collection, e.Policy, e.Before = r.Calendar, r.Members, r.Expected, r.Collection, r.Policy, e.Before[:i]
			return e
		}
	}
	return e
}

// Round counts the revisions and renewals: a collection is folded anew in each, and says which it is of.
func (e Experiment) Round() int { return len(e.Before) }

// Revised returns the experiment as what follows another of its name, whose life it goes on with.
func (e Experiment) Revised(there Experiment) Experiment {
	e.Before = append(slices.Clone(there.Before), Revision{e.Created, there.Calendar, there.Members, there.Expected, there.Collection, there.Policy})
	e.ID, e.Created = there.ID, there.Created
	return e
}

// Replay says what an experiment makes anew. The zero Replay is of an experiment that is no replay.
type Replay struct {
	Of    string // the experiment whose recorded tasks it has
	Life  string // of that experiment, its ID
	Asked string // which of its tasks, and what was changed, as the command has it: "--failed --sample 10"; "" is all of them as they were
	Open  bool   // not all of its tasks are made yet: repeating the command completes it
}

// Same reports whether two replays make the same, however far each is.
func (r Replay) Same(s Replay) bool {
	r.Open, s.Open = false, false
	return r == s
}

// Expectation is one member that a collection must have. Two members may be the same task: content decides the task, the
// generators decide the member.
type Expectation struct {
	Key    Key
	Window Window
	Test   Segment // the member's test period
	Task   TaskID
}

// CollectionSpec says how results fold into a collection. The zero spec merges the frames "pred" of each configuration.
type CollectionSpec struct {
	Frame     string        // the frame of the results to fold; "" is "pred"
	Score     string        // its column that predicts; "" is "score"
	Label     string        // its column that came true; "" is "label"
	Return    string        // its column of one-session returns, for the portfolio and the ensemble's IC; "" is "return"
	Ensemble  string        // one of Ensembles, or "" for no ensemble
	Weights   []Weight      // of the ensemble "weighted", see WeightOf
	Portfolio PortfolioSpec // the zero spec makes no portfolio
}

// PortfolioSpec is a daily portfolio of the instruments with the highest scores, equally weighted.
type PortfolioSpec struct {
	TopK  int     // how many instruments; 0 is no portfolio
	NDrop int     // how many of them may be sold a day, Qlib's n_drop; 0 is no limit
	Cost  float64 // of trading, per unit of value traded, one way: 0.001 is 10 basis points
}

// CompareMembers is the order of a collection's members: by key, then by window. Two that compare equal have one place.
func CompareMembers(a, b Expectation) int {
	return cmp.Or(a.Key.Compare(b.Key), cmp.Compare(a.Window.Index, b.Window.Index))
}

// Tested returns those of the sessions that are in the test period of a member, in their order, each once.
func Tested(sessions []Time, members []Expectation) []Time {
	sessions = slices.Compact(slices.SortedFunc(slices.Values(sessions), Time.Compare))
	tests := map[Segment]bool{}
	for _, m := range members {
		tests[m.Test] = true
	}
	in := make([]bool, len(sessions))
	for test := range tests {
		from, to := test.Span(sessions)
		for i := from; i < to; i++ {
			in[i] = true
		}
	}
	var out []Time
	for i, t := range sessions {
		if in[i] {
			out = append(out, t)
		}
	}
	return out
}
