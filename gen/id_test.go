package gen_test

import (
	"encoding/json"
	"maps"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen"
)

// golden is one case of testdata/ids.json. testdata/id.py recomputes the first one.
type golden struct {
	Name     string
	ID       foldstream.TaskID
	Template map[string]any
	Segments foldstream.Segments
	Horizon  int
	Seed     *int64
	Stages   []string
	Worker   string
	Calendar string
}

func (g golden) template() foldstream.Template {
	return foldstream.Template{Task: g.Template, Segments: g.Segments, Horizon: g.Horizon, Seed: g.Seed, Stages: g.Stages, Worker: g.Worker, Calendar: g.Calendar}
}

func goldens(t *testing.T) []golden {
	t.Helper()
	data, err := os.ReadFile("testdata/ids.json")
	if err != nil {
		t.Fatal(err)
	}
	var all []golden
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

func id(t *testing.T, template foldstream.Template) foldstream.TaskID {
	t.Helper()
	id, err := gen.ID(template)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestIDGolden(t *testing.T) {
	for _, g := range goldens(t) {
		if got := id(t, g.template()); got != g.ID {
			t.Errorf("%s: id %s, want %s", g.Name, got, g.ID)
		}
	}
}

func TestIDEqual(t *testing.T) {
	base := goldens(t)[0].template()
	for name, change := range map[string]func(*foldstream.Template){
		"the window":            func(c *foldstream.Template) { c.Window.Of = 3 },
		"the key":               func(c *foldstream.Template) { c.Key = c.Key.With("a", "b") },
		"the reach":             func(c *foldstream.Template) { c.Reach = foldstream.Ahead(3) },
		"the certificate":       func(c *foldstream.Template) { c.Leak.Certified = true },
		"4 as an int":           func(c *foldstream.Template) { model(c)["depth"] = 4 },
		"4 as a float":          func(c *foldstream.Template) { model(c)["depth"] = 4.0 },
		"a handler time's hour": func(c *foldstream.Template) { c.Handler()["end_time"] = "2000-03-31 00:00:00" },
	} {
		c := base.Clone()
		change(&c)
		if id(t, c) != id(t, base) {
			t.Errorf("%s changes the id", name)
		}
	}
	empty := foldstream.Template{Task: map[string]any{}, Segments: foldstream.Segments{}, Stages: []string{}}
	if id(t, empty) != id(t, foldstream.Template{}) {
		t.Error("nothing and nil have two ids")
	}
}

func TestIDDiffers(t *testing.T) {
	base := goldens(t)[0].template()
	seen := map[foldstream.TaskID]string{id(t, base): "the base"}
	seed := int64(0)
	for name, change := range map[string]func(*foldstream.Template){
		"a value":              func(c *foldstream.Template) { model(c)["alpha"] = 0.25 },
		"a text for a number":  func(c *foldstream.Template) { model(c)["depth"] = "4" },
		"false for null":       func(c *foldstream.Template) { model(c)["seed"] = false },
		"null removed":         func(c *foldstream.Template) { delete(model(c), "seed") },
		"other text as a date": func(c *foldstream.Template) { c.Handler()["note"] = "2000-03-31 00:00:00" },
		"that date":            func(c *foldstream.Template) { c.Handler()["note"] = "2000-03-31" },
		"a segment":            func(c *foldstream.Template) { c.Segments["test"] = foldstream.Segment{Start: day(1996, 1, 11)} },
		"a segment's name":     func(c *foldstream.Template) { c.Segments["valid"] = c.Segments["test"]; delete(c.Segments, "test") },
		"the horizon":          func(c *foldstream.Template) { c.Horizon = 6 },
		"the seed":             func(c *foldstream.Template) { c.Seed = &seed },
		"no seed":              func(c *foldstream.Template) { c.Seed = nil },
		"the stages":           func(c *foldstream.Template) { c.Stages = []string{"fitscore"} },
		"the worker":           func(c *foldstream.Template) { c.Worker = "exec" },
		"the calendar":         func(c *foldstream.Template) { c.Calendar = "" },
	} {
		c := base.Clone()
		change(&c)
		got := id(t, c)
		if other, known := seen[got]; known {
			t.Errorf("%s has the id of %s", name, other)
		}
		seen[got] = name
	}
}

func TestIDErrInvalid(t *testing.T) {
	big := int64(1 << 53)
	for name, c := range map[string]struct {
		template foldstream.Template
		says     string
	}{
		"big integer":     {task("n", 1<<53), "9007199254740992"},
		"NaN":             {task("n", math.NaN()), "NaN"},
		"infinity":        {task("n", math.Inf(1)), "Inf"},
		"a type":          {task("n", struct{}{}), "struct"},
		"a key":           {task("n", map[any]any{1: 2}), "map"},
		"bytes in a text": {task("n", []any{"a\xff"}), "task.n[0]"},
		"bytes in a key":  {task("n", map[string]any{"\xff": 1}), "task.n"},
		"bytes in worker": {foldstream.Template{Worker: "\xff"}, "worker"},
		"the seed":        {foldstream.Template{Seed: &big}, "seed"},
		"reversed":        {foldstream.Template{Segments: foldstream.Segments{"test": {Start: day(2020, 1, 2), End: day(2020, 1, 1)}}}, "test"},
		"segments twice":  {task("dataset", map[string]any{"kwargs": map[string]any{"segments": map[string]any{}}}), "segments"},
	} {
		got, err := gen.ID(c.template)
		if err == nil || !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: id %q, error %v; want an invalid one that says %q", name, got, err, c.says)
		}
	}
}

func TestTasks(t *testing.T) {
	all := goldens(t)
	templates := []foldstream.Template{all[1].template(), all[0].template(), all[1].template()}
	tasks, err := gen.Tasks(templates)
	if err != nil {
		t.Fatal(err)
	}
	if len(tasks) != 3 || tasks[0].ID != all[1].ID || tasks[1].ID != all[0].ID || tasks[2].ID != all[1].ID {
		t.Errorf("tasks %v: want the three in order, the repetition kept", tasks)
	}
	maps.Copy(tasks[1].Task, map[string]any{"model": nil})
	if id(t, templates[1]) != all[0].ID {
		t.Error("a task shares memory with its template")
	}
	if _, err := gen.Tasks(append(templates, task("n", math.NaN()))); !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), "template 4") {
		t.Errorf("error %v, want one that names template 4", err)
	}
}

func task(key string, value any) foldstream.Template {
	return foldstream.Template{Task: map[string]any{key: value}}
}

func model(t *foldstream.Template) map[string]any {
	return t.Task["model"].(map[string]any)["kwargs"].(map[string]any)
}
