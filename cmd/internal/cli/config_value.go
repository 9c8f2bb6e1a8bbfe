package cli

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// plainYAML returns a value as kong takes it from a resolver, and as people write it on a command line; false for what no
// flag can be: nothing, and lists and maps of more than words.
func plainYAML(n *yaml.Node) (value any, text string, ok bool) {
	switch n.Kind {
	case yaml.AliasNode:
		return plainYAML(n.Alias)
	case yaml.ScalarNode:
		return n.Value, n.Value, n.Tag != "!!null"
	case yaml.SequenceNode:
		words, ok := wordsOf(n.Content)
		return strings.Join(words, ","), strings.Join(words, ","), ok && !strings.Contains(strings.Join(words, ""), ",")
	case yaml.MappingNode:
		words, ok := wordsOf(n.Content)
		pairs := make([]string, 0, len(words)/2)
		for i := 0; ok && i < len(words); i += 2 {
			pairs = append(pairs, words[i]+"="+words[i+1])
		}
		return strings.Join(pairs, ";"), strings.Join(pairs, ";"), ok
	}
	return nil, "", false
}

func wordsOf(nodes []*yaml.Node) ([]string, bool) {
	words := make([]string, len(nodes))
	for i, n := range nodes {
		if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
			return nil, false
		}
		words[i] = n.Value
	}
	return words, true
}

// accepts reports why a flag does not take a value. The flag keeps the value it has.
func accepts(flag *kong.Flag, value any) error {
	target := reflect.New(flag.Target.Type()).Elem()
	if err := flag.Parse(kong.Scan().PushTyped(value, kong.FlagValueToken), target); err != nil {
		return err
	}
	if flag.Enum != "" && !flag.EnumMap()[fmt.Sprint(target.Interface())] {
		return fmt.Errorf("%s: must be one of %s but got %q", flag.Name, strings.Join(flag.EnumSlice(), ", "), value)
	}
	return nil
}

// hint says which of the known words is meant, nothing where none is near.
func hint(word string, known []string) string {
	best, least := "", len(word)/3+2
	for _, k := range known {
		if d := distance(word, k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// distance counts the letters to insert, delete or replace to make a of b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
