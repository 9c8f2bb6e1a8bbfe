package collect_test

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// elsewhere are recorded cases that have no counterpart here, and why.
var elsewhere = map[string]string{
	"re/no_datetime_level": "a Frame always has times",
	"re/swapped_levels":    "a Frame's rows are ordered by time first",
	"ae/nested":            "an Average takes a flat list of members",
	"ae/tuple_keys":        "as ae/two, with other names",
	"signals":              "as ae/two, with nested names",
	"ae/two_columns":       "an Average takes one column, by name (quirk: every column counts as a series)",
	"re/empty_dict":        "no windows make an empty frame",
	"ae/empty_dict":        "no series make an empty frame",
}

// refused are cases that are an error here and none in the original.
var refused = map[string]bool{
	"re/column_mismatch": true, // quirk: nulls in the holes
	"ae/duplicate_index": true, // two rows of one day and instrument stay two
}

type table struct {
	Kind    string   `json:"kind"`
	Index   []any    `json:"index"`
	Columns []string `json:"columns"`
	Data    []any    `json:"data"`
	Error   string   `json:"error"`
}

// frame reads a table; the one column of a series is called score.
func (v table) frame(t *testing.T) foldstream.Frame {
	t.Helper()
	var f foldstream.Frame
	for _, name := range v.Columns {
		f.Columns = append(f.Columns, foldstream.Column{Name: name})
	}
	if v.Kind == "series" {
		f.Columns = []foldstream.Column{{Name: "score"}}
	}
	for i, key := range v.Index {
		parts, ok := key.([]any)
		if !ok {
			parts = []any{key}
		}
		at, err := foldstream.ParseTime(parts[0].(string))
		if err != nil {
			t.Fatal(err)
		}
		f.Times = append(f.Times, at)
		if len(parts) > 1 {
			f.Instruments = append(f.Instruments, parts[1].(string))
		}
		row, ok := v.Data[i].([]any)
		if !ok {
			row = []any{v.Data[i]}
		}
		for j, cell := range row {
			x, ok := cell.(float64)
			if !ok {
				x = math.NaN()
			}
			f.Columns[j].Values = append(f.Columns[j].Values, x)
		}
	}
	return f
}

// recorded is one case of collect.json, as far as it is of an ensemble.
type recorded struct {
	Name string `json:"name"`
	Op   string `json:"op"`
	Args struct {
		Ensemble struct {
			Type string `json:"type"`
		} `json:"ensemble"`
		Input map[string]table `json:"input"`
	} `json:"args"`
	Expect table `json:"expect"`
}

// ensembles reads the cases of ensembles that have a counterpart here. The others have arguments of other shapes.
func ensembles(t *testing.T) []recorded {
	data, err := os.ReadFile("../test/testdata/qlib/collect.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Cases []json.RawMessage `json:"cases"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	var cases []recorded
	for _, raw := range file.Cases {
		var head struct{ Name, Op string }
		if err := json.Unmarshal(raw, &head); err != nil {
			t.Fatal(err)
		}
		if head.Op != "ensemble" || elsewhere[head.Name] != "" {
			continue
		}
		var c recorded
		if err := json.Unmarshal(raw, &c); err != nil {
			t.Fatal(head.Name, err)
		}
		cases = append(cases, c)
	}
	return cases
}

// TestEnsembleVectors runs what was recorded of Qlib's model/ens/ensemble.py RollingEnsemble and AverageEnsemble.
func TestEnsembleVectors(t *testing.T) {
	cases := ensembles(t)
	if len(cases) != 42-len(elsewhere) {
		t.Fatalf("%d cases", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			got, err := c.run(t)
			switch {
			case c.Expect.Error != "" || refused[c.Name]:
				if err == nil {
					t.Errorf("no error, but %v", got)
				}
				return
			case err != nil:
				t.Fatal(err)
			}
			sameFrame(t, c.Expect.frame(t), got)
		})
	}
}

// run folds the inputs in order of their names, each as a window or as a series.
func (c recorded) run(t *testing.T) (foldstream.Frame, error) {
	var expected []foldstream.Expectation
	var members []foldstream.Member
	for i, name := range slices.Sorted(maps.Keys(c.Args.Input)) {
		e := foldstream.Expectation{Key: foldstream.Key{{Name: "name", Value: name}}, Task: foldstream.TaskID(name)}
		if c.Args.Ensemble.Type == "rolling_ensemble" {
			e = foldstream.Expectation{Window: foldstream.Window{Index: i}, Task: foldstream.TaskID(name)}
		}
		expected = append(expected, e)
		members = append(members, foldstream.Member{Expectation: e, Frame: c.Args.Input[name].frame(t)})
	}
	var fold foldstream.Fold = collect.NewAverage(expected, "score")
	if c.Args.Ensemble.Type == "rolling_ensemble" {
		fold = collect.NewRolling(expected, nil)
	}
	for _, m := range members {
		if err := fold.Add(m); err != nil {
			return foldstream.Frame{}, err
		}
	}
	f, _, err := fold.Value()
	return f, err
}

func sameFrame(t *testing.T, want, got foldstream.Frame) {
	t.Helper()
	if !slices.Equal(want.Times, got.Times) || !slices.Equal(want.Instruments, got.Instruments) {
		t.Fatalf("other rows: %v %v, want %v %v", got.Times, got.Instruments, want.Times, want.Instruments)
	}
	for _, c := range want.Columns {
		for i, v := range got.Column(c.Name) {
			if w := c.Values[i]; math.IsNaN(v) != math.IsNaN(w) || math.Abs(v-w) > 1e-9*math.Max(1, math.Abs(w)) {
				t.Errorf("%s at %s: %v, want %v", c.Name, got.Times[i], v, w)
			}
		}
		if len(got.Column(c.Name)) != len(c.Values) {
			t.Errorf("column %s has %d values, want %d", c.Name, len(got.Column(c.Name)), len(c.Values))
		}
	}
}
