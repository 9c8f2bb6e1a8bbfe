package gen

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/gowebpki/jcs"
)

// Grid makes one template for each combination of its axes' values, the last axis varying fastest. No axes make a clone, an
// axis without values makes nothing.
type Grid struct {
	Axes []Axis
}

// Axis is the values of one place in a template. Path leads into the task dict by keys joined with dots, as
// "model.kwargs.alpha"; missing mappings on the way are made, and a number leads into a list that is there. Some paths lead
// elsewhere: "seed" to Seed, "worker" to Worker, and "segments.NAME", as Qlib's "dataset.kwargs.segments.NAME", to that
// segment, whose values are pairs of dates.
type Axis struct {
	Path   string
	Values []any
}

var _ foldstream.Generator = Grid{}

// Generate returns the combinations in order. For each axis it adds a choice to the key: the last element of the path,
// or the whole path where that is not clear, and the value as JSON.
// Errors: Invalid, naming the path and the value: a path that is empty, twice there, or leads through a value that is no
// mapping; a value that cannot be in a task, or not in that place.
func (g Grid) Generate(t foldstream.Template) ([]foldstream.Template, error) {
	list := []foldstream.Template{t.Clone()}
	for i, axis := range g.Axes {
		if slices.ContainsFunc(g.Axes[:i], func(a Axis) bool { return place(a.Path) == place(axis.Path) }) {
			return nil, foldstream.Errorf(foldstream.Invalid, "grid", "%s is there twice", axis.Path)
		}
		name := g.name(i, t.Key)
		var next []foldstream.Template
		for _, t := range list {
			for _, v := range axis.Values {
				c := t.Clone()
				if err := set(&c, axis.Path, name, v); err != nil {
					return nil, foldstream.E(foldstream.Invalid, "grid", fmt.Errorf("%s: %w", axis.Path, err))
				}
				next = append(next, c)
			}
		}
		list = next
	}
	return list, nil
}

// reserved are the choices of the other generators.
var reserved = []string{"horizon", "rolling", "seed"}

// name is how axis i is called in the key.
func (g Grid) name(i int, key foldstream.Key) string {
	path := g.Axes[i].Path
	last := element(path)
	taken := slices.Contains(reserved, last) && path != last
	taken = taken || slices.ContainsFunc(key, func(c foldstream.Choice) bool { return c.Name == last })
	for j, a := range g.Axes {
		taken = taken || j != i && element(a.Path) == last
	}
	if taken {
		return path
	}
	return last
}

// element is the last element of a path.
func element(path string) string { return path[strings.LastIndexByte(path, '.')+1:] }

// place is where a path leads: one spelling for each place.
func place(path string) string {
	if name, ok := strings.CutPrefix(path, "dataset.kwargs.segments."); ok {
		return "segments." + name
	}
	return path
}

// set writes v at path and its choice into the key.
func set(t *foldstream.Template, path, name string, v any) error {
	v, err := foldstream.Plain(v)
	if err != nil {
		return err
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if text, err = canonValue(text); err != nil {
		return err
	}
	t.Key, t.Leak = t.Key.With(name, string(text)), foldstream.Certificate{}
	path = place(path)
	segment, isSegment := strings.CutPrefix(path, "segments.")
	switch {
	case isSegment:
		return setSegment(t, segment, v)
	case path == "seed":
		return setSeed(t, v)
	case path == "worker":
		return setWorker(t, v)
	}
	return setTask(t, strings.Split(path, "."), v)
}

// canonValue writes JSON in its canonical form, also where it is no object or list.
func canonValue(text []byte) ([]byte, error) {
	wrapped, err := jcs.Transform(slices.Concat([]byte("["), text, []byte("]")))
	if err != nil {
		return nil, err
	}
	return wrapped[1 : len(wrapped)-1], nil
}

func setSegment(t *foldstream.Template, name string, v any) error {
	read, err := foldstream.TemplateOf(map[string]any{"dataset": map[string]any{"kwargs": map[string]any{"segments": map[string]any{name: v}}}})
	if err != nil {
		return err
	}
	if t.Segments == nil {
		t.Segments = foldstream.Segments{}
	}
	t.Segments[name] = read.Segments[name]
	return nil
}

func setSeed(t *foldstream.Template, v any) error {
	seed, ok := v.(int64)
	if !ok {
		return fmt.Errorf("%v is not an integer", v)
	}
	t.Seed = &seed
	return nil
}

func setWorker(t *foldstream.Template, v any) error {
	worker, ok := v.(string)
	if !ok {
		return fmt.Errorf("%v is not the name of a worker", v)
	}
	t.Worker = worker
	return nil
}

// setTask writes v into the task dict and reads the dict anew, which puts handler times into their canonical text.
func setTask(t *foldstream.Template, keys []string, v any) error {
	if t.Task == nil {
		t.Task = map[string]any{}
	}
	if err := put(t.Task, keys, v); err != nil {
		return err
	}
	read, err := foldstream.TemplateOf(t.Task)
	if err != nil {
		return err
	}
	if read.Segments != nil {
		return fmt.Errorf("segments are set one by one, by the paths segments.NAME")
	}
	t.Task = read.Task
	return nil
}

// put writes v below a mapping, making the mappings that are missing.
func put(m map[string]any, keys []string, v any) error {
	key := keys[0]
	switch {
	case key == "":
		return fmt.Errorf("the path has an empty element")
	case len(keys) == 1:
		m[key] = v
		return nil
	case m[key] == nil:
		m[key] = map[string]any{}
	}
	return into(m[key], key, keys[1:], v)
}

// into writes v below a value, which must be a mapping or a list. name is the value's key.
func into(value any, name string, keys []string, v any) error {
	switch value := value.(type) {
	case map[string]any:
		return put(value, keys, v)
	case []any:
		i, err := strconv.Atoi(keys[0])
		if err != nil || i < 0 || i >= len(value) {
			return fmt.Errorf("%s is a list of %d elements: %q is none of them", name, len(value), keys[0])
		}
		if len(keys) == 1 {
			value[i] = v
			return nil
		}
		return into(value[i], keys[0], keys[1:], v)
	}
	return fmt.Errorf("%s is %v, not a mapping", name, value)
}
