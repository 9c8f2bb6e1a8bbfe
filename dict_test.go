package foldstream_test

import (
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
)

func dict() map[string]any {
	return map[string]any{
		"model": map[string]any{"class": "Ridge", "kwargs": map[string]any{"alpha": 1, "rate": 0.5}},
		"dataset": map[string]any{"kwargs": map[string]any{
			"handler":  map[string]any{"kwargs": map[string]any{"end_time": "2020-08-01 00:00", "label": []any{"Ref($close, -2)"}}},
			"segments": map[string]any{"train": []any{"2008-01-01", "2014-12-31"}, "test": []any{"2017-01-01", nil}},
		}},
	}
}

func TestTemplateOfLiftsSegmentsOut(t *testing.T) {
	in := dict()
	tpl, err := foldstream.TemplateOf(in)
	if err != nil {
		t.Fatal(err)
	}
	want := foldstream.Segments{
		"train": {Start: foldstream.DateOf(2008, 1, 1), End: foldstream.DateOf(2014, 12, 31)},
		"test":  {Start: foldstream.DateOf(2017, 1, 1)},
	}
	if len(tpl.Segments) != 2 || tpl.Segments["train"] != want["train"] || tpl.Segments["test"] != want["test"] {
		t.Errorf("segments %v", tpl.Segments)
	}
	if got := tpl.Handler()["end_time"]; got != "2020-08-01" {
		t.Errorf("handler end %v is not canonical", got)
	}
	if diff := cmp.Diff(dict(), in); diff != "" {
		t.Errorf("the argument was changed:\n%s", diff)
	}
}

func TestDictPutsThemBack(t *testing.T) {
	tpl, err := foldstream.TemplateOf(dict())
	if err != nil {
		t.Fatal(err)
	}
	want := dict()
	want["model"].(map[string]any)["kwargs"] = map[string]any{"alpha": int64(1), "rate": 0.5}
	want["dataset"].(map[string]any)["kwargs"].(map[string]any)["handler"].(map[string]any)["kwargs"].(map[string]any)["end_time"] = "2020-08-01"
	got := tpl.Dict()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	got["model"].(map[string]any)["class"] = "other"
	if tpl.Task["model"].(map[string]any)["class"] != "Ridge" {
		t.Error("Dict shares memory with its template")
	}
}

func TestTemplateOfRefuses(t *testing.T) {
	for want, change := range map[string]func(d map[string]any){
		"model.big: the integer":                      func(d map[string]any) { d["model"].(map[string]any)["big"] = int64(1) << 53 },
		"model.x: NaN":                                func(d map[string]any) { d["model"].(map[string]any)["x"] = math.NaN() },
		"model.x[1]: +Inf":                            func(d map[string]any) { d["model"].(map[string]any)["x"] = []any{1, math.Inf(1)} },
		"model.x: a value of type func()":             func(d map[string]any) { d["model"].(map[string]any)["x"] = func() {} },
		"dataset.kwargs.segments.test: time: \"NaT\"": segment("test", []any{"NaT", nil}),
		"dataset.kwargs.segments.test: [1] is not":    segment("test", []any{1}),
		"dataset.kwargs.segments.test: the start":     segment("test", []any{"2020-01-02", "2020-01-01"}),
		"handler.kwargs.end_time":                     handlerEnd("2020-08-01T00:00:00+08:00"),
	} {
		d := dict()
		change(d)
		_, err := foldstream.TemplateOf(d)
		if !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want an invalid error with %q", err, want)
		}
	}
}

func segment(name string, v any) func(map[string]any) {
	return func(d map[string]any) {
		d["dataset"].(map[string]any)["kwargs"].(map[string]any)["segments"].(map[string]any)[name] = v
	}
}

func handlerEnd(v any) func(map[string]any) {
	return func(d map[string]any) {
		d["dataset"].(map[string]any)["kwargs"].(map[string]any)["handler"].(map[string]any)["kwargs"].(map[string]any)["end_time"] = v
	}
}

func TestCloneSharesNothing(t *testing.T) {
	seed := int64(7)
	a := foldstream.Template{Task: dict(), Segments: foldstream.Segments{"test": {}}, Seed: &seed, Stages: []string{"fit"}, Key: foldstream.Key{{Name: "a", Value: "1"}}}
	b := a.Clone()
	if diff := cmp.Diff(a, b, cmp.AllowUnexported(foldstream.Time{})); diff != "" {
		t.Fatal(diff)
	}
	b.Task["model"].(map[string]any)["class"], *b.Seed, b.Stages[0], b.Key[0].Value = "other", 8, "x", "2"
	delete(b.Segments, "test")
	if a.Task["model"].(map[string]any)["class"] != "Ridge" || seed != 7 || a.Stages[0] != "fit" || a.Key[0].Value != "1" || len(a.Segments) != 1 {
		t.Errorf("changing the clone changed %v", a)
	}
}

func TestKeyTextIsUnambiguous(t *testing.T) {
	a := foldstream.Key{{Name: "a", Value: "1,b=2"}}
	b := foldstream.Key{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}
	if a.String() == b.String() {
		t.Errorf("two keys, one text: %s", a)
	}
	if got := b.With("a", "3").String(); got != "a=3,b=2" {
		t.Errorf("With: %s", got)
	}
	if b.Get("b") != "2" || b.Get("c") != "" || b.String() != "a=1,b=2" {
		t.Errorf("%s", b)
	}
}

func TestLookup(t *testing.T) {
	dict := map[string]any{"a": []any{map[string]any{"b": nil}, 2}}
	for _, c := range []struct {
		path string
		want any
		ok   bool
	}{
		{"a.0.b", nil, true}, {"a.1", 2, true}, {"a.2", nil, false}, {"a.-1", nil, false}, {"a.x", nil, false}, {"a.1.b", nil, false}, {"b", nil, false},
	} {
		if got, ok := foldstream.Lookup(dict, strings.Split(c.path, ".")); got != c.want || ok != c.ok {
			t.Errorf("at %s is %v, %v; want %v, %v", c.path, got, ok, c.want, c.ok)
		}
	}
}
