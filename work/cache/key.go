package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/foldstream/foldstream"
)

// Key is the identity of a prepared piece: 64 characters of lower-case hex.
type Key string

// KeyOf returns the key of what some code makes of a configuration and data: SHA-256 over their JSON. Leave out of the configuration what
// differs from window to window and does not change the piece, so that the windows share it. code must change when the
// same configuration would make something else. The order of the data makes no difference. Errors: Invalid (the configuration is no JSON).
func KeyOf(config any, code string, data ...foldstream.Digest) (Key, error) {
	text, err := json.Marshal(struct {
		V      int                 `json:"v"`
		Config any                 `json:"config"`
		Code   string              `json:"code"`
		Data   []foldstream.Digest `json:"data"`
	}{1, config, code, slices.Sorted(slices.Values(data))})
	if err != nil {
		return "", foldstream.E(foldstream.Invalid, "cache", err)
	}
	sum := sha256.Sum256(text)
	return Key(hex.EncodeToString(sum[:])), nil
}

// valid reports whether k can be a name of a file and an entry. Errors: Invalid.
func (k Key) valid() error {
	if sum, err := hex.DecodeString(string(k)); err != nil || len(sum) != sha256.Size {
		return foldstream.Errorf(foldstream.Invalid, "cache", "%.80q is no key of a prepared piece", string(k))
	}
	return nil
}
