package collect

import (
	"math"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// blend is the mean of several series' scores, which are put on one scale before.
type blend struct {
	score   string   // the column that is averaged
	same    []string // the columns that tell facts, the same in all that have them
	scale   func(foldstream.Frame, []float64) []float64
	members []blended        // in the order in which they are summed up
	index   foldstream.Frame // the rows of all
	mixed   bool             // some have instruments and some have not
}

// blended is one series of a blend.
type blended struct {
	weight           float64
	foldstream.Frame // sorted, without duplicates, with scaled scores; empty until it is there
}

// check returns a series in order. Errors: Invalid (no column of scores, two rows of one time and instrument, not well formed).
func (b *blend) check(name string, f foldstream.Frame) (foldstream.Frame, error) {
	if f.Len() > 0 && f.Column(b.score) == nil {
		return f, foldstream.Errorf(foldstream.Invalid, "fold", "the series %q has no column %q", name, b.score)
	}
	if err := f.Validate(); err != nil {
		return f, err
	}
	u := unique(f)
	if u.Len() < f.Len() {
		return f, foldstream.Errorf(foldstream.Invalid, "fold", "the series %q has two rows of one time and instrument", name)
	}
	return u, nil
}

// take makes a series that was checked the member at a place.
func (b *blend) take(at int, f foldstream.Frame) {
	if f.Len() == 0 {
		return
	}
	scaled := foldstream.Frame{Times: f.Times, Instruments: f.Instruments,
		Columns: []foldstream.Column{{Name: b.score, Values: b.scale(f, f.Column(b.score))}}}
	for _, name := range b.same {
		if values := f.Column(name); values != nil {
			scaled.Columns = append(scaled.Columns, foldstream.Column{Name: name, Values: values})
		}
	}
	b.members[at].Frame = scaled
	if b.mixed = b.mixed || b.index.Len() > 0 && (f.Instruments == nil) != (b.index.Instruments == nil); !b.mixed {
		b.index = union(b.index, f)
	}
}

// value returns the mean with the columns that are the same in all. Errors: Invalid (some series have instruments and some have
// not), Differs (two series disagree in a column that must be the same).
func (b *blend) value() (foldstream.Frame, error) {
	if b.mixed {
		return foldstream.Frame{}, foldstream.Errorf(foldstream.Invalid, "fold", "some series have instruments and some have not")
	}
	out := foldstream.Frame{Times: slices.Clone(b.index.Times), Instruments: slices.Clone(b.index.Instruments),
		Columns: []foldstream.Column{{Name: b.score, Values: b.mean()}}}
	frames := wire.Each(b.members, func(m blended) foldstream.Frame { return m.Frame })
	for _, name := range b.same {
		values, err := agree(b.index, frames, name)
		if err != nil {
			return foldstream.Frame{}, err
		}
		if values != nil {
			out.Columns = append(out.Columns, foldstream.Column{Name: name, Values: values})
		}
	}
	return out, nil
}

// mean returns the weighted mean of the members' scaled scores, a value a row of the index.
func (b *blend) mean() []float64 {
	sum, weights := make([]float64, b.index.Len()), make([]float64, b.index.Len())
	for _, m := range b.members {
		scores := m.Column(b.score)
		each(b.index, m.Frame, func(i, j int) {
			if !math.IsNaN(scores[j]) {
				sum[i] += m.weight * scores[j]
				weights[i] += m.weight
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
