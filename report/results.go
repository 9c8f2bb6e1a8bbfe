package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// column is a number of the table of configurations. Of all of them the higher is the better: a drawdown is negative.
type column struct {
	Title, Help string
	of          func(collect.Row) float64
	text        func(float64, int) string
	decimals    int
}

var columns = []column{
	{"IC", "mean of the daily information coefficients", func(r collect.Row) float64 { return r.IC }, number, 4},
	{"ICIR", "mean daily IC over its standard deviation", func(r collect.Row) float64 { return r.ICIR }, number, 3},
	{"Rank IC", "mean of the daily rank information coefficients", func(r collect.Row) float64 { return r.RankIC }, number, 4},
	{"Rank ICIR", "mean daily rank IC over its standard deviation", func(r collect.Row) float64 { return r.RankICIR }, number, 3},
	{"Ann. return", "annual return of the portfolio after costs", func(r collect.Row) float64 { return r.AnnualReturn }, percent, 1},
	{"Inf. ratio", "information ratio of the portfolio after costs", func(r collect.Row) float64 { return r.InformationRatio }, number, 2},
	{"Max drawdown", "deepest fall of the portfolio from its highest value", func(r collect.Row) float64 { return r.MaxDrawdown }, percent, 1},
}

// figures are the numbers above the first picture.
func figures(g collect.Group, c collect.Collection) [][2]string {
	rows := collect.Table(collect.Collection{Groups: []collect.Group{g}})
	var out [][2]string
	for _, col := range columns {
		out = append(out, [2]string{col.Title, col.text(col.of(rows[0]), col.decimals)})
	}
	return append(out, [2]string{"Results in", fmt.Sprintf("%s of %s", count(c.Coverage.Present), count(c.Coverage.Expected))})
}

// resultsTable is the table of configurations.
type resultsTable struct {
	KeyNames []string
	Shared   string // the choices that are the same in all rows, which have no column
	Columns  []column
	Rows     []resultsRow
	Ensemble *resultsRow
	Marked   bool // a best value is marked
	Sparks   bool
}

type resultsRow struct {
	ID    string // of the row's curve
	Keys  []keyCell
	Block bool // the first key differs from the row above
	Cells []resultsCell
	// Windows is "n of m"; Part is set where n < m.
	Windows string
	Part    bool
	Spark   string
}

type keyCell struct{ Class, Text string }

type resultsCell struct {
	Text string
	Best bool
}

func resultsView(c collect.Collection, t tint) *resultsTable {
	names := keyNames(c.Groups)
	table := &resultsTable{KeyNames: keyHeads(names), Shared: sharedText(c.Groups), Columns: columns}
	rows := collect.Table(c)
	best := bestValues(rows[:len(c.Groups)])
	for i, r := range rows {
		view := rowView(r, best)
		if r.Ensemble {
			view.ID, view.Spark = leadID, spark(*c.Ensemble)
			table.Ensemble = &view
			continue
		}
		view.ID, view.Spark = curveID(i), spark(c.Groups[i])
		view.Keys = keyCells(r.Key, names, t)
		view.Block = i > 0 && len(names) > 1 && view.Keys[0].Text != table.Rows[i-1].Keys[0].Text
		table.Sparks = table.Sparks || view.Spark != ""
		table.Marked = table.Marked || slices.ContainsFunc(view.Cells, func(c resultsCell) bool { return c.Best })
		table.Rows = append(table.Rows, view)
	}
	return table
}

// bestValues returns the highest value of each column; NaN where fewer than two rows have one.
func bestValues(rows []collect.Row) []float64 {
	out := make([]float64, len(columns))
	for i, col := range columns {
		best, n := math.Inf(-1), 0
		for _, r := range rows {
			if v := col.of(r); !math.IsNaN(v) {
				best, n = max(best, v), n+1
			}
		}
		if out[i] = best; n < 2 {
			out[i] = math.NaN()
		}
	}
	return out
}

// rowView marks what reads the same as the best value: a reader cannot see further digits.
func rowView(r collect.Row, best []float64) resultsRow {
	view := resultsRow{Windows: fmt.Sprintf("%s of %s", count(r.Present), count(r.Expected)), Part: r.Present < r.Expected}
	for i, col := range columns {
		text := col.text(col.of(r), col.decimals)
		marked := !r.Ensemble && text != missing && text == col.text(best[i], col.decimals)
		view.Cells = append(view.Cells, resultsCell{text, marked})
	}
	return view
}

// keyNames are the names of the choices in which groups differ, in the order they first stand; all names of a single group.
func keyNames(groups []collect.Group) (names []string) {
	for _, name := range choiceNames(groups) {
		if len(groups) == 1 || !isShared(groups, name) {
			names = append(names, name)
		}
	}
	return names
}

// sharedText tells the choices that all of several groups have in common; "" where there is none.
func sharedText(groups []collect.Group) string {
	var k foldstream.Key
	for _, name := range choiceNames(groups) {
		if len(groups) > 1 && isShared(groups, name) {
			k = append(k, foldstream.Choice{Name: name, Value: groups[0].Key.Get(name)})
		}
	}
	if k == nil {
		return ""
	}
	return keyText(k)
}

func choiceNames(groups []collect.Group) (names []string) {
	for _, g := range groups {
		for _, c := range g.Key {
			if !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	return names
}

func isShared(groups []collect.Group, name string) bool {
	return !slices.ContainsFunc(groups, func(g collect.Group) bool { return choice(g.Key, name) != choice(groups[0].Key, name) })
}

// choice is the value a key has for name; a key without it says so.
func choice(k foldstream.Key, name string) string {
	if i := slices.IndexFunc(k, func(c foldstream.Choice) bool { return c.Name == name }); i >= 0 {
		return k[i].Value
	}
	return missing
}

// keyHeads are the heads of the columns that keyCells fills.
func keyHeads(names []string) []string {
	if len(names) == 0 {
		return []string{"configuration"}
	}
	heads := make([]string, len(names))
	for i, name := range names {
		heads[i] = clean(name)
	}
	return heads
}

func keyCells(k foldstream.Key, names []string, t tint) []keyCell {
	if len(names) == 0 {
		return []keyCell{{Text: keyText(k)}}
	}
	cells := make([]keyCell, len(names))
	for i, name := range names {
		cells[i].Text = clean(choice(k, name))
		if name == t.name {
			cells[i].Class = t.class(k)
		}
	}
	return cells
}
