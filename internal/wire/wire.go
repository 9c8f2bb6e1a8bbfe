// Package wire writes and reads what rooms keep as values: [version, body] in msgpack, where equal bodies give equal bytes, and the parts
// that the values of several rooms have in common. It has what every reader of stored msgpack checks first, Check.
package wire

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/foldstream/foldstream"
)

// Encode writes [version, body] with the keys of maps in order: equal bodies give equal bytes.
func Encode(version int, body any) ([]byte, error) {
	var b bytes.Buffer
	e := msgpack.NewEncoder(&b)
	e.SetSortMapKeys(true)
	e.UseCompactInts(true)
	if err := e.EncodeArrayLen(2); err != nil {
		return nil, err
	}
	if err := e.EncodeInt(int64(version)); err != nil {
		return nil, err
	}
	err := e.Encode(body)
	return b.Bytes(), err
}

// Newer is the error of a value whose version another program wrote.
type Newer struct{ Version, Known int }

func (n Newer) Error() string {
	return fmt.Sprintf("version %d is not known here, a newer program's perhaps; this one reads version %d", n.Version, n.Known)
}

// Decode reads what Encode wrote. what names the thing in the error. Errors: Invalid.
func Decode(what string, version int, data []byte, body any) error {
	if err := Check(data); err != nil {
		return foldstream.Errorf(foldstream.Invalid, "", "%s: not a stored value: %w", what, err)
	}
	d := msgpack.NewDecoder(bytes.NewReader(data))
	d.UseLooseInterfaceDecoding(true)
	n, err := d.DecodeArrayLen()
	if err != nil || n != 2 {
		return foldstream.Errorf(foldstream.Invalid, "", "%s: not a stored value (%d bytes)", what, len(data))
	}
	v, err := d.DecodeInt()
	if err == nil && v != version {
		return foldstream.Errorf(foldstream.Invalid, "", "%s: %w", what, Newer{v, version})
	}
	if err == nil {
		err = d.Decode(body)
	}
	if err != nil {
		return foldstream.Errorf(foldstream.Invalid, "", "%s cannot be read: %w", what, err)
	}
	return nil
}

// maxArtifact is the largest list of members or frame that is read: whoever can write to a store could fill any memory else.
const maxArtifact = 1 << 30

// ReadArtifact reads a blob whole. Errors: as Artifacts.Open, Differs where it is damaged, Invalid where it is over 1 GiB.
func ReadArtifact(ctx context.Context, a foldstream.Artifacts, d foldstream.Digest) ([]byte, error) {
	r, err := a.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxArtifact+1))
	if len(data) > maxArtifact {
		err = foldstream.Errorf(foldstream.Invalid, "", "the artifact %s is over %d MiB", d, maxArtifact>>20)
	}
	return data, err
}

// Key is a key as it is stored: name, value, name, value, …
func Key(key foldstream.Key) []string {
	flat := make([]string, 0, 2*len(key))
	for _, c := range key {
		flat = append(flat, c.Name, c.Value)
	}
	return flat
}

// KeyOf reads what Key wrote.
func KeyOf(flat []string) foldstream.Key {
	var key foldstream.Key
	for i := 0; i+1 < len(flat); i += 2 {
		key = append(key, foldstream.Choice{Name: flat[i], Value: flat[i+1]})
	}
	return key
}

// Segment is a segment as it is stored: the texts of its ends, "" where open.
func Segment(s foldstream.Segment) [2]string { return [2]string{s.Start.String(), s.End.String()} }

// SegmentOf reads what Segment wrote. Errors: Invalid.
func SegmentOf(w [2]string) (s foldstream.Segment, err error) {
	if err = s.Start.UnmarshalText([]byte(w[0])); err == nil {
		err = s.End.UnmarshalText([]byte(w[1]))
	}
	return s, err
}

// Each returns what one makes of each; nil of nil.
func Each[T, U any](from []T, one func(T) U) []U {
	if from == nil {
		return nil
	}
	to := make([]U, len(from))
	for i, v := range from {
		to[i] = one(v)
	}
	return to
}

// TryEach returns what one makes of each, up to its first error; nil of none.
func TryEach[T, U any](from []T, one func(T) (U, error)) ([]U, error) {
	if len(from) == 0 {
		return nil, nil
	}
	to := make([]U, len(from))
	for i, v := range from {
		var err error
		if to[i], err = one(v); err != nil {
			return nil, err
		}
	}
	return to, nil
}
