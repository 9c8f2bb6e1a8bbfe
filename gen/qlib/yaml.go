package qlib

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"

	"github.com/foldstream/foldstream"
	"go.yaml.in/yaml/v3"
)

// The bounds of a file. They are far above what people write and far below what harms.
const (
	maxBytes = 1 << 20 // of text
	maxNodes = 100_000 // values and keys, after aliases are expanded
	maxDepth = 100     // lists and maps inside one another; also ends an anchor that contains itself
)

// node is one value of a YAML file with aliases and merges resolved. Exactly one of scalar, list and fields is meant, by kind.
type node struct {
	file         string
	line, column int
	kind         yaml.Kind
	scalar       any // nil, bool, int64, float64 or string
	list         []*node
	fields       []field // in order of the file; those of merges after the map's own
}

type field struct {
	key          string
	file         string
	line, column int
	value        *node
}

// tree turns the library's nodes into ours, counting them.
type tree struct {
	file  string
	nodes int
}

// parse reads the one document of a YAML file. file names it in errors. Errors: Invalid.
func parse(file string, r io.Reader) (*node, error) {
	text, err := readText(file, r)
	if err != nil {
		return nil, err
	}
	return parseText(file, text)
}

func readText(file string, r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "%s: %w", file, err)
	}
	if len(text) > maxBytes {
		return nil, errorAt(file, 1, 1, "the file is longer than %d bytes", maxBytes)
	}
	return text, nil
}

func parseText(file string, text []byte) (*node, error) {
	var doc, more yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&doc); errors.Is(err, io.EOF) || err == nil && len(doc.Content) == 0 {
		return nil, errorAt(file, 1, 1, "the file is empty")
	} else if err != nil {
		return nil, syntaxError(file, text, err)
	}
	if err := d.Decode(&more); err == nil {
		return nil, errorAt(file, more.Line, more.Column, "a second document begins; one file is one document")
	} else if !errors.Is(err, io.EOF) {
		return nil, syntaxError(file, text, err)
	}
	t := tree{file: file}
	return t.node(doc.Content[0], 0)
}

var (
	yamlLine = regexp.MustCompile(`(?s)^yaml: (?:line (\d+): )?(.*)$`)
	noAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)
	// grammar matches the messages of the library's parser, which counts lines from 0; its scanner counts from 1.
	grammar = regexp.MustCompile(`^did not find expected (<|node content|'-' indicator|key|',' or)`)
)

// syntaxError gives the library's message our form. The library tells no column, and no line for the first.
func syntaxError(file string, text []byte, err error) error {
	m := yamlLine.FindStringSubmatch(err.Error())
	if m == nil {
		return errorAt(file, 1, 1, "not valid YAML: %v", err)
	}
	line, _ := strconv.Atoi(m[1])
	if grammar.MatchString(m[2]) {
		line++
	}
	if a := noAnchor.FindStringSubmatch(m[2]); a != nil {
		before, _, _ := bytes.Cut(text, []byte("*"+a[1]))
		line = bytes.Count(before, []byte("\n")) + 1
	}
	return errorAt(file, max(line, 1), 1, "not valid YAML: %s", m[2])
}

// errorAt is the error of a place that has no path: FILE:LINE:COL: what.
func errorAt(file string, line, column int, format string, args ...any) error {
	return foldstream.Errorf(foldstream.Invalid, "", "%v", fault{file, line, column, "", fmt.Sprintf(format, args...)})
}

func (t *tree) errorf(y *yaml.Node, format string, args ...any) error {
	return errorAt(t.file, y.Line, y.Column, format, args...)
}

func (t *tree) node(y *yaml.Node, depth int) (*node, error) {
	if t.nodes++; t.nodes > maxNodes {
		return nil, t.errorf(y, "the file has more than %d values once its aliases are expanded", maxNodes)
	}
	if depth > maxDepth {
		return nil, t.errorf(y, "values are nested more than %d deep, or an anchor contains itself", maxDepth)
	}
	n := &node{file: t.file, line: y.Line, column: y.Column, kind: y.Kind}
	var err error
	switch y.Kind {
	case yaml.AliasNode:
		return t.node(y.Alias, depth+1)
	case yaml.MappingNode:
		n.fields, err = t.fields(y, depth)
	case yaml.SequenceNode:
		n.list, err = t.list(y, depth)
	default:
		n.scalar, err = t.scalar(y)
	}
	return n, err
}

func (t *tree) list(y *yaml.Node, depth int) ([]*node, error) {
	if err := t.collectionTag(y, "!!seq"); err != nil {
		return nil, err
	}
	list := make([]*node, 0, len(y.Content))
	for _, c := range y.Content {
		n, err := t.node(c, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, n)
	}
	return list, nil
}

func (t *tree) fields(y *yaml.Node, depth int) ([]field, error) {
	if err := t.collectionTag(y, "!!map"); err != nil {
		return nil, err
	}
	seen := map[string]int{}
	var fields, merged []field
	for i := 0; i+1 < len(y.Content); i += 2 {
		k, v := y.Content[i], y.Content[i+1]
		n, err := t.node(v, depth+1)
		if err != nil {
			return nil, err
		}
		if k.Tag == "!!merge" {
			if merged, err = t.merge(merged, v, n); err != nil {
				return nil, err
			}
			continue
		}
		key, err := t.key(k)
		if err != nil {
			return nil, err
		}
		if line, twice := seen[key]; twice {
			return nil, t.errorf(k, "the key %q stands twice in one map, first on line %d", key, line)
		}
		seen[key] = k.Line
		fields = append(fields, field{key, t.file, k.Line, k.Column, n})
	}
	return addMissing(fields, merged, seen), nil
}

// merge adds what "<<: VALUE" brings: the fields of a map, or of each map of a list.
func (t *tree) merge(to []field, y *yaml.Node, n *node) ([]field, error) {
	maps := []*node{n}
	if n.kind == yaml.SequenceNode {
		maps = n.list
	}
	for _, m := range maps {
		if m.kind != yaml.MappingNode {
			return nil, t.errorf(y, "<< merges a map or a list of maps and nothing else")
		}
		to = append(to, m.fields...)
	}
	return to, nil
}

// addMissing appends the fields whose keys are not there yet: a map's own keys win over merged ones, earlier over later.
func addMissing(to, from []field, seen map[string]int) []field {
	for _, f := range from {
		if _, there := seen[f.key]; !there {
			seen[f.key] = f.line
			to = append(to, f)
		}
	}
	return to
}

func (t *tree) key(y *yaml.Node) (string, error) {
	t.nodes++
	k := y
	if k.Kind == yaml.AliasNode {
		k = k.Alias
	}
	if k.Kind != yaml.ScalarNode {
		return "", t.errorf(y, "a key must be text, not a list or a map")
	}
	v, err := t.scalar(k)
	if err != nil {
		return "", err
	}
	s, ok := v.(string)
	if !ok {
		return "", t.errorf(y, "a key must be text: write it in quotes (%q)", k.Value)
	}
	return s, nil
}

// collectionTag refuses a list or map that is tagged to be something else: !!set, !!python/tuple.
func (t *tree) collectionTag(y *yaml.Node, plain string) error {
	if y.Style&yaml.TaggedStyle != 0 && y.ShortTag() != plain {
		return t.errorf(y, "the tag %s is not known here", y.ShortTag())
	}
	return nil
}
