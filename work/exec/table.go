package exec

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/foldstream/foldstream"
)

// Table is a frame as pandas writes it with orient="split": columns[0] is "datetime", columns[1] may be "instrument", the
// others are numbers, null where missing. An index is ignored.
type Table struct {
	Columns []string            `json:"columns"`
	Data    [][]json.RawMessage `json:"data"`
	Index   json.RawMessage     `json:"index,omitempty"`
}

const (
	timeColumn       = "datetime"
	instrumentColumn = "instrument"
)

// frame reads the table. Rows are put in order. The error names row and column.
func (t Table) frame() (foldstream.Frame, error) {
	var f foldstream.Frame
	if len(t.Columns) == 0 || t.Columns[0] != timeColumn {
		return f, fmt.Errorf("columns %q do not start with %q", t.Columns, timeColumn)
	}
	keys := 1
	if len(t.Columns) > 1 && t.Columns[1] == instrumentColumn {
		keys = 2
		f.Instruments = make([]string, len(t.Data))
	}
	f.Times = make([]foldstream.Time, len(t.Data))
	for _, name := range t.Columns[keys:] {
		f.Columns = append(f.Columns, foldstream.Column{Name: name, Values: make([]float64, len(t.Data))})
	}
	for i, row := range t.Data {
		if len(row) != len(t.Columns) {
			return f, fmt.Errorf("row %d has %d values for %d columns", i+1, len(row), len(t.Columns))
		}
		for j, raw := range row {
			if err := json.Unmarshal(raw, cell(&f, i, j, keys)); err != nil {
				return f, fmt.Errorf("row %d, column %q: %w", i+1, t.Columns[j], err)
			}
		}
		if f.Times[i].IsOpen() || keys == 2 && f.Instruments[i] == "" {
			return f, fmt.Errorf("row %d has no %s", i+1, strings.Join(t.Columns[:keys], " or no "))
		}
	}
	if err := f.Validate(); err != nil {
		return f, err
	}
	return f.Sorted(), nil
}

// cell returns where the cell of row i and column j goes.
func cell(f *foldstream.Frame, i, j, keys int) any {
	switch {
	case j == 0:
		return &f.Times[i]
	case j < keys:
		return &f.Instruments[i]
	}
	return (*Number)(&f.Columns[j-keys].Values[i])
}

// table writes a frame.
func table(f foldstream.Frame) Table {
	t := Table{Columns: []string{timeColumn}, Data: make([][]json.RawMessage, f.Len())}
	if f.Instruments != nil {
		t.Columns = append(t.Columns, instrumentColumn)
	}
	for _, c := range f.Columns {
		t.Columns = append(t.Columns, c.Name)
	}
	for i := range t.Data {
		cells := []any{f.Times[i]}
		if f.Instruments != nil {
			cells = append(cells, f.Instruments[i])
		}
		for _, c := range f.Columns {
			cells = append(cells, Number(c.Values[i]))
		}
		for _, c := range cells {
			raw, _ := json.Marshal(c) // times, texts and Numbers always can be
			t.Data[i] = append(t.Data[i], raw)
		}
	}
	return t
}
