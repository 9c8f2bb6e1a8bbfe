package foldstream

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// The ensembles of a collection: what its groups' series fold into. Without one there is none.
const (
	EnsembleAverage  = "average"  // the mean of the groups' per-session z-scores
	EnsembleWeighted = "weighted" // the same by Weights
	EnsembleRank     = "rank"     // the mean of the groups' per-session ranks
)

// Ensembles lists the kinds of ensembles.
func Ensembles() []string { return []string{EnsembleAverage, EnsembleWeighted, EnsembleRank} }

// Weight is what some configurations count in a weighted ensemble: all that have every choice of Key.
type Weight struct {
	Key    Key
	Weight float64 // not negative; 0 leaves them out
}

// Fits reports whether the configuration of that key has every choice of the weight's.
func (w Weight) Fits(key Key) bool {
	return !slices.ContainsFunc(w.Key, func(c Choice) bool { return !slices.Contains(key, c) })
}

// WeightOf returns what the configuration of that key counts in the ensemble: the product of the weights that fit it, 1 where
// none does.
func (s CollectionSpec) WeightOf(key Key) float64 {
	product := 1.0
	for _, w := range s.SortedWeights() {
		if w.Fits(key) {
			product *= w.Weight
		}
	}
	return product
}

// SortedWeights returns the weights in order of their keys' texts: the one order in which they count, are stored and compared.
func (s CollectionSpec) SortedWeights() []Weight {
	return slices.SortedFunc(slices.Values(s.Weights), func(a, b Weight) int { return cmp.Compare(a.Key.String(), b.Key.String()) })
}

// Validate reports an ensemble that is not known, weights without a weighted ensemble, and weights that are none or stand
// twice. Errors: Invalid.
func (s CollectionSpec) Validate() error {
	if s.Ensemble != "" && !slices.Contains(Ensembles(), s.Ensemble) {
		return Errorf(Invalid, "", "collection.ensemble: %q is not known; there are %q", s.Ensemble, Ensembles())
	}
	if len(s.Weights) > 0 != (s.Ensemble == EnsembleWeighted) {
		return Errorf(Invalid, "", "collection.weights: they belong to the ensemble %q, and it to them (ensemble: %q)", EnsembleWeighted, s.Ensemble)
	}
	seen := map[string]bool{}
	for _, w := range s.Weights {
		key := w.Key.String()
		switch {
		case len(w.Key) == 0:
			return Errorf(Invalid, "", "collection.weights: one has no choices")
		case !(w.Weight >= 0) || math.IsInf(w.Weight, 0):
			return Errorf(Invalid, "", "collection.weights.%s: %v is not a weight, 0 or more", key, w.Weight)
		case seen[key]:
			return Errorf(Invalid, "", "collection.weights.%s: stands twice", key)
		}
		seen[key] = true
	}
	return nil
}

// Weigh reports weights that fit none of the configurations, and configurations that are all left out. Errors: Invalid.
func (s CollectionSpec) Weigh(keys []Key) error {
	for _, w := range s.Weights {
		if !slices.ContainsFunc(keys, w.Fits) {
			return Errorf(Invalid, "", "collection.weights.%s: no configuration has it", w.Key)
		}
	}
	if len(s.Weights) > 0 && !slices.ContainsFunc(keys, func(k Key) bool { return s.WeightOf(k) > 0 }) {
		return Errorf(Invalid, "", "collection.weights: they leave every configuration out")
	}
	return nil
}

// Equal reports whether two specs say the same.
func (s CollectionSpec) Equal(t CollectionSpec) bool {
	same := s.Frame == t.Frame && s.Score == t.Score && s.Label == t.Label && s.Return == t.Return && s.Ensemble == t.Ensemble && s.Portfolio == t.Portfolio
	return same && slices.EqualFunc(s.SortedWeights(), t.SortedWeights(), func(a, b Weight) bool { return a.Weight == b.Weight && slices.Equal(a.Key, b.Key) })
}

// ParseKey reads the text of a key, as Key.String writes it. The empty text is the empty key. Errors: Invalid.
func ParseKey(text string) (Key, error) {
	var key Key
	for _, part := range splitEscaped(text, ',') {
		pair := splitEscaped(part, '=')
		if len(pair) != 2 || pair[0] == "" {
			return nil, Errorf(Invalid, "", "%q is no key: write name=value, or name=value,name=value", text)
		}
		choice := Choice{unescape(pair[0]), unescape(pair[1])}
		if slices.ContainsFunc(key, func(c Choice) bool { return c.Name == choice.Name }) {
			return nil, Errorf(Invalid, "", "%q has %q twice", text, choice.Name)
		}
		key = append(key, choice)
	}
	return key, nil
}

// splitEscaped cuts text at the separators that no backslash is before; nothing of no text.
func splitEscaped(text string, at byte) (parts []string) {
	from := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case at:
			parts = append(parts, text[from:i])
			from = i + 1
		}
	}
	if text == "" {
		return nil
	}
	return append(parts, text[from:])
}

func unescape(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
