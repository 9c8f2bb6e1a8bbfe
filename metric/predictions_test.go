package metric_test

import (
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/metric"
)

// gaps is made with some values missing.
func gaps() foldstream.Frame {
	f := made()
	s, r := f.Column("s"), f.Column("r")
	s[2*10+3], s[5*10+0], r[2*10+4], r[7*10+9] = nan, nan, nan, nan
	return f
}

// The numbers are pandas' (3.1.1), with S and R the scores and returns of gaps as tables of days by instruments:
//
//	df = pd.DataFrame({"pred": S.stack(), "label": R.stack()}).dropna(); df.index.names = ["datetime", "instrument"]
//	g = df.groupby("datetime")
//	high = g.apply(lambda x: x.nlargest(int(len(x)*.2), columns="pred").label.mean())
//	low = g.apply(lambda x: x.nsmallest(int(len(x)*.2), columns="pred").label.mean())
//	print(g.apply(lambda x: x.pred.corr(x.label)), g.apply(lambda x: x.pred.corr(x.label, method="spearman")))
//	print((high - low)/2, g.label.mean())
//	print(g.apply(lambda x: (x.nlargest(int(len(x)*.3), columns="pred").label > 0).mean()))
//	print(g.apply(lambda x: (x.nsmallest(int(len(x)*.3), columns="pred").label < 0).mean()))
//	print(pd.Series({d: S.loc[d].corr(S.shift(2).loc[d]) for d in S.index}))
//	for d in S.index[1:]:
//		both = pd.DataFrame({"now": S.loc[d], "before": S.loc[d-1]}).dropna(); n = int(len(both)*.3)
//		print([1 - len(set(pick(both.now, n).index) & set(pick(both.before, n).index))/n for pick in (pd.Series.nlargest, pd.Series.nsmallest)])
func TestPredictionsAgainstPandas(t *testing.T) {
	f := gaps()
	nears(t, "ic", metric.IC(f, "s", "r").Values, []float64{-0.19811972680461507, 0.38919043793328495, -0.6643949689890613, 0.3867091768579076,
		0.1533131943626971, -0.01180382628965413, -0.6102881187773805, 0.3250099394248177, -0.0017502446670716358, 0.2901555175914112,
		0.3755084520712047, -0.19495659434361348})
	nears(t, "rank ic", metric.RankIC(f, "s", "r").Values, []float64{-0.23636363636363633, 0.4787878787878787, -0.523809523809524, 0.2727272727272727,
		0.24848484848484845, -0.016666666666666666, -0.4545454545454545, 0.3666666666666667, 0.17575757575757575, 0.09090909090909088,
		0.32121212121212117, -0.19999999999999998})
	ends, err := metric.LongShort(f, "s", "r", 0.2)
	hits, err2 := metric.HitRate(f, "s", "r", 0.3)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	nears(t, "long-short", ends.Column("long_short"), []float64{-0.002515, 0.010005, -0.00008, 0.00491, 0.006345, -0.00384, -0.00994, 0.00879, 0.01016, 0.00669, 0.00507, 0})
	nears(t, "average", ends.Column("average"), []float64{0.003318, 0.004034, -0.01527, 0.001464, 0.00218, 0.00962, -0.00039, -0.0006666666666666665,
		0.005044, 0.001758, -0.00553, 0.00319})
	nears(t, "long", hits.Column("long"), []float64{1. / 3, 2. / 3, 0, 1, 2. / 3, 0.5, 1. / 3, 1, 2. / 3, 2. / 3, 2. / 3, 1. / 3})
	nears(t, "short", hits.Column("short"), []float64{2. / 3, 2. / 3, 1, 1. / 3, 2. / 3, 0, 1. / 3, 0.5, 2. / 3, 2. / 3, 2. / 3, 1. / 3})
	moved := metric.ScoreAutocorrelation(f, "s", 2)
	nears(t, "autocorrelation", moved.Values, []float64{nan, nan, -0.1832060372159814, -0.22187320064363686, -0.8219402357075668, -0.1635275073076883,
		-0.2566741468864024, -0.4033839162166895, 0.07428446100493691, -0.2179968433967287, -0.0016791932652916685, 0.17471866657283422})
	renewed, err := metric.ScoreTurnover(f, "s", 0.3, 1)
	if err != nil {
		t.Fatal(err)
	}
	nears(t, "top", renewed.Column("top"), []float64{nan, 1, 1, 0, 1, 1, 1, 2. / 3, 2. / 3, 2. / 3, 2. / 3, 1. / 3})
	nears(t, "bottom", renewed.Column("bottom"), []float64{nan, 1, 1, 0.5, 2. / 3, 1, 0.5, 2. / 3, 1, 2. / 3, 2. / 3, 1. / 3})
	if len(moved.Times) != 12 || ends.Validate() != nil || hits.Validate() != nil {
		t.Errorf("%v, %v, %v", moved.Times, ends, hits)
	}
}

// Two days of five instruments; the fifth is an instrument alone. Their best is E, then A; their worst B, then C.
func TestPredictionsByHand(t *testing.T) {
	f := panel([]int{1, 1, 1, 1, 1, 2, 2, 2, 2, 2}, []string{"A", "B", "C", "D", "E", "A", "B", "C", "D", "E"},
		foldstream.Column{Name: "s", Values: []float64{1, 2, 3, 4, 5, 5, 1, 2, 2, 5}},
		foldstream.Column{Name: "r", Values: []float64{0.5, -0.1, 0.2, 0.3, -0.4, 0.1, 0.2, 0.3, 0.4, 0.5}})
	ends, err := metric.LongShort(f, "s", "r", 0.2) // the highest one and the lowest one; of two best the first by name
	if err != nil {
		t.Fatal(err)
	}
	nears(t, "long-short", ends.Column("long_short"), []float64{(-0.4 - 0.5) / 2, (0.1 - 0.2) / 2})
	nears(t, "average", ends.Column("average"), []float64{0.1, 0.3})
	turnover, err := metric.ScoreTurnover(f, "s", 0.4, 1) // D E, then A E; A B, then B C
	if err != nil {
		t.Fatal(err)
	}
	nears(t, "top", turnover.Column("top"), []float64{nan, 0.5})
	nears(t, "bottom", turnover.Column("bottom"), []float64{nan, 0.5})
	few, err := metric.LongShort(f.Rows([]int{0, 1, 2, 3}), "s", "r", 0.2)
	if err != nil {
		t.Fatal(err)
	}
	nears(t, "a fifth of four", few.Column("long_short"), []float64{nan})
	nears(t, "no lag is one", metric.ScoreAutocorrelation(f, "s", 0).Values, metric.ScoreAutocorrelation(f, "s", 1).Values)
	nears(t, "no such column", metric.ScoreAutocorrelation(f, "x", 1).Values, []float64{nan, nan})
	byTime := f
	byTime.Instruments = nil
	nears(t, "no instruments", metric.ScoreAutocorrelation(byTime, "s", 1).Values, []float64{nan, nan})
}

func TestPredictionsRefuse(t *testing.T) {
	for _, quantile := range []float64{0, -1, 0.51, nan} {
		_, err := metric.LongShort(made(), "s", "r", quantile)
		_, err2 := metric.HitRate(made(), "s", "r", quantile)
		_, err3 := metric.ScoreTurnover(made(), "s", quantile, 1)
		for _, err := range []error{err, err2, err3} {
			if !foldstream.Is(err, foldstream.Invalid) {
				t.Errorf("quantile %v: %v", quantile, err)
			}
		}
	}
}
