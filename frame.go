package foldstream

import (
	"cmp"
	"fmt"
	"slices"
)

// Frame is a table of float64 columns over rows keyed by time, or by time and instrument. NaN is a missing value.
// The zero Frame is the empty table.
type Frame struct {
	Times       []Time   // one a row
	Instruments []string // one a row; nil where rows are keyed by time alone
	Columns     []Column
}

// FrameType is the media type of an artifact that is a frame of a result, under the name of the frame: a Parquet file. The
// profile tells it from a Parquet file that a worker stored for itself.
const FrameType = "application/vnd.apache.parquet; profile=frame"

// Column is one named column of a Frame, a value a row.
type Column struct {
	Name   string
	Values []float64
}

// Len returns the number of rows.
func (f Frame) Len() int { return len(f.Times) }

// Column returns the values of the column of that name, nil where there is none.
func (f Frame) Column(name string) []float64 {
	for _, c := range f.Columns {
		if c.Name == name {
			return c.Values
		}
	}
	return nil
}

// Validate reports a column or an index whose length is not that of the rows, and a column name that stands twice. Errors: Invalid.
func (f Frame) Validate() error {
	if f.Instruments != nil && len(f.Instruments) != len(f.Times) {
		return Errorf(Invalid, "frame", "%d instruments for %d rows", len(f.Instruments), len(f.Times))
	}
	seen := map[string]bool{}
	for _, c := range f.Columns {
		if len(c.Values) != len(f.Times) {
			return Errorf(Invalid, "frame", "column %q has %d values for %d rows", c.Name, len(c.Values), len(f.Times))
		}
		if seen[c.Name] {
			return Errorf(Invalid, "frame", "column %q stands twice", c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

// CompareRows orders row i of f against row j of g by time, then instrument.
func (f Frame) CompareRows(i int, g Frame, j int) int {
	c := f.Times[i].Compare(g.Times[j])
	if c == 0 && f.Instruments != nil && g.Instruments != nil {
		c = cmp.Compare(f.Instruments[i], g.Instruments[j])
	}
	return c
}

// Sorted returns f with its rows in order of time, then instrument; equal keys keep their order. It shares nothing with f.
func (f Frame) Sorted() Frame {
	order := make([]int, f.Len())
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return f.CompareRows(i, f, j) })
	return f.Rows(order)
}

// Rows returns the rows of f at the given places, in that order.
func (f Frame) Rows(at []int) Frame {
	out := Frame{Times: pick(f.Times, at), Columns: make([]Column, len(f.Columns))}
	if f.Instruments != nil {
		out.Instruments = pick(f.Instruments, at)
	}
	for i, c := range f.Columns {
		out.Columns[i] = Column{c.Name, pick(c.Values, at)}
	}
	return out
}

func pick[T any](from []T, at []int) []T {
	out := make([]T, len(at))
	for i, j := range at {
		out[i] = from[j]
	}
	return out
}

// String returns the frame's shape, for messages.
func (f Frame) String() string {
	return fmt.Sprintf("frame of %d rows × %d columns", f.Len(), len(f.Columns))
}
