package foldstream_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
)

// A key comes back from its text, whatever is in it.
func TestKeyComesBackFromText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var key foldstream.Key
		for range rapid.IntRange(0, 4).Draw(t, "choices") {
			text := rapid.StringOf(rapid.SampledFrom([]rune(`ab=,\é `)))
			if name := text.Draw(t, "name"); name != "" {
				key = key.With(name, text.Draw(t, "value"))
			}
		}
		back, err := foldstream.ParseKey(key.String())
		if err != nil || !slices.Equal(key, back) {
			t.Fatalf("%q → %q → %q, %v", key, key.String(), back, err)
		}
	})
	for _, text := range []string{"a", ",", "a=1,", "=1", "a=1=2", "a=1,a=2", "a=1,,b=2"} {
		if key, err := foldstream.ParseKey(text); !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%q is %q, %v", text, key, err)
		}
	}
}

func key(t *testing.T, text string) foldstream.Key {
	t.Helper()
	k, err := foldstream.ParseKey(text)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func weighted(t *testing.T, weights map[string]float64) foldstream.CollectionSpec {
	t.Helper()
	s := foldstream.CollectionSpec{Ensemble: "weighted"}
	for text, w := range weights {
		s.Weights = append(s.Weights, foldstream.Weight{Key: key(t, text), Weight: w})
	}
	return s
}

func TestWeightOf(t *testing.T) {
	s := weighted(t, map[string]float64{"h=5": 2, "a=1": 0.25, "h=5,a=10": 3, "h=20": 0})
	for text, want := range map[string]float64{"a=100,h=1": 1, "a=100,h=5": 2, "a=1,h=5": 0.5, "a=10,h=5": 6, "a=1,h=20": 0} {
		if got := s.WeightOf(key(t, text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

// The order in which weights are written makes no difference, in the last bit either.
func TestWeightsHaveNoOrder(t *testing.T) {
	a := weighted(t, map[string]float64{"a=1": 0.1, "b=1": 0.2, "c=1": 0.3})
	for range 20 {
		b := weighted(t, map[string]float64{"c=1": 0.3, "b=1": 0.2, "a=1": 0.1})
		if !a.Equal(b) || a.WeightOf(key(t, "a=1,b=1,c=1")) != b.WeightOf(key(t, "c=1,b=1,a=1")) {
			t.Fatal("they differ")
		}
	}
	if b := weighted(t, map[string]float64{"a=1": 0.1}); a.Equal(b) || b.Equal(weighted(t, map[string]float64{"a=1": 0.2})) {
		t.Error("other weights are equal")
	}
}

func TestSpecValidate(t *testing.T) {
	twice := weighted(t, map[string]float64{"a=1": 1})
	twice.Weights = append(twice.Weights, twice.Weights...)
	for name, c := range map[string]struct {
		spec foldstream.CollectionSpec
		want string // "" is no error
	}{
		"zero":           {foldstream.CollectionSpec{}, ""},
		"rank":           {foldstream.CollectionSpec{Ensemble: "rank"}, ""},
		"weighted":       {weighted(t, map[string]float64{"a=1": 0}), ""},
		"unknown":        {foldstream.CollectionSpec{Ensemble: "mean"}, `"mean" is not known`},
		"no weights":     {foldstream.CollectionSpec{Ensemble: "weighted"}, "weights"},
		"weights beside": {foldstream.CollectionSpec{Ensemble: "rank", Weights: twice.Weights[:1]}, "weights"},
		"below zero":     {weighted(t, map[string]float64{"a=1": -1}), "a=1: -1 is not a weight"},
		"NaN":            {weighted(t, map[string]float64{"a=1": math.NaN()}), "not a weight"},
		"infinite":       {weighted(t, map[string]float64{"a=1": math.Inf(1)}), "not a weight"},
		"no choice":      {foldstream.CollectionSpec{Ensemble: "weighted", Weights: []foldstream.Weight{{Weight: 1}}}, "no choices"},
		"twice":          {twice, "a=1: stands twice"},
	} {
		err := c.spec.Validate()
		if c.want == "" && err != nil || c.want != "" && (!foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSpecWeigh(t *testing.T) {
	keys := []foldstream.Key{key(t, "a=1,h=1"), key(t, "a=1,h=5")}
	for text, c := range map[string]struct {
		weight float64
		want   string
	}{
		"h=5": {0, ""}, "a=1": {0, "leave every configuration out"}, "h=7": {1, "h=7: no configuration has it"}, "a=1,h=5": {2, ""},
	} {
		err := weighted(t, map[string]float64{text: c.weight}).Weigh(keys)
		if c.want == "" && err != nil || c.want != "" && (!foldstream.Is(err, foldstream.Invalid) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v: %v", text, c.weight, err)
		}
	}
}
