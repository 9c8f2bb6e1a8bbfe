package report

import (
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

// keyNames are the names of the choices in which groups differ, in the order they first stand; all names of a single group.
func keyNames(groups []collect.Group) (names []string) {
	for _, name := range choiceNames(groups) {
		if len(groups) == 1 || !isShared(groups, name) {
			names = append(names, name)
		}
	}
	return names
}

// sharedText tells the choices that all of several groups have in common; "" where there is none.
func sharedText(groups []collect.Group) string {
	var k foldstream.Key
	for _, name := range choiceNames(groups) {
		if len(groups) > 1 && isShared(groups, name) {
			k = append(k, foldstream.Choice{Name: name, Value: groups[0].Key.Get(name)})
		}
	}
	if k == nil {
		return ""
	}
	return keyText(k)
}

func choiceNames(groups []collect.Group) (names []string) {
	for _, g := range groups {
		for _, c := range g.Key {
			if !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	return names
}

func isShared(groups []collect.Group, name string) bool {
	return !slices.ContainsFunc(groups, func(g collect.Group) bool { return choice(g.Key, name) != choice(groups[0].Key, name) })
}

// choice is the value a key has for name; a key without it says so.
func choice(k foldstream.Key, name string) string {
	if i := slices.IndexFunc(k, func(c foldstream.Choice) bool { return c.Name == name }); i >= 0 {
		return k[i].Value
	}
	return missing
}

// keyHead is the head of a column that keyBrief fills.
func keyHead(names []string) string { return strings.Join(keyHeads(names), " · ") }

// keyBrief is a configuration by its values alone.
func keyBrief(k foldstream.Key, names []string) string {
	cells := keyCells(k, names, tint{})
	parts := make([]string, len(cells))
	for i, c := range cells {
		parts[i] = c.Text
	}
	return strings.Join(parts, " · ")
}

// keyHeads are the heads of the columns that keyCells fills.
func keyHeads(names []string) []string {
	if len(names) == 0 {
		return []string{"configuration"}
	}
	heads := make([]string, len(names))
	for i, name := range names {
		heads[i] = cut(clean(name), maxName)
	}
	return heads
}

func keyCells(k foldstream.Key, names []string, t tint) []keyCell {
	if len(names) == 0 {
		return []keyCell{{Text: keyText(k)}}
	}
	cells := make([]keyCell, len(names))
	for i, name := range names {
		cells[i].Text = cut(clean(choice(k, name)), maxName)
		if name == t.name {
			cells[i].Class = t.class(k)
		}
	}
	return cells
}
