package stream

import (
	"bytes"
	"sync"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/pack"
	"github.com/foldstream/foldstream/internal/wire"
)

// codecVersion is the first byte of every body this room stores. What follows is msgpack: structs as maps by field name,
// without the fields that are zero, integers and floats as they are.
const codecVersion = 1

// lastVersion is the last first byte that a version to come may have: what begins with another is text, or no body of ours.
const lastVersion = 8

// encode writes v as the library has it. Errors: Invalid (a type that cannot be encoded).
func encode(v any) ([]byte, error) {
	return body(func(w *writer) { w.b = w.other(w.b, v) })
}

// writers are for bodies while they grow.
var writers = sync.Pool{New: func() any { return new(writer) }}

// body is the version and what write writes behind it. Errors: Invalid.
func body(write func(*writer)) ([]byte, error) {
	w := writers.Get().(*writer)
	defer writers.Put(w)
	w.b, w.err = append(w.b[:0], codecVersion), nil
	write(w)
	err := w.err
	if err == nil {
		err = wire.Check(w.b[1:]) // what cannot be read must not be written
	}
	if err != nil {
		return nil, foldstream.E(foldstream.Invalid, "encode", err)
	}
	return bytes.Clone(w.b), nil
}

// decode reads what encode wrote. Errors: Invalid; newer, where the body is of a version to come.
func decode(data []byte, v any) error {
	data, err := inside(data)
	if err != nil {
		return err
	}
	dec := msgpack.GetDecoder()
	defer msgpack.PutDecoder(dec)
	dec.Reset(bytes.NewReader(data))
	dec.UseLooseInterfaceDecoding(true)
	return foldstream.E(foldstream.Invalid, "decode", dec.Decode(v))
}

// inside returns what is behind the version: one value that can be read. Errors: as decode.
func inside(data []byte) ([]byte, error) {
	switch {
	case len(data) == 0:
		return nil, foldstream.Errorf(foldstream.Invalid, "decode", "the body is empty")
	case data[0] > codecVersion && data[0] <= lastVersion:
		return nil, foldstream.E(foldstream.Invalid, "decode", newer(data[0]))
	case data[0] != codecVersion:
		return nil, foldstream.Errorf(foldstream.Invalid, "decode", "the body begins with %#x, which is no version of ours", data[0])
	}
	return data[1:], foldstream.E(foldstream.Invalid, "decode", wire.Check(data[1:]))
}

// unpack reads a body of a shape. Errors: as decode.
func unpack[T any](data []byte, s shape[T]) (*T, error) {
	data, err := inside(data)
	if err != nil {
		return nil, err
	}
	r := pack.Reader{B: data}
	r.ShareTexts()
	t := new(T)
	s.read(&r, t)
	return t, foldstream.E(foldstream.Invalid, "decode", r.Err)
}

// encodeTask writes a definition: the task without its place in life.
func encodeTask(t *foldstream.Task) ([]byte, error) {
	return body(func(w *writer) { taskShape.write(w, t) })
}

func decodeTask(data []byte) (foldstream.Task, error) {
	t, err := unpack(data, taskShape)
	if err != nil {
		return foldstream.Task{}, err
	}
	return *t, nil
}

func encodeResult(r *foldstream.Result) ([]byte, error) {
	return body(func(w *writer) { resultShape.write(w, r) })
}

func decodeResult(data []byte) (*foldstream.Result, error) { return unpack(data, resultShape) }
