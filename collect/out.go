package collect

import (
	"context"
	"io"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/frame"
	"github.com/foldstream/foldstream/internal/wire"
)

// WriteTable writes a collection's table in a format, see TableOf. Errors: Invalid (an unknown format), those of w.
func WriteTable(w io.Writer, format frame.Format, c Collection) error {
	return frame.Write(w, format, TableOf(c))
}

// WriteSeries writes a collection's series in a format, see SeriesOf. Errors: those of SeriesOf, Invalid (an unknown format), those
// of w.
func WriteSeries(ctx context.Context, w io.Writer, format frame.Format, store foldstream.Store, c Collection) error {
	t, err := SeriesOf(ctx, store, c)
	if err != nil {
		return err
	}
	return frame.Write(w, format, t)
}

// TableOf returns the table of configurations, in the order of Table: a row each and the column "configuration", with the text of
// its key or "ensemble"; "key.NAME" for each choice of any of them; the metrics, missing where they could not be computed; how
// many windows are "present", "expected" and "failed". That of an incomplete collection is marked, see MarkColumn.
func TableOf(c Collection) frame.Table {
	rows := Table(c)
	t := frame.Table{Columns: append(mark(c, len(rows)), frame.Column{Name: "configuration", Texts: wire.Each(rows, Row.name)})}
	for _, name := range choices(rows) {
		t.Columns = append(t.Columns, frame.Column{Name: "key." + name, Texts: wire.Each(rows, func(r Row) string { return r.Key.Get(name) })})
	}
	for _, m := range []struct {
		name string
		of   func(Row) float64
	}{
		{MetricIC, func(r Row) float64 { return r.IC }},
		{MetricICIR, func(r Row) float64 { return r.ICIR }},
		{MetricRankIC, func(r Row) float64 { return r.RankIC }},
		{MetricRankICIR, func(r Row) float64 { return r.RankICIR }},
		{MetricAnnualReturn, func(r Row) float64 { return r.AnnualReturn }},
		{MetricInformationRatio, func(r Row) float64 { return r.InformationRatio }},
		{MetricMaxDrawdown, func(r Row) float64 { return r.MaxDrawdown }},
	} {
		t.Columns = append(t.Columns, frame.Column{Name: m.name, Numbers: wire.Each(rows, m.of)})
	}
	return frame.Table{Columns: append(t.Columns,
		frame.Column{Name: "present", Counts: wire.Each(rows, func(r Row) int { return r.Present })},
		frame.Column{Name: "expected", Counts: wire.Each(rows, func(r Row) int { return r.Expected })},
		frame.Column{Name: "failed", Counts: wire.Each(rows, func(r Row) int { return r.Failed })})}
}

// MarkColumn is the first column of every table and series of an incomplete collection: what of it is there, in each row, so that no
// reader takes it for a complete one. That of a complete collection has no such column.
const MarkColumn = "incomplete"

// mark returns the mark of so many rows, none of a complete collection.
func mark(c Collection, rows int) []frame.Column {
	if c.Coverage.Complete() {
		return nil
	}
	return []frame.Column{{Name: MarkColumn, Texts: slices.Repeat([]string{c.Coverage.String()}, rows)}}
}

// ensembleName is what tables call the ensemble.
const ensembleName = "ensemble"

func (r Row) name() string {
	if r.Ensemble {
		return ensembleName
	}
	return r.Key.String()
}

// choices returns the names of the rows' choices in order of appearance.
func choices(rows []Row) (names []string) {
	for _, r := range rows {
		for _, c := range r.Key {
			if !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	return names
}

// SeriesOf returns the merged series of a collection beside each other: a row a session and instrument, and the columns "datetime",
// "instrument" (where the series have it), the one-session return that the spec names (where they have that), the scores of each group, named by its key's
// text ("score" where that is empty), and "ensemble" where there is one. Groups without a series yet are left out. That of an incomplete
// collection is marked, see MarkColumn. It holds a column a group. Errors: those of LoadFrame; Differs (two series disagree on a return), Invalid (some have instruments and some have not).
func SeriesOf(ctx context.Context, store foldstream.Store, c Collection) (frame.Table, error) {
	s := sideBySide{spec: defaults(c.Spec)}
	for _, g := range c.Groups {
		if err := s.load(ctx, store, g.Key.String(), g); err != nil {
			return frame.Table{}, err
		}
	}
	if c.Ensemble != nil {
		if err := s.load(ctx, store, ensembleName, *c.Ensemble); err != nil {
			return frame.Table{}, err
		}
	}
	returns, err := agree(s.index, s.frames, s.spec.Return)
	if err != nil {
		return frame.Table{}, err
	}
	t := frame.Of(s.frame(returns))
	return frame.Table{Columns: append(mark(c, t.Len()), t.Columns...)}, nil
}

// sideBySide is the series of a collection.
type sideBySide struct {
	spec   foldstream.CollectionSpec
	index  foldstream.Frame // the rows of all
	names  []string
	frames []foldstream.Frame // beside names; the scores and the returns alone
}

// load adds the series of a group.
func (s *sideBySide) load(ctx context.Context, store foldstream.Store, name string, g Group) error {
	if g.Frame.IsEmpty() {
		return nil
	}
	f, err := LoadFrame(ctx, store, g)
	if err != nil || f.Len() == 0 {
		return err
	}
	columns := []foldstream.Column{{Name: s.spec.Score, Values: columnOrNaN(f, s.spec.Score)}}
	if values := f.Column(s.spec.Return); values != nil {
		columns = append(columns, foldstream.Column{Name: s.spec.Return, Values: values})
	}
	f.Columns = columns
	if s.index.Len() > 0 && (f.Instruments == nil) != (s.index.Instruments == nil) {
		return foldstream.Errorf(foldstream.Invalid, "collection", "the series %q and those before it do not both have instruments", name)
	}
	if name == "" {
		name = s.spec.Score
	}
	s.index = union(s.index, f)
	s.names, s.frames = append(s.names, name), append(s.frames, f)
	return nil
}

// frame returns all as one; the frames are gone then.
func (s *sideBySide) frame(returns []float64) foldstream.Frame {
	out := s.index
	if returns != nil {
		out.Columns = append(out.Columns, foldstream.Column{Name: s.spec.Return, Values: returns})
	}
	for i, f := range s.frames {
		out.Columns = append(out.Columns, foldstream.Column{Name: s.names[i], Values: align(s.index, f, f.Column(s.spec.Score))})
		s.frames[i] = foldstream.Frame{}
	}
	return out
}
