package collect

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/foldstream/foldstream"
)

// CompareKeys is the order of groups, see foldstream.Key.
func CompareKeys(a, b foldstream.Key) int { return a.Compare(b) }

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
