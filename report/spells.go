package report

import (
	"fmt"
	"math"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/metric"
)

// spellsTable is the windows one by one: what the lead was worth in each, and how the configurations did.
type spellsTable struct {
	Name    string // whose the numbers are
	Columns []string
	Rows    []spellsRow
	Many    bool // there is more than one configuration
}

type spellsRow struct {
	Window, Test string
	Cells        []string
	Results      string
	Part         bool
	Positive     string // share of the configurations whose IC is positive
	Best         string // the configuration with the highest IC
}

// spellsView is nil where there is no window.
func spellsView(g collect.Group, name string, c collect.Collection) *spellsTable {
	indexes := windowIndexes(c)
	if len(indexes) == 0 {
		return nil
	}
	table := &spellsTable{Name: name, Many: len(c.Groups) > 1, Columns: []string{"Sessions", "IC", "Rank IC"}}
	if g.Daily.Column("return") != nil {
		table.Columns = append(table.Columns, "Return", "Drawdown", "Turnover")
	}
	tests, tallies := tests(c), talliesOf(c)
	for _, i := range indexes {
		at := within(g.Daily.Times, tests[i])
		table.Rows = append(table.Rows, tallies[i].row(i, tests[i], spellCells(g, at)))
	}
	return table
}

// spellCells are the numbers of a window whose sessions are at the given places.
func spellCells(g collect.Group, at []int) []string {
	d := g.Daily
	cells := []string{count(len(at)), number(mean(d.Column("ic"), at), 4), number(mean(d.Column("rank_ic"), at), 4)}
	if returns := d.Column("return"); returns != nil {
		var spell []float64
		for _, i := range at {
			spell = append(spell, returns[i])
		}
		sum, fall := math.NaN(), math.NaN()
		if spell = numbersOf(spell); len(spell) > 0 {
			sum, fall = metric.Cumulative(spell)[len(spell)-1], slices.Min(metric.Drawdown(spell))
		}
		cells = append(cells, percent(sum, 1), percent(fall, 1), number(mean(d.Column("turnover"), at), 2))
	}
	return cells
}

// spellTally is how the configurations did in a window.
type spellTally struct {
	present, expected, positive, measured int
	top                                   float64
	best                                  string // the configuration with the highest IC, and that
}

// talliesOf counts each window.
func talliesOf(c collect.Collection) map[int]*spellTally {
	out := map[int]*spellTally{}
	names := keyNames(c.Groups)
	for _, g := range c.Groups {
		for _, w := range g.Windows {
			if out[w.Index] == nil {
				out[w.Index] = &spellTally{top: math.Inf(-1)}
			}
			out[w.Index].add(g, w, names)
		}
	}
	return out
}

func (t *spellTally) add(g collect.Group, w collect.Window, names []string) {
	if t.expected++; w.Status == foldstream.Done && !failed(w) {
		t.present++
	}
	ic := windowIC(w)
	if math.IsNaN(ic) {
		return
	}
	if t.measured++; ic > 0 {
		t.positive++
	}
	if ic > t.top {
		t.top, t.best = ic, cut(keyBrief(g.Key, names), maxName)+", "+number(ic, 4)
	}
}

func (t *spellTally) row(index int, test foldstream.Segment, cells []string) spellsRow {
	return spellsRow{
		Window: fmt.Sprint(index + 1), Test: clean(period(test)), Cells: cells, Best: t.best,
		Results: fmt.Sprintf("%s of %s", count(t.present), count(t.expected)), Part: t.present < t.expected,
		Positive: percent(float64(t.positive)/float64(t.measured), 0),
	}
}

// Tall reports whether the table scrolls inside.
func (t spellsTable) Tall() bool { return len(t.Rows) >= tallFrom }
