package collect

import (
	"math"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
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

// sameShape reports how two frames differ in what their rows and columns are. Both must have rows.
func sameShape(f, g foldstream.Frame) error {
	if (f.Instruments == nil) != (g.Instruments == nil) {
		return foldstream.Errorf(foldstream.Invalid, "fold", "of the frames that start at %s and %s only one has instruments", f.Times[0], g.Times[0])
	}
	same := slices.EqualFunc(f.Columns, g.Columns, func(a, b foldstream.Column) bool { return a.Name == b.Name })
	if same {
		return nil
	}
	if a, b := columnNames(f), columnNames(g); !slices.Equal(a, b) {
		return foldstream.Errorf(foldstream.Invalid, "fold", "the frames that start at %s and %s have other columns: %q and %q",
			f.Times[0], g.Times[0], a, b)
	}
	return nil
}

// columnNames returns the names of the columns in order of their text.
func columnNames(f foldstream.Frame) []string {
	return slices.Sorted(slices.Values(wire.Each(f.Columns, func(c foldstream.Column) string { return c.Name })))
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

// union returns the keys of the rows of both, sorted; f and g must be sorted and without duplicates. It may share them with f.
func union(f, g foldstream.Frame) foldstream.Frame {
	if covers(f, g) {
		return foldstream.Frame{Times: f.Times, Instruments: f.Instruments}
	}
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

// covers reports whether f has the key of every row of g. Both must be sorted and without duplicates.
func covers(f, g foldstream.Frame) bool {
	i := 0
	for j := range g.Len() {
		for i < f.Len() && f.CompareRows(i, g, j) < 0 {
			i++
		}
		if i == f.Len() || f.CompareRows(i, g, j) != 0 {
			return false
		}
	}
	return true
}

// each calls do with the place in index of every row of f. Both must be sorted and without duplicates, and index must have every
// key of f.
func each(index, f foldstream.Frame, do func(i, j int)) {
	i := 0
	for j := range f.Len() {
		for f.Len() < index.Len() && index.CompareRows(i, f, j) != 0 {
			i++
		}
		do(i, j)
		i++
	}
}

// align returns a value for each row of index: the column's at the row of f with that key, NaN where f has none. As each.
func align(index, f foldstream.Frame, column []float64) []float64 {
	out := nans(index.Len())
	each(index, f, func(i, j int) { out[i] = column[j] })
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
