package foldstream

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
)

// ResultKey is what a result depends on beside its task's content: results of one task whose keys are whole and equal are worth the
// same. A part that is "" is unknown.
type ResultKey struct {
	Code        string // version of the code, as the consumer declares it
	Data        Digest // of the task's data, see DataDigest
	Environment string // what else counts, as the consumer declares it: an operating system, a container's digest
}

// DataDigest is the identity of a list of data: the SHA-256 of their names and digests in their order, each with its length before it. Where
// they lie makes no difference.
func DataDigest(data []Data) Digest {
	h := sha256.New()
	for _, d := range data {
		for _, text := range []string{d.Name, string(d.Digest)} {
			h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(text))))
			h.Write([]byte(text))
		}
	}
	return Digest(hex.EncodeToString(h.Sum(nil)))
}

// Whole reports whether all of k is known.
func (k ResultKey) Whole() bool { return k.Code != "" && k.Data != "" && k.Environment != "" }

// Differs names the parts in which both keys are known and not the same: "code", "data", "environment".
func (k ResultKey) Differs(l ResultKey) []string {
	return parts(k, l, func(a, b string) bool { return a != "" && b != "" && a != b })
}

// Unknown names the parts that one of the keys lacks.
func (k ResultKey) Unknown(l ResultKey) []string {
	return parts(k, l, func(a, b string) bool { return a == "" || b == "" })
}

func parts(k, l ResultKey, is func(a, b string) bool) (names []string) {
	for _, p := range [][3]string{{"code", k.Code, l.Code}, {"data", string(k.Data), string(l.Data)}, {"environment", k.Environment, l.Environment}} {
		if is(p[1], p[2]) {
			names = append(names, p[0])
		}
	}
	return names
}

// Key returns what the result depended on.
func (r Result) Key() ResultKey { return ResultKey{r.Code, r.Data, r.Environment} }
