package report

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
	"github.com/foldstream/foldstream/metric"
)

// BenchmarkRun is one run of a model on a data set: one of several with other seeds, say.
type BenchmarkRun struct {
	Name    string // by which people find it again, as a recorder's id
	Model   string
	Dataset string
	Status  foldstream.Status
	Metrics map[string]float64
	Error   string // why it failed; "" where it did not, or nobody knows
}

// Benchmark is models × data sets, over the runs there are at the moment: Qlib's benchmark table (examples/run_all_model.py), which
// is partial while runs are open and says so.
type Benchmark struct {
	Rows []BenchmarkRow
	Left []LeftOut // the runs that no row counts, in the order they were given
}

// BenchmarkRow is a model on a data set.
type BenchmarkRow struct {
	Model, Dataset string
	Runs           int                              // how many there are, in whatever state
	Values         [len(benchmarkColumns)][]float64 // of the runs that count, by column of BenchmarkColumns
	Cells          [len(benchmarkColumns)]MeanStd   // what the values come to
}

// MeanStd is the mean of some values and their sample deviation. For one value the deviation is 0, as in Qlib: it is no
// spread, and the count of runs says so. For none both are NaN.
type MeanStd struct{ Mean, Std float64 }

// LeftOut is a run that the table does not count, and why not.
type LeftOut struct {
	Run BenchmarkRun
	Why string
}

// benchmarkColumn is a column of the table: its head, the metric's name here, and in Qlib's recorders.
type benchmarkColumn struct{ Head, Name, Qlib string }

var benchmarkColumns = [7]benchmarkColumn{
	{"IC", collect.MetricIC, "IC"},
	{"ICIR", collect.MetricICIR, "ICIR"},
	{"Rank IC", collect.MetricRankIC, "Rank IC"},
	{"Rank ICIR", collect.MetricRankICIR, "Rank ICIR"},
	{"Annualized Return", collect.MetricAnnualReturn, "1day.excess_return_with_cost.annualized_return"},
	{"Information Ratio", collect.MetricInformationRatio, "1day.excess_return_with_cost.information_ratio"},
	{"Max Drawdown", collect.MetricMaxDrawdown, "1day.excess_return_with_cost.max_drawdown"},
}

// BenchmarkColumns returns the names of the metrics that a run must have to count, in order of the columns. A run may have
// each under Qlib's name instead; the three of a portfolio are then of its return in excess of a benchmark, which ours are not:
// do not mix them in a table.
func BenchmarkColumns() []string {
	var names []string
	for _, c := range benchmarkColumns {
		names = append(names, c.Name)
	}
	return names
}

// Compare makes the table of some runs, a row for each model and data set in the order they first stand. What counts is a run that
// is done and has every metric of the table; all others are left out, with the reason.
func Compare(runs []BenchmarkRun) Benchmark {
	var b Benchmark
	for _, r := range runs {
		i := slices.IndexFunc(b.Rows, func(row BenchmarkRow) bool { return row.Model == r.Model && row.Dataset == r.Dataset })
		if i < 0 {
			i = len(b.Rows)
			b.Rows = append(b.Rows, BenchmarkRow{Model: r.Model, Dataset: r.Dataset})
		}
		row := &b.Rows[i]
		row.Runs++
		values, why := r.values()
		if why != "" {
			b.Left = append(b.Left, LeftOut{r, why})
			continue
		}
		for i, v := range values {
			row.Values[i] = append(row.Values[i], v)
		}
	}
	for i := range b.Rows {
		for j, values := range b.Rows[i].Values {
			b.Rows[i].Cells[j] = MeanStdOf(values)
		}
	}
	return b
}

// values returns the metrics of a run that counts, or why it does not.
func (r BenchmarkRun) values() (values [len(benchmarkColumns)]float64, why string) {
	switch {
	case r.Status == foldstream.Done:
	case r.Error != "":
		return values, fmt.Sprintf("%s: %s", r.Status, r.Error)
	default:
		return values, string(r.Status)
	}
	for i, c := range benchmarkColumns {
		v, ok := r.Metrics[c.Name]
		if !ok {
			v, ok = r.Metrics[c.Qlib]
		}
		switch {
		case !ok:
			return values, fmt.Sprintf("done, but without the metric %s", c.Name)
		case math.IsNaN(v):
			return values, fmt.Sprintf("done, but its metric %s is undefined", c.Name)
		}
		values[i] = v
	}
	return values, ""
}

// MeanStdOf returns the mean and the sample deviation of the values of a column.
func MeanStdOf(values []float64) MeanStd {
	s := metric.Summarise(values)
	if s.N == 1 {
		s.Std = 0
	}
	return MeanStd{s.Mean, s.Std}
}

// N returns how many runs the row counts.
func (r BenchmarkRow) N() int { return len(r.Values[0]) }

// String returns the cell as it stands in the table: mean with 4 decimals, deviation with 2, "n/a" where there is none.
func (m MeanStd) String() string {
	if math.IsNaN(m.Mean) {
		return "n/a"
	}
	return fmt.Sprintf("%.4f±%.2f", m.Mean, m.Std)
}

// Line returns the row as a line of a Markdown table, without its end: to the letter the one that Qlib writes, whose bars stand
// unevenly.
func (r BenchmarkRow) Line() string {
	c := r.Cells
	return fmt.Sprintf("| %s | %s | %s | %s| %s | %s | %s | %s| %s |", markdown(r.Model), markdown(r.Dataset), c[0], c[1], c[2], c[3], c[4], c[5], c[6])
}

// markdown writes a text so that it stays in its cell.
func markdown(s string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(clean(s))
}

// WriteMarkdown writes Qlib's table and, where it does not tell all, how many runs each row counts and which are left out, with why.
func (b Benchmark) WriteMarkdown(w io.Writer) error {
	heads := []string{"Model Name", "Dataset"}
	for _, c := range benchmarkColumns {
		heads = append(heads, c.Head)
	}
	lines := []string{"| " + strings.Join(heads, " | ") + " |", "|" + strings.Repeat("---|", len(heads))}
	for _, r := range b.Rows {
		lines = append(lines, r.Line())
	}
	lines = append(lines, b.counts()...)
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}

// counts says what the table is made of.
func (b Benchmark) counts() []string {
	if len(b.Rows) == 0 {
		return nil
	}
	lines := []string{"", "Mean±sample deviation over runs; of one run the deviation is no spread.", ""}
	for _, r := range b.Rows {
		lines = append(lines, fmt.Sprintf("- %s on %s: n = %d of %s", markdown(r.Model), markdown(r.Dataset), r.N(), plural(r.Runs, "run")))
	}
	if len(b.Left) > 0 {
		lines = append(lines, "", "Left out:", "")
	}
	for _, l := range b.Left {
		lines = append(lines, fmt.Sprintf("- %s, %s on %s: %s", markdown(l.Run.Name), markdown(l.Run.Model), markdown(l.Run.Dataset), markdown(cut(l.Why, 300))))
	}
	return lines
}
