package report

import (
	"math"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/metric"
)

// costsView is what trading takes: before and after costs, and what is traded by window.
type costsView struct {
	Facts    [][2]string
	Figure   *figure
	Turnover *figure
}

// costs shows the turnover and the costs of g; nil where it has no portfolio.
func costs(g collect.Group, name string, c collect.Collection) *costsView {
	if !trades(g) {
		return nil
	}
	d := g.Daily
	return &costsView{costFacts(d.Column("gross"), d.Column("return"), d.Column("turnover"), c.Spec.Portfolio), grossAndNet(g, name), turnoverView(g, name, c)}
}

// trades reports whether a group has a portfolio.
func trades(g collect.Group) bool {
	return g.Daily.Column("gross") != nil && g.Daily.Column("return") != nil && g.Daily.Column("turnover") != nil
}

// turnoverView draws what g trades in each window; nil where it does not.
func turnoverView(g collect.Group, name string, c collect.Collection) *figure {
	if !trades(g) {
		return nil
	}
	windows := longest(c)
	traded := make([]float64, len(windows))
	for i, w := range windows {
		traded[i] = mean(g.Daily.Column("turnover"), within(g.Daily.Times, w.Test))
	}
	f := windowBars("turnover", "Turnover of the "+name+" by window", traded, windows, func(v float64) string { return number(v, 3) })
	if f != nil {
		f.Note = "Mean value traded a session, per unit of capital."
	}
	return f
}

// sessionsPerYear is that of collect's metrics.
const sessionsPerYear = 252

func costFacts(gross, net, turnover []float64, p foldstream.PortfolioSpec) [][2]string {
	before, after, traded := metric.Summarise(gross).Mean, metric.Summarise(net).Mean, metric.Summarise(turnover).Mean
	facts := [][2]string{
		{"Turnover a session", number(traded, 3)},
		{"Return before costs", percent(before*sessionsPerYear, 1)},
		{"Costs a year", percent((before-after)*sessionsPerYear, 1)},
		{"Return after costs", percent(after*sessionsPerYear, 1)},
	}
	if p.Cost > 0 {
		facts = append(facts, [2]string{"Cost of trading", basisPoints(p.Cost)})
	}
	if even := before / traded; even > 0 && !math.IsInf(even, 0) {
		facts = append(facts, [2]string{"Earns nothing at", basisPoints(even)})
	}
	return facts
}

// basisPoints writes a cost per unit of value traded.
func basisPoints(v float64) string {
	decimals := 0
	if v < 0.001 {
		decimals = 1
	}
	return number(v*1e4, decimals) + " bp"
}

// grossAndNet draws the sums of the returns before and after costs; nil where there are none.
func grossAndNet(g collect.Group, name string) *figure {
	if !trades(g) {
		return nil
	}
	gross := g
	gross.Daily.Columns = []foldstream.Column{{Name: "cumulative", Values: metric.Cumulative(g.Daily.Column("gross"))}}
	both := []collect.Group{gross, g}
	data := [][]float64{series(gross), series(g)}
	times, values, ok := extents(both, data)
	if !ok {
		return nil
	}
	f := &figure{drawing: drawing{Name: "costs", Title: "Return of the " + name + " before and after costs", Height: barsHeight},
		Legend: []swatch{{Class: "s2", Label: "before costs"}, {Class: "lead", Label: "after costs"}}}
	pad := 0.05 * (values.hi - values.lo)
	x, y := scale{times.lo, times.hi, 0, barShare}, scale{values.lo - pad, values.hi + pad, barsHeight, 0}
	ticks := gridLines(y, 4, signed)
	f.lines(ticks, barShare)
	f.zero(y.at(0), barShare)
	for i, class := range []string{"curve s2 best", "curve lead"} {
		f.Curves = append(f.Curves, curve{Class: class, Title: f.Legend[i].Label, Points: points(g.Daily.Times, data[i], x, y, maxPoints)})
	}
	f.names(ticks, barShare, 6, 4, "")
	f.below(timeTicks(std(times.lo), std(times.hi), scale{times.lo, times.hi, 0, barShare}))
	f.Desc = "Two lines over time: the sum of the daily returns before costs, and after."
	return f
}
