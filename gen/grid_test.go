package gen_test

import (
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen"
)

func grid(axes ...gen.Axis) gen.Grid { return gen.Grid{Axes: axes} }

func axis(path string, values ...any) gen.Axis { return gen.Axis{Path: path, Values: values} }

func TestGridOrder(t *testing.T) {
	out, err := grid(axis("model.kwargs.alpha", 0.5, 1), axis("model.class", "a", "b")).Generate(foldstream.Template{})
	if want := "alpha=0.5,class=\"a\"\nalpha=0.5,class=\"b\"\nalpha=1,class=\"a\"\nalpha=1,class=\"b\"\n"; err != nil || keys(out) != want {
		t.Errorf("keys\n%serror %v; want\n%s", keys(out), err, want)
	}
	if got := out[3].Task; !reflect.DeepEqual(got, map[string]any{"model": map[string]any{"class": "b", "kwargs": map[string]any{"alpha": int64(1)}}}) {
		t.Errorf("task %v", got)
	}
	for n, g := range map[int]gen.Grid{0: grid(axis("a", 1), axis("b")), 1: grid()} {
		if out, err := g.Generate(foldstream.Template{}); err != nil || len(out) != n {
			t.Errorf("%v: %d templates, error %v; want %d", g, len(out), err, n)
		}
	}
}

func TestGridNames(t *testing.T) {
	keyed := foldstream.Template{Key: foldstream.Key{{Name: "alpha", Value: "1"}}}
	for _, test := range []struct {
		template foldstream.Template
		g        gen.Grid
		want     string
	}{
		{foldstream.Template{}, grid(axis("a.x", 1), axis("b.x", 2), axis("c", 3)), "a.x=1,b.x=2,c=3\n"},
		{keyed, grid(axis("m.alpha", 2)), "alpha=1,m.alpha=2\n"},
		{foldstream.Template{}, grid(axis("m.seed", 2), axis("seed", 3)), "m.seed=2,seed=3\n"},
		{foldstream.Template{}, grid(axis("m.seed", 2)), "m.seed=2\n"},
		{foldstream.Template{}, grid(axis("seed", 2)), "seed=2\n"},
		{foldstream.Template{}, grid(axis("a", nil), axis("b", "x<y"), axis("c", map[string]any{"z": 1.0, "y": []any{true}})),
			`a=null,b="x<y",c={"y":[true]\,"z":1}` + "\n"},
	} {
		out, err := test.g.Generate(test.template)
		if err != nil || keys(out) != test.want {
			t.Errorf("%v: key %q, error %v; want %q", test.g, keys(out), err, test.want)
		}
	}
}

func TestGridPlaces(t *testing.T) {
	template := handled(map[string]any{}, foldstream.Segments{"train": {Start: day(2020, 1, 1), End: day(2020, 6, 30)}})
	template.Task["record"] = []any{map[string]any{"class": "R"}, "text"}
	out, err := grid(
		axis("seed", 4), axis("worker", "exec"),
		axis("segments.test", []any{"2021-01-01", nil}), axis("dataset.kwargs.segments.train", []any{"2019-01-01", "2019-12-31"}),
		axis("dataset.kwargs.handler.kwargs.end_time", "20210104"),
		axis("record.0.class", "S"), axis("record.1", 9),
	).Generate(template)
	if err != nil {
		t.Fatal(err)
	}
	o := out[0]
	if *o.Seed != 4 || o.Worker != "exec" || o.Task["seed"] != nil || o.Task["worker"] != nil {
		t.Errorf("seed %d, worker %q, task %v", *o.Seed, o.Worker, o.Task)
	}
	if want := (foldstream.Segments{"test": {Start: day(2021, 1, 1)}, "train": {Start: day(2019, 1, 1), End: day(2019, 12, 31)}}); !reflect.DeepEqual(o.Segments, want) {
		t.Errorf("segments %v, want %v", o.Segments, want)
	}
	if got := o.Handler()["end_time"]; got != "2021-01-04" {
		t.Errorf("end_time %v: a handler's time has its canonical text", got)
	}
	if got := o.Task["record"]; !reflect.DeepEqual(got, []any{map[string]any{"class": "S"}, int64(9)}) {
		t.Errorf("record %v", got)
	}
	if template.Task["record"].([]any)[1] != "text" || template.Segments["train"].Start != day(2020, 1, 1) {
		t.Error("the template was changed")
	}
}

func TestGridErrInvalid(t *testing.T) {
	template := task("list", []any{int64(1)})
	template.Task["text"] = "x"
	for _, test := range []struct {
		g    gen.Grid
		says string
	}{
		{grid(axis("", 1)), "empty"},
		{grid(axis("a..b", 1)), "empty"},
		{grid(axis("a", 1), axis("a", 2)), "twice"},
		{grid(axis("segments.test"), axis("dataset.kwargs.segments.test")), "twice"},
		{grid(axis("text.x", 1)), "text is x"},
		{grid(axis("list.1", 1)), `"1"`},
		{grid(axis("list.x", 1)), `"x"`},
		{grid(axis("list.0.x", 1)), "0 is 1"},
		{grid(axis("a", math.NaN())), "NaN"},
		{grid(axis("a", 1<<60)), "1152921504606846976"},
		{grid(axis("seed", "x")), "x is not"},
		{grid(axis("seed", 1.5)), "1.5"},
		{grid(axis("worker", 1)), "1 is not"},
		{grid(axis("segments.test", "2020")), "segments.test"},
		{grid(axis("segments.test", []any{"2020-01-02", "2020-01-01"})), "2020-01-02"},
		{grid(axis("dataset.kwargs.segments", map[string]any{})), "one by one"},
		{grid(axis("dataset.kwargs.handler.kwargs.fit_end_time", "soon")), "soon"},
	} {
		out, err := test.g.Generate(template)
		wantErr(t, err, foldstream.Invalid)
		if out != nil || err != nil && !strings.Contains(err.Error(), test.says) {
			t.Errorf("%v: %d templates, error %v; want %q in it", test.g, len(out), err, test.says)
		}
	}
}
