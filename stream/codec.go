package stream

import (
	"bytes"
	"sync"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/foldstream/foldstream"
)

// codecVersion is the first byte of every body this room stores. What follows is msgpack: structs as maps by field name,
// without the fields that are zero, integers and floats as they are.
const codecVersion = 1

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
	if err := enc.Encode(v); err != nil {
		return nil, foldstream.E(foldstream.Invalid, "encode", err)
	}
	return bytes.Clone(b.Bytes()), nil
}

// decode reads what encode wrote. Errors: Invalid.
func decode(data []byte, v any) error {
	if len(data) == 0 || data[0] != codecVersion {
		return foldstream.Errorf(foldstream.Invalid, "decode", "a body of version %v; this program reads version %d", data[:min(1, len(data))], codecVersion)
	}
	dec := msgpack.GetDecoder()
	defer msgpack.PutDecoder(dec)
	r := bytes.NewReader(data[1:])
	dec.Reset(r)
	dec.UseLooseInterfaceDecoding(true)
	if err := dec.Decode(v); err != nil {
		return foldstream.E(foldstream.Invalid, "decode", err)
	}
	if r.Len() > 0 {
		return foldstream.Errorf(foldstream.Invalid, "decode", "%d bytes after the end", r.Len())
	}
	return nil
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
