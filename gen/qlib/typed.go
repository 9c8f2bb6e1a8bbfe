package qlib

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
	"go.yaml.in/yaml/v3"
)

// The getters below return a value as a type of Go. What does not fit is a fault; the getter then returns zero, so that
// reading goes on and all faults of a file are told at once.

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

// closed is time for an end that cannot be open.
func (v value) closed() foldstream.Time {
	if v.there() && v.null() {
		v.faultf("must be a date, as 2006-01-02 (null)")
		return foldstream.Time{}
	}
	return v.time()
}

// texts returns a map of text to text.
func (v value) texts() map[string]string {
	m := map[string]string{}
	for _, f := range v.fields() {
		m[f.key] = f.text()
	}
	return m
}

// words returns a list of texts.
func (v value) words() []string {
	var words []string
	for _, i := range v.items() {
		words = append(words, i.text())
	}
	return words
}

// oneOrMore returns the values of a list, or a value that is none as the only one.
func (v value) oneOrMore() []value {
	switch {
	case !v.there():
		return nil
	case v.is(yaml.SequenceNode) && len(v.node.list) == 0:
		return nil
	case v.is(yaml.SequenceNode):
		return v.items()
	}
	return []value{v}
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
	if e, ok := err.(*foldstream.Error); ok && e.Err != nil { //nolint:errorlint // the outermost alone: what wraps it has words of its own
		return e.Err
	}
	return err
}
