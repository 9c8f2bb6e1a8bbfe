package test

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen"
)

// generatorSpec is a generator as the vectors spell it, with the arguments of a single one beside the task.
type generatorSpec struct {
	Type       string // "rolling", "multi_horizon", "grid" or "empty"
	Step       *float64
	RType      string
	TestKey    string `json:"test_key"`
	TrainKey   string `json:"train_key"`
	TruncDays  *int   `json:"trunc_days"`
	HandlerMod *bool  `json:"handler_mod"`
	Horizon    []int
	LeakN      *int `json:"label_leak_n"`
	Grid       orderedGrid
}

// runRollingGen mirrors workflow/task/gen.py:RollingGen.generate.
func runRollingGen(v *vector) (any, error) {
	t, spec, c, err := templateCase(v)
	if err != nil {
		return nil, err
	}
	r, err := spec.rolling(c)
	if err != nil {
		return nil, err
	}
	return dicts(r.Generate(t))
}

// runGenFollowing mirrors workflow/task/gen.py:RollingGen.gen_following_tasks.
func runGenFollowing(v *vector) (any, error) {
	t, spec, c, err := templateCase(v)
	if err != nil {
		return nil, err
	}
	r, err := spec.rolling(c)
	if err != nil {
		return nil, err
	}
	var until foldstream.Time
	if err := v.into("test_end", &until); err != nil {
		return nil, err
	}
	return dicts(r.Following(t, until))
}

// runMultiHorizon mirrors workflow/task/gen.py:MultiHorizonGenBase.generate.
func runMultiHorizon(v *vector) (any, error) {
	t, spec, c, err := templateCase(v)
	if err != nil {
		return nil, err
	}
	return dicts(spec.horizon(c).Generate(t))
}

// runTaskGenerator mirrors workflow/task/gen.py:task_generator.
func runTaskGenerator(v *vector) (any, error) {
	c, err := v.calendar()
	if err != nil {
		return nil, err
	}
	tasks, err := oneOrMany[map[string]any](v, "tasks")
	if err != nil {
		return nil, err
	}
	specs, err := oneOrMany[generatorSpec](v, "generators")
	if err != nil {
		return nil, err
	}
	templates := make([]foldstream.Template, len(tasks))
	for i, task := range tasks {
		if templates[i], err = foldstream.TemplateOf(task); err != nil {
			return nil, err
		}
	}
	generators := make([]foldstream.Generator, len(specs))
	for i, s := range specs {
		if generators[i], err = s.generator(c); err != nil {
			return nil, err
		}
	}
	return dicts(gen.All(templates, generators...))
}

// templateCase reads a case of one generator over one task.
func templateCase(v *vector) (t foldstream.Template, spec generatorSpec, c *calendar.Calendar, err error) {
	if c, err = v.calendar(); err != nil {
		return t, spec, c, err
	}
	var task map[string]any
	for name, target := range map[string]any{
		"task": &task, "step": &spec.Step, "rtype": &spec.RType, "test_key": &spec.TestKey, "train_key": &spec.TrainKey,
		"trunc_days": &spec.TruncDays, "handler_mod": &spec.HandlerMod, "horizon": &spec.Horizon, "label_leak_n": &spec.LeakN,
	} {
		if err := v.into(name, target); err != nil {
			return t, spec, c, fmt.Errorf("%s: %w", name, err)
		}
	}
	t, err = foldstream.TemplateOf(task)
	return t, spec, c, err
}

func (s generatorSpec) generator(c *calendar.Calendar) (foldstream.Generator, error) {
	switch s.Type {
	case "rolling":
		return s.rolling(c)
	case "multi_horizon":
		return s.horizon(c), nil
	case "grid":
		return gen.Grid{Axes: s.Grid}, nil
	case "empty":
		return gen.Either(), nil
	}
	return nil, nil // not a generator: All refuses it
}

// rolling refuses the steps that cannot be told to a Rolling: a fraction does not fit its type, and its 0 is the default.
func (s generatorSpec) rolling(c *calendar.Calendar) (gen.Rolling, error) {
	r := gen.Rolling{Calendar: c, Type: calendar.Mode(s.RType), TestKey: s.TestKey, TrainKey: s.TrainKey, Trunc: s.TruncDays}
	if s.Step != nil {
		r.Step = int(*s.Step)
		if float64(r.Step) != *s.Step || r.Step == 0 {
			return r, foldstream.Errorf(foldstream.Invalid, "rolling", "step %v is not a whole number above 0", *s.Step)
		}
	}
	r.KeepHandlerEnd = s.HandlerMod != nil && !*s.HandlerMod
	return r, nil
}

// horizon has the label rule of the vectors' note.
func (s generatorSpec) horizon(c *calendar.Calendar) gen.Horizon {
	return gen.Horizon{Calendar: c, Horizons: s.Horizon, Leak: s.LeakN, Set: func(t *foldstream.Template, h int) error {
		kwargs, err := mapping(t.Task, "dataset", "kwargs")
		if err != nil {
			return err
		}
		args, err := mapping(kwargs, "handler", "kwargs")
		if err != nil {
			return err
		}
		args["label"] = []any{fmt.Sprintf("return from +1 to +%d", h+1)}
		t.Task["extra"] = map[string]any{"horizon": int64(h)}
		return nil
	}}
}

// mapping digs for a mapping, making those that are missing.
func mapping(m map[string]any, keys ...string) (map[string]any, error) {
	for _, k := range keys {
		if m[k] == nil {
			m[k] = map[string]any{}
		}
		next, ok := m[k].(map[string]any)
		if !ok {
			return nil, foldstream.Errorf(foldstream.Invalid, "label", "%s is %v, not a mapping", k, m[k])
		}
		m = next
	}
	return m, nil
}

// dicts are the templates as Qlib has them.
func dicts(templates []foldstream.Template, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	out := make([]map[string]any, len(templates))
	for i, t := range templates {
		out[i] = t.Dict()
	}
	return out, nil
}

// orderedGrid keeps the order in which the vectors list the paths.
type orderedGrid []gen.Axis

func (g *orderedGrid) UnmarshalJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	if _, err := d.Token(); err != nil { // the opening brace
		return err
	}
	for d.More() {
		path, err := d.Token()
		if err != nil {
			return err
		}
		axis := gen.Axis{Path: path.(string)}
		if err := d.Decode(&axis.Values); err != nil {
			return err
		}
		*g = append(*g, axis)
	}
	return nil
}

// oneOrMany reads an argument that is a list, or one element without its list.
func oneOrMany[T any](v *vector, name string) ([]T, error) {
	var many []T
	if v.into(name, &many) == nil {
		return many, nil
	}
	one := make([]T, 1)
	return one, v.into(name, &one[0])
}
