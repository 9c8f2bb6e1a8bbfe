package qlib

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
	"go.yaml.in/yaml/v3"
)

// maxFaults is how many errors of one file are told at once.
const maxFaults = 20

// document is what was found wrong in the files being read so far. Readers note a fault and go on with a zero value.
type document struct {
	faults []fault
}

type fault struct {
	file         string
	line, column int
	path, what   string
}

// String returns the fault's one form: FILE:LINE:COL: path: what.
func (f fault) String() string {
	if f.path != "" {
		return fmt.Sprintf("%s:%d:%d: %s: %s", f.file, f.line, f.column, f.path, f.what)
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.file, f.line, f.column, f.what)
}

// err returns all faults, a line each, in order of the file; nil where there are none.
func (d *document) err() error {
	if len(d.faults) == 0 {
		return nil
	}
	slices.SortStableFunc(d.faults, func(a, b fault) int {
		return cmp.Or(cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line), cmp.Compare(a.column, b.column))
	})
	var lines []string
	for _, f := range d.faults[:min(len(d.faults), maxFaults)] {
		lines = append(lines, f.String())
	}
	if more := len(d.faults) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d errors more", more))
	}
	return foldstream.Errorf(foldstream.Invalid, "", "%s", strings.Join(lines, "\n"))
}

// value is a place in a document: the path to it and its node, nil where the file has none there. The getters of an absent
// value return zero without a fault; must makes absence one.
type value struct {
	doc  *document
	path string
	key  string // the last step of the path, where that is a key
	node *node
}

func (v value) there() bool { return v.node != nil }

// null reports whether the value is absent or written as null.
func (v value) null() bool {
	return v.node == nil || v.node.kind == yaml.ScalarNode && v.node.scalar == nil
}

func (v value) is(kind yaml.Kind) bool { return v.node != nil && v.node.kind == kind }

// faultf notes what is wrong with the value.
func (v value) faultf(format string, args ...any) {
	v.doc.faults = append(v.doc.faults, fault{v.node.file, v.node.line, v.node.column, v.path, fmt.Sprintf(format, args...)})
}

// at returns where the value stands, for errors that come later.
func (v value) at() string {
	return fmt.Sprintf("%s:%d:%d: %s", v.node.file, v.node.line, v.node.column, v.path)
}

// get returns the value of a key of a map; absent where v is no map or has no such key.
func (v value) get(keys ...string) value {
	for _, key := range keys {
		c := value{v.doc, join(v.path, key), key, nil}
		if v.node != nil {
			for _, f := range v.node.fields {
				if f.key == key {
					c.node = f.value
				}
			}
		}
		v = c
	}
	return v
}

// must is get for a key that has to be there.
func (v value) must(key string) value {
	c := v.get(key)
	if v.is(yaml.MappingNode) && !c.there() && !v.misspells(key) {
		v.faultf("%q is missing", key)
	}
	return c
}

// misspells reports whether the map has an unknown key that was meant as this one: that is one fault, not two.
func (v value) misspells(key string) bool {
	return slices.ContainsFunc(v.node.fields, func(f field) bool { return nearest(f.key, []string{key}) != "" })
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// fields returns the values of a map in order of the file. Where known keys are given, others are faults.
func (v value) fields(known ...string) []value {
	if !v.there() {
		return nil
	}
	if !v.is(yaml.MappingNode) {
		v.faultf("must be a map (%s)", v.show())
		return nil
	}
	var fields []value
	for _, f := range v.node.fields {
		if known != nil && !slices.Contains(known, f.key) {
			v.doc.faults = append(v.doc.faults, fault{f.file, f.line, f.column, join(v.path, f.key),
				fmt.Sprintf("unknown key (%s)", suggest(f.key, known))})
			continue
		}
		fields = append(fields, value{v.doc, join(v.path, f.key), f.key, f.value})
	}
	return fields
}

// items returns the values of a list that has at least one.
func (v value) items() []value {
	if !v.there() {
		return nil
	}
	if !v.is(yaml.SequenceNode) {
		v.faultf("must be a list (%s)", v.show())
		return nil
	}
	if len(v.node.list) == 0 {
		v.faultf("must not be empty")
	}
	items := make([]value, len(v.node.list))
	for i, n := range v.node.list {
		items[i] = value{v.doc, fmt.Sprintf("%s[%d]", v.path, i), "", n}
	}
	return items
}

// show returns the value as it may stand in an error: a scalar's text, else its kind.
func (v value) show() string {
	switch {
	case v.is(yaml.MappingNode):
		return "a map"
	case v.is(yaml.SequenceNode):
		return "a list"
	}
	if s, ok := v.node.scalar.(string); ok {
		return fmt.Sprintf("%.80q", s)
	}
	if v.node.scalar == nil {
		return "null"
	}
	return fmt.Sprint(v.node.scalar)
}
