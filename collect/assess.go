package collect

import (
	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/metric"
)

// sessionsPerYear scales a portfolio's returns to a year.
const sessionsPerYear = 252

// assess sets the metrics and the daily values of a merged series. spec has its defaults.
func (g *Group) assess(f foldstream.Frame, spec foldstream.CollectionSpec) {
	g.Metrics = Metrics{}
	if f.Len() == 0 {
		return
	}
	var parts []foldstream.Frame
	if f.Column(spec.Label) != nil {
		ic, rank := metric.IC(f, spec.Score, spec.Label), metric.RankIC(f, spec.Score, spec.Label)
		parts = append(parts, ic.Frame(MetricIC), rank.Frame(MetricRankIC))
		s, r := metric.Summarise(ic.Values), metric.Summarise(rank.Values)
		g.Metrics[MetricIC], g.Metrics[MetricICIR] = s.Mean, s.Ratio
		g.Metrics[MetricRankIC], g.Metrics[MetricRankICIR] = r.Mean, r.Ratio
	}
	if spec.Portfolio.TopK > 0 {
		p, err := held(spec.Portfolio).Hold(f, spec.Score, spec.Return)
		if err != nil {
			g.Faults = append(g.Faults, err.Error())
		} else {
			parts = append(parts, g.perform(p))
		}
	}
	g.Daily = join(parts)
}

// held is the portfolio of a spec, which has one cost for buying and selling.
func held(p foldstream.PortfolioSpec) metric.Portfolio {
	return metric.Portfolio{TopK: p.TopK, NDrop: p.NDrop, BuyCost: p.Cost, SellCost: p.Cost}
}

// perform sets the metrics of a portfolio and returns its daily values with the running ones.
func (g *Group) perform(p foldstream.Frame) foldstream.Frame {
	net := p.Column("return")
	perf := metric.Perform(net, sessionsPerYear)
	g.Metrics[MetricAnnualReturn] = perf.AnnualReturn
	g.Metrics[MetricInformationRatio] = perf.InformationRatio
	g.Metrics[MetricMaxDrawdown] = perf.MaxDrawdown
	g.Metrics[MetricTurnover] = metric.Summarise(p.Column("turnover")).Mean
	p.Columns = append(p.Columns,
		foldstream.Column{Name: "cumulative", Values: metric.Cumulative(net)},
		foldstream.Column{Name: "drawdown", Values: metric.Drawdown(net)})
	return p
}

// join puts the columns of frames beside each other, on the rows of all of them; NaN where a frame has no such row. The frames
// must be sorted, without duplicates, and differ in the names of their columns.
func join(frames []foldstream.Frame) foldstream.Frame {
	var index foldstream.Frame
	for _, f := range frames {
		index = union(index, f)
	}
	out := index
	for _, f := range frames {
		for _, c := range f.Columns {
			out.Columns = append(out.Columns, foldstream.Column{Name: c.Name, Values: align(index, f, c.Values)})
		}
	}
	return out
}
