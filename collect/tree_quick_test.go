package collect_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

func labels() *rapid.Generator[collect.Label] {
	return rapid.Custom(func(t *rapid.T) collect.Label {
		switch rapid.IntRange(0, 4).Draw(t, "kind") {
		case 0:
			return collect.Label{}
		case 1, 2:
			return collect.Text(rapid.SampledFrom([]string{"", "a", "b", "<&>", "10", "9", "é\"", "null", "[]"}).Draw(t, "text"))
		}
		return collect.Tuple(rapid.SliceOfN(labels(), 0, 3).Draw(t, "parts")...)
	})
}

// Labels compare equal only if they are, in one order; a tuple comes back from its parts, a text from its value.
func TestLabels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := labels().Draw(t, "a"), labels().Draw(t, "b"), labels().Draw(t, "c")
		if (a == b) != (a.Compare(b) == 0) || a.Compare(b) != -b.Compare(a) {
			t.Fatalf("%s and %s compare as %d and %d", a, b, a.Compare(b), b.Compare(a))
		}
		if a.Compare(b) <= 0 && b.Compare(c) <= 0 && a.Compare(c) > 0 {
			t.Fatalf("%s, %s, %s are in no order", a, b, c)
		}
		if parts, ok := a.Parts(); ok && collect.Tuple(parts...) != a {
			t.Fatalf("%s is not of its parts", a)
		}
		if text, ok := a.Value(); ok && collect.Text(text) != a {
			t.Fatalf("%s is not %q", a, text)
		}
		if data, err := json.Marshal(a); err != nil || !json.Valid(data) {
			t.Fatalf("%s: %v", data, err)
		}
	})
	if nine, ten := collect.Text("9"), collect.Text("10"); nine.Compare(ten) >= 0 {
		t.Error("10 is before 9")
	}
}

// leaf is a frame of a label in a tree.
type leaf struct {
	label collect.Label
	frame foldstream.Frame
}

// drawLeaves draws frames of a few configurations with a few windows each.
func drawLeaves(t *rapid.T) []leaf {
	var all []leaf
	for g := range rapid.IntRange(1, 3).Draw(t, "groups") {
		for w := range rapid.IntRange(1, 4).Draw(t, "windows") {
			all = append(all, leaf{
				collect.Tuple(collect.Text(fmt.Sprint("g", g)), collect.Text(fmt.Sprint(w))),
				drawDense(t),
			})
		}
	}
	return all
}

// drawDense draws the scores of three instruments on four days, most of which are there: means have many terms then.
func drawDense(t *rapid.T) foldstream.Frame {
	f := foldstream.Frame{Instruments: []string{}, Columns: []foldstream.Column{{Name: "score"}}}
	from := rapid.IntRange(0, 2).Draw(t, "from")
	for d := from; d < from+4; d++ {
		for _, name := range []string{"AA", "BB", "CC"} {
			if rapid.IntRange(0, 9).Draw(t, "there") == 0 {
				continue
			}
			f.Times, f.Instruments = append(f.Times, day(d)), append(f.Instruments, name)
			f.Columns[0].Values = append(f.Columns[0].Values, rapid.Float64Range(-1, 1).Draw(t, "score"))
		}
	}
	return f
}

// chains are those that must not see the order in which their branches come.
var chains = map[string]collect.Chain[foldstream.Frame]{
	"none":             {},
	"rolling":          {collect.RollingGroup(collect.RollingEnsemble())},
	"rolling, average": {collect.RollingGroup(collect.RollingEnsemble()), collect.AverageEnsemble("score")},
	"rolling, rank":    {collect.RollingGroup(collect.RollingEnsemble()), collect.RankEnsemble("")},
	"average":          {collect.AverageEnsemble("score")},
	"weighted": {collect.WeightedEnsemble("score", func(l collect.Label) float64 {
		parts, _ := l.Parts()
		text, _ := parts[0].Value()
		return float64(text[1]-'0') + 0.3
	})},
	"rolled into one": {collect.RollingEnsemble()},
	"single":          {collect.RollingGroup(collect.RollingEnsemble()), collect.SingleKey[foldstream.Frame]{}},
	"grouped":         {collect.RollingGroup(collect.Chain[foldstream.Frame]{}), collect.SingleKey[foldstream.Frame]{Outermost: true}},
}

// Any order of arrival, with or without looks in between, one at a time or as a tree, gives the same bytes.
func TestChainsAnyOrder(t *testing.T) {
	for name, chain := range chains {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				all := drawLeaves(t)
				var tree collect.Tree[foldstream.Frame]
				for _, l := range all {
					if err := tree.Add(l.label, collect.Leaf(l.frame)); err != nil {
						t.Fatal(err)
					}
				}
				want, err := chain.Process(tree)
				if err != nil {
					t.Fatal(err)
				}
				r := chain.Begin()
				for _, l := range rapid.Permutation(all).Draw(t, "order") {
					if err := r.Add(l.label, collect.Leaf(l.frame)); err != nil {
						t.Fatal(err)
					}
					if rapid.Bool().Draw(t, "look") {
						if _, err := r.Value(); err != nil {
							t.Fatal(err)
						}
					}
				}
				got, err := r.Value()
				if err != nil {
					t.Fatal(err)
				}
				if a, b := treeBytes(t, want), treeBytes(t, got); a != b {
					t.Fatalf("%s\n%s", a, b)
				}
				again := rapid.SampledFrom(all).Draw(t, "again")
				if err := r.Add(again.label, collect.Leaf(again.frame)); !foldstream.Is(err, foldstream.Conflict) {
					t.Fatalf("one label twice: %v", err)
				}
			})
		})
	}
}

func treeBytes(t *rapid.T, tree collect.Tree[foldstream.Frame]) string {
	var b []byte
	for l, f := range tree.Leaves() {
		b = fmt.Appendf(b, "%s %x\n", l, bytesOf(t, f))
	}
	return string(b)
}

// A tree is a value: adding to a copy of it does not change it.
func TestTreeIsAValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tree collect.Tree[int]
		var copies []collect.Tree[int]
		for i, l := range rapid.SliceOfNDistinct(labels(), 0, 8, rapid.ID[collect.Label]).Draw(t, "labels") {
			if err := tree.Add(l, collect.Leaf(i)); err != nil {
				t.Fatal(err)
			}
			copies = append(copies, tree)
			other := tree
			_ = other.Add(collect.Text("more"), collect.Leaf(-1)) // a conflict where it is there
		}
		for n, c := range copies {
			var order []collect.Label
			for l, u := range c.All() {
				if v, ok := u.Leaf(); !ok || v < 0 {
					t.Fatalf("copy %d has %s: %d", n, l, v)
				}
				order = append(order, l)
			}
			if len(order) != n+1 || !slices.IsSortedFunc(order, collect.Label.Compare) {
				t.Fatalf("copy %d has the branches %s", n, order)
			}
		}
	})
	leaf := collect.Leaf(1)
	if err := leaf.Add(collect.Text("a"), collect.Leaf(2)); !foldstream.Is(err, foldstream.Invalid) {
		t.Errorf("a branch of a leaf: %v", err)
	}
}
