package test

import (
	"bytes"
	stdcsv "encoding/csv"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/frame"
)

// served runs an experiment file to its end and serves its store.
func served(t *testing.T, file string) (url string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "store")
	mustRun(t, "foldstream", "run", file, "--store", dir, "--out", t.TempDir())
	url, _ = serve(t, dir)
	return url
}

// cells reads CSV: a row a line, by column.
func cells(t *testing.T, text string) (rows []map[string]string) {
	t.Helper()
	lines, err := stdcsv.NewReader(strings.NewReader(text)).ReadAll()
	if err != nil || len(lines) == 0 {
		t.Fatalf("no CSV: %.200s, %v", text, err)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for j, name := range lines[0] {
			row[name] = line[j]
		}
		rows = append(rows, row)
	}
	return rows
}

// number reads a cell; NaN-less is all these tests need.
func number(t *testing.T, row map[string]string, column string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(row[column], 64)
	if err != nil {
		t.Fatalf("column %q of %v: %v", column, row, err)
	}
	return v
}

// All formats of a collection tell the same, on the terminal and in the files of an export.
func TestCollectionFormats(t *testing.T) {
	url := served(t, small)
	show := func(args ...string) string {
		return mustRun(t, "foldstream", append([]string{"collection", "show", "small", "-s", url}, args...)...)
	}
	table := cells(t, show("--format", "csv"))
	if len(table) != 7 || table[6]["configuration"] != "ensemble" || table[0]["key.horizon"] != "1" || table[6]["key.horizon"] != "" || table[0]["present"] != "20" {
		t.Errorf("the table is %v", table)
	}
	var asJSON struct {
		Groups []struct{ Metrics map[string]float64 }
	}
	if err := json.Unmarshal([]byte(show("--format", "json")), &asJSON); err != nil || asJSON.Groups[0].Metrics["ic"] != number(t, table[0], "ic") {
		t.Errorf("JSON has %v, %v", asJSON, err)
	}
	if a, b := show("--json"), show("--format", "json"); a != b {
		t.Error("--json and --format json differ")
	}
	if md := show("--format", "markdown"); strings.Count(md, "\n") != 9 || !strings.Contains(md, "| ensemble ") {
		t.Errorf("Markdown is\n%s", md)
	}
	binary, err := frame.ReadParquet([]byte(show("--format", "parquet")))
	if err != nil || binary.Len() != 7 || binary.Columns[0].Texts[6] != "ensemble" {
		t.Errorf("Parquet is %v, %v", binary, err)
	}

	series := show("--series", "--format", "csv")
	rows := cells(t, series)
	f, err := frame.Decode([]byte(show("--series", "--format", "parquet")))
	if err != nil || f.Len() != len(rows) || f.Len() != 1263*30 || len(f.Columns) != 1+6+1 {
		t.Fatalf("the series are %v, %d rows as CSV, %v", f, len(rows), err)
	}
	for i, row := range rows {
		if row["datetime"] != f.Times[i].String() || row["instrument"] != f.Instruments[i] {
			t.Fatalf("row %d is %v", i, row)
		}
		for _, c := range f.Columns {
			if row[c.Name] != "" && number(t, row, c.Name) != c.Values[i] {
				t.Fatalf("row %d, column %s: %s and %v", i, c.Name, row[c.Name], c.Values[i])
			}
		}
	}
	var objects []map[string]any
	if err := json.Unmarshal([]byte(show("--series", "--json")), &objects); err != nil || len(objects) != f.Len() || objects[0]["instrument"] != "AA" {
		t.Errorf("%d objects, %v", len(objects), err)
	}

	dir := filepath.Join(t.TempDir(), "a", "b")
	told := mustRun(t, "foldstream", "collection", "export", "small", dir, "-s", url)
	var names []string
	for line := range strings.Lines(told) {
		names = append(names, filepath.Base(strings.TrimSpace(line)))
	}
	if d := cmp.Diff([]string{"table.csv", "table.json", "table.md", "table.parquet", "series.csv", "series.parquet"}, names); d != "" {
		t.Error(d)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "series.csv")); err != nil || string(got) != series {
		t.Errorf("series.csv is not what is shown, %v", err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "series.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	back, err := frame.Decode(data)
	sameTime := cmp.Comparer(func(a, b foldstream.Time) bool { return a == b })
	if d := cmp.Diff(f, back, cmpopts.EquateNaNs(), sameTime); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	again := filepath.Join(t.TempDir(), "c")
	mustRun(t, "foldstream", "collection", "export", "small", again, "-s", url, "--format", "parquet", "--json")
	if other, err := os.ReadFile(filepath.Join(again, "series.parquet")); err != nil || !bytes.Equal(data, other) {
		t.Errorf("a second export has other bytes, %v", err)
	}
	if left, err := os.ReadDir(again); err != nil || len(left) != 2 {
		t.Errorf("%v, %v", left, err)
	}
}

func TestErrCollectionOut(t *testing.T) {
	dir := t.TempDir()
	url, _ := serve(t, filepath.Join(dir, "store"))
	mustRun(t, "producer", "submit", small, "-s", url)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the aggregator has the experiment", func() bool {
		return !strings.Contains(run(t, "foldstream", "collection", "show", "small", "-s", url).stderr, "nothing of its")
	})
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"show small --format xlsx", 2, "xlsx"},
		{"show small --series --format csv", 5, "0 of 120 members"},
		{"show small --format csv", 5, "0 of 120 members"},
		{"show none --format csv", 3, `"none"`},
		{"export small " + file, 5, "0 of 120 members"},
		{"export small --allow-partial " + file, 2, "file"},
		{"export small " + filepath.Join(dir, "out"), 5, "0 of 120 members"},
	} {
		out := run(t, "foldstream", append([]string{"collection"}, append(strings.Fields(c.args), "-s", url)...)...)
		if out.code != c.code || !strings.Contains(out.stderr, c.want) {
			t.Errorf("%s: exit code %d, %s", c.args, out.code, out.stderr)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
		t.Error("files of an incomplete collection were written")
	}
}

// The ensemble is that of the file: with all weights but one zero, its portfolio is that of the one; ranks are parts of one.
func TestCollectionEnsembles(t *testing.T) {
	text := read(t, small)
	write := func(ensemble string) string {
		path := filepath.Join(t.TempDir(), "experiment.yaml")
		text := strings.ReplaceAll(strings.Replace(text, "ensemble: average", ensemble, 1), "../../../examples", filepath.Join(abs(t, ".."), "examples"))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	url := served(t, write("ensemble: weighted, weights: {alpha=1: 0, alpha=100: 0, horizon=1: 0}"))
	table := cells(t, mustRun(t, "foldstream", "collection", "show", "small", "--format", "csv", "-s", url))
	one, ensemble := table[5], table[6]
	if one["configuration"] != "alpha=10000,horizon=5,rolling=expanding" {
		t.Fatalf("%v", one)
	}
	for _, metric := range []string{"annual_return", "information_ratio", "max_drawdown"} {
		if number(t, one, metric) != number(t, ensemble, metric) {
			t.Errorf("%s: %s alone, %s in the ensemble", metric, one[metric], ensemble[metric])
		}
	}
	url = served(t, write("ensemble: rank"))
	f, err := frame.Decode([]byte(mustRun(t, "foldstream", "collection", "show", "small", "--series", "--format", "parquet", "-s", url)))
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range f.Column("ensemble") {
		if !(v > 0 && v <= 1) {
			t.Fatalf("row %d: %v is no rank of thirty", i, v)
		}
	}
}

func abs(t *testing.T, path string) string {
	t.Helper()
	a, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return a
}
