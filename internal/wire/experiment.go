package wire

import "github.com/foldstream/foldstream"

// Spec is a collection's spec as it is stored.
type Spec struct {
	Frame    string  `msgpack:"frame"`
	Score    string  `msgpack:"score"`
	Label    string  `msgpack:"label"`
	Return   string  `msgpack:"return"`
	Ensemble string  `msgpack:"ensemble"`
	TopK     int     `msgpack:"top_k"`
	Cost     float64 `msgpack:"cost"`
	NDrop    int     `msgpack:"n_drop,omitempty"`

	Weights []Weight `msgpack:"weights,omitempty"`
}

// Weight is one of a Spec's weights.
type Weight struct {
	Key    []string `msgpack:"key"`
	Weight float64  `msgpack:"weight"`
}

// SpecOf makes a spec ready to be stored.
func SpecOf(s foldstream.CollectionSpec) Spec {
	return Spec{
		Frame: s.Frame, Score: s.Score, Label: s.Label, Return: s.Return, Ensemble: s.Ensemble,
		TopK: s.Portfolio.TopK, NDrop: s.Portfolio.NDrop, Cost: s.Portfolio.Cost,
		Weights: Each(s.SortedWeights(), func(w foldstream.Weight) Weight { return Weight{Key(w.Key), w.Weight} }),
	}
}

// Spec returns the spec that was stored.
func (w Spec) Spec() foldstream.CollectionSpec {
	return foldstream.CollectionSpec{
		Frame: w.Frame, Score: w.Score, Label: w.Label, Return: w.Return, Ensemble: w.Ensemble,
		Portfolio: foldstream.PortfolioSpec{TopK: w.TopK, NDrop: w.NDrop, Cost: w.Cost},
		Weights: Each(w.Weights, func(w Weight) foldstream.Weight {
			return foldstream.Weight{Key: KeyOf(w.Key), Weight: w.Weight}
		}),
	}
}

// Members is the list of members that a collection must have, and the sessions of their test periods, as they are stored.
type Members struct {
	Members  []Member `msgpack:"members"`
	Sessions []string `msgpack:"sessions"`
}

// Member is one of Members.
type Member struct {
	Key   []string  `msgpack:"key"`
	Index int       `msgpack:"index"`
	Of    int       `msgpack:"of"`
	Test  [2]string `msgpack:"test"`
	Task  string    `msgpack:"task"`
}

// MembersOf makes a list ready to be stored.
func MembersOf(members []foldstream.Expectation, sessions []foldstream.Time) *Members {
	w := Members{Members: Each(members, func(m foldstream.Expectation) Member {
		return Member{Key(m.Key), m.Window.Index, m.Window.Of, Segment(m.Test), string(m.Task)}
	})}
	w.Sessions = Each(sessions, foldstream.Time.String)
	return &w
}

// List returns the members and sessions that were stored. Errors: Invalid.
func (w Members) List() ([]foldstream.Expectation, []foldstream.Time, error) {
	members, err := TryEach(w.Members, func(m Member) (foldstream.Expectation, error) {
		test, err := SegmentOf(m.Test)
		return foldstream.Expectation{
			Key: KeyOf(m.Key), Window: foldstream.Window{Index: m.Index, Of: m.Of}, Test: test, Task: foldstream.TaskID(m.Task),
		}, err
	})
	if err != nil {
		return nil, nil, err
	}
	sessions, err := TryEach(w.Sessions, foldstream.ParseTime)
	return members, sessions, err
}
