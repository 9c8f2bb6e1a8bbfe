package metric_test

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
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

// drawPanel draws up to so many days of up to seven instruments, some of which have no row on some days.
func drawPanel(t *rapid.T, most int) foldstream.Frame {
	days, stocks := rapid.IntRange(1, most).Draw(t, "days"), rapid.IntRange(1, 7).Draw(t, "stocks")
	var f foldstream.Frame
	for d := range days {
		for i := range stocks {
			if rapid.IntRange(0, 9).Draw(t, "row") > 0 {
				f.Times, f.Instruments = append(f.Times, day(d+1)), append(f.Instruments, string(rune('A'+i)))
			}
		}
	}
	f.Columns = []foldstream.Column{{Name: "s", Values: values(f.Len()).Draw(t, "s")}, {Name: "r", Values: values(f.Len()).Draw(t, "r")}}
	return f
}

// byDay is the values of a column as maps, a day each, missing ones left out.
func byDay(f foldstream.Frame, column string) (days []map[string]float64) {
	for i, v := range f.Column(column) {
		if i == 0 || f.Times[i] != f.Times[i-1] {
			days = append(days, map[string]float64{})
		}
		if !math.IsNaN(v) {
			days[len(days)-1][f.Instruments[i]] = v
		}
	}
	return days
}

// inOrder is the names of a map, the highest value first, or the lowest; equal ones by name.
func inOrder(m map[string]float64, sign float64) []string {
	names := slices.Sorted(maps.Keys(m))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(sign*m[b], sign*m[a]) })
	return names
}

// The dumb twin of a portfolio swaps one stock at a time: the worst that may go for the best that is not held.
func TestQuickPortfolioAgainstSwaps(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawPanel(t, 6)
		p := metric.Portfolio{TopK: rapid.IntRange(1, 5).Draw(t, "k"), NDrop: rapid.IntRange(1, 4).Draw(t, "drop"),
			MinHold: rapid.IntRange(0, 3).Draw(t, "hold"), BuyCost: 0.25, SellCost: 0.5}
		got, err := p.Hold(f, "s", "r")
		if err != nil {
			t.Fatal(err)
		}
		returns := byDay(f, "r")
		age, before := map[string]int{}, map[string]float64{}
		for d, scores := range byDay(f, "s") {
			swap(p, age, scores)
			weights, sum := map[string]float64{}, 0.0
			for name := range age {
				age[name]++
				weights[name] = 1 / float64(len(age))
				sum += returns[d][name] / float64(len(age))
			}
			var bought, sold float64
			for _, name := range []string{"A", "B", "C", "D", "E", "F", "G"} {
				bought += max(0, weights[name]-before[name])
				sold += max(0, before[name]-weights[name])
			}
			if turnover := got.Column("turnover")[d]; math.Abs(turnover-bought-sold) > 1e-12 {
				t.Fatalf("day %d: turnover %v, want %v + %v", d, turnover, bought, sold)
			}
			if net := got.Column("return")[d]; !math.IsNaN(net) && math.Abs(net-(sum-0.25*bought-0.5*sold)) > 1e-12 {
				t.Fatalf("day %d: return %v of %v, want %v − costs of %v and %v", d, net, age, sum, bought, sold)
			}
			before = weights
		}
	})
}

// swap changes what is held, by name with its age, to what is held next.
func swap(p metric.Portfolio, age map[string]int, scores map[string]float64) {
	may := func(name string) bool { return age[name] >= p.MinHold }
	left := p.NDrop
	for _, name := range slices.Sorted(maps.Keys(age)) { // without a score they go at once
		if _, scored := scores[name]; !scored && may(name) && left > 0 {
			delete(age, name)
			left--
		}
	}
	for _, best := range inOrder(scores, 1) {
		if _, held := age[best]; held {
			continue
		}
		if len(age) < p.TopK {
			age[best] = 0
			continue
		}
		worst := ""
		for _, name := range inOrder(scores, 1) {
			if _, held := age[name]; held && may(name) && age[name] > 0 {
				worst = name
			}
		}
		if worst == "" || left == 0 || scores[worst] > scores[best] || scores[worst] == scores[best] && worst < best {
			return
		}
		delete(age, worst)
		age[best] = 0
		left--
	}
}

// With no limit on what may be sold, or with one that binds nothing, the highest scores are held.
func TestQuickPortfolioWithoutLimit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, k := drawPanel(t, 6), rapid.IntRange(1, 5).Draw(t, "k")
		free, err := metric.Portfolio{TopK: k}.Hold(f, "s", "r")
		bound, err2 := metric.Portfolio{TopK: k, NDrop: k + rapid.IntRange(0, 2).Draw(t, "more"), MinHold: 1}.Hold(f, "s", "r")
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		if diff := gocmp.Diff(free, bound, gocmp.AllowUnexported(foldstream.Time{}), gocmp.Comparer(same)); diff != "" {
			t.Fatal(diff)
		}
		returns := byDay(f, "r")
		for d, scores := range byDay(f, "s") {
			var sum float64
			held := inOrder(scores, 1)
			held = held[:min(k, len(held))]
			for _, name := range held {
				sum += returns[d][name] / float64(len(held))
			}
			if got := free.Column("gross")[d]; !math.IsNaN(got) && math.Abs(got-sum) > 1e-12 {
				t.Fatalf("day %d: gross %v, want %v of %v", d, got, sum, held)
			}
		}
	})
}

// The dumb twins of what is measured on predictions use maps.
func TestQuickPredictions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f, lag := drawPanel(t, 6), rapid.IntRange(1, 3).Draw(t, "lag")
		quantile := rapid.SampledFrom([]float64{0.2, 0.34, 0.5}).Draw(t, "quantile")
		ends, err := metric.LongShort(f, "s", "r", quantile)
		hits, err2 := metric.HitRate(f, "s", "r", quantile)
		renewed, err3 := metric.ScoreTurnover(f, "s", quantile, lag)
		if err != nil || err2 != nil || err3 != nil {
			t.Fatal(err, err2, err3)
		}
		moved := metric.ScoreAutocorrelation(f, "s", lag)
		scores, returns := byDay(f, "s"), byDay(f, "r")
		near := func(what string, d int, got, want float64) {
			if math.IsNaN(got) != math.IsNaN(want) || math.Abs(got-want) > 1e-12 {
				t.Fatalf("%s of day %d: %v, want %v", what, d, got, want)
			}
		}
		for d := range scores {
			both := maps.Clone(scores[d])
			maps.DeleteFunc(both, func(name string, _ float64) bool { _, ok := returns[d][name]; return !ok })
			n := int(float64(len(both)) * quantile)
			high, low := inOrder(both, 1)[:n], inOrder(both, -1)[:n]
			near("long-short", d, ends.Column("long_short")[d], (average(high, returns[d])-average(low, returns[d]))/2)
			near("average", d, ends.Column("average")[d], average(slices.Sorted(maps.Keys(both)), returns[d]))
			near("long", d, hits.Column("long")[d], count(high, func(s string) bool { return returns[d][s] > 0 }))
			near("short", d, hits.Column("short")[d], count(low, func(s string) bool { return returns[d][s] < 0 }))
			now, before := map[string]float64{}, map[string]float64{}
			for name, v := range scores[d] {
				if d >= lag {
					if u, ok := scores[d-lag][name]; ok {
						now[name], before[name] = v, u
					}
				}
			}
			var x, y []float64
			for _, name := range slices.Sorted(maps.Keys(now)) {
				x, y = append(x, now[name]), append(y, before[name])
			}
			near("autocorrelation", d, moved.Values[d], metric.Pearson(x, y))
			n = int(float64(len(now)) * quantile)
			for column, sign := range map[string]float64{"top": 1, "bottom": -1} {
				old := inOrder(before, sign)[:n]
				near(column, d, renewed.Column(column)[d], count(inOrder(now, sign)[:n], func(s string) bool { return !slices.Contains(old, s) }))
			}
		}
	})
}

func average(names []string, of map[string]float64) float64 {
	var sum float64
	for _, name := range names {
		sum += of[name]
	}
	return sum / float64(len(names))
}

func count(names []string, is func(string) bool) float64 {
	n := 0
	for _, name := range names {
		if is(name) {
			n++
		}
	}
	return float64(n) / float64(len(names))
}

// The dumb twin weighs every pair of values by how far they are apart.
func TestQuickNeweyWest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := values(rapid.IntRange(0, 12).Draw(t, "n")).Draw(t, "x")
		lags := rapid.IntRange(0, 14).Draw(t, "lags")
		s := metric.Summarise(x)
		var sum float64
		for i := range x {
			for j := range x {
				if far := max(i-j, j-i); far <= lags && !math.IsNaN(x[i]) && !math.IsNaN(x[j]) {
					sum += (1 - float64(far)/float64(lags+1)) * (x[i] - s.Mean) * (x[j] - s.Mean)
				}
			}
		}
		want := math.Sqrt(max(sum, 0) / float64(s.N*(s.N-1)))
		if s.N < 2 {
			want = math.NaN()
		}
		if got := metric.NeweyWest(x, lags); math.IsNaN(got) != math.IsNaN(want) || math.Abs(got*got-want*want) > 1e-12 {
			t.Fatalf("got %v, want %v", got, want)
		}
		if o := metric.Correct(x, 1); s.N > 1 && s.Std > 0 && math.Abs(o.Ratio-s.Ratio) > 1e-12*math.Abs(s.Ratio) {
			t.Fatalf("a horizon of 1 changes the ratio from %v to %v", s.Ratio, o.Ratio)
		}
	})
}

// Compounding small returns is nearly adding them, and its drawdown is found by looking back over all heights.
func TestQuickCompound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		daily := values(rapid.IntRange(1, 12).Draw(t, "n")).Draw(t, "daily")
		for i := range daily {
			daily[i] /= 1e8
		}
		sum, product := metric.Perform(daily, 1), metric.Compound(daily, 1)
		for _, v := range [][2]float64{{sum.AnnualReturn, product.AnnualReturn}, {sum.AnnualVolatility, product.AnnualVolatility}, {sum.MaxDrawdown, product.MaxDrawdown}} {
			if math.IsNaN(v[0]) != math.IsNaN(v[1]) || math.Abs(v[0]-v[1]) > 1e-13 {
				t.Fatalf("added %+v, compounded %+v", sum, product)
			}
		}
		for i := range daily {
			daily[i] *= 1e7 // up to 0.4
		}
		grown, depth := metric.Growth(daily), metric.GrowthDrawdown(daily)
		for i := range depth {
			high := 0.0
			for _, v := range grown[:i+1] {
				if 1+v > high {
					high = 1 + v
				}
			}
			if want := (1+grown[i])/high - 1; math.IsNaN(depth[i]) != math.IsNaN(want) || math.Abs(depth[i]-want) > 1e-12 {
				t.Fatalf("day %d: %v, want %v", i, depth[i], want)
			}
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

		p := metric.Portfolio{TopK: k, NDrop: rapid.IntRange(0, 3).Draw(t, "drop"), MinHold: rapid.IntRange(0, 3).Draw(t, "hold"), BuyCost: 0.25, SellCost: 0.25}
		a, err := p.Hold(f, "s", "r")
		b, err2 := p.Hold(shuffled, "s", "r")
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		exact := gocmp.Options{gocmp.AllowUnexported(foldstream.Time{}), gocmp.Comparer(same)}
		if diff := gocmp.Diff(a, b, exact) + gocmp.Diff(metric.IC(f, "s", "r"), metric.IC(shuffled, "s", "r"), exact); diff != "" {
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
