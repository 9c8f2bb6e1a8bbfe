package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/foldstream/foldstream"
)

// Overrides is the flag by which a command changes the content of tasks.
type Overrides struct {
	Set []string `short:"S" sep:"none" group:"Content" placeholder:"PATH=VALUE" help:"Change the task's content: model.kwargs.alpha=0.1; +PATH=VALUE adds, ~PATH takes away, segments.test=[2020-01-02,2020-12-31]."`
}

// parse reads them all.
func (o Overrides) parse() ([]override, error) {
	all := make([]override, len(o.Set))
	for i, text := range o.Set {
		var err error
		if all[i], err = parseOverride(text); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// vary returns a template for each combination of the overrides' values, the last override varying fastest. Their keys tell the
// values. Errors: Invalid, naming the override: a path that is not there, or is there and should not; a value that does not fit.
func vary(t foldstream.Template, overrides []override) ([]foldstream.Template, error) {
	list := []foldstream.Template{t}
	for _, o := range overrides {
		var next []foldstream.Template
		for _, t := range list {
			for _, v := range o.values {
				c, err := o.apply(t, v)
				if err != nil {
					return nil, foldstream.Errorf(foldstream.Invalid, "", "-S %q: %w", o.text, err)
				}
				if next = append(next, c); len(next) > maxSweep {
					return nil, foldstream.Errorf(foldstream.Invalid, "", "-S %q: makes more than %d tasks", o.text, maxSweep)
				}
			}
		}
		list = next
	}
	return list, nil
}

// apply returns a copy of a template with one change. The paths are those of Qlib's task dict, where the segments are in
// dataset.kwargs.segments; beside them there are seed, worker, and segments for short.
func (o override) apply(t foldstream.Template, v any) (foldstream.Template, error) {
	t = t.Clone()
	t.Leak = foldstream.Certificate{}
	switch path := strings.Join(o.path, "."); path {
	case "seed":
		return o.seed(t, v)
	case "worker":
		worker, ok := v.(string)
		if !ok || o.mode == modeDrop {
			return t, errors.New("a worker is the name of one")
		}
		t.Worker = worker
		return t, nil
	}
	path := o.path
	if path[0] == "segments" {
		path = append([]string{"dataset", "kwargs"}, path...)
	}
	dict := t.Dict()
	before, there := foldstream.Lookup(dict, path)
	if err := o.allowed(there, path, t); err != nil {
		return t, err
	}
	if err := write(dict, path, v, o.mode == modeDrop); err != nil {
		return t, err
	}
	read, err := foldstream.TemplateOf(dict)
	if err != nil {
		return t, errors.Unwrap(err)
	}
	t.Task, t.Segments = read.Task, read.Segments
	return o.named(t, before, v)
}

func (o override) seed(t foldstream.Template, v any) (foldstream.Template, error) {
	seed, ok := v.(int64)
	switch {
	case o.mode == modeDrop || v == nil:
		t.Seed = nil
		return t, nil
	case !ok:
		return t, fmt.Errorf("%v is not an integer", v)
	}
	var before any
	if t.Seed != nil {
		before = *t.Seed
	}
	t.Seed = &seed
	return o.named(t, before, v)
}

// allowed reports why a path may not be written: what is changed or taken away must be there, what is added must not.
func (o override) allowed(there bool, path []string, t foldstream.Template) error {
	name := strings.Join(o.path, ".")
	switch {
	case there && o.mode == modeAdd:
		return fmt.Errorf("%s is there already: without the + it is changed", name)
	case there || o.mode == modeAdd || o.mode == modePut:
		return nil
	case o.mode == modeDrop:
		return fmt.Errorf("there is no %s%s", name, hint(strings.Join(path, "."), paths(t)))
	}
	return fmt.Errorf("there is no %s%s; +%s=… adds it", name, hint(strings.Join(path, "."), paths(t)), name)
}

// named tells the value in the template's key: in the choice that told the value before, or else in a new one that is called by the
// last word of the path, or by all of it where that is taken.
func (o override) named(t foldstream.Template, before, v any) (foldstream.Template, error) {
	if o.mode == modeDrop {
		return t, nil
	}
	full := strings.Join(o.path, ".")
	old, err := compact(before)
	if err != nil {
		return t, err
	}
	text, err := compact(v)
	if err != nil {
		return t, err
	}
	name := o.path[len(o.path)-1]
	if told := t.Key.Get(name); told != "" && told != old {
		name = full
	}
	if told := t.Key.Get(full); told != "" && told == old {
		name = full
	}
	t.Key = t.Key.With(name, text)
	return t, nil
}

// compact writes a value as keys have it: as JSON, in as few characters as it takes.
func compact(v any) (string, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(b.String(), "\n"), err
}

// write puts a value at a path, making the maps that are missing, or takes away what is there.
func write(m map[string]any, path []string, v any, away bool) error {
	last := len(path) - 1
	for i, key := range path[:last] {
		if m[key] == nil {
			m[key] = map[string]any{}
		}
		switch next := m[key].(type) {
		case map[string]any:
			m = next
		case []any:
			return writeList(next, path[i+1:], v, away)
		default:
			return fmt.Errorf("%s is %v, and nothing can be under it", strings.Join(path[:i+1], "."), next)
		}
	}
	if m[path[last]] = v; away {
		delete(m, path[last])
	}
	return nil
}

// writeList is write for what is under an element of a list.
func writeList(list []any, path []string, v any, away bool) error {
	i, err := strconv.Atoi(path[0])
	switch {
	case err != nil || i < 0 || i >= len(list):
		return fmt.Errorf("%q is none of a list's %d elements", path[0], len(list))
	case len(path) > 1:
		under := map[string]any{path[0]: list[i]}
		err := write(under, path, v, away)
		list[i] = under[path[0]]
		return err
	case away:
		return errors.New("an element of a list cannot be taken away: set the list")
	}
	list[i] = v
	return nil
}

// paths lists the paths of a template that an override may name.
func paths(t foldstream.Template) []string {
	known := []string{"seed", "worker"}
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		m, _ := v.(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(m)) {
			known = append(known, prefix+key)
			walk(prefix+key+".", m[key])
		}
	}
	walk("", t.Dict())
	return known
}
