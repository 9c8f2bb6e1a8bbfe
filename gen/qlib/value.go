package qlib

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

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
		c := value{v.doc, join(v.path, key), nil}
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
	if v.is(yaml.MappingNode) && !c.there() {
		v.faultf("%q is missing", key)
	}
	return c
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
		fields = append(fields, value{v.doc, join(v.path, f.key), f.value})
	}
	return fields
}

// key returns the last step of the path of a value that fields returned.
func (v value) key(parent value) string {
	return strings.TrimPrefix(strings.TrimPrefix(v.path, parent.path), ".")
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
		items[i] = value{v.doc, fmt.Sprintf("%s[%d]", v.path, i), n}
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

// text returns text that is not empty.
func (v value) text() string {
	if !v.there() {
		return ""
	}
	s, ok := v.node.scalar.(string)
	if !ok || s == "" {
		v.faultf("must be text (%s)", v.show())
	}
	return s
}

// oneOf returns one of the words, "" where the value is absent.
func (v value) oneOf(words ...string) string {
	s := v.text()
	if s != "" && !slices.Contains(words, s) {
		hint := ""
		if near := nearest(s, words); near != "" {
			hint = fmt.Sprintf("; did you mean %q?", near)
		}
		v.faultf("must be %s (%s%s)", strings.Join(words, " or "), v.show(), hint)
		return ""
	}
	return s
}

// name returns text that is a ValidName.
func (v value) name(what string) string {
	s := v.text()
	if s == "" {
		return ""
	}
	if err := foldstream.ValidName(what, s); err != nil {
		v.faultf("%v", err)
	}
	return s
}

// whole returns a whole number from lo to hi; lo where the value is absent.
func (v value) whole(lo, hi int64) int {
	if !v.there() {
		return int(lo)
	}
	i, ok := v.node.scalar.(int64)
	if ok && i >= lo && i <= hi {
		return int(i)
	}
	switch {
	case lo == math.MinInt64:
		v.faultf("must be a whole number (%s)", v.show())
	case hi == math.MaxInt32:
		v.faultf("must be a whole number, %d or more (%s)", lo, v.show())
	default:
		v.faultf("must be a whole number from %d to %d (%s)", lo, hi, v.show())
	}
	return int(lo)
}

// real returns a number from lo to hi.
func (v value) real(lo, hi float64) float64 {
	if !v.there() {
		return 0
	}
	f, ok := v.node.scalar.(float64)
	if i, whole := v.node.scalar.(int64); whole {
		f, ok = float64(i), true
	}
	switch {
	case !ok:
		v.faultf("must be a number (%s)", v.show())
	case f < lo || f > hi:
		v.faultf("must be a number from %v to %v (%s)", lo, hi, v.show())
	default:
		return f
	}
	return 0
}

func (v value) truth() bool {
	if !v.there() {
		return false
	}
	b, ok := v.node.scalar.(bool)
	if !ok {
		v.faultf("must be true or false (%s)", v.show())
	}
	return b
}

// duration returns a length of time above zero, written as 90s or 1h30m.
func (v value) duration() time.Duration {
	if !v.there() {
		return 0
	}
	s, _ := v.node.scalar.(string)
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		v.faultf("must be a length of time such as 90s, 10m or 1h30m (%s)", v.show())
	}
	return d
}

// time returns a date or a time without a zone; open where the value is absent or null.
func (v value) time() foldstream.Time {
	if v.null() {
		return foldstream.Time{}
	}
	s, ok := v.node.scalar.(string)
	if !ok {
		v.faultf("must be a date, as 2006-01-02 (%s)", v.show())
		return foldstream.Time{}
	}
	t, err := foldstream.ParseTime(s)
	if err != nil {
		v.faultf("%v", unwrapped(err))
	}
	return t
}

// texts returns a map of text to text.
func (v value) texts() map[string]string {
	m := map[string]string{}
	for _, f := range v.fields() {
		m[f.key(v)] = f.text()
	}
	return m
}

// plain returns the value in the types that a task holds.
func (v value) plain() any { return v.node.plain() }

func (n *node) plain() any {
	if n == nil {
		return nil
	}
	switch n.kind {
	case yaml.MappingNode:
		m := make(map[string]any, len(n.fields))
		for _, f := range n.fields {
			m[f.key] = f.value.plain()
		}
		return m
	case yaml.SequenceNode:
		l := make([]any, len(n.list))
		for i, e := range n.list {
			l[i] = e.plain()
		}
		return l
	}
	return n.scalar
}

// unwrapped takes the op off an error of ours: the place in the file says it better.
func unwrapped(err error) error {
	if e, ok := err.(*foldstream.Error); ok && e.Err != nil {
		return e.Err
	}
	return err
}
