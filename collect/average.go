package collect

import (
	"math"
	"slices"

	"github.com/foldstream/foldstream"
)

// Average folds the series of several configurations into one: of each series the scores of a session are put on one scale,
// and the mean of a row's scaled scores, NaN skipped, is the row's score. The rows are those of all series.
//
// NewAverage, NewWeighted and NewRank differ in the scale and the mean. Adding a series scales it alone; the means are taken
// anew, in key order, because sums of floating-point numbers depend on their order.
type Average struct {
	score    string
	same     []string
	scale    func(foldstream.Frame, []float64) []float64
	expected []foldstream.Expectation // in key order
	weights  []float64                // beside expected
	members  []foldstream.Frame       // beside expected; sorted, without duplicates, with scaled scores
	there    []bool                   // beside expected
	index    foldstream.Frame         // the rows of all
	mixed    bool                     // some have instruments and some have not
}

var _ foldstream.Fold = (*Average)(nil)

// NewAverage returns the fold of the column score of the expected series: the mean of their z-scores, which are taken over a
// session's instruments with the sample deviation, NaN skipped (Qlib: model/ens/ensemble.py:AverageEnsemble). A session with one
// score, or whose scores are all the same, has no z-score. The columns in same tell facts, such as a return, that must be equal
// in all series that have them; the value has them too.
func NewAverage(expected []foldstream.Expectation, score string, same ...string) *Average {
	return newAverage(expected, zScores, func(foldstream.Key) float64 { return 1 }, score, same)
}

// NewWeighted returns the fold of NewAverage with a weight for each series: a row's score is the mean of its z-scores by the
// weights of the series that have one. A weight must not be negative; of series with the weight 0 the rows are there and no
// score.
func NewWeighted(expected []foldstream.Expectation, weight func(foldstream.Key) float64, score string, same ...string) *Average {
	return newAverage(expected, zScores, weight, score, same)
}

// NewRank returns the fold of NewAverage on another scale: of n scores of a session, NaN skipped, the lowest is 1/n and the
// highest 1; equal scores share the mean of their ranks (pandas: rank(pct=True)). How far apart scores are makes no difference, so
// that no wild one outweighs the other series.
func NewRank(expected []foldstream.Expectation, score string, same ...string) *Average {
	return newAverage(expected, rankScores, func(foldstream.Key) float64 { return 1 }, score, same)
}

func newAverage(expected []foldstream.Expectation, scale func(foldstream.Frame, []float64) []float64, weight func(foldstream.Key) float64, score string, same []string) *Average {
	a := &Average{
		score:    score,
		same:     same,
		scale:    scale,
		expected: slices.SortedFunc(slices.Values(expected), compareMembers),
		members:  make([]foldstream.Frame, len(expected)),
		there:    make([]bool, len(expected)),
	}
	a.weights = mapEach(a.expected, func(e foldstream.Expectation) float64 { return weight(e.Key) })
	return a
}

// Add takes a series. Adding one again changes nothing. Errors: Invalid (no such series is expected, no column of scores, two
// rows of one time and instrument, a frame that is not well formed), Conflict (another task than the expected).
func (a *Average) Add(m foldstream.Member) error {
	at, found := slices.BinarySearchFunc(a.expected, m.Expectation, compareMembers)
	switch {
	case !found:
		return foldstream.Errorf(foldstream.Invalid, "fold", "the series %q is not expected", m.Key)
	case a.expected[at].Task != m.Task:
		return foldstream.Errorf(foldstream.Conflict, "fold", "the series %q is of task %s, not %s", m.Key, a.expected[at].Task, m.Task)
	case m.Frame.Len() > 0 && m.Frame.Column(a.score) == nil:
		return foldstream.Errorf(foldstream.Invalid, "fold", "the series %q has no column %q", m.Key, a.score)
	}
	if err := m.Frame.Validate(); err != nil {
		return err
	}
	f := unique(m.Frame)
	if f.Len() < m.Frame.Len() {
		return foldstream.Errorf(foldstream.Invalid, "fold", "the series %q has two rows of one time and instrument", m.Key)
	}
	if !a.there[at] {
		a.take(at, f)
	}
	return nil
}

func (a *Average) take(at int, f foldstream.Frame) {
	a.there[at] = true
	if f.Len() == 0 {
		return
	}
	scaled := foldstream.Frame{Times: f.Times, Instruments: f.Instruments,
		Columns: []foldstream.Column{{Name: a.score, Values: a.scale(f, f.Column(a.score))}}}
	for _, name := range a.same {
		if values := f.Column(name); values != nil {
			scaled.Columns = append(scaled.Columns, foldstream.Column{Name: name, Values: values})
		}
	}
	a.members[at] = scaled
	if a.mixed = a.mixed || a.index.Len() > 0 && (f.Instruments == nil) != (a.index.Instruments == nil); !a.mixed {
		a.index = union(a.index, f)
	}
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
	if a.mixed {
		return foldstream.Frame{}, cover, foldstream.Errorf(foldstream.Invalid, "fold", "some series have instruments and some have not")
	}
	out := foldstream.Frame{Times: slices.Clone(a.index.Times), Instruments: slices.Clone(a.index.Instruments),
		Columns: []foldstream.Column{{Name: a.score, Values: a.mean()}}}
	for _, name := range a.same {
		values, err := agree(a.index, a.members, name)
		if err != nil {
			return foldstream.Frame{}, cover, err
		}
		if values != nil {
			out.Columns = append(out.Columns, foldstream.Column{Name: name, Values: values})
		}
	}
	return out, cover, nil
}

// mean returns the weighted mean of the members' scaled scores in key order, a value a row of the index.
func (a *Average) mean() []float64 {
	sum, weights := make([]float64, a.index.Len()), make([]float64, a.index.Len())
	for m, f := range a.members {
		weight, scores := a.weights[m], f.Column(a.score)
		each(a.index, f, func(i, j int) {
			if !math.IsNaN(scores[j]) {
				sum[i] += weight * scores[j]
				weights[i] += weight
			}
		})
	}
	for i := range sum {
		sum[i] /= weights[i] // 0/0 is NaN: no series has a score for the row
	}
	return sum
}

// agree returns the values of a column that must be the same in all frames that have one, nil where none has the column.
func agree(index foldstream.Frame, frames []foldstream.Frame, name string) (values []float64, err error) {
	for _, f := range frames {
		column := f.Column(name)
		if column == nil {
			continue
		}
		if values == nil {
			values = nans(index.Len())
		}
		each(index, f, func(i, j int) {
			if v := column[j]; math.IsNaN(values[i]) {
				values[i] = v
			} else if !math.IsNaN(v) && v != values[i] && err == nil {
				err = foldstream.Errorf(foldstream.Differs, "fold", "two series disagree in %q at %s: %v and %v",
					name, rowName(index, i), values[i], v)
			}
		})
		if err != nil {
			return nil, err
		}
	}
	return values, nil
}

func rowName(f foldstream.Frame, i int) string {
	if f.Instruments == nil {
		return f.Times[i].String()
	}
	return f.Times[i].String() + " " + f.Instruments[i]
}
