package qlib_test

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen/qlib"
)

// seeds adds the documents of a script.
func seeds(f *testing.F, file string) {
	f.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		f.Fatal(err)
	}
	for c := range strings.SplitSeq(string(data), "\n## ") {
		_, body, _ := strings.Cut(c, "\n")
		text, _, _ := strings.Cut(body, "----\n")
		f.Add([]byte(text))
	}
}

// FuzzRead: whatever the bytes, Read answers with a file or with errors of kind Invalid that name it, and twice the same;
// planning what it read fails with a kind of its own or gives certified tasks.
func FuzzRead(f *testing.F) {
	seeds(f, "testdata/bad.txt")
	f.Add([]byte(full))
	f.Add([]byte(head + task + "generators: [{rolling: {step: 5, trunc: reach}}, {horizon: {horizons: [1]}}, {seeds: [1]}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := qlib.Read("f.yaml", bytes.NewReader(text))
		_, again := qlib.Read("f.yaml", bytes.NewReader(text))
		if err != nil {
			checkErr(t, err, again)
			return
		}
		if again != nil {
			t.Fatalf("read once, then %v", again)
		}
		if bytes.Contains(text, []byte("range")) {
			return // a hundred thousand tasks are no crash, but slow
		}
		if p, err := file.Plan(weekdays(t, 100), file.Data); err != nil && foldstream.KindOf(err) == foldstream.Internal {
			t.Fatalf("an error without a kind: %v", err)
		} else if err == nil && len(p.Tasks) == 0 {
			t.Fatal("a plan without tasks")
		}
	})
}

// FuzzReadWorkflow: the same for workflow files, and their task makes a template again.
func FuzzReadWorkflow(f *testing.F) {
	seeds(f, "testdata/bad_workflow.txt")
	f.Add([]byte(workflow))
	f.Add([]byte("BASE_CONFIG_PATH: w.yaml\ntask: {x: __DROP__}\n<<: {qlib_init: &a {b: [*c]}}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		open := opener(map[string]string{"w.yaml": workflow})
		w, err := qlib.ReadWorkflow("f.yaml", bytes.NewReader(text), open, environment)
		if err != nil {
			_, again := qlib.ReadWorkflow("f.yaml", bytes.NewReader(text), open, environment)
			checkErr(t, err, again)
			return
		}
		if _, err := foldstream.TemplateOf(w.Template.Dict()); err != nil {
			t.Fatalf("the dict of the template is none: %v", err)
		}
	})
}

func checkErr(t *testing.T, err, again error) {
	t.Helper()
	if !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), ".yaml:") {
		t.Fatalf("%v: %v", foldstream.KindOf(err), err)
	}
	if again == nil || again.Error() != err.Error() {
		t.Fatalf("first %v, then %v", err, again)
	}
}

// FuzzFillPlaceholders: whatever stands in a dict, filling it in ends, changes nothing of what was given, and leaves no name that it knows.
func FuzzFillPlaceholders(f *testing.F) {
	for _, seed := range []string{`{"a":"<b.0>","b":["<a>"]}`, `{"a":"<a>"}`, `{"model":"<M>","x":{"y":"<x>"}}`, `["<0>","<1.2>"]`, `{"a":"<b>tail","b":1}`, `"<>"`} {
		f.Add([]byte(seed), "<M>", "value")
	}
	f.Fuzz(func(t *testing.T, data []byte, name, value string) {
		var config any
		if json.Unmarshal(data, &config) != nil {
			return
		}
		before, _ := json.Marshal(config)
		filled, err := qlib.FillPlaceholders(config, map[string]any{name: value})
		if err != nil {
			if !foldstream.Is(err, foldstream.Invalid) {
				t.Fatal(err)
			}
			return
		}
		if after, _ := json.Marshal(config); !bytes.Equal(before, after) {
			t.Errorf("%s became %s", before, after)
		}
		if _, err := json.Marshal(filled); err != nil {
			t.Error(err)
		}
	})
}

// FuzzFlatten: the paths of a dict lead to all of its values, and joined they are all its keys or refused.
func FuzzFlatten(f *testing.F) {
	for _, seed := range []string{`{"a":{"b":1,"c":{}},"d":[{"e":1}]}`, `{"a.b":1,"a":{"b":2}}`, `{"":{"":{"":null}}}`} {
		f.Add([]byte(seed), ".")
	}
	f.Fuzz(func(t *testing.T, data []byte, sep string) {
		var dict map[string]any
		if json.Unmarshal(data, &dict) != nil {
			return
		}
		paths := qlib.Paths(dict)
		flat, err := qlib.Flatten(dict, sep)
		if err != nil && !foldstream.Is(err, foldstream.Invalid) || err == nil && len(flat) != len(paths) {
			t.Errorf("%d paths, %d keys, %v", len(paths), len(flat), err)
		}
		for _, p := range paths {
			var at any = dict
			for _, step := range p.Path {
				at = at.(map[string]any)[step]
			}
			if !reflect.DeepEqual(at, p.Value) {
				t.Errorf("%q leads to %v, not to %v", p.Path, at, p.Value)
			}
		}
	})
}
