package ridge_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/metric"
	"github.com/foldstream/foldstream/work/ridge"
)

// dow30 is a task of the example: train 1991 to 1999, test the first quarter of 2000.
func dow30(t testing.TB, horizon int) foldstream.Task {
	t.Helper()
	return task(t, filepath.Join("..", "..", "examples", "dow30", "prices.csv"), horizon, map[string]any{
		"momentum": []any{int64(21), int64(63), int64(126)}, "reversal": []any{int64(1), int64(5)}, "volatility": []any{int64(21), int64(63)},
	}, foldstream.Segments{
		"train": {Start: foldstream.DateOf(1991, 1, 2), End: foldstream.DateOf(1999, 11, 15)},
		"test":  {Start: foldstream.DateOf(2000, 1, 3), End: foldstream.DateOf(2000, 3, 31)},
	})
}

func task(t testing.TB, path string, horizon int, handler map[string]any, s foldstream.Segments) foldstream.Task {
	t.Helper()
	tpl, err := foldstream.TemplateOf(map[string]any{
		"model":     map[string]any{"kwargs": map[string]any{"alpha": 1}},
		"dataset":   map[string]any{"kwargs": map[string]any{"handler": map[string]any{"kwargs": handler}}},
		"portfolio": map[string]any{"top_k": 5, "cost": 0.001},
	})
	if err != nil {
		t.Fatal(err)
	}
	tpl.Segments, tpl.Horizon = s, horizon
	return foldstream.Task{Template: tpl, Data: []foldstream.Data{{Name: "prices", Path: path, Digest: foldstream.Digest(path)}}}
}

func work(t *testing.T, w *ridge.Worker, task foldstream.Task) foldstream.Result {
	t.Helper()
	r, err := w.Work(t.Context(), task, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func encoded(t *testing.T, r foldstream.Result) []byte {
	t.Helper()
	var all []byte
	for _, name := range []string{"pred", "daily"} {
		b, err := r.Frames[name].MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	return fmt.Append(all, r.Metrics) // fmt prints maps in order of their keys
}

func TestEqualTasksGiveEqualBytes(t *testing.T) {
	shared := &ridge.Worker{}
	a := encoded(t, work(t, shared, dow30(t, 5)))
	for range 2 {
		if !bytes.Equal(a, encoded(t, work(t, shared, dow30(t, 5)))) {
			t.Fatal("from the cache the result differs")
		}
	}
	if !bytes.Equal(a, encoded(t, work(t, &ridge.Worker{}, dow30(t, 5)))) {
		t.Fatal("from another worker the result differs")
	}
	if bytes.Equal(a, encoded(t, work(t, shared, dow30(t, 1)))) {
		t.Fatal("another horizon gives the same result")
	}
}

func TestResultOnRealPrices(t *testing.T) {
	r := work(t, &ridge.Worker{}, dow30(t, 5))
	pred, daily := r.Frames["pred"], r.Frames["daily"]
	if pred.Len() != 63*30 || daily.Len() != 63 || pred.Validate() != nil || daily.Validate() != nil {
		t.Fatalf("pred %v, daily %v", pred, daily)
	}
	for i := 1; i < pred.Len(); i++ {
		if pred.CompareRows(i-1, pred, i) >= 0 {
			t.Fatalf("row %d is not in order", i)
		}
	}
	if got := metric.Summarise(daily.Column("ic")).Mean; got != r.Metrics["ic"] || math.IsNaN(got) {
		t.Errorf("ic %v, of the days %v", r.Metrics["ic"], got)
	}
	if got := metric.Perform(daily.Column("return"), 252).AnnualReturn; got != r.Metrics["annual_return"] || math.IsNaN(got) {
		t.Errorf("annual return %v, of the days %v", r.Metrics["annual_return"], got)
	}
	for _, name := range []string{"icir", "rank_ic", "rank_icir", "information_ratio", "max_drawdown", "turnover", "weight.momentum_21"} {
		if v, ok := r.Metrics[name]; !ok || math.IsNaN(v) {
			t.Errorf("metric %s: %v", name, v)
		}
	}
}

// walk writes a price file of 5 instruments over n days from 2001-01-01 and returns its path. Prices from the day on are
// multiplied by noise drawn from the seed: two walks with other seeds are equal before that day.
func walk(t *testing.T, n, from int, seed uint64) string {
	t.Helper()
	common, after := rand.New(rand.NewPCG(1, 1)), rand.New(rand.NewPCG(seed, 2))
	prices := []float64{10, 20, 30, 40, 50}
	var b strings.Builder
	b.WriteString("date,E,D,C,B,A\n")
	for day := range n {
		b.WriteString(date(day).String())
		for i := range prices {
			prices[i] *= 1 + 0.02*common.NormFloat64()
			if day >= from {
				prices[i] *= 1 + 0.02*after.NormFloat64()
			}
			fmt.Fprintf(&b, ",%.6f", prices[i])
		}
		b.WriteString("\n")
	}
	return write(t, b.String())
}

func date(day int) foldstream.Time {
	return foldstream.TimeOf(foldstream.DateOf(2001, 1, 1).Std().AddDate(0, 0, day))
}

func write(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "p.csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// small is a task on a walk of 120 days: train days 10 to 79, test days 90 to 109, horizon 3.
func small(t *testing.T, path string) foldstream.Task {
	t.Helper()
	return task(t, path, 3, map[string]any{"momentum": []any{int64(4)}, "reversal": []any{int64(1)}, "volatility": []any{int64(3)}},
		foldstream.Segments{"train": {Start: date(10), End: date(79)}, "test": {Start: date(90), End: date(109)}})
}

func handler(t foldstream.Task) map[string]any { return t.Handler() }

// The dumb twin: prices in a matrix, features by their formulas, and the weights by descending the gradient of the penalised squares.
func TestAgainstGradientDescent(t *testing.T) {
	path := walk(t, 120, 120, 0)
	narrow := small(t, path)
	handler(narrow)["fit_end_time"] = date(39).String() // so that the train rows have means other than 0
	r := work(t, &ridge.Worker{}, narrow)
	p := matrix(t, path)
	var x [][]float64
	var y []float64
	for day := 10; day <= 79; day++ {
		for i := range 5 {
			x, y = append(x, three(p, day, i)), append(y, p[day+4][i]/p[day+1][i]-1)
		}
	}
	mean, std := make([]float64, 3), make([]float64, 3)
	for j := range 3 {
		for _, row := range x[:150] { // days 10 to 39
			mean[j] += row[j] / 150
		}
		for _, row := range x[:150] {
			std[j] += (row[j] - mean[j]) * (row[j] - mean[j]) / 150
		}
		std[j] = math.Sqrt(std[j])
		for _, row := range x {
			row[j] = (row[j] - mean[j]) / std[j]
		}
	}
	w := descend(x, y, 1)
	for j, name := range []string{"momentum_4", "reversal_1", "volatility_3"} {
		if got := r.Metrics["weight."+name]; math.Abs(got-w[j]) > 1e-10 {
			t.Errorf("weight of %s: %v, want %v", name, got, w[j])
		}
	}
	if r.Metrics["train_rows"] != 350 {
		t.Errorf("%v train rows", r.Metrics["train_rows"])
	}
	pred := r.Frames["pred"]
	for row := range pred.Len() {
		day, i := 90+row/5, row%5
		want := w[3]
		for j, v := range three(p, day, i) {
			want += w[j] * (v - mean[j]) / std[j]
		}
		if got := pred.Column("score")[row]; pred.Times[row] != date(day) || pred.Instruments[row] != "ABCDE"[i:i+1] || math.Abs(got-want) > 1e-10 {
			t.Fatalf("row %d, %s %s: score %v, want %v", row, pred.Times[row], pred.Instruments[row], got, want)
		}
		label, one := p[day+4][i]/p[day+1][i]-1, p[day+2][i]/p[day+1][i]-1
		if pred.Column("label")[row] != label || pred.Column("return")[row] != one {
			t.Fatalf("row %d: label %v, return %v; want %v, %v", row, pred.Column("label")[row], pred.Column("return")[row], label, one)
		}
	}
}

// matrix reads the prices by day and instrument in order of name: the file has them backwards.
func matrix(t *testing.T, path string) [][]float64 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var all [][]float64
	for _, line := range strings.Split(strings.TrimSpace(string(b)), "\n")[1:] {
		row := make([]float64, 5)
		for i, cell := range strings.Split(line, ",")[1:] {
			if row[4-i], err = strconv.ParseFloat(cell, 64); err != nil {
				t.Fatal(err)
			}
		}
		all = append(all, row)
	}
	return all
}

func three(p [][]float64, day, i int) []float64 {
	c := func(d int) float64 { return p[d][i]/p[d-1][i] - 1 }
	a, b, d := c(day-2), c(day-1), c(day)
	m := (a + b + d) / 3
	return []float64{p[day][i]/p[day-4][i] - 1, -c(day), math.Sqrt(((a-m)*(a-m) + (b-m)*(b-m) + (d-m)*(d-m)) / 2)}
}

// descend minimises |y − b − xw|² + alpha·|w|²; the last of what it returns is b.
func descend(x [][]float64, y []float64, alpha float64) []float64 {
	w := make([]float64, 4)
	for range 4000 {
		g := []float64{alpha * w[0], alpha * w[1], alpha * w[2], 0}
		for i, row := range x {
			e := w[3] - y[i]
			for j, v := range row {
				e += w[j] * v
			}
			for j, v := range row {
				g[j] += e * v
			}
			g[3] += e
		}
		for j := range w {
			w[j] -= g[j] / float64(4*len(x))
		}
	}
	return w
}

// What happens from the test segment on changes neither the weights nor the first score, which is made at the close of that day.
func TestTheFutureIsNotRead(t *testing.T) {
	a := work(t, &ridge.Worker{}, small(t, walk(t, 120, 91, 1)))
	b := work(t, &ridge.Worker{}, small(t, walk(t, 120, 91, 2)))
	for _, name := range []string{"momentum_4", "reversal_1", "volatility_3"} {
		if a.Metrics["weight."+name] != b.Metrics["weight."+name] {
			t.Errorf("the weight of %s depends on prices of the test segment", name)
		}
	}
	x, y := a.Frames["pred"].Column("score"), b.Frames["pred"].Column("score")
	if !slices.Equal(x[:5], y[:5]) {
		t.Error("the scores of the first day depend on later prices")
	}
	if slices.Equal(x[5:10], y[5:10]) {
		t.Error("the walks do not differ: the test shows nothing")
	}
}

func TestLeaksAreRefused(t *testing.T) {
	path := walk(t, 120, 120, 0)
	for name, c := range map[string]struct {
		change func(foldstream.Task)
		want   string
	}{
		// The label of day 86 needs day 90, that of day 85 day 89.
		"label": {func(t foldstream.Task) { t.Segments["train"] = foldstream.Segment{Start: date(10), End: date(86)} }, "train session " + date(86).String() + " needs prices 4 sessions later"},
		"fit":   {func(t foldstream.Task) { handler(t)["fit_end_time"] = date(90).String() }, "the fit window ends at " + date(90).String()},
	} {
		leaking := small(t, path)
		c.change(leaking)
		if _, err := (&ridge.Worker{}).Work(t.Context(), leaking, nil); !foldstream.Is(err, foldstream.Leak) || !foldstream.IsPermanent(err) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	last := small(t, path)
	last.Segments["train"] = foldstream.Segment{Start: date(10), End: date(85)}
	handler(last)["fit_end_time"] = date(89).String()
	if _, err := (&ridge.Worker{}).Work(t.Context(), last, nil); err != nil {
		t.Errorf("the last session that does not leak: %v", err)
	}
}

func TestBeyondTheData(t *testing.T) {
	task := small(t, walk(t, 100, 100, 0)) // the last day is 99: its label needs 103, that of 95 needs 99; returns of 97 need 99
	task.Segments["test"] = foldstream.Segment{Start: date(90)}
	pred := work(t, &ridge.Worker{}, task).Frames["pred"]
	if pred.Len() != 50 {
		t.Fatal(pred)
	}
	for row := range pred.Len() {
		day := 90 + row/5
		if l, r := pred.Column("label")[row], pred.Column("return")[row]; math.IsNaN(l) != (day > 95) || math.IsNaN(r) != (day > 97) || math.IsNaN(pred.Column("score")[row]) {
			t.Errorf("day %d: label %v, return %v", day, l, r)
		}
	}
}

func TestHandlerSettings(t *testing.T) {
	path := walk(t, 120, 120, 0)
	base := encoded(t, work(t, &ridge.Worker{}, small(t, path)))
	for name, c := range map[string]struct {
		key   string
		value any
		same  bool
	}{
		"fit window is train":         {"fit_end_time", date(79).String(), true},
		"fit window of a placeholder": {"fit_start_time", "<dataset.kwargs.segments.train.0>", true},
		"fit window":                  {"fit_end_time", date(40).String(), false},
		"end after the test":          {"end_time", date(109).String(), true},
		"end inside the test":         {"end_time", date(100).String(), false},
		"start inside the train":      {"start_time", date(20).String(), false},
		"demeaned":                    {"demean_label", true, false},
	} {
		task := small(t, path)
		handler(task)[c.key] = c.value
		if got := encoded(t, work(t, &ridge.Worker{}, task)); bytes.Equal(got, base) != c.same {
			t.Errorf("%s: same %v, want %v", name, !c.same, c.same)
		}
	}
}

// With the label's mean of the day taken off, the intercept has nothing to do: features have mean 0 over the same rows.
func TestDemeanedLabelsHaveNoIntercept(t *testing.T) {
	task := small(t, walk(t, 120, 120, 0))
	handler(task)["demean_label"] = true
	task.Task["model"].(map[string]any)["kwargs"].(map[string]any)["alpha"] = 1e15 // and no weights
	for _, s := range work(t, &ridge.Worker{}, task).Frames["pred"].Column("score") {
		if math.Abs(s) > 1e-12 {
			t.Fatalf("score %v", s)
		}
	}
}

func TestTasksThatCannotBe(t *testing.T) {
	path := walk(t, 120, 120, 0)
	for want, change := range map[string]func(*foldstream.Task){
		`no data named "prices"`:     func(t *foldstream.Task) { t.Data = nil },
		`no segment "train"`:         func(t *foldstream.Task) { delete(t.Segments, "train") },
		`open start`:                 func(t *foldstream.Task) { t.Segments["test"] = foldstream.Segment{} },
		"handler.momentum: 5 is not": func(t *foldstream.Task) { handler(*t)["momentum"] = int64(5) },
		"handler.volatility: [1]":    func(t *foldstream.Task) { handler(*t)["volatility"] = []any{int64(1)} },
		"handler.fit_end_time":       func(t *foldstream.Task) { handler(*t)["fit_end_time"] = "<what>" },
		"handler.start_time: 3":      func(t *foldstream.Task) { handler(*t)["start_time"] = int64(3) },
		"handler.demean_label: 1":    func(t *foldstream.Task) { handler(*t)["demean_label"] = int64(1) },
		"model.kwargs.alpha":         func(t *foldstream.Task) { t.Task["model"] = map[string]any{"kwargs": map[string]any{"alpha": -1.0}} },
		"model: 3 is not a map":      func(t *foldstream.Task) { t.Task["model"] = int64(3) },
		"portfolio.top_k":            func(t *foldstream.Task) { t.Task["portfolio"] = map[string]any{} },
		"portfolio.top_k: 2.5":       func(t *foldstream.Task) { t.Task["portfolio"] = map[string]any{"top_k": 2.5} },
		"portfolio.n_drop: 0.5":      func(t *foldstream.Task) { t.Task["portfolio"] = map[string]any{"top_k": int64(2), "n_drop": 0.5} },
		"portfolio.cost: x":          func(t *foldstream.Task) { t.Task["portfolio"] = map[string]any{"top_k": int64(2), "cost": "x"} },
		"no features": func(t *foldstream.Task) {
			for _, k := range []string{"momentum", "reversal", "volatility"} {
				handler(*t)[k] = []any{}
			}
		},
		"no row of the fit window": func(t *foldstream.Task) { handler(*t)["fit_end_time"] = "1999-01-01" },
		"no row of the train segment": func(t *foldstream.Task) {
			t.Segments["train"] = foldstream.Segment{Start: date(-9), End: date(-5)}
			handler(*t)["fit_start_time"], handler(*t)["fit_end_time"] = date(10).String(), date(20).String()
		},
		"no session of the test": func(t *foldstream.Task) { t.Segments["test"] = foldstream.Segment{Start: date(500), End: date(600)} },
		"raise model.kwargs.alpha": func(t *foldstream.Task) {
			t.Task["model"] = map[string]any{"kwargs": map[string]any{"alpha": 0.0}}
			handler(*t)["momentum"] = []any{int64(4), int64(4)}
		},
	} {
		task := small(t, path)
		change(&task)
		if _, err := (&ridge.Worker{}).Work(t.Context(), task, nil); !foldstream.Is(err, foldstream.Invalid) || !foldstream.IsPermanent(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "no header",
		"date\n":                               "no instruments",
		"date,A\n":                             "no sessions",
		"date,A,A\n2001-01-01,1,2\n":           `column 2: the instrument "A" is empty or stands twice`,
		"date,A,\n2001-01-01,1,2\n":            `column 3: the instrument "" is empty`,
		"date,A\n2001-01-01,0\n":               `line 2: column 2: "0" is not a price above 0`,
		"date,A\n2001-01-01,1\n2001-01-02,x\n": `line 3: column 2: "x"`,
		"date,A\n2001-01-02,1\n2001-01-02,1\n": "line 3: 2001-01-02 does not come after 2001-01-02",
		"date,A\n2001-01-01,1,2\n":             "wrong number of fields",
		"date,A\nsoon,1\n":                     `line 2: time: "soon"`,
	} {
		path := write(t, text)
		if _, err := (&ridge.Worker{}).Work(t.Context(), small(t, path), nil); !foldstream.IsPermanent(err) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
		}
	}
	if _, err := (&ridge.Worker{}).Work(t.Context(), small(t, "/no/such/file"), nil); !foldstream.Is(err, foldstream.NotFound) || foldstream.IsPermanent(err) {
		t.Errorf("%v", err)
	}
}

// An instrument without some prices is left out where they matter, and only there.
func TestMissingPrices(t *testing.T) {
	path := walk(t, 120, 120, 0)
	b, _ := os.ReadFile(path)
	lines := strings.Split(string(b), "\n")
	cells := strings.Split(lines[1+95], ",")
	cells[1] = "" // instrument E on day 95
	lines[1+95] = strings.Join(cells, ",")
	pred := work(t, &ridge.Worker{}, small(t, write(t, strings.Join(lines, "\n")))).Frames["pred"]
	var without []int
	for day := 90; day < 110; day++ {
		found := false
		for row := range pred.Len() {
			found = found || pred.Times[row] == date(day) && pred.Instruments[row] == "E"
		}
		if !found {
			without = append(without, day)
		}
	}
	if !slices.Equal(without, []int{95, 96, 97, 98, 99}) { // volatility_3 needs days t−3 to t, momentum_4 t−4 and t
		t.Errorf("E has no score on days %v", without)
	}
}

// The file is read once for all the tasks that share it.
func TestTheFileIsReadOnce(t *testing.T) {
	path := walk(t, 120, 120, 0)
	w, task := &ridge.Worker{}, small(t, path)
	first := encoded(t, work(t, w, task))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, encoded(t, work(t, w, task))) {
		t.Error("another result")
	}
	for n := range 5 { // other look-backs push it out
		other := small(t, walk(t, 120, 120, 0))
		handler(other)["momentum"] = []any{int64(n + 5)}
		work(t, w, other)
	}
	if _, err := w.Work(t.Context(), task, nil); err == nil {
		t.Error("the cache has no bound")
	}
}
