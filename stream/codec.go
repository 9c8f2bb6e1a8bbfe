package stream

import (
	"bytes"
	"sync"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// codecVersion is the first byte of every body this room stores. What follows is msgpack: structs as maps by field name,
// without the fields that are zero, integers and floats as they are.
const codecVersion = 1

// lastVersion is the last first byte that a version to come may have: what begins with another is text, or no body of ours.
const lastVersion = 8

// buffers are for bodies while they grow.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// encode writes v. Errors: Invalid (a type that cannot be encoded).
func encode(v any) ([]byte, error) {
	b := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(b)
	b.Reset()
	b.WriteByte(codecVersion)
	enc := msgpack.GetEncoder()
	defer msgpack.PutEncoder(enc)
	enc.Reset(b)
	enc.SetSortMapKeys(true)
	enc.SetOmitEmpty(true)
	err := enc.Encode(v)
	if err == nil {
		err = wire.Check(b.Bytes()[1:]) // what cannot be read must not be written
	}
	if err != nil {
		return nil, foldstream.E(foldstream.Invalid, "encode", err)
	}
	return bytes.Clone(b.Bytes()), nil
}

// decode reads what encode wrote. Errors: Invalid; newer, where the body is of a version to come.
func decode(data []byte, v any) error {
	switch {
	case len(data) == 0:
		return foldstream.Errorf(foldstream.Invalid, "decode", "the body is empty")
	case data[0] > codecVersion && data[0] <= lastVersion:
		return foldstream.E(foldstream.Invalid, "decode", newer(data[0]))
	case data[0] != codecVersion:
		return foldstream.Errorf(foldstream.Invalid, "decode", "the body begins with %#x, which is no version of ours", data[0])
	}
	if err := wire.Check(data[1:]); err != nil {
		return foldstream.E(foldstream.Invalid, "decode", err)
	}
	dec := msgpack.GetDecoder()
	defer msgpack.PutDecoder(dec)
	dec.Reset(bytes.NewReader(data[1:]))
	dec.UseLooseInterfaceDecoding(true)
	return foldstream.E(foldstream.Invalid, "decode", dec.Decode(v))
}

// encodeTask writes a definition: the task without its place in life.
func encodeTask(t foldstream.Task) ([]byte, error) {
	t.Stage, t.Attempt, t.Run, t.Part = "", 0, "", nil
	return encode(&t)
}

func decodeTask(data []byte) (foldstream.Task, error) {
	var t foldstream.Task
	err := decode(data, &t)
	return t, err
}

func decodeResult(data []byte) (*foldstream.Result, error) {
	var r foldstream.Result
	if err := decode(data, &r); err != nil {
		return nil, err
	}
	return &r, nil
}
