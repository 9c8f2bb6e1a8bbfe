package frame

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/foldstream/foldstream"
)

// Format is a form of a file that a Table can be written in.
type Format string

// The formats.
const (
	CSV      Format = "csv"      // a header, then a line a row; a missing value is empty
	JSON     Format = "json"     // a list of objects, one a line; a missing value is null
	Markdown Format = "markdown" // a table for people: numbers with six digits
	Parquet  Format = "parquet"  // see WriteParquet
)

// Formats lists the formats.
func Formats() []Format { return []Format{CSV, JSON, Markdown, Parquet} }

// Extension returns how the names of the format's files end, with the dot.
func (f Format) Extension() string {
	if f == Markdown {
		return ".md"
	}
	return "." + string(f)
}

// Write writes a table in a format. In all but Markdown a number reads back as it is. Equal tables give equal bytes.
// Errors: Invalid (an unknown format, as Table.Validate), those of w.
func Write(w io.Writer, format Format, t Table) error {
	if err := t.Validate(); err != nil {
		return err
	}
	write := map[Format]func(io.Writer, Table) error{CSV: writeCSV, JSON: writeJSON, Markdown: writeMarkdown, Parquet: WriteParquet}[format]
	if write == nil {
		return foldstream.Errorf(foldstream.Invalid, "table", "the format %q is not one of %q", format, Formats())
	}
	return write(w, t)
}

func writeCSV(w io.Writer, t Table) error {
	out := csv.NewWriter(w)
	row := make([]string, len(t.Columns))
	for j, c := range t.Columns {
		row[j] = c.Name
	}
	err := out.Write(row)
	for i := 0; i < t.Len() && err == nil; i++ {
		for j, c := range t.Columns {
			row[j] = c.text(i)
		}
		err = out.Write(row)
	}
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	return err
}

func writeJSON(w io.Writer, t Table) error {
	out := bufio.NewWriter(w)
	keys := make([]string, len(t.Columns))
	for j, c := range t.Columns {
		key, err := json.Marshal(c.Name)
		if err != nil {
			return err
		}
		keys[j] = string(key) + ":"
	}
	open := "[\n{"
	for i := range t.Len() {
		_, _ = out.WriteString(open) // its first error stays and Flush returns it
		open = ",\n{"
		for j, c := range t.Columns {
			if j > 0 {
				_ = out.WriteByte(',')
			}
			_, _ = out.WriteString(keys[j] + c.json(i))
		}
		_ = out.WriteByte('}')
	}
	if t.Len() == 0 {
		_ = out.WriteByte('[')
	}
	_, _ = out.WriteString("\n]\n")
	return out.Flush()
}

// json returns the value of row i. An infinity, which JSON does not have, is null as well.
func (c Column) json(i int) string {
	if s := c.text(i); c.Texts != nil || c.Times != nil && s != "" {
		text, _ := json.Marshal(s) // a text always can be
		return string(text)
	} else if s != "" && (c.Numbers == nil || !math.IsInf(c.Numbers[i], 0)) {
		return s
	}
	return "null"
}

func writeMarkdown(w io.Writer, t Table) error {
	if len(t.Columns) == 0 {
		return nil
	}
	rows := make([][]string, 0, t.Len()+1)
	widths := make([]int, len(t.Columns))
	for i := -1; i < t.Len(); i++ {
		row := make([]string, len(t.Columns))
		for j, c := range t.Columns {
			row[j] = c.markdown(i)
			widths[j] = max(widths[j], 3, len([]rune(row[j])))
		}
		rows = append(rows, row)
	}
	rules := make([]string, len(t.Columns))
	for j, c := range t.Columns {
		if rules[j] = strings.Repeat("-", widths[j]); c.right() {
			rules[j] = rules[j][1:] + ":"
		}
	}
	out := bufio.NewWriter(w)
	for _, row := range slices.Insert(rows, 1, rules) {
		for j, cell := range row {
			if width := widths[j]; t.Columns[j].right() {
				fmt.Fprintf(out, "| %*s ", width, cell)
			} else {
				fmt.Fprintf(out, "| %-*s ", width, cell)
			}
		}
		_, _ = out.WriteString("|\n") // its first error stays and Flush returns it
	}
	return out.Flush()
}

// right reports whether the values stand to the right: numbers do.
func (c Column) right() bool { return c.Times == nil && c.Texts == nil }

// markdown returns the cell of row i; row −1 is the header.
func (c Column) markdown(i int) string {
	s := c.Name
	switch {
	case i < 0:
	case c.Numbers != nil && !math.IsNaN(c.Numbers[i]):
		s = strconv.FormatFloat(c.Numbers[i], 'g', 6, 64)
	default:
		s = c.text(i)
	}
	return strings.NewReplacer("|", `\|`, "\n", " ", "\r", " ").Replace(s)
}
