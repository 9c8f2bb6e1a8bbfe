package ridge

import (
	"context"
	"math"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/metric"
	prepared "github.com/foldstream/foldstream/work/cache"
)

// Worker runs ridge regressions. A task says, in Qlib's task dict (names of handler are in dataset.kwargs.handler.kwargs):
//
//	model.kwargs.alpha              penalty, at least 0; 1 where absent. It is scikit-learn's: |y − b − xw|² + alpha·|w|²
//	handler momentum, reversal, volatility   look-backs in sessions; [20, 60, 120], [1, 5], [20, 60] where absent
//	handler fit_start_time, fit_end_time     the window that features are standardised on; the train segment where absent
//	handler start_time, end_time    sessions outside are neither trained nor scored on; all where absent
//	handler demean_label            true: labels less their mean of the day; false where absent
//	portfolio.top_k, .n_drop, .cost as metric.Portfolio, one cost for buying and selling; no portfolio where absent
//
// Its data "prices" is a CSV of daily closes: a date column, then one column an instrument. The label of a session t is
// close[t+1+h] / close[t+1] − 1 with h the task's horizon (0 is 1): the signal is made at the close of t and traded at the next.
// A segment "valid" is not used.
//
// The result has the frame "pred", a row for each session of the test segment and instrument with known features, with the columns
// score, label (NaN beyond the data) and return (close[t+2] / close[t+1] − 1); the frame "daily" with ic, rank_ic and the
// portfolio's return; and as metrics ic, icir, rank_ic, rank_icir, train_rows, a weight.FEATURE each, and the portfolio's
// annual_return, annual_volatility, information_ratio (252 sessions a year), max_drawdown and turnover (mean of a day). Equal tasks on equal
// data give equal bytes for one binary. A task whose train labels or fit window touch the test segment is refused: Permanent, Leak.
//
// The zero Worker works. It is safe for concurrent use, and keeps the features of the last files it read.
type Worker struct {
	// Prepared keeps the features for all who need them, on this machine and others; nil keeps them in this process alone.
	Prepared *prepared.Cache

	cache cache
}

var _ foldstream.Worker = (*Worker)(nil)

const yearSessions = 252

// Work trains and scores.
func (w *Worker) Work(ctx context.Context, t foldstream.Task, _ foldstream.Recorder) (foldstream.Result, error) {
	var none foldstream.Result
	c, err := configure(t)
	if err != nil {
		return none, foldstream.Permanent(err)
	}
	f, err := w.cache.get(ctx, c.data, c.looks, func() (*features, error) { return w.prepare(ctx, c.data, c.looks) })
	if err != nil {
		return none, err
	}
	if err := ctx.Err(); err != nil {
		return none, foldstream.E(foldstream.Cancelled, "ridge", err)
	}
	m, err := c.fitted(f)
	if err != nil {
		return none, foldstream.Permanent(err)
	}
	return c.result(f, m)
}

// model is a fitted regression.
type model struct {
	scale     scale
	weights   []float64
	intercept float64
	rows      int
}

// fitted trains on the train segment. Errors: Leak, Invalid.
func (c config) fitted(f *features) (model, error) {
	train, fit, test := f.span(c.train, c.loaded), f.span(c.fit, c.loaded), f.from(c.test.Start)
	if last := train.hi - 1; last >= train.lo && last+1+c.horizon >= test {
		return model{}, foldstream.Errorf(foldstream.Leak, "ridge", "the label of train session %s needs prices %d sessions later, and the test segment starts at %s",
			f.times[last], 1+c.horizon, c.test.Start)
	}
	if fit.hi > test {
		return model{}, foldstream.Errorf(foldstream.Leak, "ridge", "the fit window ends at %s and the test segment starts at %s", c.fit.End, c.test.Start)
	}
	m := model{scale: f.scaleOf(fit)}
	if math.IsNaN(m.scale.mean[0]) {
		return m, foldstream.Errorf(foldstream.Invalid, "ridge", "no row of the fit window %s to %s has all features", c.fit.Start, c.fit.End)
	}
	sums, z := newNormal(len(f.values)), make([]float64, len(f.values))
	for t := train.lo; t < train.hi; t++ {
		for i, y := range f.labels(t, c.horizon, c.demean) {
			if !math.IsNaN(y) {
				f.standard(f.row(t)+i, m.scale, z)
				sums.add(z, y)
			}
		}
	}
	var err error
	m.rows = sums.n
	m.weights, m.intercept, err = sums.solve(c.alpha)
	return m, err
}

// score predicts from standardised features.
func (m model) score(z []float64) float64 {
	s := m.intercept
	for j, w := range m.weights {
		s += w * z[j]
	}
	return s
}

// predict scores the test segment.
func (c config) predict(f *features, m model) foldstream.Frame {
	var out foldstream.Frame
	var scores, labels, returns []float64
	z := make([]float64, len(f.values))
	test := f.span(c.test, c.loaded)
	for t := test.lo; t < test.hi; t++ {
		for i, name := range f.names {
			if row := f.row(t) + i; f.whole[row] {
				f.standard(row, m.scale, z)
				out.Times, out.Instruments = append(out.Times, f.times[t]), append(out.Instruments, name)
				scores = append(scores, m.score(z))
				labels = append(labels, f.change(i, t+1, t+1+c.horizon))
				returns = append(returns, f.change(i, t+1, t+2))
			}
		}
	}
	out.Columns = []foldstream.Column{{Name: "score", Values: scores}, {Name: "label", Values: labels}, {Name: "return", Values: returns}}
	return out
}

// result scores and measures.
func (c config) result(f *features, m model) (foldstream.Result, error) {
	pred := c.predict(f, m)
	if pred.Len() == 0 {
		return foldstream.Result{}, foldstream.Permanent(foldstream.Errorf(foldstream.Invalid, "ridge", "no session of the test segment %s to %s is in the data with all features", c.test.Start, c.test.End))
	}
	ic, rank := metric.IC(pred, "score", "label"), metric.RankIC(pred, "score", "label")
	daily := ic.Frame("ic")
	daily.Columns = append(daily.Columns, foldstream.Column{Name: "rank_ic", Values: rank.Values})
	a, b := metric.Summarise(ic.Values), metric.Summarise(rank.Values)
	figures := map[string]float64{"ic": a.Mean, "icir": a.Ratio, "rank_ic": b.Mean, "rank_icir": b.Ratio, "train_rows": float64(m.rows)}
	for j, name := range f.columns {
		figures["weight."+name] = m.weights[j]
	}
	if c.portfolio.TopK > 0 {
		held, err := c.portfolio.Hold(pred, "score", "return")
		if err != nil {
			return foldstream.Result{}, foldstream.Permanent(err)
		}
		p := metric.Perform(held.Column("return"), yearSessions)
		figures["annual_return"], figures["annual_volatility"] = p.AnnualReturn, p.AnnualVolatility
		figures["information_ratio"], figures["max_drawdown"] = p.InformationRatio, p.MaxDrawdown
		figures["turnover"] = metric.Summarise(held.Column("turnover")).Mean
		daily.Columns = append(daily.Columns, held.Columns[0])
	}
	return foldstream.Result{Metrics: figures, Frames: map[string]foldstream.Frame{"pred": pred, "daily": daily}}, nil
}
