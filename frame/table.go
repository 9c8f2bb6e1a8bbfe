package frame

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/foldstream/foldstream"
)

// Table is a table of named columns, as files have it. The zero Table is empty.
type Table struct {
	Columns []Column
}

// Column is one named column of a Table. One of its fields has the values, a row each; in a column without rows none has.
type Column struct {
	Name    string
	Times   []foldstream.Time // an open end is a missing value
	Texts   []string
	Numbers []float64 // NaN is a missing value
	Counts  []int
}

// The columns of a Table that are the keys of a Frame's rows. They are Qlib's names of the two levels.
const (
	TimeColumn       = "datetime"
	InstrumentColumn = "instrument"
)

// Of returns a frame as a table: its times, its instruments where it has them, its columns. They share their values.
func Of(f foldstream.Frame) Table {
	times := f.Times
	if times == nil {
		times = []foldstream.Time{} // they are times, be there none
	}
	t := Table{Columns: []Column{{Name: TimeColumn, Times: times}}}
	if f.Instruments != nil {
		t.Columns = append(t.Columns, Column{Name: InstrumentColumn, Texts: f.Instruments})
	}
	for _, c := range f.Columns {
		t.Columns = append(t.Columns, Column{Name: c.Name, Numbers: c.Values})
	}
	return t
}

// Len returns the number of rows.
func (t Table) Len() int {
	if len(t.Columns) == 0 {
		return 0
	}
	return t.Columns[0].Len()
}

// Len returns the number of rows.
func (c Column) Len() int {
	return max(len(c.Times), len(c.Texts), len(c.Numbers), len(c.Counts))
}

// Validate reports columns of different lengths and names that stand twice. Errors: Invalid.
func (t Table) Validate() error {
	seen := map[string]bool{}
	for _, c := range t.Columns {
		if c.Len() != t.Len() {
			return foldstream.Errorf(foldstream.Invalid, "table", "column %q has %d values for %d rows", c.Name, c.Len(), t.Len())
		}
		if seen[c.Name] {
			return foldstream.Errorf(foldstream.Invalid, "table", "column %q stands twice", c.Name)
		}
		seen[c.Name] = true
	}
	return nil
}

// Frame returns the table as a frame, with its rows as they stand. The column "datetime" has the times, as such or as
// text; "instrument", where there is one, has texts; all others are numbers. Errors: Invalid, naming the column.
func (t Table) Frame() (foldstream.Frame, error) {
	var f foldstream.Frame
	if err := t.Validate(); err != nil {
		return f, err
	}
	at := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == TimeColumn })
	if at < 0 {
		return f, foldstream.Errorf(foldstream.Invalid, "frame", "no column %q; there are %s", TimeColumn, t.names())
	}
	var err error
	if f.Times, err = t.Columns[at].times(); err != nil {
		return f, err
	}
	for _, c := range t.Columns {
		switch c.Name {
		case TimeColumn:
		case InstrumentColumn:
			if f.Instruments = c.Texts; c.Texts == nil {
				return f, foldstream.Errorf(foldstream.Invalid, "frame", "column %q has no texts", c.Name)
			}
		default:
			values, err := c.numbers()
			if err != nil {
				return f, err
			}
			f.Columns = append(f.Columns, foldstream.Column{Name: c.Name, Values: values})
		}
	}
	return f, nil
}

func (t Table) names() string {
	var names []string
	for _, c := range t.Columns {
		names = append(names, strconv.Quote(c.Name))
	}
	return strings.Join(names, ", ")
}

func (c Column) times() ([]foldstream.Time, error) {
	if c.Texts == nil {
		if len(c.Times) < c.Len() {
			return nil, foldstream.Errorf(foldstream.Invalid, "frame", "column %q has no times", c.Name)
		}
		return c.Times, nil
	}
	times := make([]foldstream.Time, len(c.Texts))
	for i, s := range c.Texts {
		if i > 0 && s == c.Texts[i-1] {
			times[i] = times[i-1]
		} else if err := times[i].UnmarshalText([]byte(s)); err != nil {
			return nil, foldstream.Errorf(foldstream.Invalid, "frame", "row %d, column %q: %w", i+1, c.Name, err)
		}
	}
	return times, nil
}

func (c Column) numbers() ([]float64, error) {
	if c.Counts != nil {
		values := make([]float64, len(c.Counts))
		for i, n := range c.Counts {
			values[i] = float64(n)
		}
		return values, nil
	}
	if len(c.Numbers) < c.Len() {
		return nil, foldstream.Errorf(foldstream.Invalid, "frame", "column %q has no numbers", c.Name)
	}
	return c.Numbers, nil
}

// text returns the value of row i so that it reads back as it is; "" for a missing one.
func (c Column) text(i int) string {
	switch {
	case c.Times != nil:
		return c.Times[i].String()
	case c.Texts != nil:
		return c.Texts[i]
	case c.Counts != nil:
		return strconv.Itoa(c.Counts[i])
	case math.IsNaN(c.Numbers[i]):
		return ""
	}
	return strconv.FormatFloat(c.Numbers[i], 'g', -1, 64)
}

// String returns the table's shape, for messages.
func (t Table) String() string {
	return fmt.Sprintf("table of %d rows × %d columns", t.Len(), len(t.Columns))
}
