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
	KeyName   string
	Years     []yearSpan
	Windows   []gridHead
	Wide      bool // so many windows that the table takes all the width
	Dense     bool // so many that a cell has no text
	Rows      []gridRow
	More      string // how many rows are left out
	HasIC     bool
	HasFailed bool
	HasOpen   bool
}

type gridHead struct{ Text, Title string }

type yearSpan struct {
	Label string
	Span  int
}

type gridRow struct {
	Key   string
	Cells []gridCell
}

// gridCell is one result. Class is its state or the shade of its IC; "" where the configuration has no such window.
type gridCell struct{ Class, Text, Title string }

const (
	wideFrom  = 13
	denseFrom = 31
	maxCells  = 40000
)

func gridView(c collect.Collection, absent map[foldstream.TaskID]Absence) *gridTable {
	indexes := windowIndexes(c)
	if len(indexes) == 0 {
		return nil
	}
	names := keyNames(c.Groups)
	table := &gridTable{KeyName: keyHead(names), Years: years(c, indexes), Wide: len(indexes) >= wideFrom, Dense: len(indexes) >= denseFrom}
	table.heads(c, indexes)
	strong := strongest(icSizes(c))
	for _, g := range gridGroups(c, len(indexes)) {
		row := gridRow{Key: keyBrief(g.Key, names), Cells: make([]gridCell, len(indexes))}
		for _, w := range g.Windows {
			at, _ := slices.BinarySearch(indexes, w.Index)
			row.Cells[at] = table.cell(w, strong, absent)
		}
		table.Rows = append(table.Rows, row)
	}
	if n := len(c.Groups) - len(table.Rows); n > 0 {
		table.More = fmt.Sprintf("%s more are not drawn; none of them lacks more windows than those that are.", plural(n, "configuration"))
	}
	return table
}

// gridGroups are the groups to draw, in order: all, or where they have too many cells those that lack most.
func gridGroups(c collect.Collection, windows int) []collect.Group {
	room := max(1, maxCells/windows)
	if len(c.Groups) <= room {
		return c.Groups
	}
	order := seq(len(c.Groups))
	lack := func(i int) int { return c.Groups[i].Coverage.Expected - c.Groups[i].Coverage.Present }
	slices.SortStableFunc(order, func(a, b int) int { return lack(b) - lack(a) })
	order = order[:room]
	slices.Sort(order)
	out := make([]collect.Group, len(order))
	for i, at := range order {
		out[i] = c.Groups[at]
	}
	return out
}

// heads names the windows: in a dense table only every tenth.
func (t *gridTable) heads(c collect.Collection, indexes []int) {
	tests := tests(c)
	for at, i := range indexes {
		head := gridHead{fmt.Sprint(i + 1), fmt.Sprintf("window %d, %s", i+1, clean(period(tests[i])))}
		if t.Dense && (at+1)%10 != 0 {
			head.Text = ""
		}
		t.Windows = append(t.Windows, head)
	}
}

// tests are the test periods by window, each of the first group that has the window.
func tests(c collect.Collection) map[int]foldstream.Segment {
	out := map[int]foldstream.Segment{}
	for _, g := range c.Groups {
		for _, w := range g.Windows {
			if _, ok := out[w.Index]; !ok {
				out[w.Index] = w.Test
			}
		}
	}
	return out
}

func windowIC(w collect.Window) float64 {
	if v, ok := w.Metrics[collect.MetricIC]; ok && drawable(v) {
		return v
	}
	return math.NaN()
}

func icSizes(c collect.Collection) (sizes []float64) {
	for _, g := range c.Groups {
		for _, w := range g.Windows {
			if v := windowIC(w); !math.IsNaN(v) {
				sizes = append(sizes, math.Abs(v))
			}
		}
	}
	return sizes
}

func (t *gridTable) cell(w collect.Window, strong float64, absent map[foldstream.TaskID]Absence) gridCell {
	title := clean(fmt.Sprintf("window %d, %s: ", w.Index+1, period(w.Test)))
	switch ic := windowIC(w); {
	case failed(w):
		t.HasFailed = true
		return gridCell{"failed", "×", title + cut(clean(why(w, absent[w.Task])), 200)}
	case w.Status != foldstream.Done:
		t.HasOpen = true
		return gridCell{"open", "·", title + cut(clean(why(w, absent[w.Task])), 200)}
	case math.IsNaN(ic):
		return gridCell{"none", missing, title + "done, no IC"}
	case t.Dense:
		t.HasIC = true
		return gridCell{shade(ic, strong), "", number(100*ic, 1)}
	default:
		t.HasIC = true
		return gridCell{shade(ic, strong), number(100*ic, 1), title + "IC " + number(ic, 4)}
	}
}

// years groups neighbouring windows by the year in which their test starts.
func years(c collect.Collection, indexes []int) (out []yearSpan) {
	tests := tests(c)
	for i, index := range indexes {
		label := ""
		if start := tests[index].Start; !start.IsOpen() {
			label = fmt.Sprint(start.Std().Year())
		}
		if i > 0 && label == out[len(out)-1].Label {
			out[len(out)-1].Span++
			continue
		}
		out = append(out, yearSpan{label, 1})
	}
	return out
}

// picture is the table as a drawing; nil of none.
func (t *gridTable) picture() *figure {
	if t == nil {
		return nil
	}
	f := &figure{drawing: drawing{Name: "coverage", Title: "Coverage", Desc: fmt.Sprintf("%s × %s.", plural(len(t.Rows), "configuration"), plural(len(t.Windows), "window"))}}
	const top = 32.0
	gutter := 1.0
	high := max(2, min(17, 900/float64(len(t.Rows))))
	if named := high >= 12; named {
		gutter = 24
		for i, row := range t.Rows {
			f.Labels = append(f.Labels, label{Text: cut(row.Key, 34), Y: top + high*float64(i) + high - 4})
		}
	}
	wide := min(5, (100-gutter)/float64(len(t.Windows)))
	at := 0
	for _, y := range t.Years {
		x := gutter + wide*float64(at)
		f.Labels = append(f.Labels, label{Text: y.Label, X: x, DX: 3, Y: 10})
		f.Rules = append(f.Rules, rule{"zero", x, x, 0, top})
		at += y.Span
	}
	for i, w := range t.Windows {
		f.Labels = append(f.Labels, label{Text: w.Text, X: gutter + wide*(float64(i)+.5), Y: 26, Anchor: "middle"})
	}
	written := wide > 2.9 && high >= 12
	for i, row := range t.Rows {
		for k, c := range row.Cells {
			f.cell(c, gutter+wide*float64(k), top+high*float64(i), wide, high, written)
		}
	}
	f.Height = top + high*float64(len(t.Rows))
	f.Note, f.Legend = t.Note(), t.Legend()
	return f
}

func (f *figure) cell(c gridCell, x, y, wide, high float64, written bool) {
	if c.Class == "" {
		return
	}
	gap := min(1, high/4)
	f.Boxes = append(f.Boxes, box{Class: "cell " + c.Class, Title: c.Title, X: x, Y: y, Width: wide * .96, Height: high - gap})
	if written {
		f.Labels = append(f.Labels, label{Class: "ink", Text: c.Text, X: x + wide*.48, Y: y + high - 4.5, Anchor: "middle"})
	}
}

func (t gridTable) Note() string {
	text := "One cell for each configuration and rolling window"
	if t.HasIC {
		text += ", with the mean IC of its test sessions"
		if !t.Dense {
			text += " × 100"
		}
	}
	return text + "."
}

func (t gridTable) Legend() (out []swatch) {
	if t.HasIC {
		out = append(out, swatch{Class: "u5", Label: "positive IC", Box: true}, swatch{Class: "d5", Label: "negative IC", Box: true})
	}
	if t.HasFailed {
		out = append(out, swatch{Class: "failed", Label: "× failed", Box: true})
	}
	if t.HasOpen {
		out = append(out, swatch{Class: "open", Label: "· not there yet", Box: true})
	}
	return out
}

// Tall reports whether the table scrolls inside.
func (t gridTable) Tall() bool { return len(t.Rows) >= tallFrom }
