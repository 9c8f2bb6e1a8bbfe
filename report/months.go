package report

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/foldstream/foldstream/collect"
)

// monthsTable is the mean IC of each month: a row a year, and the year's mean at its end.
type monthsTable struct {
	Name   string // whose
	Months []string
	Rows   []monthsRow
}

type monthsRow struct {
	Year  string
	Cells []monthCell // 12, and the year
}

// monthCell is a mean; Shade is its class, "" where there is none.
type monthCell struct{ Shade, Text, Title string }

// maxYears is how many years the table has; of more there are the last.
const maxYears = 60

// monthsView shows the IC of g by month. It is nil where there is none.
func monthsView(g collect.Group, name string) *monthsTable {
	values, places := g.Daily.Column("ic"), map[[2]int][]int{}
	var years []int
	for i, t := range g.Daily.Times {
		if i >= len(values) || !drawable(values[i]) {
			continue
		}
		y, m := t.Std().Year(), int(t.Std().Month())
		if len(places[[2]int{y, 0}]) == 0 {
			years = append(years, y)
		}
		places[[2]int{y, m}] = append(places[[2]int{y, m}], i)
		places[[2]int{y, 0}] = append(places[[2]int{y, 0}], i)
	}
	if len(years) == 0 {
		return nil
	}
	slices.Sort(years)
	years = years[max(0, len(years)-maxYears):]
	table := &monthsTable{Name: name}
	for m := range 12 {
		table.Months = append(table.Months, time.Month(m + 1).String()[:3])
	}
	strong := strongestMonth(values, places)
	for _, y := range years {
		row := monthsRow{Year: fmt.Sprint(y)}
		for m := range 13 {
			at := places[[2]int{y, (m + 1) % 13}]
			row.Cells = append(row.Cells, monthCellOf(mean(values, at), len(at), strong))
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

func strongestMonth(values []float64, places map[[2]int][]int) float64 {
	var sizes []float64
	for month, at := range places {
		if month[1] > 0 {
			sizes = append(sizes, math.Abs(mean(values, at)))
		}
	}
	return strongest(sizes)
}

func monthCellOf(v float64, n int, strong float64) monthCell {
	if math.IsNaN(v) {
		return monthCell{}
	}
	return monthCell{shade(v, strong), number(100*v, 1), fmt.Sprintf("IC %s over %s", number(v, 4), plural(n, "session"))}
}

// strongest is the size that has the full colour: 95 % of the sizes, which are none of them 0, are paler.
func strongest(sizes []float64) float64 {
	sizes = slices.DeleteFunc(sizes, func(v float64) bool { return v == 0 })
	if len(sizes) == 0 {
		return 1
	}
	slices.Sort(sizes)
	return sizes[(len(sizes)-1)*95/100]
}

// shade is the class of a value's colour.
func shade(v, strong float64) string {
	depth := math.Round(depths * min(1, math.Abs(v)/strong))
	switch {
	case depth == 0:
		return "u0"
	case v < 0:
		return fmt.Sprintf("d%.0f", depth)
	}
	return fmt.Sprintf("u%.0f", depth)
}

// picture is the table as a drawing; nil of none.
func (t *monthsTable) picture() *figure {
	if t == nil {
		return nil
	}
	const gutter, high = 6.0, 22.0
	f := &figure{drawing: drawing{Name: "months", Title: "Mean IC of the " + t.Name + " by month, × 100", Height: high * float64(len(t.Rows)+1)}}
	f.Desc = fmt.Sprintf("%s, a column a month, the year's mean at the end.", plural(len(t.Rows), "year"))
	wide := (100 - gutter) / 13.4
	at := func(m int) float64 { return gutter + wide*(float64(m)+0.4*float64(m/12)) }
	for m, name := range append(slices.Clone(t.Months), "year") {
		f.Labels = append(f.Labels, label{Text: name, X: at(m) + wide/2, Y: 14, Anchor: "middle"})
	}
	for i, row := range t.Rows {
		y := high * float64(i+1)
		f.Labels = append(f.Labels, label{Text: row.Year, X: 0, Y: y + 15})
		for m, c := range row.Cells {
			if c.Text != "" {
				f.Boxes = append(f.Boxes, box{Class: "cell " + c.Shade, Title: c.Title, X: at(m), Y: y, Width: wide - .15, Height: high - 1})
				f.Labels = append(f.Labels, label{Class: "ink", Text: c.Text, X: at(m) + wide/2, Y: y + 15, Anchor: "middle"})
			}
		}
	}
	return f
}
