package frame

import (
	"encoding/binary"
	"errors"
)

// thrift reads Thrift's compact protocol, in which Parquet writes what it says of itself
// (https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md). It allocates nothing, so that no
// number in the data can make it. After its first error it reads zeros.
type thrift struct {
	b     []byte
	err   error
	depth int
}

// The kinds of values.
const (
	kindTrue   = 1
	kindFalse  = 2
	kindByte   = 3
	kindInt64  = 6
	kindDouble = 7
	kindBinary = 8
	kindList   = 9
	kindSet    = 10
	kindMap    = 11
	kindStruct = 12
	kindUUID   = 13
)

// maxDepth is how deep structs may stand in each other; Parquet's own are five deep.
const maxDepth = 32

var (
	errShort = errors.New("it ends too early")
	errKind  = errors.New("a value is of another kind than it must be")
)

func (r *thrift) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *thrift) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail(errShort)
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *thrift) byte() byte {
	if v := r.take(1); v != nil {
		return v[0]
	}
	return 0
}

func (r *thrift) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail(errShort)
		return 0
	}
	r.b = r.b[n:]
	return v
}

// int reads the whole number of a field.
func (r *thrift) int(kind byte) int64 {
	switch {
	case kind == kindByte:
		return int64(int8(r.byte()))
	case kind > kindByte && kind <= kindInt64:
		v := r.uvarint()
		return int64(v>>1) ^ -int64(v&1)
	}
	r.fail(errKind)
	return 0
}

// truth reads the truth value of a field, which is in its kind.
func (r *thrift) truth(kind byte) bool {
	if kind != kindTrue && kind != kindFalse {
		r.fail(errKind)
	}
	return kind == kindTrue
}

func (r *thrift) binary(kind byte) []byte {
	if kind != kindBinary {
		r.fail(errKind)
		return nil
	}
	return r.take(r.uvarint())
}

// fields calls each with every field of a struct; each reads the value or skips it.
func (r *thrift) fields(kind byte, each func(id int16, kind byte)) {
	if kind != kindStruct {
		r.fail(errKind)
	}
	if r.depth++; r.depth > maxDepth {
		r.fail(errors.New("structs stand in each other too deep"))
	}
	for id := int16(0); r.err == nil; {
		head := r.byte()
		if head == 0 {
			break
		}
		if step := head >> 4; step != 0 {
			id += int16(step)
		} else {
			id = int16(r.int(kindInt64))
		}
		each(id, head&0x0f)
	}
	r.depth--
}

// list calls each with the kind of every element of a list; each reads the element or skips it.
func (r *thrift) list(kind byte, each func(kind byte)) {
	if kind != kindList && kind != kindSet {
		r.fail(errKind)
		return
	}
	head := r.byte()
	n := uint64(head >> 4)
	if n == 15 {
		n = r.uvarint()
	}
	for ; n > 0 && r.err == nil; n-- {
		each(head & 0x0f)
	}
}

// skip passes over a value of a field.
func (r *thrift) skip(kind byte) {
	switch kind {
	case kindTrue, kindFalse:
	case kindDouble:
		r.take(8)
	case kindUUID:
		r.take(16)
	case kindBinary:
		r.binary(kind)
	case kindList, kindSet:
		r.list(kind, r.skipElement)
	case kindMap:
		r.skipMap()
	case kindStruct:
		r.fields(kind, func(_ int16, kind byte) { r.skip(kind) })
	default:
		r.int(kind)
	}
}

// skipElement passes over an element of a list or map, where a truth value takes a byte.
func (r *thrift) skipElement(kind byte) {
	if kind == kindTrue || kind == kindFalse {
		kind = kindByte
	}
	r.skip(kind)
}

func (r *thrift) skipMap() {
	n := r.uvarint()
	if n == 0 {
		return
	}
	kinds := r.byte()
	for ; n > 0 && r.err == nil; n-- {
		r.skipElement(kinds >> 4)
		r.skipElement(kinds & 0x0f)
	}
}
