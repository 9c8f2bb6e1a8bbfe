package collect

import (
	"crypto/sha256"
	"encoding/base32"

	"github.com/foldstream/foldstream"
)

// taskKey is a task's id in 16 bytes: what its text is of, see foldstream.TaskID.
type taskKey [16]byte

var idEncoding = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// idText is the length of an id's text.
const idText = 26

// keyOf returns the key of an id. exact is whether the key gives the id back; that of a text that is no id is a hash of it.
func keyOf(id foldstream.TaskID) (key taskKey, exact bool) {
	if len(id) == idText {
		var text [idText]byte
		copy(text[:], id)
		if n, err := idEncoding.Decode(key[:], text[:]); err == nil && n == len(key) && key.id() == id {
			return key, true
		}
	}
	sum := sha256.Sum256([]byte(id))
	copy(key[:], sum[:])
	return key, false
}

// id returns the id that an exact key is of.
func (k taskKey) id() foldstream.TaskID {
	var text [idText]byte
	idEncoding.Encode(text[:], k[:])
	return foldstream.TaskID(text[:])
}
