package qlib

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
)

// Entry is a value of nested maps and the keys that lead to it.
type Entry struct {
	Path  []string
	Value any
}

// Paths returns the values of nested maps in order of their paths: Qlib's flatten_dict (utils/__init__.py) with tuples for keys, each
// of which is the whole path, as that function's help has it. Lists stay whole. Where Qlib loses something, Paths does
// not: an empty map stays as a value, an empty key stays in the path. dict is not changed; the result shares its values.
func Paths(dict map[string]any) []Entry { return paths(nil, nil, dict) }

func paths(all []Entry, prefix []string, dict map[string]any) []Entry {
	for _, k := range slices.Sorted(maps.Keys(dict)) {
		path := append(slices.Clip(prefix), k)
		if m, ok := dict[k].(map[string]any); ok && len(m) > 0 {
			all = paths(all, path, m)
			continue
		}
		all = append(all, Entry{path, dict[k]})
	}
	return all
}

// Flatten joins the keys of each path with sep, as Qlib does to log a task's parameters; else as Paths. Errors: Invalid where two
// paths join to one key.
func Flatten(dict map[string]any, sep string) (map[string]any, error) {
	flat := map[string]any{}
	for _, e := range Paths(dict) {
		key := strings.Join(e.Path, sep)
		if _, twice := flat[key]; twice {
			return flat, foldstream.Errorf(foldstream.Invalid, "flatten", "two paths join to the key %q", key)
		}
		flat[key] = e.Value
	}
	return flat, nil
}

var (
	placeholder = regexp.MustCompile(`^<[^<>]+>$`)
	tailed      = regexp.MustCompile(`^<[^<>]+>`)
)

// FillPlaceholders returns a copy of config in which every text that is one of the names is replaced by its value, and
// every text "<a.b.0>" by what stands at that path of config as it was given; others stay (Qlib's fill_placeholder,
// utils/__init__.py). It is one pass: what was filled in is not looked at again. Errors: Invalid: a path with text after it,
// which Qlib would lose; a name that is not in angle brackets; more than 100,000 values filled in; and as foldstream.Plain.
func FillPlaceholders(config any, names map[string]any) (any, error) {
	for name := range names {
		if !placeholder.MatchString(name) {
			return nil, foldstream.Errorf(foldstream.Invalid, "fill placeholders", "the name %q must stand in angle brackets", name)
		}
	}
	if _, err := foldstream.Plain(names); err != nil {
		return nil, err
	}
	root, err := foldstream.Plain(config)
	if err != nil {
		return nil, err
	}
	f := filler{root: root, names: names}
	return f.fill(root)
}

type filler struct {
	root  any
	names map[string]any
	added int // values filled in so far
}

// fill returns a copy of v, which is the root or a part of it.
func (f *filler) fill(v any) (_ any, err error) {
	switch v := v.(type) {
	case map[string]any:
		m := make(map[string]any, len(v))
		for k, e := range v {
			if m[k], err = f.fill(e); err != nil {
				return nil, err
			}
		}
		return m, nil
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			if l[i], err = f.fill(e); err != nil {
				return nil, err
			}
		}
		return l, nil
	case string:
		return f.text(v)
	}
	return v, nil
}

func (f *filler) text(s string) (any, error) {
	v, ok := f.names[s]
	if !ok {
		v, ok = lookUp(f.root, s)
	}
	if ok {
		if f.added += size(v); f.added > maxNodes {
			return nil, foldstream.Errorf(foldstream.Invalid, "fill placeholders", "%q: more than %d values are filled in", s, maxNodes)
		}
		return foldstream.Plain(v)
	}
	if path := tailed.FindString(s); path != s {
		if _, ok := lookUp(f.root, path); ok {
			return nil, foldstream.Errorf(foldstream.Invalid, "fill placeholders", "%q: text after a placeholder is not kept; a placeholder stands alone", s)
		}
	}
	return s, nil
}

// size counts the values in v, itself included.
func size(v any) int {
	n := 1
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			n += size(e)
		}
	case []any:
		for _, e := range v {
			n += size(e)
		}
	}
	return n
}

// lookUp returns what stands at the path of a placeholder <a.b.0>.
func lookUp(root any, text string) (any, bool) {
	if !placeholder.MatchString(text) {
		return nil, false
	}
	return foldstream.Lookup(root, strings.Split(text[1:len(text)-1], "."))
}
