package metric_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/metric"
)

var nan = math.NaN()

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > 1e-12 {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func nears(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
	for i := range got {
		near(t, what, got[i], want[i])
	}
}

func TestPearson(t *testing.T) {
	// x − mean = −1.5 −0.5 0.5 1.5, y − mean = −1.75 0.25 −0.75 2.25:
	// xy = 2.625 − 0.125 − 0.375 + 3.375 = 5.5, xx = 5, yy = 3.0625 + 0.0625 + 0.5625 + 5.0625 = 8.75; r = 5.5 / √43.75.
	x, y := []float64{1, 2, 3, 4}, []float64{1, 3, 2, 5}
	near(t, "four pairs", metric.Pearson(x, y), 5.5/math.Sqrt(43.75))
	near(t, "missing pairs", metric.Pearson([]float64{1, nan, 2, 3, 7, 4}, []float64{1, 9, 3, 2, nan, 5}), 5.5/math.Sqrt(43.75))
	near(t, "a longer side", metric.Pearson(append(x, 100), y), 5.5/math.Sqrt(43.75))
	near(t, "a line", metric.Pearson([]float64{1, 2, 4}, []float64{-2, -4, -8}), -1)
}

func TestCorrelationUndefined(t *testing.T) {
	for name, c := range map[string][2][]float64{
		"nothing":           {nil, nil},
		"one pair":          {{1}, {2}},
		"one pair known":    {{1, nan}, {2, 3}},
		"no spread":         {{0.1, 0.1, 0.1}, {1, 2, 3}}, // the mean of three 0.1 is not 0.1 in binary
		"no spread, y":      {{1, 2, 3}, {0.1, 0.1, 0.1}},
		"spread in missing": {{1, 1, 9}, {1, 2, nan}},
	} {
		near(t, name, metric.Pearson(c[0], c[1]), nan)
		near(t, name+", ranks", metric.Spearman(c[0], c[1]), nan)
	}
	near(t, "infinite", metric.Pearson([]float64{1, 2, math.Inf(1)}, []float64{1, 2, 3}), nan)
	near(t, "vanishing squares", metric.Pearson([]float64{1e-200, 2e-200}, []float64{1, 2}), nan)
}

func TestSpearman(t *testing.T) {
	near(t, "monotonous", metric.Spearman([]float64{1, 2, 3, 10}, []float64{1, 8, 27, 1000}), 1)
	near(t, "infinite", metric.Spearman([]float64{1, 2, math.Inf(1)}, []float64{3, 2, 1}), -1)
	// Ranks 1, 2.5, 2.5, 4 against 1, 3, 2, 4: x − mean = −1.5 0 0 1.5, y − mean = −1.5 0.5 −0.5 1.5:
	// xy = 4.5, xx = 4.5, yy = 5; ρ = 4.5 / √22.5. With ranks by place instead of average it would be 0.8 or 1.
	near(t, "ties", metric.Spearman([]float64{10, 20, 20, 40}, []float64{1, 5, 3, 9}), 4.5/math.Sqrt(22.5))
}

func TestSummarise(t *testing.T) {
	// Mean 2.5; squares 2.25 + 0.25 + 0.25 + 2.25 = 5 over 3.
	got := metric.Summarise([]float64{1, nan, 2, 3, 4})
	near(t, "mean", got.Mean, 2.5)
	near(t, "std", got.Std, math.Sqrt(5.0/3))
	near(t, "ratio", got.Ratio, 2.5/math.Sqrt(5.0/3))
	if got.N != 4 {
		t.Errorf("n %d", got.N)
	}
	for name, c := range map[string]struct {
		values []float64
		want   metric.Summary
	}{
		"none":      {nil, metric.Summary{Mean: nan, Std: nan, Ratio: nan}},
		"missing":   {[]float64{nan}, metric.Summary{Mean: nan, Std: nan, Ratio: nan}},
		"one":       {[]float64{3}, metric.Summary{Mean: 3, Std: nan, Ratio: nan, N: 1}},
		"no spread": {[]float64{0.1, 0.1, 0.1}, metric.Summary{Mean: 0.1 + 1e-17, Std: 0, Ratio: nan, N: 3}},
	} {
		got := metric.Summarise(c.values)
		near(t, name+" mean", got.Mean, c.want.Mean)
		near(t, name+" ratio", got.Ratio, c.want.Ratio)
		if got.N != c.want.N || got.Std != c.want.Std && !math.IsNaN(c.want.Std) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestPerform(t *testing.T) {
	// Mean 0.01; deviations 0.01 −0.03 0 0.02, squares 0.0014 over 3. Sums 0.02 0 0.01 0.04: 0.02 below 0.02 at worst.
	daily := []float64{0.02, -0.02, nan, 0.01, 0.03}
	p, std := metric.Perform(daily, 252), math.Sqrt(0.0014/3)
	near(t, "annual", p.AnnualReturn, 2.52)
	near(t, "volatility", p.AnnualVolatility, std*math.Sqrt(252))
	near(t, "ratio", p.InformationRatio, 0.01/std*math.Sqrt(252))
	near(t, "drawdown", p.MaxDrawdown, -0.02)
	nears(t, "cumulative", metric.Cumulative(daily), []float64{0.02, 0, nan, 0.01, 0.04})
	nears(t, "drawdowns", metric.Drawdown(daily), []float64{0, -0.02, nan, -0.01, 0})
	nears(t, "a loss on the first day", metric.Drawdown([]float64{-0.5, -0.1}), []float64{0, -0.1})
	none := metric.Perform(nil, 252)
	near(t, "no return", none.AnnualReturn, nan)
	near(t, "no drawdown", none.MaxDrawdown, nan)
}

// By hand: 1.1 × 0.9 = 0.99, × 1.2 = 1.188. The highest value before 0.99 is 1.1: 0.1 of it lost. Logarithms of 1.1, 0.9 and 1.2.
func TestCompound(t *testing.T) {
	daily := []float64{0.1, nan, -0.1, 0.2}
	p := metric.Compound(daily, 6)
	std := metric.Summarise([]float64{math.Log(1.1), math.Log(0.9), math.Log(1.2)}).Std
	near(t, "annual", p.AnnualReturn, 1.188*1.188-1)
	near(t, "volatility", p.AnnualVolatility, std*math.Sqrt(6))
	near(t, "ratio", p.InformationRatio, (math.Cbrt(1.188)-1)/std*math.Sqrt(6))
	near(t, "drawdown", p.MaxDrawdown, -0.1)
	nears(t, "growth", metric.Growth(daily), []float64{0.1, nan, -0.01, 0.188})
	nears(t, "drawdowns", metric.GrowthDrawdown(daily), []float64{0, nan, -0.1, 0})
	lost := metric.Compound([]float64{0.5, -1, 0.5}, 252)
	near(t, "all lost", lost.AnnualReturn, -1)
	near(t, "all lost, volatility", lost.AnnualVolatility, nan)
	near(t, "all lost, drawdown", lost.MaxDrawdown, -1)
	near(t, "always lost", metric.Compound([]float64{-1, -1}, 252).InformationRatio, nan)
	for _, daily := range [][]float64{nil, {nan}, {0.1, -1.1}} {
		p := metric.Compound(daily, 252)
		nears(t, "undefined", []float64{p.AnnualReturn, p.AnnualVolatility, p.InformationRatio, p.MaxDrawdown}, []float64{nan, nan, nan, nan})
	}
}

// The numbers are pandas' (3.1.1) for the long-short returns r of gaps, by the formulas of Qlib's risk_analysis:
//
//	print(r.mean()*N, r.std()*N**.5, r.mean()/r.std()*N**.5, (r.cumsum() - r.cumsum().cummax()).min())
//	c, logs = (1 + r).cumprod(), np.log(1 + r)
//	print(c.iloc[-1]**(N/len(r)) - 1, logs.std()*N**.5, (c.iloc[-1]**(1/len(r)) - 1)/logs.std()*N**.5, (c/c.cummax() - 1).min())
func TestPerformanceAgainstPandas(t *testing.T) {
	f, err := metric.LongShort(gaps(), "s", "r", 0.2)
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int][8]float64{
		252: {0.747495, 0.09921884973724408, 7.533800300845563, -0.013779999999999999, 1.0999037179081852, 0.09911912559960026, 7.495875619085062, -0.013741830399999877},
		238: {0.7059675, 0.09642338997995907, 7.321537856600254, -0.013779999999999999, 1.015113055742562, 0.09632647553839974, 7.284681690771455, -0.013741830399999877},
	} {
		a, b := metric.Perform(f.Column("long_short"), n), metric.Compound(f.Column("long_short"), n)
		nears(t, "performance", []float64{a.AnnualReturn, a.AnnualVolatility, a.InformationRatio, a.MaxDrawdown,
			b.AnnualReturn, b.AnnualVolatility, b.InformationRatio, b.MaxDrawdown}, want[:])
	}
}

func day(d int) foldstream.Time { return foldstream.DateOf(2000, 1, d) }

func panel(days []int, names []string, columns ...foldstream.Column) foldstream.Frame {
	f := foldstream.Frame{Instruments: names, Columns: columns}
	for _, d := range days {
		f.Times = append(f.Times, day(d))
	}
	return f
}

func TestICOfEveryDay(t *testing.T) {
	// Day 3 has the four pairs of TestPearson in another order, day 4 one pair alone, day 5 a falling line.
	f := panel([]int{5, 3, 3, 4, 3, 3, 5}, []string{"A", "D", "A", "A", "C", "B", "B"},
		foldstream.Column{Name: "s", Values: []float64{1, 4, 1, 1, 3, 2, 2}},
		foldstream.Column{Name: "l", Values: []float64{9, 5, 1, 7, 2, 3, 8}})
	ic, rank := metric.IC(f, "s", "l"), metric.RankIC(f, "s", "l")
	want := []foldstream.Time{day(3), day(4), day(5)}
	if diff := cmp.Diff(want, ic.Times, cmp.AllowUnexported(foldstream.Time{})); diff != "" {
		t.Fatal(diff)
	}
	nears(t, "ic", ic.Values, []float64{5.5 / math.Sqrt(43.75), nan, -1})
	nears(t, "rank ic", rank.Values, []float64{0.8, nan, -1}) // 1 − 6(0 + 1 + 1 + 0) / (4 × 15)
	nears(t, "no such column", metric.IC(f, "s", "x").Values, []float64{nan, nan, nan})
	if got := metric.IC(foldstream.Frame{}, "s", "l"); len(got.Times)+len(got.Values) != 0 {
		t.Errorf("the empty frame has %v", got)
	}
	if f := ic.Frame("ic"); f.Validate() != nil || f.Len() != 3 || f.Column("ic") == nil {
		t.Errorf("as a frame: %v", f)
	}
}
