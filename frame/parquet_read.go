package frame

import (
	"fmt"
	"math"

	"github.com/foldstream/foldstream"
)

// ReadParquet reads a Parquet file of flat columns: times without a zone and dates, texts, and numbers, of which null
// is missing; whole numbers and truth values become numbers. It reads what WriteParquet, pandas, Polars and DuckDB write: pages of
// both versions, plain or with a dictionary, uncompressed or by Snappy, Zstandard or gzip.
//
// A file may come from anybody. Nothing is allocated on its word alone: reading takes no more than about 16 MiB and 64
// bytes for each byte of the file, and never more than 1 GiB. That leaves room for every honest file but one in which nearly
// all values are the same. Errors: Invalid (naming the column, where it is of one), TooLarge.
func ReadParquet(data []byte) (Table, error) {
	budget := budget(min(16<<20+64*int64(len(data)), 1<<30))
	t, err := readParquet(data, &budget)
	if err != nil && !foldstream.Is(err, foldstream.TooLarge) {
		err = foldstream.Errorf(foldstream.Invalid, "parquet", "the file cannot be read: %w", err)
	}
	return t, err
}

func readParquet(data []byte, budget *budget) (Table, error) {
	f, err := readFooter(data)
	if err != nil {
		return Table{}, err
	}
	t := Table{Columns: make([]Column, len(f.columns))}
	for i, l := range f.columns {
		c := reading{leaf: l, budget: budget}
		if err := c.column(data, f, i); err != nil {
			return Table{}, foldstream.E(foldstream.KindOf(err), "", fmt.Errorf("column %q: %w", l.name, err))
		}
		t.Columns[i] = c.into
	}
	return t, t.Validate()
}

// column reads the i-th column of a file.
func (c *reading) column(data []byte, f footer, i int) (err error) {
	if c.read, c.width, err = c.decoder(); err != nil {
		return err
	}
	if err := c.budget.take(c.width * f.rows); err != nil {
		return err
	}
	c.into = c.begin(int(f.rows))
	for _, g := range f.groups {
		if err := c.chunk(data, g.chunks[i]); err != nil {
			return err
		}
	}
	return nil
}

// begin returns the column with room for its rows; it is not nil, as that says what the values are.
func (c *reading) begin(rows int) Column {
	into := Column{Name: c.name}
	switch c.width {
	case widthTime:
		into.Times = make([]foldstream.Time, 0, rows)
	case widthText:
		into.Texts = make([]string, 0, rows)
	default:
		into.Numbers = make([]float64, 0, rows)
	}
	return into
}

// missing puts a missing value behind those that are there.
func (c *reading) missing() {
	switch {
	case c.into.Times != nil:
		c.into.Times = append(c.into.Times, foldstream.Time{})
	case c.into.Texts != nil:
		c.into.Texts = append(c.into.Texts, "")
	default:
		c.into.Numbers = append(c.into.Numbers, math.NaN())
	}
}
