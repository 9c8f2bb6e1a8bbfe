package qlib

import (
	"cmp"
	"slices"

	"github.com/foldstream/foldstream"
	"go.yaml.in/yaml/v3"
)

// readWeights reads what configurations count in a weighted ensemble: a map of the text of a key, or of some of its choices,
// to a number.
func readWeights(v, ensemble value) []foldstream.Weight {
	weighted := ensemble.is(yaml.ScalarNode) && ensemble.node.scalar == foldstream.EnsembleWeighted
	switch {
	case v.there() && !weighted:
		v.faultf("belongs to ensemble: %s", foldstream.EnsembleWeighted)
	case weighted && !v.there():
		ensemble.faultf("needs weights: {CONFIGURATION: NUMBER, …}, as {horizon=5: 2}")
	}
	var weights []foldstream.Weight
	for _, w := range v.fields() {
		key, err := foldstream.ParseKey(w.key)
		if err != nil {
			w.faultf("%v", unwrapped(err))
		}
		weights = append(weights, foldstream.Weight{Key: key, Weight: w.weight()})
	}
	slices.SortFunc(weights, func(a, b foldstream.Weight) int { return cmp.Compare(a.Key.String(), b.Key.String()) })
	if weighted && v.is(yaml.MappingNode) && len(weights) == 0 {
		v.faultf("has no weight in it")
	}
	return weights
}

// weight returns a number that is not negative.
func (v value) weight() float64 {
	f, ok := v.node.scalar.(float64)
	if i, whole := v.node.scalar.(int64); whole {
		f, ok = float64(i), true
	}
	if !ok || f < 0 {
		v.faultf("must be a number, 0 or more (%s)", v.show())
	}
	return f
}

// checkWeights refuses weights of configurations that the generators do not make, with their places in the file.
func (f *File) checkWeights(members []foldstream.Expectation) error {
	var keys []foldstream.Key
	for _, m := range members {
		keys = append(keys, m.Key)
	}
	at := value{&document{}, f.weights.path, f.weights.key, f.weights.node}
	for _, v := range at.fields() {
		key, err := foldstream.ParseKey(v.key)
		if err == nil && !slices.ContainsFunc(keys, foldstream.Weight{Key: key}.Fits) {
			v.faultf("no configuration has it; %s", suggest(v.key, choicesOf(keys)))
		}
	}
	if err := at.doc.err(); err != nil {
		return err
	}
	if err := f.Collection.Weigh(keys); err != nil {
		return foldstream.Errorf(foldstream.Invalid, "", "%s: %w", f.Source, err)
	}
	return nil
}

// choicesOf returns the choices that the keys have, as texts, each once.
func choicesOf(keys []foldstream.Key) []string {
	var all []string
	for _, k := range keys {
		for _, c := range k {
			if s := (foldstream.Key{c}).String(); !slices.Contains(all, s) {
				all = append(all, s)
			}
		}
	}
	return all
}
