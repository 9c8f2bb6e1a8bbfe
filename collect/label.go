package collect

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/foldstream/foldstream"
)

// Label is the key of a branch of a Tree: a text, a tuple of labels, or nothing, which is the zero Label. Labels are equal with ==.
// Qlib's keys are any Python value; here a tuple is what it groups by.
type Label struct {
	text string // as JSON; "" is null
}

// Text returns the label that is a text.
func Text(s string) Label {
	b, _ := json.Marshal(s) // a text always can be
	return Label{string(b)}
}

// Tuple returns the label that is a tuple, be it of one part or of none.
func Tuple(parts ...Label) Label {
	raw := make([]json.RawMessage, len(parts))
	for i, p := range parts {
		raw[i] = json.RawMessage(p.String())
	}
	b, _ := json.Marshal(raw) // labels are JSON
	return Label{string(b)}
}

// Parts returns the parts of a tuple; ok is false where the label is none.
func (l Label) Parts() (parts []Label, ok bool) {
	var raw []json.RawMessage
	if l.text == "" || l.text[0] != '[' || json.Unmarshal([]byte(l.text), &raw) != nil {
		return nil, false
	}
	for _, r := range raw {
		p := Label{string(r)}
		if p.text == "null" {
			p = Label{}
		}
		parts = append(parts, p)
	}
	return parts, true
}

// Value returns the text of a label that is one; ok is false where it is none.
func (l Label) Value() (text string, ok bool) {
	ok = l.text != "" && l.text[0] == '"' && json.Unmarshal([]byte(l.text), &text) == nil
	return text, ok
}

// String returns the label as JSON: a text in quotes, a tuple as a list, nothing as null.
func (l Label) String() string { return cmp.Or(l.text, "null") }

// MarshalJSON writes what String returns.
func (l Label) MarshalJSON() ([]byte, error) { return []byte(l.String()), nil }

// Compare is the order of labels: nothing first, then texts, those that are numbers by number and before others, then tuples,
// part by part. Labels compare equal only if they are.
func (l Label) Compare(m Label) int {
	if l == m {
		return 0
	}
	if c := cmp.Compare(l.rank(), m.rank()); c != 0 {
		return c
	}
	if a, ok := l.Value(); ok {
		b, _ := m.Value()
		return foldstream.Key{{Value: a}}.Compare(foldstream.Key{{Value: b}}) // the order of choices
	}
	a, _ := l.Parts()
	b, _ := m.Parts()
	return slices.CompareFunc(a, b, Label.Compare)
}

func (l Label) rank() int {
	switch {
	case l.text == "":
		return 0
	case l.text[0] == '"':
		return 1
	}
	return 2
}
