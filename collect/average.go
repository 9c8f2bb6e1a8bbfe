package collect

import (
	"slices"

	"github.com/foldstream/foldstream"
)

// Average folds the series of several configurations into one: of each series the scores of a session are put on one scale,
// and the mean of a row's scaled scores, NaN skipped, is the row's score. The rows are those of all series.
//
// NewAverage, NewWeighted and NewRank differ in the scale and the mean. Adding a series scales it alone; the means are taken
// anew, in key order, because sums of floating-point numbers depend on their order.
type Average struct {
	expected []foldstream.Expectation // in key order
	there    []bool                   // beside expected
	blend                             // its members are beside expected
}

var _ foldstream.Fold = (*Average)(nil)

// NewAverage returns the fold of the column score of the expected series: the mean of their z-scores, which are taken over a
// session's instruments with the sample deviation, NaN skipped (Qlib: model/ens/ensemble.py:AverageEnsemble). A session with one
// score, or whose scores are all the same, has no z-score. The columns in same tell facts, such as a return, that must be equal
// in all series that have them; the value has them too.
func NewAverage(expected []foldstream.Expectation, score string, same ...string) *Average {
	return newAverage(expected, blend{score: score, same: same, scale: zScores}, nil)
}

// NewWeighted returns the fold of NewAverage with a weight for each series: a row's score is the mean of its z-scores by the
// weights of the series that have one. A weight must not be negative; of series with the weight 0 the rows are there and no
// score.
func NewWeighted(expected []foldstream.Expectation, weight func(foldstream.Key) float64, score string, same ...string) *Average {
	return newAverage(expected, blend{score: score, same: same, scale: zScores}, weight)
}

// NewRank returns the fold of NewAverage on another scale: of n scores of a session, NaN skipped, the lowest is 1/n and the
// highest 1; equal scores share the mean of their ranks (pandas: rank(pct=True)). How far apart scores are makes no difference, so
// that no wild one outweighs the other series.
func NewRank(expected []foldstream.Expectation, score string, same ...string) *Average {
	return newAverage(expected, blend{score: score, same: same, scale: rankScores}, nil)
}

func newAverage(expected []foldstream.Expectation, b blend, weight func(foldstream.Key) float64) *Average {
	a := &Average{
		expected: slices.SortedFunc(slices.Values(expected), foldstream.CompareMembers),
		there:    make([]bool, len(expected)),
		blend:    b,
	}
	a.members = make([]blended, len(expected))
	for i, e := range a.expected {
		if a.members[i].weight = 1; weight != nil {
			a.members[i].weight = weight(e.Key)
		}
	}
	return a
}

// Add takes a series. Adding one again changes nothing. Errors: Invalid (no such series is expected, no column of scores, two
// rows of one time and instrument, a frame that is not well formed), Conflict (another task than the expected).
func (a *Average) Add(m foldstream.Member) error {
	at, found := slices.BinarySearchFunc(a.expected, m.Expectation, foldstream.CompareMembers)
	switch {
	case !found:
		return foldstream.Errorf(foldstream.Invalid, "fold", "the series %q is not expected", m.Key)
	case a.expected[at].Task != m.Task:
		return foldstream.Errorf(foldstream.Conflict, "fold", "the series %q is of task %s, not %s", m.Key, a.expected[at].Task, m.Task)
	}
	f, err := a.check(m.Key.String(), m.Frame)
	if err == nil && !a.there[at] {
		a.there[at] = true
		a.take(at, f)
	}
	return err
}

// Value returns the averaged series with the column of scores and those that are the same in all. Errors: Invalid (some series
// have instruments and some have not), Differs (two series disagree in a column that must be the same).
func (a *Average) Value() (foldstream.Frame, foldstream.Coverage, error) {
	cover := foldstream.Coverage{Expected: len(a.expected)}
	for i, e := range a.expected {
		if a.there[i] {
			cover.Present++
		} else {
			cover.Missing = append(cover.Missing, e.Task)
		}
	}
	f, err := a.value()
	return f, cover, err
}
