package qlib_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/foldstream/foldstream/gen/qlib"
	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"pgregory.net/rapid"
)

// tricky are texts that look like something else.
var tricky = []string{"", "yes", "null", "~", "1", "1.5", "2020-01-01", "<<", "a: b", "# no", "<MODEL>", "{x}", "é中\u2028", " x ", "two\nlines", "'", `"\`}

// drawValue draws a value of a task dict, at most depth deep.
func drawValue(t *rapid.T, depth int) any {
	most := 6
	if depth == 0 {
		most = 4
	}
	switch rapid.IntRange(0, most).Draw(t, "kind") {
	case 0:
		return nil
	case 1:
		return rapid.Bool().Draw(t, "bool")
	case 2:
		return rapid.Int64Range(-1<<53+1, 1<<53-1).Draw(t, "int")
	case 3:
		return float64(rapid.IntRange(-1000, 1000).Draw(t, "float")) + 0.5
	case 4:
		return drawText(t)
	case 5:
		list := make([]any, rapid.IntRange(0, 3).Draw(t, "length"))
		for i := range list {
			list[i] = drawValue(t, depth-1)
		}
		return list
	}
	return drawMap(t, depth-1)
}

func drawMap(t *rapid.T, depth int) map[string]any {
	m := map[string]any{}
	for range rapid.IntRange(0, 3).Draw(t, "size") {
		m[drawText(t)] = drawValue(t, depth)
	}
	return m
}

func drawText(t *rapid.T) string {
	if rapid.Bool().Draw(t, "tricky") {
		return rapid.SampledFrom(tricky).Draw(t, "text")
	}
	return rapid.StringMatching(`[a-zA-Z_.0-9 -]{0,8}`).Draw(t, "text")
}

// TestRoundTrip takes a dict through two writers, JSON and YAML, and reads the same back.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dict := map[string]any{"under": drawMap(t, 3)}
		file := map[string]any{"qlib_init": map[string]any{}, "task": dict}
		for name, write := range map[string]func(any) ([]byte, error){"JSON": json.Marshal, "YAML": yaml.Marshal} {
			text, err := write(file)
			if err != nil {
				t.Fatal(err)
			}
			w, err := qlib.ReadWorkflow("w.yaml", bytes.NewReader(text), nil, nil)
			if err != nil {
				t.Fatalf("%s\n%s: %v", text, name, err)
			}
			if d := cmp.Diff(dict, w.Template.Dict()); d != "" {
				t.Fatalf("%s\n%s: %s", text, name, d)
			}
		}
	})
}
