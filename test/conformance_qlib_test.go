package test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen/qlib"
)

// The notes of utils.json that say what to return.
const (
	noteTuples     = `tuple keys nest to the left: (("q","r"),"s"), not one flat tuple as its help says`
	noteEmptyMap   = "empty maps vanish"
	noteEmptyKey   = "an empty parent key is dropped from the path"
	noteEmptyList  = "an empty list at the top is fine"
	noteNestedDrop = "a nested drop mark under a new key is copied in as text"
)

// runFlatten mirrors utils/__init__.py:flatten_dict. A key that is a tuple is a list in the recording, and the whole path here.
func runFlatten(v *vector) (any, error) {
	sep := "."
	if err := v.into("sep", &sep); err != nil {
		return nil, err
	}
	var d map[string]any
	if err := v.into("d", &d); err != nil {
		return nil, err
	}
	if sep != "tuple" {
		return qlib.Flatten(d, sep)
	}
	var all []pathValue
	for _, e := range qlib.Paths(d) {
		all = append(all, pathValue{e.Path, e.Value})
	}
	return tupleKeys(all), nil
}

// pathValue is a value and the keys that lead to it.
type pathValue struct {
	path  []string
	value any
}

// tupleKeys writes a map whose keys are tuples, or texts where they have one part, as the vectors do: the short ones first.
func tupleKeys(all []pathValue) any {
	slices.SortStableFunc(all, func(a, b pathValue) int {
		return cmp.Or(cmp.Compare(len(a.path), len(b.path)), slices.Compare(a.path, b.path))
	})
	texts, pairs := map[string]any{}, []any{}
	for _, e := range all {
		if len(e.path) == 1 {
			texts[e.path[0]] = e.value
			pairs = append(pairs, []any{e.path[0], e.value})
		} else {
			pairs = append(pairs, []any{e.path, e.value})
		}
	}
	if len(texts) == len(all) {
		return texts
	}
	return map[string]any{"__pairs__": pairs}
}

// runHash mirrors utils/__init__.py:hash_args. A date or a stamp is hashed as the text that Python writes.
func runHash(v *vector) (any, error) {
	args, _ := v.arg("args").([]any)
	for i := range args {
		args[i] = pythonTimes(args[i])
	}
	return qlib.HashArgs(args...)
}

// pythonTimes writes the dates and stamps in a value as Python does.
func pythonTimes(value any) any {
	switch value := value.(type) {
	case []any:
		for i := range value {
			value[i] = pythonTimes(value[i])
		}
	case map[string]any:
		if d, ok := value["__date__"]; ok {
			return d
		}
		if s, ok := value["__stamp__"].(string); ok {
			t, err := foldstream.ParseTime(s)
			if err != nil {
				panic(err)
			}
			text := t.Std().Format("2006-01-02 15:04:05")
			if t.Std().Nanosecond() > 0 {
				text = t.Std().Format("2006-01-02 15:04:05.000000")
			}
			return text
		}
		for k := range value {
			value[k] = pythonTimes(value[k])
		}
	}
	return value
}

// runFill mirrors utils/__init__.py:fill_placeholder.
func runFill(v *vector) (any, error) {
	var config any
	if err := v.into("config", &config); err != nil {
		return nil, err
	}
	var names map[string]any
	if err := v.into("extend", &names); err != nil {
		return nil, err
	}
	return qlib.FillPlaceholders(config, names)
}

// runUpdate mirrors utils/__init__.py:update_config by what uses it: workflow files that stand on one another. JSON is YAML.
func runUpdate(v *vector) (any, error) {
	layers := []json.RawMessage{v.Args["ext"]}
	if err := v.into("ext", &layers); err != nil {
		layers = []json.RawMessage{v.Args["ext"]}
	}
	layers = append([]json.RawMessage{v.Args["base"]}, layers...)
	open := func(name string) (io.ReadCloser, error) {
		var i int
		if _, err := fmt.Sscan(name, &i); err != nil {
			return nil, err
		}
		text := fmt.Sprintf("qlib_init: {}\ntask: {under: %s}\n", layers[i])
		if i > 0 {
			text += fmt.Sprintf("BASE_CONFIG_PATH: %q\n", fmt.Sprint(i-1))
		}
		return io.NopCloser(bytes.NewReader([]byte(text))), nil
	}
	top, err := open(fmt.Sprint(len(layers) - 1))
	if err != nil {
		return nil, err
	}
	w, err := qlib.ReadWorkflow("w.yaml", top, open, nil)
	if err != nil {
		return nil, err
	}
	return w.Template.Task["under"], nil
}

// slowFlatten works a flattening out by walking: nothing is lost.
func slowFlatten(v *vector) (any, error) {
	sep := "."
	if v.has("sep") {
		sep, _ = v.arg("sep").(string)
	}
	flat := map[string]any{}
	var tuples []pathValue
	var walk func(path []string, value any)
	walk = func(path []string, value any) {
		m, ok := value.(map[string]any)
		if !ok || len(m) == 0 {
			key := path[0]
			for _, p := range path[1:] {
				key += sep + p
			}
			flat[key] = value
			tuples = append(tuples, pathValue{path, value})
			return
		}
		for k, e := range m {
			walk(append(path[:len(path):len(path)], k), e)
		}
	}
	for k, e := range v.arg("d").(map[string]any) {
		walk([]string{k}, e)
	}
	if sep == "tuple" {
		return tupleKeys(tuples), nil
	}
	return flat, nil
}

// slowFill has nothing to fill.
func slowFill(v *vector) (any, error) { return v.arg("config"), nil }

// slowDrop takes the marks out of the one layer over an empty base.
func slowDrop(v *vector) (any, error) {
	var clean func(value any) any
	clean = func(value any) any {
		m, ok := value.(map[string]any)
		if !ok {
			return value
		}
		c := map[string]any{}
		for k, e := range m {
			if e != "__DROP__" {
				c[k] = clean(e)
			}
		}
		return c
	}
	return clean(v.arg("ext")), nil
}

// runHandlerCache mirrors workflow/task/utils.py:replace_task_handler_with_cache, less the building.
func runHandlerCache(v *vector) (any, error) {
	var task map[string]any
	if err := v.into("task", &task); err != nil {
		return nil, err
	}
	dir, _ := v.arg("cache_dir").(string)
	return qlib.HandlerFile(task, dir)
}
