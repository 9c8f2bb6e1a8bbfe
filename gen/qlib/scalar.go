package qlib

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/foldstream/foldstream"
	"go.yaml.in/yaml/v3"
)

// The scalars of YAML 1.2's core schema. Dates are not among them: they stay text.
var (
	nulls    = []string{"", "~", "null", "Null", "NULL"}
	trues    = []string{"true", "True", "TRUE"}
	falses   = []string{"false", "False", "FALSE"}
	intText  = regexp.MustCompile(`^[-+]?(0|[1-9][0-9]*|0x[0-9a-fA-F]+|0o[0-7]+)$`)
	zeroText = regexp.MustCompile(`^[-+]?0[0-9]+$`)
	realText = regexp.MustCompile(`^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`)
	infText  = regexp.MustCompile(`^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
)

const quoted = yaml.SingleQuotedStyle | yaml.DoubleQuotedStyle | yaml.LiteralStyle | yaml.FoldedStyle

// scalar resolves a scalar: text where it is quoted or tagged !!str, else by the look of it.
func (t *tree) scalar(y *yaml.Node) (any, error) {
	tag := ""
	if y.Style&yaml.TaggedStyle != 0 {
		tag = y.ShortTag()
	}
	switch {
	case tag == "!!str" || tag == "!!timestamp" || tag == "" && y.Style&quoted != 0:
		return y.Value, nil
	case tag == "":
		return t.plain(y)
	}
	v, err := t.plain(y)
	if err != nil {
		return nil, err
	}
	if i, ok := v.(int64); ok && tag == "!!float" {
		return float64(i), nil
	}
	if kind, known := map[string]string{"!!null": "null", "!!bool": "a bool", "!!int": "a whole number", "!!float": "a number"}[tag]; !known {
		return nil, t.errorf(y, "the tag %s is not known here", tag)
	} else if typeOf(v) != kind {
		return nil, t.errorf(y, "%q is not %s, which its tag %s says it is", y.Value, kind, tag)
	}
	return v, nil
}

func (t *tree) plain(y *yaml.Node) (any, error) {
	s := y.Value
	switch {
	case slices.Contains(nulls, s):
		return nil, nil
	case slices.Contains(trues, s):
		return true, nil
	case slices.Contains(falses, s):
		return false, nil
	case intText.MatchString(s):
		return t.integer(y)
	case zeroText.MatchString(s):
		return nil, t.errorf(y, "%s is a number that begins with zeros: write it in quotes if it is text, without the zeros if it is a number", s)
	case realText.MatchString(s):
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, t.errorf(y, "the number %s is too large", s)
		}
		return f, nil
	case infText.MatchString(s):
		return nil, t.errorf(y, "%s cannot be in a task: JSON has no such number", s)
	}
	return s, nil
}

func (t *tree) integer(y *yaml.Node) (any, error) {
	i, err := strconv.ParseInt(y.Value, 0, 64)
	if err == nil {
		if _, err = foldstream.Plain(i); err == nil {
			return i, nil
		}
	}
	return nil, t.errorf(y, "the integer %s is beyond ±(2^53−1) and would not survive JSON: write it in quotes", y.Value)
}

// typeOf says in words what a scalar is.
func typeOf(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a bool"
	case int64:
		return "a whole number"
	case float64:
		return "a number"
	}
	return "text"
}
