package collect

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/foldstream/foldstream"
)

// CompareKeys is the order of groups: choice by choice, the name as text, then the value, by number where both are
// numbers and as text where not. Keys compare equal only if they are.
func CompareKeys(a, b foldstream.Key) int {
	return slices.CompareFunc(a, b, func(x, y foldstream.Choice) int {
		return cmp.Or(cmp.Compare(x.Name, y.Name), compareTexts(x.Value, y.Value))
	})
}

// compareTexts puts numbers before other texts, so that the order is one even among a mixture.
func compareTexts(a, b string) int {
	x, errX := strconv.ParseFloat(a, 64)
	y, errY := strconv.ParseFloat(b, 64)
	switch {
	case errX == nil && errY == nil:
		return cmp.Or(cmp.Compare(x, y), cmp.Compare(a, b))
	case errX == nil:
		return -1
	case errY == nil:
		return 1
	}
	return cmp.Compare(a, b)
}

// maxSlug is how much of a key's text a slug shows.
const maxSlug = 60

// Slug returns the name of a group in the bucket of collections: as much of the key's text as a bucket's key can hold, and
// a hash that keeps different keys apart.
func Slug(key foldstream.Key) string {
	text := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '=' || r == '-':
			return r
		case r == ',':
			return '/'
		}
		return '_'
	}, key.String())
	sum := sha256.Sum256([]byte(key.String()))
	return text[:min(len(text), maxSlug)] + "-" + hex.EncodeToString(sum[:8])
}

func groupKey(experiment string, key foldstream.Key) string {
	return experiment + ".g." + Slug(key)
}

func ensembleKey(experiment string) string { return experiment + ".ensemble" }
