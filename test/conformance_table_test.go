package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing/fstest"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen/qlib"
	"github.com/foldstream/foldstream/report"
)

// The notes of metric_table.json that say what to return.
const (
	noteNoRun   = "a model with no finished run is an IndexError that loses the whole table; print n/a"
	noteNoIC    = "only the first metric is checked; any other missing one is a KeyError; skip the run and say so"
	noteNoNeeds = "a missing requirements file is an IndexError; it should be optional"
)

// tableColumns is how the vectors call the metrics, in order of the table.
var tableColumns = []string{"ic", "icir", "rank_ic", "rank_icir", "annualized_return_with_cost", "information_ratio_with_cost", "max_drawdown_with_cost"}

// runMetricTable mirrors examples/run_all_model.py.
func runMetricTable(v *vector) (any, error) {
	run, ok := map[string]runner{"mean_std": runMeanStd, "mean_std_table": runMeanStdTable, "table": runTable, "collect": runCollectRuns,
		"folders": runFolders, "files": runFiles}[v.Op]
	if !ok {
		return nil, fmt.Errorf("no runner for the op %q", v.Op)
	}
	return run(v)
}

// ordered is a map that keeps the order of its keys.
type ordered[T any] struct {
	keys   []string
	values map[string]T
}

func (o *ordered[T]) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil { // the opening brace
		return err
	}
	o.values = map[string]T{}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		var value T
		if err := d.Decode(&value); err != nil {
			return err
		}
		o.keys, o.values[key.(string)] = append(o.keys, key.(string)), value
	}
	return nil
}

// runMeanStd mirrors cal_mean_std; what is undefined is null.
func runMeanStd(v *vector) (any, error) {
	var results map[string]map[string][]float64
	if err := v.into("results", &results); err != nil {
		return nil, err
	}
	out := map[string]map[string][]any{}
	for model, columns := range results {
		out[model] = map[string][]any{}
		for name, values := range columns {
			m := report.MeanStdOf(values)
			out[model][name] = []any{m.Mean, m.Std}
			if math.IsNaN(m.Mean) {
				out[model][name] = []any{nil, nil}
			}
		}
	}
	return out, nil
}

// runMeanStdTable makes a run of the i-th values of all metrics.
func runMeanStdTable(v *vector) (any, error) {
	var results ordered[map[string][]float64]
	if err := v.into("results", &results); err != nil {
		return nil, err
	}
	var runs []report.BenchmarkRun
	for _, model := range results.keys {
		for i := range results.values[model]["ic"] {
			r := report.BenchmarkRun{Model: model, Dataset: v.arg("dataset").(string), Status: foldstream.Done, Metrics: map[string]float64{}}
			for j, name := range report.BenchmarkColumns() {
				r.Metrics[name] = results.values[model][tableColumns[j]][i]
			}
			runs = append(runs, r)
		}
	}
	return tableLines(report.Compare(runs).Rows), nil
}

// runTable mirrors gen_and_save_md_table.
func runTable(v *vector) (any, error) {
	var metrics ordered[map[string][2]float64]
	if err := v.into("metrics", &metrics); err != nil {
		return nil, err
	}
	var rows []report.BenchmarkRow
	for _, model := range metrics.keys {
		row := report.BenchmarkRow{Model: model, Dataset: v.arg("dataset").(string)}
		for i, name := range tableColumns {
			cell := metrics.values[model][name]
			row.Cells[i] = report.MeanStd{Mean: cell[0], Std: cell[1]}
		}
		rows = append(rows, row)
	}
	return tableLines(rows), nil
}

func tableLines(rows []report.BenchmarkRow) []string {
	lines := []string{}
	for _, r := range rows {
		lines = append(lines, r.Line())
	}
	return lines
}

// runCollectRuns mirrors get_all_results: a folder without an experiment has no runs.
func runCollectRuns(v *vector) (any, error) {
	var folders []string
	var experiments map[string]map[string]struct {
		Status  string
		Metrics map[string]float64
	}
	for name, target := range map[string]any{"folders": &folders, "experiments": &experiments} {
		if err := v.into(name, target); err != nil {
			return nil, err
		}
	}
	statuses := map[string]foldstream.Status{"FINISHED": foldstream.Done, "FAILED": foldstream.Dead, "RUNNING": foldstream.Running}
	var runs []report.BenchmarkRun
	for _, model := range folders {
		for _, id := range slices.Sorted(maps.Keys(experiments[model])) {
			r := experiments[model][id]
			runs = append(runs, report.BenchmarkRun{Name: id, Model: model, Status: statuses[r.Status], Metrics: r.Metrics})
		}
	}
	out := map[string]map[string][]float64{}
	for _, row := range report.Compare(runs).Rows {
		out[row.Model] = map[string][]float64{}
		for i, name := range tableColumns {
			out[row.Model][name] = append([]float64{}, row.Values[i]...)
		}
	}
	return out, nil
}

// runFolders mirrors get_all_folders.
func runFolders(v *vector) (any, error) {
	var present, models []string
	if err := v.into("present", &present); err != nil {
		return nil, err
	}
	if text, ok := v.arg("models").(string); ok {
		models = qlib.ModelList(text)
	} else if err := v.into("models", &models); err != nil {
		return nil, err
	}
	return qlib.SelectModels(present, models, v.arg("exclude") == true)
}

// modelFiles is a tree in which the cases find what they found: they do not tell what there was.
var modelFiles = fstest.MapFS{
	"benchmarks/TreeModel/cfg_tree_SetA.yaml":     {},
	"benchmarks/TreeModel/cfg_tree_SetA_mid.yaml": {},
	"benchmarks/TreeModel/cfg_tree_SetB.yaml":     {},
	"benchmarks/TreeModel/requirements.txt":       {},
	"benchmarks/Net/cfg_net_SetB.yaml":            {},
	"benchmarks/Net/requirements.txt":             {},
	"benchmarks/Recur/cfg_recur_SetA.yaml":        {},
	"benchmarks/Temporal/README.md":               {},
}

// runFiles mirrors get_all_files.
func runFiles(v *vector) (any, error) {
	universe, _ := v.arg("universe").(string)
	workflow, needs, err := qlib.FindWorkflow(modelFiles, v.arg("folder").(string), v.arg("dataset").(string), universe)
	if err != nil {
		return nil, err
	}
	out := []any{nil, nil}
	for i, name := range []string{workflow, needs} {
		if name != "" {
			out[i] = name
		}
	}
	return out, nil
}

// noRuns has no value for the one model of a case.
func noRuns(value []any) func(v *vector) (any, error) {
	return func(v *vector) (any, error) {
		none := map[string][]any{}
		for _, name := range tableColumns {
			none[name] = value
		}
		return map[string]any{"Net": none}, nil
	}
}

func noNeeds(*vector) (any, error) { return []any{"benchmarks/Recur/cfg_recur_SetA.yaml", nil}, nil }
