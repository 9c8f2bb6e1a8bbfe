package qlib_test

import (
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen/qlib"
	"github.com/google/go-cmp/cmp"
)

func TestFlatten(t *testing.T) {
	got, err := qlib.Flatten(map[string]any{"a": map[string]any{"b": 1, "": 2, "c": map[string]any{}}, "d": []any{map[string]any{"e": 3}}}, "/")
	want := map[string]any{"a/b": 1, "a/": 2, "a/c": map[string]any{}, "d": []any{map[string]any{"e": 3}}}
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Error(err, d)
	}
	if _, err := qlib.Flatten(map[string]any{"a.b": 1, "a": map[string]any{"b": 2}}, "."); !foldstream.Is(err, foldstream.Invalid) {
		t.Errorf("got %v", err)
	}
}

func TestPaths(t *testing.T) {
	got := qlib.Paths(map[string]any{"a.b": 1, "a": map[string]any{"b": 2, "": 3, "c": map[string]any{"d": map[string]any{}}}, "": map[string]any{"x": nil}})
	want := []qlib.Entry{{Path: []string{"", "x"}}, {Path: []string{"a", ""}, Value: 3}, {Path: []string{"a", "b"}, Value: 2},
		{Path: []string{"a", "c", "d"}, Value: map[string]any{}}, {Path: []string{"a.b"}, Value: 1}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if got := qlib.Paths(nil); len(got) != 0 {
		t.Errorf("nothing has the paths %v", got)
	}
}

// TestFillPlaceholders: each path is looked up in what was given, so nothing depends on the order of a map.
func TestFillPlaceholders(t *testing.T) {
	config := map[string]any{"a": "<b>", "b": "<c>", "c": 5, "whole": map[string]any{"in": "<whole>"}, "l": []any{"<M>", "<M>x", "<>", "<l.0>", "<l.99>", "<l.-1>", "<l.x>", "<c.x>"}}
	got, err := qlib.FillPlaceholders(config, map[string]any{"<M>": []any{int64(1)}})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"a": "<c>", "b": int64(5), "c": int64(5), "whole": map[string]any{"in": map[string]any{"in": "<whole>"}},
		"l": []any{[]any{int64(1)}, "<M>x", "<>", "<M>", "<l.99>", "<l.-1>", "<l.x>", "<c.x>"}}
	if d := cmp.Diff(any(want), got); d != "" {
		t.Error(d)
	}
	if config["a"] != "<b>" {
		t.Error("the config was changed")
	}
	for name, names := range map[string]map[string]any{"no brackets": {"M": 1}, "no value": {"<M>": make(chan int)}} {
		if _, err := qlib.FillPlaceholders(config, names); !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	many := make([]any, 1000)
	for i := range many {
		many[i] = "<l>"
	}
	if _, err := qlib.FillPlaceholders(map[string]any{"l": many}, nil); !foldstream.Is(err, foldstream.Invalid) {
		t.Errorf("a million values: got %v", err)
	}
	if _, err := qlib.FillPlaceholders(map[string]any{"x": "<a> tail", "a": 1}, nil); !foldstream.Is(err, foldstream.Invalid) {
		t.Errorf("got %v", err)
	}
}
