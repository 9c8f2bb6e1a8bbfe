package qlib

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/foldstream/foldstream"
)

// Flatten joins the keys of nested maps with sep, as Qlib does to log a task's parameters (utils/__init__.py,
// flatten_dict). Lists stay whole. Where Qlib loses something, Flatten does not: an empty map stays as a value, an empty
// key stays in the path. dict is not changed; the result shares its values. Errors: Invalid where two paths join to one key.
func Flatten(dict map[string]any, sep string) (map[string]any, error) {
	flat := map[string]any{}
	return flat, flatten(flat, "", dict, sep)
}

func flatten(flat map[string]any, prefix string, dict map[string]any, sep string) error {
	for k, v := range dict {
		key := prefix + k
		if m, ok := v.(map[string]any); ok && len(m) > 0 {
			if err := flatten(flat, key+sep, m, sep); err != nil {
				return err
			}
			continue
		}
		if _, twice := flat[key]; twice {
			return foldstream.Errorf(foldstream.Invalid, "flatten", "two paths join to the key %q", key)
		}
		flat[key] = v
	}
	return nil
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
	v := root
	for _, step := range strings.Split(text[1:len(text)-1], ".") {
		switch at := v.(type) {
		case map[string]any:
			e, ok := at[step]
			if !ok {
				return nil, false
			}
			v = e
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(at) {
				return nil, false
			}
			v = at[i]
		default:
			return nil, false
		}
	}
	return v, true
}
