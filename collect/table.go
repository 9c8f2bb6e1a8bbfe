package collect

import (
	"math"

	"github.com/foldstream/foldstream"
)

// Row is one line of the table of configurations. A number that could not be computed is NaN.
type Row struct {
	Key              foldstream.Key // nil for the ensemble
	Ensemble         bool
	IC               float64
	ICIR             float64
	RankIC           float64
	RankICIR         float64
	AnnualReturn     float64
	InformationRatio float64
	MaxDrawdown      float64
	Present          int // windows there are
	Expected         int // windows there must be
	Failed           int // windows given up
}

// Table returns a row for each group in key order, and the ensemble's last where there is one.
func Table(c Collection) []Row {
	rows := make([]Row, 0, len(c.Groups)+1)
	for _, g := range c.Groups {
		rows = append(rows, rowOf(g))
	}
	if c.Ensemble != nil {
		r := rowOf(*c.Ensemble)
		r.Ensemble = true
		rows = append(rows, r)
	}
	return rows
}

func rowOf(g Group) Row {
	metric := func(name string) float64 {
		if v, ok := g.Metrics[name]; ok {
			return v
		}
		return math.NaN()
	}
	return Row{
		Key:              g.Key,
		IC:               metric(MetricIC),
		ICIR:             metric(MetricICIR),
		RankIC:           metric(MetricRankIC),
		RankICIR:         metric(MetricRankICIR),
		AnnualReturn:     metric(MetricAnnualReturn),
		InformationRatio: metric(MetricInformationRatio),
		MaxDrawdown:      metric(MetricMaxDrawdown),
		Present:          g.Coverage.Present,
		Expected:         g.Coverage.Expected,
		Failed:           len(g.Coverage.Failed),
	}
}
