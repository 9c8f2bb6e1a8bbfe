package collect

import (
	"cmp"
	"slices"

	"github.com/foldstream/foldstream"
)

// series is windows merged into one. The zero series has none.
type series struct {
	windows []*window                // by their start, then as compare has it
	pieces  []piece                  // their rows that are in the series, in order
	doubled map[foldstream.Time]bool // the times of which two windows have rows
}

// window is one of the frames of a series: sorted, without duplicates.
type window struct {
	foldstream.Frame
	index int   // among those of a configuration
	label Label // among the branches of a tree
}

// compare is the order of windows: of two rows with one key that of the later window is in the series.
func (w *window) compare(v *window) int {
	return cmp.Or(w.Times[0].Compare(v.Times[0]), cmp.Compare(w.index, v.index), w.label.Compare(v.label))
}

// piece is the rows [from, to) of a window that are next to each other in the series.
type piece struct {
	*window
	from, to int
}

// add puts the rows of a new window into the series: it merges the pieces that lie in its time, and notes the times that
// both have. A window without rows has no say.
func (r *series) add(w *window) {
	if w.Len() == 0 {
		return
	}
	at, _ := slices.BinarySearchFunc(r.windows, w, (*window).compare)
	r.windows = slices.Insert(r.windows, at, w)
	first, last := w.Times[0], w.Times[w.Len()-1]
	from, _ := slices.BinarySearchFunc(r.pieces, first, func(p piece, t foldstream.Time) int { return p.Times[p.to-1].Compare(t) })
	to := from
	for to < len(r.pieces) && !r.pieces[to].Times[r.pieces[to].from].After(last) {
		r.double(r.pieces[to], w)
		to++
	}
	r.pieces = slices.Replace(r.pieces, from, to, merge(r.pieces[from:to], w)...)
}

// double notes the times that the rows of a piece and a window have in common.
func (r *series) double(p piece, w *window) {
	if r.doubled == nil {
		r.doubled = map[foldstream.Time]bool{}
	}
	for i := p.from; i < p.to; i++ {
		if t := p.Times[i]; i == p.from || t != p.Times[i-1] {
			if _, both := slices.BinarySearchFunc(w.Times, t, foldstream.Time.Compare); both {
				r.doubled[t] = true
			}
		}
	}
}

// overlaps returns the runs of the times that two windows have, among all times: those of the windows, sorted, and others, which part
// the runs.
func (r *series) overlaps(all []foldstream.Time) []foldstream.Segment {
	return marked(all, r.doubled)
}

// merge returns the rows of the pieces and of a window in order; where both have a row, that of the later window.
func merge(pieces []piece, w *window) []piece {
	var out []piece
	next := 0
	for _, p := range pieces {
		for i := p.from; i < p.to; i++ {
			for next < w.Len() && w.CompareRows(next, p.Frame, i) < 0 {
				out = put(out, w, next)
				next++
			}
			v, row := p.window, i
			if next < w.Len() && w.CompareRows(next, p.Frame, i) == 0 {
				if w.compare(v) > 0 {
					v, row = w, next
				}
				next++
			}
			out = put(out, v, row)
		}
	}
	if next < w.Len() {
		out = append(out, piece{w, next, w.Len()})
	}
	return out
}

// put appends a row, to the last piece where it goes on there.
func put(pieces []piece, w *window, row int) []piece {
	if last := len(pieces) - 1; last >= 0 && pieces[last].window == w && pieces[last].to == row {
		pieces[last].to++
		return pieces
	}
	return append(pieces, piece{w, row, row + 1})
}

// merged returns the rows of the pieces, with the columns in the order of the first window's. Errors: Invalid (windows that
// differ in their columns, or of which some have instruments and some not; Qlib joins them with nulls in the holes).
func (r *series) merged() (foldstream.Frame, error) {
	var out foldstream.Frame
	if len(r.windows) == 0 {
		return out, nil
	}
	first, columns := r.windows[0], map[*window][]foldstream.Column{}
	for _, w := range r.windows {
		if err := sameShape(first.Frame, w.Frame); err != nil {
			return out, err
		}
		columns[w] = inOrderOf(first.Columns, w.Frame)
	}
	rows := 0
	for _, p := range r.pieces {
		rows += p.to - p.from
	}
	out.Times, out.Columns = make([]foldstream.Time, 0, rows), make([]foldstream.Column, len(first.Columns))
	if first.Instruments != nil {
		out.Instruments = make([]string, 0, rows)
	}
	for j, c := range first.Columns {
		out.Columns[j] = foldstream.Column{Name: c.Name, Values: make([]float64, 0, rows)}
	}
	for _, p := range r.pieces {
		out.Times = append(out.Times, p.Times[p.from:p.to]...)
		if first.Instruments != nil {
			out.Instruments = append(out.Instruments, p.Instruments[p.from:p.to]...)
		}
		for j, c := range columns[p.window] {
			out.Columns[j].Values = append(out.Columns[j].Values, c.Values[p.from:p.to]...)
		}
	}
	return out, nil
}

// inOrderOf returns the columns of f in the order of others with the same names.
func inOrderOf(others []foldstream.Column, f foldstream.Frame) []foldstream.Column {
	out := make([]foldstream.Column, len(others))
	for i, c := range others {
		out[i] = foldstream.Column{Name: c.Name, Values: f.Column(c.Name)}
	}
	return out
}
