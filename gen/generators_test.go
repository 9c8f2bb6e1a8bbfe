package gen_test

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen"
)

// keys spells the keys of templates, one a line.
func keys(templates []foldstream.Template) string {
	var b strings.Builder
	for _, t := range templates {
		fmt.Fprintln(&b, t.Key)
	}
	return b.String()
}

func TestAllOrder(t *testing.T) {
	a, b := task("model", "a"), task("model", "b")
	out, err := gen.All([]foldstream.Template{a, b}, gen.Grid{Axes: []gen.Axis{{Path: "x", Values: []any{1, 2}}}}, gen.Seeds{Seeds: []int64{7, 8}})
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat("x=1,seed=7\nx=1,seed=8\nx=2,seed=7\nx=2,seed=8\n", 2); keys(out) != want {
		t.Errorf("keys\n%swant\n%s", keys(out), want)
	}
	for i, o := range out {
		if want := string("ab"[i/4]); o.Task["model"] != want {
			t.Errorf("template %d has model %v, want %s: template-major", i, o.Task["model"], want)
		}
	}
	if none, err := gen.All(nil); err != nil || none == nil || len(none) != 0 {
		t.Errorf("no templates: %v, error %v", none, err)
	}
}

func TestAllClones(t *testing.T) {
	a := task("model", map[string]any{"class": "a"})
	careless := foldstream.GeneratorFunc(func(t foldstream.Template) ([]foldstream.Template, error) {
		t.Task["touched"] = true
		return []foldstream.Template{t, t}, nil
	})
	for _, generators := range [][]foldstream.Generator{nil, {careless}, {gen.Either(careless, careless)}} {
		out, err := gen.All([]foldstream.Template{a, a}, generators...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range out {
			out[i].Task["model"].(map[string]any)["class"] = i
		}
		for i := range out {
			if out[i].Task["model"].(map[string]any)["class"] != i {
				t.Errorf("%d generators: template %d shares memory with another", len(generators), i)
			}
		}
		if !reflect.DeepEqual(a, task("model", map[string]any{"class": "a"})) {
			t.Errorf("%d generators: the template was changed", len(generators))
		}
	}
}

func TestAllErr(t *testing.T) {
	fails := foldstream.GeneratorFunc(func(t foldstream.Template) ([]foldstream.Template, error) {
		if t.Task["bad"] != nil {
			return nil, foldstream.Errorf(foldstream.Leak, "mine", "it leaks")
		}
		return nil, nil
	})
	out, err := gen.All([]foldstream.Template{{}, task("bad", true)}, fails)
	wantErr(t, err, foldstream.Leak)
	if out != nil || !strings.Contains(err.Error(), "template 2") {
		t.Errorf("%v, error %v; want nothing, and template 2 named", out, err)
	}
	_, err = gen.All(nil, gen.Seeds{}, nil)
	wantErr(t, err, foldstream.Invalid)
	_, err = gen.Either(nil).Generate(foldstream.Template{})
	wantErr(t, err, foldstream.Invalid)
	plain := errors.New("mine")
	_, err = gen.Either(foldstream.GeneratorFunc(func(foldstream.Template) ([]foldstream.Template, error) { return nil, plain })).Generate(foldstream.Template{})
	if !errors.Is(err, plain) {
		t.Errorf("error %v, want the generator's", err)
	}
}

func TestEither(t *testing.T) {
	out, err := gen.Either(gen.Seeds{Seeds: []int64{1, 2}}, gen.Grid{Axes: []gen.Axis{{Path: "a", Values: []any{"x"}}}}).Generate(foldstream.Template{})
	if want := "seed=1\nseed=2\na=\"x\"\n"; err != nil || keys(out) != want {
		t.Errorf("keys %s, error %v; want %s", keys(out), err, want)
	}
}

func TestSeeds(t *testing.T) {
	out, err := gen.Seeds{Seeds: []int64{3, -1, 3}}.Generate(foldstream.Template{})
	if err != nil || len(out) != 3 || *out[0].Seed != 3 || *out[1].Seed != -1 || out[0].Seed == out[2].Seed {
		t.Errorf("%v, error %v: want 3, -1, 3, each its own", out, err)
	}
	_, err = gen.Seeds{Seeds: []int64{1 << 53}}.Generate(foldstream.Template{})
	wantErr(t, err, foldstream.Invalid)
}

func TestHorizon(t *testing.T) {
	c := weekdays(t, 60)
	out, err := gen.Horizon{Calendar: c, Horizons: []int{1, 5}}.Generate(period(t, c))
	if err != nil {
		t.Fatal(err)
	}
	if got := places(t, c, "valid", out); got != "20-29 20-25" {
		t.Errorf("valid %s: the cut is horizon + 2 before session 32", got)
	}
	if got := out[1].Handler()["label"]; !reflect.DeepEqual(got, []any{"Ref($close, -6) / Ref($close, -1) - 1"}) {
		t.Errorf("label %v", got)
	}
	if out[1].Horizon != 5 || out[1].Key.String() != "horizon=5" || out[1].Calendar != c.Version() {
		t.Errorf("horizon %d, key %s, calendar %s", out[1].Horizon, out[1].Key, out[1].Calendar)
	}
	for _, o := range out {
		certified, err := gen.Certify(o, c, "")
		if err != nil || certified.Leak.Gap < 1 || gen.LabelOf(o) != o.Reach {
			t.Errorf("horizon %d: gap %d, reach %v, error %v", o.Horizon, certified.Leak.Gap, gen.LabelOf(o), err)
		}
	}
	one := 1
	short, err := gen.Horizon{Calendar: c, Leak: &one}.Generate(period(t, c))
	if err != nil || places(t, c, "valid", short) != "20-26" || short[0].Horizon != 5 {
		t.Errorf("leak 1: valid %s, error %v", places(t, c, "valid", short), err)
	}
	_, err = gen.Certify(short[0], c, "")
	wantErr(t, err, foldstream.Leak)
}

func TestHorizonHandlers(t *testing.T) {
	c := weekdays(t, 60)
	bare := period(t, c)
	bare.Task = map[string]any{"dataset": map[string]any{"kwargs": map[string]any{"handler": map[string]any{"class": "X", "kwargs": nil}}}}
	text := period(t, c)
	text.Task = map[string]any{"dataset": map[string]any{"kwargs": map[string]any{"handler": "file.pkl"}}}
	for _, template := range []foldstream.Template{bare, text, {Segments: bare.Segments}} {
		was := template.Clone()
		out, err := gen.Horizon{Calendar: c}.Generate(template)
		if err != nil || out[0].Reach != foldstream.Ahead(6) {
			t.Errorf("%v: reach %v, error %v", template.Task, out, err)
		}
		if !reflect.DeepEqual(was, template) {
			t.Errorf("%v was changed", was.Task)
		}
	}
	out, err := gen.Horizon{Calendar: c}.Generate(bare)
	if err != nil || out[0].Handler()["label"] == nil {
		t.Errorf("handler without arguments: %v, error %v; want a label", out, err)
	}
}

func TestHorizonErr(t *testing.T) {
	c := weekdays(t, 60)
	negative := -1
	change := func(f func(s foldstream.Segments)) foldstream.Template {
		template := period(t, c)
		f(template.Segments)
		return template
	}
	for name, test := range map[string]struct {
		g        gen.Horizon
		template foldstream.Template
	}{
		"no calendar":      {gen.Horizon{}, period(t, c)},
		"negative":         {gen.Horizon{Calendar: c, Horizons: []int{-1}}, period(t, c)},
		"negative leak":    {gen.Horizon{Calendar: c, Leak: &negative}, period(t, c)},
		"off the calendar": {gen.Horizon{Calendar: c, Horizons: []int{31}}, period(t, c)},
		"two collapse":     {gen.Horizon{Calendar: c, Horizons: []int{20}}, change(func(s foldstream.Segments) { s["train"] = span(t, c, 12, 15) })},
		"no test":          {gen.Horizon{Calendar: c}, change(func(s foldstream.Segments) { delete(s, "test") })},
		"open test start":  {gen.Horizon{Calendar: c}, change(func(s foldstream.Segments) { s["test"] = foldstream.Segment{End: at(t, c, 50)} })},
	} {
		out, err := test.g.Generate(test.template)
		if out != nil {
			t.Errorf("%s: %d templates", name, len(out))
		}
		wantErr(t, err, foldstream.Invalid)
	}
	mine := errors.New("no")
	_, err := gen.Horizon{Calendar: c, Set: func(*foldstream.Template, int) error { return mine }}.Generate(period(t, c))
	if !errors.Is(err, mine) {
		t.Errorf("error %v, want that of Set", err)
	}
}

func TestRange(t *testing.T) {
	floats, err := gen.Range(0.1, 0.5, 0.1)
	if want := []any{0.1, 0.2, 0.3, 0.4, 0.5}; err != nil || !reflect.DeepEqual(floats, want) {
		t.Errorf("%v, error %v; want %v", floats, err, want)
	}
	thirds, err := gen.Range(0, 0.3, 0.1) // 0.3/0.1 is a little under 3
	if err != nil || len(thirds) != 4 {
		t.Errorf("%v, error %v; want 4 values", thirds, err)
	}
	down, err := gen.Range(5, -1, -2)
	if want := []any{int64(5), int64(3), int64(1), int64(-1)}; err != nil || !reflect.DeepEqual(down, want) {
		t.Errorf("%v, error %v; want %v", down, err, want)
	}
	away, err := gen.Range(int64(1), 0, 1)
	if err != nil || away == nil || len(away) != 0 {
		t.Errorf("%v, error %v; want none", away, err)
	}
	for _, r := range [][3]float64{{0, 1, 0}, {0, 0, 0}, {0, math.NaN(), 1}, {0, math.Inf(1), 1}, {0, 1, 1e-9}} {
		_, err := gen.Range(r[0], r[1], r[2])
		wantErr(t, err, foldstream.Invalid)
	}
}

// TestGeneratorsShareNothing: each generator by itself, without the clones that All makes.
func TestGeneratorsShareNothing(t *testing.T) {
	c := weekdays(t, 60)
	for name, g := range map[string]foldstream.Generator{
		"seeds":   gen.Seeds{Seeds: []int64{1, 1}},
		"horizon": gen.Horizon{Calendar: c, Horizons: []int{1, 1}},
		"rolling": gen.Rolling{Calendar: c, Step: 9},
		"either":  gen.Either(gen.Seeds{Seeds: []int64{1}}, gen.Seeds{Seeds: []int64{1}}),
		"grid": gen.Grid{Axes: []gen.Axis{{Path: "segments.later", Values: []any{[]any{"2024-03-01", nil}, []any{"2024-03-02", nil}}},
			{Path: "model.class", Values: []any{"a", "b"}}}},
	} {
		template := period(t, c)
		template.Key = make(foldstream.Key, 1, 8)
		was := template.Clone()
		out, err := g.Generate(template)
		if err != nil {
			t.Fatal(err)
		}
		clean, err := g.Generate(template)
		if err != nil {
			t.Fatal(err)
		}
		for i := range out {
			if !reflect.DeepEqual(out[i], clean[i]) {
				t.Errorf("%s: template %d was spoiled through another", name, i)
			}
			spoil(out[i])
		}
		if !reflect.DeepEqual(template, was) {
			t.Errorf("%s: the template was changed", name)
		}
	}
	careless := foldstream.GeneratorFunc(func(t foldstream.Template) ([]foldstream.Template, error) {
		t.Task["touched"] = true
		return nil, nil
	})
	template := period(t, c)
	if _, err := gen.Either(careless).Generate(template); err != nil || template.Task["touched"] != nil {
		t.Errorf("either let a generator change the template, error %v", err)
	}
}

// TestGeneratorsDropOldCertificates: what was certified before segments, labels or fit times changed is not certified now.
func TestGeneratorsDropOldCertificates(t *testing.T) {
	c := weekdays(t, 60)
	template := period(t, c)
	template.Reach = foldstream.Ahead(1)
	template, err := gen.Certify(template, c, "")
	if err != nil {
		t.Fatal(err)
	}
	for name, g := range map[string]foldstream.Generator{
		"horizon": gen.Horizon{Calendar: c}, "rolling": gen.Rolling{Calendar: c, Step: 9}, "grid": grid(axis("segments.x", []any{nil, nil})),
	} {
		out, err := g.Generate(template)
		if err != nil || !reflect.DeepEqual(out[0].Leak, foldstream.Certificate{}) {
			t.Errorf("%s: certificate %+v, error %v; want none", name, out[0].Leak, err)
		}
	}
}
