package collect_test

import (
	"context"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// counting counts how often it processes.
type counting map[string]int

func (c counting) Process(t collect.Tree[int]) (collect.Tree[int], error) {
	sum := 0
	for _, v := range t.Leaves() {
		sum += v
	}
	for l := range t.All() {
		text, _ := l.Value()
		c[text]++
	}
	return collect.Leaf(sum), nil
}

// A branch that comes has its own group processed again, and no other.
func TestGroupByIsCheapToExtend(t *testing.T) {
	seen := counting{}
	r := collect.RollingGroup[int](seen).Begin()
	add := func(group, member string, v int) {
		t.Helper()
		if err := r.Add(collect.Tuple(collect.Text(group), collect.Text(member)), collect.Leaf(v)); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Value(); err != nil {
			t.Fatal(err)
		}
	}
	add("g", "a", 1)
	add("h", "b", 2)
	add("h", "c", 3)
	if seen["a"] != 1 || seen["b"] != 2 || seen["c"] != 1 {
		t.Errorf("processed %v", seen)
	}
	tree, err := r.Value()
	if h, _ := tree.Get(collect.Tuple(collect.Text("h"))); err != nil || tree.Len() != 2 || leafOf(h) != 5 {
		t.Errorf("%v, %v", tree, err)
	}
}

func leafOf(t collect.Tree[int]) int {
	v, _ := t.Leaf()
	return v
}

func branches(t *testing.T, values map[string]int) collect.Tree[int] {
	t.Helper()
	var tree collect.Tree[int]
	for name, v := range values {
		if err := tree.Add(collect.Text(name), collect.Leaf(v)); err != nil {
			t.Fatal(err)
		}
	}
	return tree
}

func TestErrProcessors(t *testing.T) {
	tree := branches(t, map[string]int{"a": 1, "b": 2})
	all := func(l collect.Label) (collect.Label, collect.Label, error) { return collect.Label{}, l, nil }
	into := func(collect.Label) (collect.Label, collect.Label, error) {
		return collect.Label{}, collect.Label{}, nil
	}
	for name, c := range map[string]struct {
		p    collect.Processor[int]
		kind foldstream.Kind
		want string
	}{
		"nil":         {collect.Chain[int]{collect.SingleKey[int]{}, nil}, foldstream.Invalid, "processor 2 of 2 is nil"},
		"no split":    {collect.GroupBy[int]{Each: collect.Chain[int]{}}, foldstream.Invalid, "how to split"},
		"no each":     {collect.GroupBy[int]{Split: all}, foldstream.Invalid, "what becomes of a group"},
		"no tuple":    {collect.RollingGroup(collect.Chain[int]{}), foldstream.Invalid, `"a" is no tuple`},
		"one place":   {collect.GroupBy[int]{Split: into, Each: collect.Chain[int]{}}, foldstream.Conflict, "null"},
		"leaf":        {collect.Chain[int]{counting{}, collect.GroupBy[int]{Split: all, Each: collect.Chain[int]{}}}, foldstream.Invalid, "a single value"},
		"inner error": {collect.GroupBy[int]{Split: all, Each: collect.RollingGroup(collect.Chain[int]{})}, foldstream.Invalid, "no tuple"},
	} {
		if _, err := c.p.Process(tree); foldstream.KindOf(err) != c.kind || err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	window := collect.Leaf(foldstream.Frame{Times: []foldstream.Time{day(0)}, Columns: []foldstream.Column{{Name: "a", Values: []float64{1}}, {Name: "b", Values: []float64{1}}}})
	var deep collect.Tree[foldstream.Frame]
	if err := deep.Add(collect.Text("w"), window); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		e    collect.Ensemble
		t    collect.Tree[foldstream.Frame]
		want string
	}{
		"average of two columns": {collect.AverageEnsemble(""), window, `the columns ["a" "b"]; name the one`},
		"average of no column":   {collect.RankEnsemble("score"), window, `no column "score"`},
		"rolling of branches":    {collect.RollingEnsemble(), deep, "is no frame of a window"},
	} {
		if err := c.e.Begin().Add(collect.Text("x"), c.t); !foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, e := range []collect.Ensemble{collect.RollingEnsemble(), collect.AverageEnsemble("")} {
		if _, err := e.Begin().Value(); !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("an ensemble of nothing: %v", err)
		}
	}
}

func TestOverlaps(t *testing.T) {
	got, err := collect.Overlaps(windows())
	if want := (foldstream.Segment{Start: day(0), End: day(1)}); err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("%v, %v", got, err)
	}
	if _, err := collect.Overlaps(collect.Tree[foldstream.Frame]{}); !foldstream.Is(err, foldstream.Invalid) {
		t.Error(err)
	}
}

func TestMergeCollector(t *testing.T) {
	inner := func(values map[string]int) collect.Collector[int] {
		return collect.Collected[int]{Tree: branches(t, values)}
	}
	m := collect.MergeCollector[int]{Collectors: map[string]collect.Collector[int]{
		"one": inner(map[string]int{"pred": 1}), "two": inner(map[string]int{"pred": 2, "label": 3})}}
	tree, err := m.Collect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if u, ok := tree.Get(collect.Tuple(collect.Text("two"), collect.Text("label"))); !ok || leafOf(u) != 3 || tree.Len() != 3 {
		t.Errorf("%v", tree)
	}
	m.Label = func(_ string, artifact collect.Label) (collect.Label, error) { return artifact, nil }
	if _, err := m.Collect(t.Context()); !foldstream.Is(err, foldstream.Conflict) || !strings.Contains(err.Error(), `collector two: collect: two branches have the label "pred"`) {
		t.Errorf("%v", err)
	}
	m.Collectors["bad"] = failing{}
	if _, err := m.Collect(t.Context()); !foldstream.Is(err, foldstream.Denied) || !strings.HasPrefix(err.Error(), "collector bad: ") {
		t.Errorf("%v", err)
	}
	m.Then = collect.Chain[int]{nil}
	if _, err := m.Collect(t.Context()); !foldstream.Is(err, foldstream.Invalid) {
		t.Errorf("%v", err)
	}
}

// failing is a collector that cannot.
type failing struct{}

func (failing) Collect(context.Context) (collect.Tree[int], error) {
	return collect.Tree[int]{}, foldstream.Errorf(foldstream.Denied, "list", "no permission")
}
