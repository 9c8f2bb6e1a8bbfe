package collect

import (
	"math"
	"slices"

	"github.com/foldstream/foldstream"
)

// Average folds the series of several configurations into one: of each series the scores of a session become z-scores (mean
// and sample deviation over the session's instruments, NaN skipped), and the mean of a row's z-scores, NaN skipped, is
// the row's score (Qlib: model/ens/ensemble.py:AverageEnsemble). The rows are those of all series. A session with one score, or
// whose scores are all the same, has no z-score.
type Average struct {
	score    string
	same     []string
	expected []foldstream.Expectation // in key order
	members  []foldstream.Frame       // beside expected; sorted, without duplicates
	there    []bool                   // beside expected
}

var _ foldstream.Fold = (*Average)(nil)

// NewAverage returns the fold of the column score of the expected series. The columns in same tell facts, such as a return,
// that must be equal in all series that have them; the value has them too.
func NewAverage(expected []foldstream.Expectation, score string, same ...string) *Average {
	return &Average{
		score:    score,
		same:     same,
		expected: slices.SortedFunc(slices.Values(expected), compareMembers),
		members:  make([]foldstream.Frame, len(expected)),
		there:    make([]bool, len(expected)),
	}
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
		a.members[at], a.there[at] = f, true
	}
	return nil
}

// Value returns the averaged series with the column of scores and those that are the same in all. Errors: Invalid (some series
// have instruments and some have not), Differs (two series disagree in a column that must be the same).
func (a *Average) Value() (foldstream.Frame, foldstream.Coverage, error) {
	cover := foldstream.Coverage{Expected: len(a.expected)}
	var index foldstream.Frame
	var frames []foldstream.Frame
	for i, e := range a.expected {
		if !a.there[i] {
			cover.Missing = append(cover.Missing, e.Task)
			continue
		}
		cover.Present++
		f := a.members[i]
		if f.Len() == 0 {
			continue
		}
		if len(frames) > 0 && (f.Instruments == nil) != (index.Instruments == nil) {
			return foldstream.Frame{}, cover, foldstream.Errorf(foldstream.Invalid, "fold", "some series have instruments and some have not")
		}
		index = union(index, f)
		frames = append(frames, f)
	}
	index.Columns = []foldstream.Column{{Name: a.score, Values: a.mean(index, frames)}}
	for _, name := range a.same {
		values, err := agree(index, frames, name)
		if err != nil {
			return foldstream.Frame{}, cover, err
		}
		if values != nil {
			index.Columns = append(index.Columns, foldstream.Column{Name: name, Values: values})
		}
	}
	return index, cover, nil
}

// mean returns the mean of the frames' z-scores in the frames' order, a value a row of index.
func (a *Average) mean(index foldstream.Frame, frames []foldstream.Frame) []float64 {
	sum, n := make([]float64, index.Len()), make([]int, index.Len())
	for _, f := range frames {
		for i, z := range align(index, f, zScores(f, a.score)) {
			if !math.IsNaN(z) {
				sum[i] += z
				n[i]++
			}
		}
	}
	for i := range sum {
		sum[i] /= float64(n[i]) // 0/0 is NaN: no series has a score for the row
	}
	return sum
}

// zScores returns the column's z-scores within each time.
func zScores(f foldstream.Frame, column string) []float64 {
	values := f.Column(column)
	out := nans(f.Len())
	sections(f, func(from, to int) { zSection(out[from:to], values[from:to]) })
	return out
}

func zSection(out, values []float64) {
	n, sum, low, high := 0, 0.0, math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) {
			n++
			sum += v
			low, high = min(low, v), max(high, v)
		}
	}
	if n < 2 || low == high {
		return
	}
	mean, squares := sum/float64(n), 0.0
	for _, v := range values {
		if !math.IsNaN(v) {
			squares += (v - mean) * (v - mean)
		}
	}
	deviation := math.Sqrt(squares / float64(n-1))
	for i, v := range values {
		out[i] = (v - mean) / deviation
	}
}

// agree returns the values of a column that must be the same in all frames that have one, nil where none has the column.
func agree(index foldstream.Frame, frames []foldstream.Frame, name string) ([]float64, error) {
	var values []float64
	for _, f := range frames {
		column := f.Column(name)
		if column == nil {
			continue
		}
		if values == nil {
			values = nans(index.Len())
		}
		for i, v := range align(index, f, column) {
			if math.IsNaN(values[i]) {
				values[i] = v
			} else if !math.IsNaN(v) && v != values[i] {
				return nil, foldstream.Errorf(foldstream.Differs, "fold", "two series disagree in %q at %s: %v and %v",
					name, rowName(index, i), values[i], v)
			}
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
