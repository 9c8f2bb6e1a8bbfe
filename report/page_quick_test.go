package report_test

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/report"
)

// anyNumber is a number as a broken model makes them.
func anyNumber() *rapid.Generator[float64] {
	return rapid.OneOf(rapid.Float64Range(-1, 1), rapid.Float64(), rapid.SampledFrom([]float64{0, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.SmallestNonzeroFloat64}))
}

// anyGroup has days, windows and metrics of all kinds, none of them asked whether they fit together.
func anyGroup(t *rapid.T, days []foldstream.Time) collect.Group {
	g := collect.Group{Metrics: collect.Metrics{}}
	for range rapid.IntRange(0, 3).Draw(t, "choices") {
		g.Key = g.Key.With(rapid.String().Draw(t, "name"), rapid.String().Draw(t, "value"))
	}
	n := rapid.IntRange(0, len(days)).Draw(t, "days")
	g.Daily.Times = days[:n]
	for _, name := range []string{"ic", "rank_ic", "return", "gross", "turnover", "cumulative", "drawdown"} {
		if rapid.Bool().Draw(t, name) {
			g.Daily.Columns = append(g.Daily.Columns, foldstream.Column{Name: name, Values: rapid.SliceOfN(anyNumber(), n, n).Draw(t, "values")})
			g.Metrics[name] = anyNumber().Draw(t, "metric")
		}
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "windows") {
		w := collect.Window{Index: i, Task: foldstream.TaskID(fmt.Sprint(len(g.Key), i)), Fault: rapid.SampledFrom([]string{"", "", "bad"}).Draw(t, "fault")}
		w.Status = rapid.SampledFrom([]foldstream.Status{foldstream.Done, foldstream.Dead, foldstream.Waiting, "odd"}).Draw(t, "status")
		if rapid.Bool().Draw(t, "dated") {
			w.Test = foldstream.Segment{Start: days[i], End: days[min(len(days)-1, i+2)]}
		}
		if w.Status == foldstream.Done {
			w.Metrics = collect.Metrics{"ic": anyNumber().Draw(t, "ic")}
		}
		g.Windows = append(g.Windows, w)
	}
	g.Coverage = foldstream.Coverage{Expected: len(g.Windows), Present: rapid.IntRange(0, len(g.Windows)).Draw(t, "present")}
	return g
}

// Whatever a collection holds, its page is sound, its pictures are well formed, and equal input gives equal bytes.
func TestAnyCollection(t *testing.T) {
	days := sessions(7)
	rapid.Check(t, func(rt *rapid.T) {
		var c collect.Collection
		for range rapid.IntRange(0, 3).Draw(rt, "groups") {
			g := anyGroup(rt, days)
			c.Groups = append(c.Groups, g)
			c.Coverage.Expected, c.Coverage.Present = c.Coverage.Expected+g.Coverage.Expected, c.Coverage.Present+g.Coverage.Present
		}
		if rapid.Bool().Draw(rt, "ensemble") {
			g := anyGroup(rt, days)
			g.Key, g.Windows = nil, nil
			c.Ensemble = &g
		}
		r := report.Report{Title: rapid.String().Draw(rt, "title"), Collection: c, Tasks: sampleTasks()[:rapid.IntRange(0, 3).Draw(rt, "tasks")]}
		page := html(t, r)
		for _, fault := range faultsOf(parse(rt, page)) {
			rt.Error(fault)
		}
		if page != html(t, r) {
			rt.Error("equal input gave other bytes")
		}
		for _, what := range rapid.SliceOfN(rapid.SampledFrom(report.Plots()), 2, 2).Draw(rt, "plots") {
			if p, err := r.Plot(what); err == nil {
				parse(rt, written(t, p.WriteSVG))
			} else if !foldstream.Is(err, foldstream.NotFound) {
				rt.Error(err)
			}
		}
	})
}
