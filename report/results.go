package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/metric"
)

// column is a number of the table of configurations. Of all that have a best value the highest is: a drawdown is negative.
type column struct {
	Title, Help string
	of          func(line) float64
	text        func(float64, int) string
	decimals    int
	best        bool // the highest value is marked
	always      bool // it stands there without a value too
}

// line is what a row of the table is made of.
type line struct {
	collect.Row
	turnover float64
	overlap  metric.Overlap // of its daily IC
}

var columns = []column{
	{"IC", "mean of the daily information coefficients", func(l line) float64 { return l.IC }, number, 4, true, true},
	{"ICIR", "mean daily IC over its standard deviation", func(l line) float64 { return l.ICIR }, number, 3, true, true},
	{"ICIR corr.", "the same, corrected for labels that overlap (Newey and West)", func(l line) float64 { return l.ratio() }, number, 3, true, false},
	{"IC t", "mean daily IC over its standard error, in which the overlap of labels is counted: beyond 2 it is hardly chance", func(l line) float64 { return l.overlap.T }, number, 1, true, false},
	{"Rank IC", "mean of the daily rank information coefficients", func(l line) float64 { return l.RankIC }, number, 4, true, true},
	{"Rank ICIR", "mean daily rank IC over its standard deviation", func(l line) float64 { return l.RankICIR }, number, 3, true, true},
	{"Ann. return", "annual return of the portfolio after costs", func(l line) float64 { return l.AnnualReturn }, percent, 1, true, false},
	{"Inf. ratio", "information ratio of the portfolio after costs", func(l line) float64 { return l.InformationRatio }, number, 2, true, false},
	{"Max drawdown", "deepest fall of the portfolio from its highest value", func(l line) float64 { return l.MaxDrawdown }, percent, 1, true, false},
	{"Turnover", "mean value traded a session, per unit of capital", func(l line) float64 { return l.turnover }, number, 2, false, false},
}

// ratio is the corrected ICIR of a line whose labels overlap; NaN of others, whose ICIR is right as it stands.
func (l line) ratio() float64 {
	if l.overlap.Horizon < 2 {
		return math.NaN()
	}
	return l.overlap.Ratio
}

// linesOfTable returns a line for each group, and the ensemble's last where there is one.
func linesOfTable(c collect.Collection, h horizons) []line {
	groups := slices.Clone(c.Groups)
	if c.Ensemble != nil {
		groups = append(groups, *c.Ensemble)
	}
	out := make([]line, len(groups))
	for i, r := range collect.Table(c) {
		out[i] = line{Row: r, turnover: math.NaN(), overlap: metric.Correct(groups[i].Daily.Column("ic"), h.of(groups[i].Key))}
		if v, ok := groups[i].Metrics[collect.MetricTurnover]; ok {
			out[i].turnover = v
		}
	}
	return out
}

// shown are the columns that some line has a value for, and those that stand always.
func shown(all []line) (out []column) {
	for _, col := range columns {
		if col.always || slices.ContainsFunc(all, func(l line) bool { return !math.IsNaN(col.of(l)) }) {
			out = append(out, col)
		}
	}
	return out
}

// figures are the numbers above the first picture.
func figures(g collect.Group, h horizons) [][2]string {
	one := linesOfTable(collect.Collection{Groups: []collect.Group{g}}, h)
	var out [][2]string
	for _, col := range shown(one) {
		out = append(out, [2]string{col.Title, col.text(col.of(one[0]), col.decimals)})
	}
	return out
}

// resultsTable is the table of configurations.
type resultsTable struct {
	KeyNames  []string
	Shared    string // the choices that are the same in all rows, which have no column
	Columns   []column
	Rows      []resultsRow
	Ensemble  *resultsRow
	Marked    bool // a best value is marked
	Sparks    bool
	Portfolio bool     // some configuration has one
	Overlap   []string // what to know of labels that overlap
}

type resultsRow struct {
	ID    int // of the row's curves: c1, f1
	Keys  []keyCell
	Block bool // the first key differs from the row above
	Cells []resultsCell
	// Windows is "n of m"; Part is set where n < m.
	Windows string
	Part    bool
	Spark   string
}

type keyCell struct{ Class, Text string }

// Short reports whether the cell is one that stands on a line.
func (c keyCell) Short() bool { return len(c.Text) <= 20 }

type resultsCell struct {
	Text string
	Best bool
}

func resultsView(c collect.Collection, t tint, h horizons) *resultsTable {
	names := keyNames(c.Groups)
	all := linesOfTable(c, h)
	table := &resultsTable{KeyNames: keyHeads(names), Shared: sharedText(c.Groups), Columns: shown(all), Overlap: h.notes(c.Groups)}
	best := bestValues(table.Columns, all[:len(c.Groups)])
	for i, l := range all {
		view := rowView(l, table.Columns, best)
		if l.Ensemble {
			view.Spark = spark(*c.Ensemble, len(all))
			table.Ensemble = &view
			continue
		}
		table.Portfolio = table.Portfolio || !math.IsNaN(l.AnnualReturn)
		view.ID, view.Spark = i+1, spark(c.Groups[i], len(all))
		view.Keys = keyCells(l.Key, names, t)
		view.Block = i > 0 && len(names) > 1 && view.Keys[0].Text != table.Rows[i-1].Keys[0].Text
		table.Sparks = table.Sparks || view.Spark != ""
		table.Marked = table.Marked || slices.ContainsFunc(view.Cells, func(c resultsCell) bool { return c.Best })
		table.Rows = append(table.Rows, view)
	}
	return table
}

// bestValues returns the highest value of each column; NaN where fewer than two lines have one, or none is the best.
func bestValues(columns []column, all []line) []float64 {
	out := make([]float64, len(columns))
	for i, col := range columns {
		best, n := math.Inf(-1), 0
		for _, l := range all {
			if v := col.of(l); !math.IsNaN(v) {
				best, n = max(best, v), n+1
			}
		}
		if out[i] = best; n < 2 || !col.best {
			out[i] = math.NaN()
		}
	}
	return out
}

// rowView marks what reads the same as the best value: a reader cannot see further digits.
func rowView(l line, columns []column, best []float64) resultsRow {
	view := resultsRow{Windows: fmt.Sprintf("%s of %s", count(l.Present), count(l.Expected)), Part: l.Present < l.Expected}
	for i, col := range columns {
		text := col.text(col.of(l), col.decimals)
		marked := !l.Ensemble && text != missing && text == col.text(best[i], col.decimals)
		view.Cells = append(view.Cells, resultsCell{text, marked})
	}
	return view
}

// sparkPoints are the points of one small curve; sparksPoints those of all together.
const (
	sparkPoints  = 48
	sparksPoints = 48000
)

// spark is a group's series as a line of the height of a word, one of n.
func spark(g collect.Group, n int) string {
	data := series(g)
	times, values, ok := extents([]collect.Group{g}, [][]float64{data})
	if !ok {
		return ""
	}
	x, y := scale{times.lo, times.hi, 0, 8.4}, scale{values.lo, values.hi, 17, 1}
	return curve{Points: points(g.Daily.Times, data, x, y, min(sparkPoints, sparksPoints/n))}.Path()
}

// tallFrom is how many rows of a table scroll inside it.
const tallFrom = 50

// Tall reports whether the table scrolls inside.
func (t resultsTable) Tall() bool { return len(t.Rows) >= tallFrom }
