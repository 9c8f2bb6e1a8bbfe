package cli_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/cmd/internal/cli"
)

func TestOverrideValues(t *testing.T) {
	list := func(values ...any) []any { return values }
	for text, want := range map[string][]any{
		"a=1":                      list(int64(1)),
		"a=-1.5e-3":                list(-1.5e-3),
		"a=true,FALSE,null":        list(true, false, nil),
		"a=lgb":                    list("lgb"),
		"a=2020-01-02":             list("2020-01-02"),
		"a=":                       list(""),
		"a= two words ":            list("two words"),
		"a=<dataset.kwargs.x>":     list("<dataset.kwargs.x>"),
		"a='1'":                    list("1"),
		`a="x, \"y\""`:             list(`x, "y"`),
		"a=1,2, 3":                 list(int64(1), int64(2), int64(3)),
		"a=[1,b,[c]]":              list(list(int64(1), "b", list("c"))),
		"a=[],[1]":                 list([]any{}, list(int64(1))),
		"a={k: 1, 'l m': [x]}":     list(map[string]any{"k": int64(1), "l m": list("x")}),
		"a={}":                     list(map[string]any{}),
		"a=choice(x, 'y')":         list("x", "y"),
		"a=range(3)":               list(int64(0), int64(1), int64(2)),
		"a=range(1,10,4)":          list(int64(1), int64(5), int64(9)),
		"a=range(3,0,-2)":          list(int64(3), int64(1)),
		"a=range(0.5,1.6,0.5)":     list(0.5, 1.0, 1.5),
		"a=Ref($close, -2)/2":      list("Ref($close", "-2)/2"), // what has a comma needs quotes
		"a='Ref($close, -2)/2'":    list("Ref($close, -2)/2"),
		"a=0x10,1e999,nan,inf,+1":  list("0x10", "1e999", "nan", "inf", int64(1)),
		"++a.b-c_d.0=1":            list(int64(1)),
		"~a.b":                     list(nil),
		"a.b=http://x:1/?q=1#frag": list("http://x:1/?q=1#frag"),
	} {
		got, err := cli.ParseOverride(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v\n%s", text, err, diff)
		}
	}
}

func TestOverrideRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"a":                   "column 2: PATH=VALUE is wanted",
		"=1":                  `column 1: "" is no path`,
		"a..b=1":              `"a..b" is no path`,
		"a b=1":               "is no path",
		"~a=1":                "column 4: what is taken away has no value",
		"a=[1,2":              "column 7: a comma or ] is wanted",
		"a=[1 2]]":            `column 8: "]" is too much`,
		"a={k 1}":             "a key and a colon are wanted",
		"a={1: 2}":            "a key and a colon are wanted",
		"a={k: 1, k: 2}":      `the key "k" stands twice`,
		"a='x":                "the closing ' is not there",
		"a=x'y":               "needs quotes",
		"a=range(1,2,0)":      "a step of 0",
		"a=range(a)":          "range takes numbers",
		"a=range()":           "not 0 numbers",
		"a=range(2,1)":        "no value",
		"a=range(1e9)":        "more than 100000 values",
		"a=range(0,9e18,4e5)": "range takes numbers up to",
		"a=glob(*)":           "glob() is not known here; choice(a,b) and range(from,to,step) are",
		"a=choice()":          "no value",
		"a=" + strings.Repeat("[", 200) + strings.Repeat("]", 200): "deeper than 100",
	} {
		if _, err := cli.ParseOverride(text); !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.30s: %v, not %s", text, err, want)
		}
	}
}

func template() foldstream.Template {
	return foldstream.Template{
		Task: map[string]any{
			"model":   map[string]any{"class": "Ridge", "kwargs": map[string]any{"alpha": int64(1)}},
			"dataset": map[string]any{"kwargs": map[string]any{"handler": map[string]any{"kwargs": map[string]any{"fit_end_time": "1995-12-29"}}}},
			"record":  []any{map[string]any{"class": "SignalRecord"}, "last"},
		},
		Segments: foldstream.Segments{
			"train": {Start: foldstream.DateOf(1991, 1, 2), End: foldstream.DateOf(1995, 12, 29)},
			"test":  {Start: foldstream.DateOf(1996, 1, 2)},
		},
		Worker: "ridge", Key: foldstream.Key{{Name: "alpha", Value: "1"}, {Name: "rolling", Value: "expanding"}},
	}
}

func TestVary(t *testing.T) {
	seven := int64(7)
	for text, change := range map[string]func(*foldstream.Template){
		"model.kwargs.alpha=0.5": func(t *foldstream.Template) { // the choice that told it tells it again
			t.Task["model"].(map[string]any)["kwargs"] = map[string]any{"alpha": 0.5}
			t.Key[0].Value = "0.5"
		},
		"+model.kwargs.deep.er=x": func(t *foldstream.Template) {
			t.Task["model"].(map[string]any)["kwargs"] = map[string]any{"alpha": int64(1), "deep": map[string]any{"er": "x"}}
			t.Key = t.Key.With("er", `"x"`)
		},
		"+model.rolling=9": func(t *foldstream.Template) { // another choice has that name
			t.Task["model"].(map[string]any)["rolling"] = int64(9)
			t.Key = t.Key.With("model.rolling", "9")
		},
		"~model.kwargs.alpha": func(t *foldstream.Template) {
			t.Task["model"].(map[string]any)["kwargs"] = map[string]any{}
		},
		"record.0.class=SigAnaRecord": func(t *foldstream.Template) {
			t.Task["record"].([]any)[0] = map[string]any{"class": "SigAnaRecord"}
			t.Key = t.Key.With("class", `"SigAnaRecord"`)
		},
		"+record.0.kwargs.x=1": func(t *foldstream.Template) {
			t.Task["record"].([]any)[0] = map[string]any{"class": "SignalRecord", "kwargs": map[string]any{"x": int64(1)}}
			t.Key = t.Key.With("x", "1")
		},
		"record.1=first": func(t *foldstream.Template) {
			t.Task["record"].([]any)[1] = "first"
			t.Key = t.Key.With("1", `"first"`)
		},
		"segments.test=[1997-01-02,1997-12-31]": func(t *foldstream.Template) {
			t.Segments["test"] = foldstream.Segment{Start: foldstream.DateOf(1997, 1, 2), End: foldstream.DateOf(1997, 12, 31)}
			t.Key = t.Key.With("test", `["1997-01-02","1997-12-31"]`)
		},
		"dataset.kwargs.segments.train.1=1994-12-30": func(t *foldstream.Template) {
			t.Segments["train"] = foldstream.Segment{Start: foldstream.DateOf(1991, 1, 2), End: foldstream.DateOf(1994, 12, 30)}
			t.Key = t.Key.With("1", `"1994-12-30"`)
		},
		"dataset.kwargs.handler.kwargs.fit_end_time='1995-12-28 00:00'": func(t *foldstream.Template) {
			t.Handler()["fit_end_time"] = "1995-12-28"
			t.Key = t.Key.With("fit_end_time", `"1995-12-28 00:00"`)
		},
		"seed=7":     func(t *foldstream.Template) { t.Seed, t.Key = &seven, t.Key.With("seed", "7") },
		"worker=own": func(t *foldstream.Template) { t.Worker = "own" },
	} {
		want := template()
		change(&want)
		got, err := cli.Vary(template(), text)
		if err != nil || len(got) != 1 {
			t.Errorf("%s: %v, %d templates", text, err, len(got))
			continue
		}
		if diff := cmp.Diff(want, got[0], cmp.Comparer(func(a, b foldstream.Time) bool { return a == b })); diff != "" {
			t.Errorf("%s:\n%s", text, diff)
		}
	}
}

func TestVarySweeps(t *testing.T) {
	base := template()
	got, err := cli.Vary(base, "model.kwargs.alpha=1,10", "+model.kwargs.l1=range(2)")
	ok(t, err)
	var keys []string
	for _, g := range got {
		keys = append(keys, g.Key.String())
	}
	want := []string{"alpha=1,rolling=expanding,l1=0", "alpha=1,rolling=expanding,l1=1", "alpha=10,rolling=expanding,l1=0", "alpha=10,rolling=expanding,l1=1"}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(template(), base, cmp.Comparer(func(a, b foldstream.Time) bool { return a == b })); diff != "" {
		t.Errorf("the template itself changed:\n%s", diff)
	}
}

func TestVaryRefuses(t *testing.T) {
	for text, want := range map[string]string{
		"model.kwargs.aplha=1":                 `there is no model.kwargs.aplha (did you mean "model.kwargs.alpha"?); +model.kwargs.aplha=… adds it`,
		"segments.tests=[null,null]":           `(did you mean "dataset.kwargs.segments.test"?)`,
		"~model.kwargs.l1":                     "there is no model.kwargs.l1",
		"+model.kwargs.alpha=2":                "is there already",
		"+model.class.x=1":                     "model.class is Ridge, and nothing can be under it",
		"+record.2=x":                          `"2" is none of a list's 2 elements`,
		"~record.1":                            "set the list",
		"segments.test=[1997-01-02]":           "not a pair",
		"segments.test.0=1997-13-02":           "is not a date",
		"segments.train=[1996,1995]":           "neither a date nor null",
		"model.kwargs.alpha=99999999999999999": "would not survive JSON",
		"seed=x":                               "x is not an integer",
		"worker=1":                             "the name of one",
		"dataset.kwargs.segments=5":            "not a map",
	} {
		_, err := cli.Vary(template(), text)
		if !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), fmt.Sprintf("-S %q", text)) {
			t.Errorf("%s: %v, not %s", text, err, want)
		}
	}
}

// Whatever is written, it is refused as bad input or has values that can be in a task.
func FuzzOverride(f *testing.F) {
	for _, text := range []string{"a=1,2", "+a.b=[x,{k: 'v'}]", "~a", "a=range(0,1,0.1)", `a="\"`, "a=choice(a,b"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		values, err := cli.ParseOverride(text)
		if err != nil {
			if !foldstream.Is(err, foldstream.Invalid) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		for _, v := range values {
			if _, err := foldstream.Plain(v); err != nil && !big(v) {
				t.Errorf("%q: %v", text, err)
			}
		}
		if _, err := cli.Vary(template(), text); err != nil && !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%q: %v", text, err)
		}
	})
}

// big reports whether there is an integer in v that JSON does not hold.
func big(v any) bool {
	switch v := v.(type) {
	case int64:
		return math.Abs(float64(v)) > 1<<53-1
	case []any:
		for _, e := range v {
			if big(e) {
				return true
			}
		}
	case map[string]any:
		for _, e := range v {
			if big(e) {
				return true
			}
		}
	}
	return false
}
