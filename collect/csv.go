package collect

import (
	"context"
	"encoding/csv"
	"io"
	"math"
	"strconv"

	"github.com/foldstream/foldstream"
)

// WriteCSV writes the collection as one table: a row a session and instrument, and the columns "time", "instrument", the
// one-session return that the spec names (where the series have it), the scores of each group, named by its key's text, and
// "ensemble" where there is one. A missing value is empty. Groups without a series yet are left out. It holds a column a group.
// Errors: those of LoadFrame and of w; Differs (two series disagree on a return).
func WriteCSV(ctx context.Context, w io.Writer, store foldstream.Store, c Collection) error {
	spec := defaults(c.Spec)
	var t csvTable
	for _, g := range c.Groups {
		if err := t.load(ctx, store, g.Key.String(), g, spec); err != nil {
			return err
		}
	}
	if c.Ensemble != nil {
		if err := t.load(ctx, store, "ensemble", *c.Ensemble, spec); err != nil {
			return err
		}
	}
	returns, err := agree(t.index, t.frames, spec.Return)
	if err != nil {
		return err
	}
	return t.write(w, spec, returns)
}

// csvTable is the series of a collection beside each other.
type csvTable struct {
	index  foldstream.Frame // the rows of all
	names  []string
	frames []foldstream.Frame // beside names; the scores and the returns alone
}

// load adds the series of a group.
func (t *csvTable) load(ctx context.Context, store foldstream.Store, name string, g Group, spec foldstream.CollectionSpec) error {
	if g.Frame.IsEmpty() {
		return nil
	}
	f, err := LoadFrame(ctx, store, g)
	if err != nil || f.Len() == 0 {
		return err
	}
	columns := []foldstream.Column{{Name: spec.Score, Values: columnOrNaN(f, spec.Score)}}
	if values := f.Column(spec.Return); values != nil {
		columns = append(columns, foldstream.Column{Name: spec.Return, Values: values})
	}
	f.Columns = columns
	t.index = union(t.index, f)
	t.names, t.frames = append(t.names, name), append(t.frames, f)
	return nil
}

func (t *csvTable) write(w io.Writer, spec foldstream.CollectionSpec, returns []float64) error {
	out := csv.NewWriter(w)
	header := []string{"time", "instrument"}
	var columns [][]float64
	if returns != nil {
		header, columns = append(header, spec.Return), append(columns, returns)
	}
	for i, f := range t.frames {
		columns = append(columns, align(t.index, f, f.Column(spec.Score)))
		t.frames[i].Columns = nil // its scores are in columns now
	}
	if err := out.Write(append(header, t.names...)); err != nil {
		return err
	}
	row := make([]string, 2+len(columns))
	for i, at := range t.index.Times {
		row[0] = at.String()
		if t.index.Instruments != nil {
			row[1] = t.index.Instruments[i]
		}
		for j, values := range columns {
			row[2+j] = number(values[i])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// number writes v so that it reads back as v; nothing for a missing value.
func number(v float64) string {
	if math.IsNaN(v) {
		return ""
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}
