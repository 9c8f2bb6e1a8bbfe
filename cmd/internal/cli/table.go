package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/foldstream/foldstream/collect"
)

// printJSON writes v as one JSON object.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// printList prints a list: as JSON, by its names alone, or as a table.
func printList[T any](w io.Writer, asJSON, names bool, all []T, name func(T) string, t table.Writer) error {
	switch {
	case asJSON:
		return printJSON(w, all)
	case names:
		for _, one := range all {
			if _, err := fmt.Fprintln(w, name(one)); err != nil {
				return err
			}
		}
		return nil
	}
	t.Render()
	return nil
}

// newTable returns a table in the house's look.
func newTable(w io.Writer, header ...any) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(w)
	style := table.StyleRounded
	style.Format.Header = text.FormatDefault
	style.Format.Footer = text.FormatDefault
	t.SetStyle(style)
	t.AppendHeader(header)
	return t
}

// rightFrom aligns the columns from the n-th (from 1) on to the right.
func rightFrom(t table.Writer, n, columns int) {
	var configs []table.ColumnConfig
	for i := n; i <= columns; i++ {
		configs = append(configs, table.ColumnConfig{Number: i, Align: text.AlignRight, AlignHeader: text.AlignRight, AlignFooter: text.AlignRight})
	}
	t.SetColumnConfigs(configs)
}

// printCollection writes the table of configurations, the ensemble last.
func printCollection(w io.Writer, c collect.Collection) {
	t := newTable(w, "configuration", "IC", "ICIR", "rank IC", "annual return", "inf. ratio", "max drawdown", "windows")
	rightFrom(t, 2, 8)
	for _, r := range collect.Table(c) {
		row := table.Row{r.Key.String(), number(r.IC, 4), number(r.ICIR, 3), number(r.RankIC, 4),
			percent(r.AnnualReturn), number(r.InformationRatio, 2), percent(r.MaxDrawdown), windows(r)}
		if r.Ensemble {
			row[0] = "ensemble"
			t.AppendFooter(row)
			continue
		}
		t.AppendRow(row)
	}
	t.Render()
}

func windows(r collect.Row) string {
	s := fmt.Sprintf("%d of %d", r.Present, r.Expected)
	if r.Failed > 0 {
		s += fmt.Sprintf(", %d failed", r.Failed)
	}
	return s
}

// number writes v with so many decimals, "–" where it is not a number.
func number(v float64, decimals int) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.*f", decimals, v)
}

func percent(v float64) string {
	if math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*v)
}
