package collect

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
)

// Codes counts the members that are present by the version of the code that made them, as their consumers declared it: "" is not
// declared.
type Codes map[string]int

// Mixed reports whether more than one version made the results: what one of them would have made of the others' tasks nobody knows.
func (c Codes) Mixed() bool { return len(c) > 1 }

// String names the versions in order, with how many results each made: "v1 (118), v2 (2)".
func (c Codes) String() string {
	parts := make([]string, 0, len(c))
	for _, code := range slices.Sorted(maps.Keys(c)) {
		parts = append(parts, fmt.Sprintf("%s (%d)", cmp.Or(code, "not declared"), c[code]))
	}
	return strings.Join(parts, ", ")
}

// Codes counts the group's members by the code that made them.
func (g Group) Codes() Codes {
	codes := Codes{}
	for _, w := range g.Windows {
		if w.Status == foldstream.Done && w.Fault == "" {
			codes[w.Code]++
		}
	}
	return codes
}

// Codes counts the collection's members by the code that made them.
func (c Collection) Codes() Codes {
	codes := Codes{}
	for _, g := range c.Groups {
		codes.add(g.Codes())
	}
	return codes
}

func (c Codes) add(others Codes) {
	for code, n := range others {
		c[code] += n
	}
}
