package collect

import (
	"math"
	"slices"

	"github.com/foldstream/foldstream"
)

// unique returns f sorted, with the last of the rows that share a key.
func unique(f foldstream.Frame) foldstream.Frame {
	if !inOrder(f) {
		f = f.Sorted()
	}
	keep := make([]int, 0, f.Len())
	for i := range f.Len() {
		if i+1 == f.Len() || f.CompareRows(i, f, i+1) != 0 {
			keep = append(keep, i)
		}
	}
	if len(keep) == f.Len() {
		return f
	}
	return f.Rows(keep)
}

func inOrder(f foldstream.Frame) bool {
	for i := 1; i < f.Len(); i++ {
		if f.CompareRows(i-1, f, i) > 0 {
			return false
		}
	}
	return true
}

// concat returns the rows of the frames one after the other, with the union of their columns in order of appearance; NaN
// where a frame has no such column. Frames without rows have no say. Errors: Invalid (some have instruments, some not).
func concat(frames []foldstream.Frame) (foldstream.Frame, error) {
	var out foldstream.Frame
	frames = slices.DeleteFunc(slices.Clone(frames), func(f foldstream.Frame) bool { return f.Len() == 0 })
	for _, f := range frames {
		if (f.Instruments == nil) != (frames[0].Instruments == nil) {
			return out, foldstream.Errorf(foldstream.Invalid, "fold", "some frames have instruments and some have not")
		}
		out.Times = append(out.Times, f.Times...)
		out.Instruments = append(out.Instruments, f.Instruments...)
	}
	for _, name := range columnNames(frames) {
		values := make([]float64, 0, out.Len())
		for _, f := range frames {
			values = append(values, columnOrNaN(f, name)...)
		}
		out.Columns = append(out.Columns, foldstream.Column{Name: name, Values: values})
	}
	return out, nil
}

func columnNames(frames []foldstream.Frame) []string {
	var names []string
	for _, f := range frames {
		for _, c := range f.Columns {
			if !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	return names
}

func columnOrNaN(f foldstream.Frame, name string) []float64 {
	if values := f.Column(name); values != nil {
		return values
	}
	return nans(f.Len())
}

func nans(n int) []float64 {
	return slices.Repeat([]float64{math.NaN()}, n)
}

// union returns the keys of the rows of both, sorted; f and g must be sorted and without duplicates.
func union(f, g foldstream.Frame) foldstream.Frame {
	var out foldstream.Frame
	take := func(from foldstream.Frame, i int) {
		out.Times = append(out.Times, from.Times[i])
		if from.Instruments != nil {
			out.Instruments = append(out.Instruments, from.Instruments[i])
		}
	}
	i, j := 0, 0
	for i < f.Len() || j < g.Len() {
		switch {
		case j == g.Len() || i < f.Len() && f.CompareRows(i, g, j) < 0:
			take(f, i)
			i++
		case i == f.Len() || f.CompareRows(i, g, j) > 0:
			take(g, j)
			j++
		default:
			take(f, i)
			i++
			j++
		}
	}
	return out
}

// align returns a value for each row of index: the column's at the row of f with that key, NaN where f has none. Both
// must be sorted and without duplicates, and index must have every key of f.
func align(index, f foldstream.Frame, column []float64) []float64 {
	out := nans(index.Len())
	j := 0
	for i := range f.Len() {
		for index.CompareRows(j, f, i) != 0 {
			j++
		}
		out[j] = column[i]
	}
	return out
}

// sections calls each with the bounds [from, to) of the rows of one time. f must be sorted.
func sections(f foldstream.Frame, each func(from, to int)) {
	from := 0
	for i := 1; i <= f.Len(); i++ {
		if i == f.Len() || f.Times[i] != f.Times[from] {
			each(from, i)
			from = i
		}
	}
}
