package cli

import (
	"math"
	"strings"

	"github.com/foldstream/foldstream"
)

// collectionChanges reads what -S of a replay changes: how results fold, not the tasks, which are recorded. Errors: Invalid.
func collectionChanges(texts []string) ([]func(*foldstream.CollectionSpec) error, error) {
	var all []func(*foldstream.CollectionSpec) error
	for _, text := range texts {
		o, err := parseOverride(text)
		if err != nil {
			return nil, err
		}
		path := strings.Join(o.path, ".")
		name, ours := strings.CutPrefix(path, "collection.")
		switch {
		case !ours:
			return nil, foldstream.Errorf(foldstream.Invalid, "", "-S %q: a replay has the tasks as they were recorded; what can be changed is collection.%s",
				text, strings.Join(collectionFields, ", collection."))
		case o.mode == modeAdd || o.mode == modeDrop || len(o.values) != 1:
			return nil, foldstream.Errorf(foldstream.Invalid, "", "-S %q: one value for what is there: PATH=VALUE", text)
		}
		change := func(s *foldstream.CollectionSpec) error { return setCollection(s, name, text, o.values[0]) }
		if err := change(&foldstream.CollectionSpec{}); err != nil {
			return nil, err
		}
		all = append(all, change)
	}
	return all, nil
}

// collectionFields are the parts of a collection that can be set.
var collectionFields = []string{"frame", "score", "label", "return", "ensemble", "portfolio.top_k", "portfolio.n_drop", "portfolio.cost"}

// setCollection sets one part of a spec. Errors: Invalid.
func setCollection(s *foldstream.CollectionSpec, name, text string, v any) error {
	texts := map[string]*string{"frame": &s.Frame, "score": &s.Score, "label": &s.Label, "return": &s.Return, "ensemble": &s.Ensemble}
	counts := map[string]*int{"portfolio.top_k": &s.Portfolio.TopK, "portfolio.n_drop": &s.Portfolio.NDrop}
	var wants string
	switch {
	case texts[name] != nil:
		word, ok := v.(string)
		*texts[name] = word
		wants = unless(ok || v == nil, "a text")
	case counts[name] != nil:
		n, ok := v.(int64)
		*counts[name] = int(n)
		wants = unless(ok && n >= 0 && n <= math.MaxInt32, "a whole number from 0")
	case name == "portfolio.cost":
		cost, ok := real64(v)
		s.Portfolio.Cost = cost
		wants = unless(ok && cost >= 0 && cost <= 1, "a number from 0 to 1")
	default:
		return foldstream.Errorf(foldstream.Invalid, "", "-S %q: collection has no %s%s", text, name, hint(name, collectionFields))
	}
	if wants != "" {
		return foldstream.Errorf(foldstream.Invalid, "", "-S %q: collection.%s is %s", text, name, wants)
	}
	return nil
}

func unless(ok bool, what string) string {
	if ok {
		return ""
	}
	return what
}
