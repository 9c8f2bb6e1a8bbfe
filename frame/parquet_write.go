package frame

import (
	"encoding/json"
	"io"
	"math"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/foldstream/foldstream"
)

const (
	groupRows = 1 << 20 // rows of a row group
	batch     = 1 << 12 // values that are handed over at once
)

// WriteParquet writes a table as a Parquet file without compression (scores are close to noise; keys are dictionaries): times
// as TIMESTAMP without a zone, in microseconds, or in nanoseconds where a time has such; texts as STRING; numbers as
// DOUBLE with null for NaN; counts as INT64. pandas reads the columns "datetime" and "instrument" as its index, as Qlib
// has it. Equal tables give equal bytes, with one version of this program. Errors: Invalid (as Validate; a time that does not fit), those of w.
func WriteParquet(w io.Writer, t Table) error {
	if err := t.Validate(); err != nil {
		return err
	}
	root, err := schemaOf(t)
	if err != nil {
		return err
	}
	hint, err := pandasHint(t)
	if err != nil {
		return err
	}
	out := parquet.NewWriter(w, parquet.NewSchema("table", root),
		parquet.CreatedBy("foldstream", "1", ""), parquet.Compression(&parquet.Uncompressed), parquet.KeyValueMetadata("pandas", hint))
	for from := 0; from < t.Len(); from += groupRows {
		to := min(from+groupRows, t.Len())
		for i, column := range out.ColumnWriters() {
			if err := writeColumn(column, t.Columns[i], root.columns[i].nanos, from, to); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
	return out.Close()
}

func writeColumn(w *parquet.ColumnWriter, c Column, nanos bool, from, to int) error {
	values, texts := make([]parquet.Value, 0, batch), map[string]parquet.Value{}
	for i := from; i < to; i++ {
		if c.Texts == nil {
			values = append(values, c.value(i, nanos))
		} else {
			values = append(values, textValue(texts, c.Texts[i]))
		}
		if len(values) == batch || i == to-1 {
			if _, err := w.WriteRowValues(values); err != nil {
				return err
			}
			values = values[:0]
		}
	}
	return w.Flush()
}

// textValue returns a text, whose bytes are copied once, be it in however many rows.
func textValue(seen map[string]parquet.Value, s string) parquet.Value {
	v, ok := seen[s]
	if !ok {
		v = parquet.ByteArrayValue([]byte(s)).Level(0, 0, 0)
		seen[s] = v
	}
	return v
}

// value returns the time or the number of row i with its levels.
func (c Column) value(i int, nanos bool) parquet.Value {
	switch {
	case c.Times != nil && c.Times[i].IsOpen(), c.Numbers != nil && math.IsNaN(c.Numbers[i]):
		return parquet.NullValue().Level(0, 0, 0)
	case c.Times != nil && nanos:
		return parquet.Int64Value(c.Times[i].Std().UnixNano()).Level(0, 1, 0)
	case c.Times != nil:
		return parquet.Int64Value(c.Times[i].Std().UnixMicro()).Level(0, 1, 0)
	case c.Counts != nil:
		return parquet.Int64Value(int64(c.Counts[i])).Level(0, 0, 0)
	}
	return parquet.DoubleValue(c.Numbers[i]).Level(0, 1, 0)
}

// schema is a group whose columns keep their order; parquet.Group sorts them by name.
type schema struct {
	parquet.Group
	columns []schemaColumn
}

type schemaColumn struct {
	parquet.Field
	nanos bool // of times: they are stored in nanoseconds
}

// Fields returns the columns in order.
func (s schema) Fields() []parquet.Field {
	fields := make([]parquet.Field, len(s.columns))
	for i, c := range s.columns {
		fields[i] = c.Field
	}
	return fields
}

func schemaOf(t Table) (schema, error) {
	s := schema{columns: make([]schemaColumn, len(t.Columns))}
	for i, c := range t.Columns {
		node, nanos, err := nodeOf(c)
		if err != nil {
			return s, err
		}
		s.columns[i] = schemaColumn{parquet.Group{c.Name: node}.Fields()[0], nanos}
	}
	return s, nil
}

func nodeOf(c Column) (node parquet.Node, nanos bool, err error) {
	switch {
	case c.Times != nil:
		unit := parquet.Microsecond
		for _, at := range c.Times {
			nanos = nanos || at.Std().Nanosecond()%1000 != 0
		}
		if nanos {
			unit = parquet.Nanosecond
			err = fitsNanos(c)
		}
		return parquet.Optional(parquet.Encoded(parquet.TimestampAdjusted(unit, false), &parquet.RLEDictionary)), nanos, err
	case c.Texts != nil:
		return parquet.Encoded(parquet.String(), &parquet.RLEDictionary), false, nil
	case c.Counts != nil:
		return parquet.Int(64), false, nil
	}
	return parquet.Optional(parquet.Leaf(parquet.DoubleType)), false, nil
}

// fitsNanos reports a time that an int64 of nanoseconds does not hold.
func fitsNanos(c Column) error {
	low, high := time.Unix(0, math.MinInt64), time.Unix(0, math.MaxInt64)
	for i, at := range c.Times {
		if !at.IsOpen() && (at.Std().Before(low) || at.Std().After(high)) {
			return foldstream.Errorf(foldstream.Invalid, "parquet", "row %d, column %q: with nanoseconds in the column, %s does not fit", i+1, c.Name, at)
		}
	}
	return nil
}

// pandasHint tells pandas which columns are the index (https://pandas.pydata.org/docs/development/developer.html).
func pandasHint(t Table) (string, error) {
	type column struct {
		Name   string `json:"name"`
		Field  string `json:"field_name"`
		Pandas string `json:"pandas_type"`
		Numpy  string `json:"numpy_type"`
	}
	hint := struct {
		Index   []string `json:"index_columns"`
		Labels  []string `json:"column_indexes"`
		Columns []column `json:"columns"`
		Creator struct {
			Library string `json:"library"`
			Version string `json:"version"`
		} `json:"creator"`
		Version string `json:"pandas_version"`
	}{Index: []string{}, Labels: []string{}, Columns: []column{}, Version: "1.5.3"}
	hint.Creator.Library, hint.Creator.Version = "foldstream", "1"
	for _, c := range t.Columns {
		kind, numpy := "float64", "float64"
		switch {
		case c.Times != nil:
			kind, numpy = "datetime", "datetime64[ns]"
		case c.Texts != nil:
			kind, numpy = "unicode", "object"
		case c.Counts != nil:
			kind, numpy = "int64", "int64"
		}
		if c.Name == TimeColumn || c.Name == InstrumentColumn {
			hint.Index = append(hint.Index, c.Name)
		}
		hint.Columns = append(hint.Columns, column{c.Name, c.Name, kind, numpy})
	}
	text, err := json.Marshal(hint)
	return string(text), err
}
