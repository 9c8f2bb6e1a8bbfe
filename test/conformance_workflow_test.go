package test

import (
	"encoding/json"
	"io"
	"path"
	"strings"
	"testing/fstest"

	"github.com/foldstream/foldstream/gen/qlib"
)

// The notes of qrun_config.json that say what to return.
const (
	noteAnchors     = "overriding an anchored value in the child does not reach its aliases in the base; document it"
	noteNotRendered = "the base file is NOT rendered, its template marks stay as text; render both or refuse"
	noteOneLevel    = "only one level of base is followed; follow chains or refuse"
)

// runWorkflow mirrors cli/run.py:workflow: what it would hand on.
func runWorkflow(v *vector) (any, error) {
	var files, env map[string]string
	for name, target := range map[string]any{"files": &files, "env": &env} {
		if err := v.into(name, target); err != nil {
			return nil, err
		}
	}
	tree := fstest.MapFS{}
	for name, text := range files {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	open := func(name string) (io.ReadCloser, error) { return tree.Open(name) }
	config, _ := v.arg("config").(string)
	r, err := open(config)
	if err != nil {
		return nil, err
	}
	w, err := qlib.ReadWorkflow(config, r, open, func(name string) (string, bool) { value, ok := env[name]; return value, ok })
	if err != nil {
		return nil, err
	}
	given, _ := v.arg("experiment_name").(string)
	added := []string{}
	for _, p := range w.Paths {
		if !path.IsAbs(p) {
			p = "<cwd>/" + p
		}
		added = append(added, p)
	}
	return map[string]any{"config": w.Config, "task": w.Template.Dict(), "experiment_name": w.Name(given), "qlib_init": w.Init, "sys_path_added": added}, nil
}

// slowRendered is the recording with the one variable of the case filled in.
func slowRendered(v *vector) (any, error) {
	var env map[string]string
	if err := v.into("env", &env); err != nil {
		return nil, err
	}
	return json.RawMessage(strings.ReplaceAll(string(v.Expect), "{{ LR }}", env["LR"])), nil
}

// slowChain is the recording of the two upper files with what the third would have given.
func slowChain(*vector) (any, error) {
	task := map[string]any{"model": map[string]any{"class": "M", "kwargs": map[string]any{"lr": 0.1, "n": 3}},
		"dataset": map[string]any{"kwargs": map[string]any{"segments": map[string]any{"train": []any{"2008-01-01", "2014-12-31"}}}}}
	init := map[string]any{"provider_uri": "~/data", "region": "us"}
	return map[string]any{"config": map[string]any{"BASE_CONFIG_PATH": "b.yml", "market": "big", "qlib_init": init, "task": task},
		"task": task, "experiment_name": "workflow", "qlib_init": init, "sys_path_added": []any{}}, nil
}
