package metric_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/metric"
)

// values draws small whole numbers, so that ties are frequent, and missing ones among them.
func values(n int) *rapid.Generator[[]float64] {
	one := rapid.Custom(func(t *rapid.T) float64 {
		if rapid.IntRange(0, 9).Draw(t, "missing") == 0 {
			return math.NaN()
		}
		return float64(rapid.IntRange(-4, 4).Draw(t, "value"))
	})
	return rapid.SliceOfN(one, n, n)
}

func same(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) }

func TestCorrelationProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(0, 12).Draw(t, "n")
		x, y := values(n).Draw(t, "x"), values(n).Draw(t, "y")
		r, s := metric.Pearson(x, y), metric.Spearman(x, y)
		if math.Abs(r) > 1 || math.Abs(s) > 1 {
			t.Fatalf("beyond 1: %v, %v", r, s)
		}
		if !same(r, metric.Pearson(y, x)) || !same(s, metric.Spearman(y, x)) {
			t.Fatal("not symmetric")
		}
		cubes, back := make([]float64, n), make([]float64, n)
		for i := range x {
			cubes[i], back[i] = x[i]*x[i]*x[i], -x[i]
		}
		if !same(s, metric.Spearman(cubes, y)) {
			t.Fatal("ranks change under a rising map")
		}
		if !same(-r, metric.Pearson(back, y)) {
			t.Fatal("turning one side does not turn the sign")
		}
	})
}

// The dumb twin of Spearman's ranks counts, for each value, those below and those equal.
func TestSpearmanAgainstCounting(t *testing.T) {
	rank := func(x []float64) []float64 {
		r := make([]float64, len(x))
		for i, v := range x {
			r[i] = 0.5
			for _, u := range x {
				switch {
				case u < v:
					r[i]++
				case u == v:
					r[i] += 0.5
				}
			}
		}
		return r
	}
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.SliceOfN(rapid.Float64Range(-2, 2), 2, 9).Draw(t, "x")
		y := make([]float64, len(x))
		for i := range y {
			x[i], y[i] = math.Round(x[i]), float64(rapid.IntRange(0, 3).Draw(t, "y"))
		}
		if got, want := metric.Spearman(x, y), metric.Pearson(rank(x), rank(y)); !same(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

// The order of a frame's rows changes no bit of what is measured on it, and a portfolio's books balance.
func TestPortfolioProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		days, stocks := rapid.IntRange(1, 5).Draw(t, "days"), rapid.IntRange(1, 6).Draw(t, "stocks")
		var f foldstream.Frame
		for d := range days {
			for i := range stocks {
				f.Times, f.Instruments = append(f.Times, day(d+1)), append(f.Instruments, string(rune('A'+i)))
			}
		}
		f.Columns = []foldstream.Column{{Name: "s", Values: values(f.Len()).Draw(t, "s")}, {Name: "r", Values: values(f.Len()).Draw(t, "r")}}
		k := rapid.IntRange(1, 6).Draw(t, "k")
		order := make([]int, f.Len())
		for i := range order {
			order[i] = i
		}
		shuffled := f.Rows(rapid.Permutation(order).Draw(t, "order"))

		a, err := metric.TopK(f, "s", "r", k, 0.25)
		b, err2 := metric.TopK(shuffled, "s", "r", k, 0.25)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		exact := cmp.Options{cmp.AllowUnexported(foldstream.Time{}), cmp.Comparer(same)}
		if diff := cmp.Diff(a, b, exact) + cmp.Diff(metric.IC(f, "s", "r"), metric.IC(shuffled, "s", "r"), exact); diff != "" {
			t.Fatal(diff)
		}
		net, gross, turnover := a.Column("return"), a.Column("gross"), a.Column("turnover")
		for i := range net {
			if turnover[i] < 0 || turnover[i] > 2 || !same(net[i], gross[i]-0.25*turnover[i]) {
				t.Fatalf("day %d: turnover %v, gross %v, return %v", i, turnover[i], gross[i], net[i])
			}
		}
	})
}

func TestDrawdownProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		daily := values(rapid.IntRange(0, 12).Draw(t, "n")).Draw(t, "daily")
		sums, depth := metric.Cumulative(daily), metric.Drawdown(daily)
		for i := range depth { // the dumb twin looks back over all sums each time
			high := math.Inf(-1)
			for _, s := range sums[:i+1] {
				if s > high {
					high = s
				}
			}
			if want := sums[i] - high; !same(depth[i], want) {
				t.Fatalf("day %d: %v, want %v", i, depth[i], want)
			}
		}
	})
}
