package test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen/qlib"
)

// The notes of utils.json that say what to return.
const (
	noteEmptyMap   = "empty maps vanish"
	noteEmptyKey   = "an empty parent key is dropped from the path"
	noteEmptyList  = "an empty list at the top is fine"
	noteNestedDrop = "a nested drop mark under a new key is copied in as text"
)

// noTuples is why the mode of tuple keys is not run where the original does something sensible.
const noTuples = "keys of tuples are Python's; a task's parameters have text for keys"

// runFlatten mirrors utils/__init__.py:flatten_dict, but for its mode of tuple keys: our keys are texts.
func runFlatten(v *vector) (any, error) {
	sep := "."
	if err := v.into("sep", &sep); err != nil {
		return nil, err
	}
	if sep == "tuple" {
		return nil, foldstream.Errorf(foldstream.Invalid, "flatten", "keys are texts: there are no tuple keys")
	}
	var d map[string]any
	if err := v.into("d", &d); err != nil {
		return nil, err
	}
	return qlib.Flatten(d, sep)
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
	w, err := qlib.ReadWorkflow("w.yaml", top, open)
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
	if sep == "tuple" {
		return nil, errNamed
	}
	flat := map[string]any{}
	var walk func(path []string, value any)
	walk = func(path []string, value any) {
		m, ok := value.(map[string]any)
		if !ok || len(m) == 0 {
			key := path[0]
			for _, p := range path[1:] {
				key += sep + p
			}
			flat[key] = value
			return
		}
		for k, e := range m {
			walk(append(path[:len(path):len(path)], k), e)
		}
	}
	for k, e := range v.arg("d").(map[string]any) {
		walk([]string{k}, e)
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
