package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// gridTable is configurations × windows: what there is of each result, and its IC.
type gridTable struct {
	KeyNames  []string
	Years     []yearSpan
	Windows   []string
	Wide      bool // so many windows that the table takes all the width
	Rows      []gridRow
	HasIC     bool
	HasFailed bool
	HasOpen   bool
}

type yearSpan struct {
	Label string
	Span  int
}

type gridRow struct {
	Keys  []keyCell
	Cells []gridCell
}

// gridCell is one result. Shade is the strength of its colour, 0 to 0.6.
type gridCell struct {
	Class, Text, Title string
	Shade              float64
}

func gridView(c collect.Collection, failures map[foldstream.TaskID]string) *gridTable {
	indexes := windowIndexes(c)
	if len(indexes) == 0 {
		return nil
	}
	names := keyNames(c.Groups)
	table := &gridTable{KeyNames: keyHeads(names), Years: years(c, indexes), Wide: len(indexes) > 12}
	for _, i := range indexes {
		table.Windows = append(table.Windows, fmt.Sprint(i+1))
	}
	strong := strongest(c)
	for _, g := range c.Groups {
		row := gridRow{Keys: keyCells(g.Key, names, tint{}), Cells: make([]gridCell, len(indexes))}
		for _, w := range g.Windows {
			at, _ := slices.BinarySearch(indexes, w.Index)
			cell := cellView(w, strong, failures)
			cell.Title = keyText(g.Key) + "\n" + cell.Title
			row.Cells[at] = cell
			table.HasIC = table.HasIC || cell.Class == "up" || cell.Class == "down"
			table.HasFailed = table.HasFailed || cell.Class == "failed"
			table.HasOpen = table.HasOpen || cell.Class == "open"
		}
		table.Rows = append(table.Rows, row)
	}
	return table
}

func windowIC(w collect.Window) float64 {
	if v, ok := w.Metrics[collect.MetricIC]; ok && drawable(v) {
		return v
	}
	return math.NaN()
}

// strongest is the size of IC that has the full colour: 95 % of the windows are paler.
func strongest(c collect.Collection) float64 {
	var sizes []float64
	for _, g := range c.Groups {
		for _, w := range g.Windows {
			if v := windowIC(w); !math.IsNaN(v) && v != 0 {
				sizes = append(sizes, math.Abs(v))
			}
		}
	}
	if len(sizes) == 0 {
		return 1
	}
	slices.Sort(sizes)
	return sizes[(len(sizes)-1)*95/100]
}

func cellView(w collect.Window, strong float64, failures map[foldstream.TaskID]string) gridCell {
	title := clean(fmt.Sprintf("window %d, %s\n", w.Index+1, period(w.Test)))
	switch ic := windowIC(w); {
	case failed(w):
		return gridCell{Class: "failed", Text: "×", Title: title + clean(cut(reason(w, failures), 200))}
	case w.Status != foldstream.Done:
		return gridCell{Class: "open", Text: "·", Title: title + clean(string(w.Status))}
	case math.IsNaN(ic):
		return gridCell{Class: "none", Text: missing, Title: title + "done, no IC"}
	default:
		cell := gridCell{Class: "up", Text: number(100*ic, 1), Title: title + "IC " + number(ic, 4)}
		if ic < 0 {
			cell.Class = "down"
		}
		cell.Shade = math.Round(60*min(1, math.Abs(ic)/strong)) / 100
		return cell
	}
}

// years groups neighbouring windows by the year in which their test starts.
func years(c collect.Collection, indexes []int) (out []yearSpan) {
	label := make([]string, len(indexes))
	for _, g := range c.Groups {
		for _, w := range g.Windows {
			if at, _ := slices.BinarySearch(indexes, w.Index); !w.Test.Start.IsOpen() {
				label[at] = fmt.Sprint(w.Test.Start.Std().Year())
			}
		}
	}
	for i, l := range label {
		if i > 0 && l == label[i-1] {
			out[len(out)-1].Span++
			continue
		}
		out = append(out, yearSpan{l, 1})
	}
	return out
}
