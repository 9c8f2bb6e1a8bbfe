package collect

import (
	"context"
	"encoding/csv"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/foldstream/foldstream"
)

// WriteCSV writes the merged series of all groups, in key order, and of the ensemble, last: a row a session and instrument. The
// columns are "configuration" (the key's text, or "ensemble"), one for each choice of the keys, "time", "instrument", and the
// columns of the series. A missing value is empty. Groups without a series yet are left out. Errors: those of LoadFrame and of w.
func WriteCSV(ctx context.Context, w io.Writer, store foldstream.Store, c Collection) error {
	t := csvTable{out: csv.NewWriter(w), choices: choiceNames(c.Groups)}
	if err := eachFrame(ctx, store, c, t.note); err != nil {
		return err
	}
	if err := t.out.Write(slices.Concat([]string{"configuration"}, t.choices, []string{"time", "instrument"}, t.columns)); err != nil {
		return err
	}
	if err := eachFrame(ctx, store, c, t.write); err != nil {
		return err
	}
	t.out.Flush()
	return t.out.Error()
}

// eachFrame loads one series after the other, so that no more than one is held.
func eachFrame(ctx context.Context, store foldstream.Store, c Collection, do func(label string, key foldstream.Key, f foldstream.Frame) error) error {
	one := func(label string, g Group) error {
		if g.Frame.IsEmpty() {
			return nil
		}
		f, err := LoadFrame(ctx, store, g)
		if err != nil {
			return err
		}
		return do(label, g.Key, f)
	}
	for _, g := range c.Groups {
		if err := one(g.Key.String(), g); err != nil {
			return err
		}
	}
	if c.Ensemble == nil {
		return nil
	}
	return one("ensemble", *c.Ensemble)
}

// csvTable writes frames below each other.
type csvTable struct {
	choices []string
	columns []string // of all frames, in order of appearance
	out     *csv.Writer
}

// note adds a frame's columns to those of the table.
func (t *csvTable) note(_ string, _ foldstream.Key, f foldstream.Frame) error {
	for _, c := range f.Columns {
		if !slices.Contains(t.columns, c.Name) {
			t.columns = append(t.columns, c.Name)
		}
	}
	return nil
}

func (t *csvTable) write(label string, key foldstream.Key, f foldstream.Frame) error {
	row := []string{label}
	for _, name := range t.choices {
		row = append(row, key.Get(name))
	}
	values := mapEach(t.columns, func(name string) []float64 { return columnOrNaN(f, name) })
	fixed := len(row)
	for i, at := range f.Times {
		row = append(row[:fixed], at.String(), "")
		if f.Instruments != nil {
			row[fixed+1] = f.Instruments[i]
		}
		for _, v := range values {
			row = append(row, number(v[i]))
		}
		if err := t.out.Write(row); err != nil {
			return err
		}
	}
	return nil
}

func number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

func choiceNames(groups []Group) []string {
	var names []string
	for _, g := range groups {
		for _, c := range g.Key {
			if !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	return names
}
