package foldstream

import (
	"encoding/binary"
	"errors"
	"math"
)

// The few forms of msgpack that a frame's document is made of (https://github.com/msgpack/msgpack/blob/master/spec.md).
const (
	packMap   = 0x80 // a map of up to 15 pairs, with their number
	packNil   = 0xc0
	packBin8  = 0xc4
	packBin16 = 0xc5
	packBin32 = 0xc6
)

func packUint(b []byte, n int) []byte {
	if n < 1<<7 {
		return append(b, byte(n))
	}
	return binary.BigEndian.AppendUint64(append(b, 0xcf), uint64(n))
}

func packText(b []byte, s string) []byte {
	if len(s) < 32 {
		return append(append(b, 0xa0|byte(len(s))), s...)
	}
	return append(packHead(b, 0xd9, 0xda, 0xdb, len(s)), s...)
}

func packArray(b []byte, n int) []byte {
	if n < 16 {
		return append(b, 0x90|byte(n))
	}
	return packHead(b, 0, 0xdc, 0xdd, n)
}

func packBin(b []byte, n int) []byte { return packHead(b, packBin8, packBin16, packBin32, n) }

// packHead writes the first of three heads that has room for n; a zero one is none.
func packHead(b []byte, head8, head16, head32 byte, n int) []byte {
	switch {
	case head8 != 0 && n < 1<<8:
		return append(b, head8, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, head16), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(b, head32), uint32(n))
}

func packFloats(b []byte, values []float64) []byte {
	b = packBin(b, 8*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(oneNaN(v)))
	}
	return b
}

// unpacker reads a frame's document; after its first error it reads zeros.
type unpacker struct {
	b   []byte
	err error
}

var errShort = errors.New("it ends too early")

func (r *unpacker) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *unpacker) byte() byte {
	if len(r.b) == 0 {
		r.fail(errShort)
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

// take returns the next n bytes.
func (r *unpacker) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail(errShort)
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

// number reads a big-endian number of 1, 2, 4 or 8 bytes.
func (r *unpacker) number(bytes uint64) (n uint64) {
	for _, v := range r.take(bytes) {
		n = n<<8 | uint64(v)
	}
	return n
}

// uint reads a number from 0 to 2^31 − 1.
func (r *unpacker) uint() int {
	head := r.byte()
	n := uint64(head)
	if head >= 0xcc && head <= 0xcf {
		n = r.number(1 << (head - 0xcc))
	} else if head > 0x7f {
		r.fail(errors.New("a number is missing"))
	}
	if n > math.MaxInt32 {
		r.fail(errors.New("a number is too large"))
		return 0
	}
	return int(n)
}

// array reads a number of elements. Each takes at least a byte, so that no wrong number makes a large allocation.
func (r *unpacker) array() int {
	head := r.byte()
	n := uint64(head & 0x0f)
	switch {
	case head == 0xdc || head == 0xdd:
		n = r.number(2 << (head - 0xdc))
	case head&0xf0 != 0x90:
		r.fail(errors.New("an array is missing"))
	}
	if n > uint64(len(r.b)) {
		r.fail(errShort)
	}
	if r.err != nil {
		return 0
	}
	return int(n)
}

func (r *unpacker) text() string {
	head := r.byte()
	n := uint64(head & 0x1f)
	switch {
	case head >= 0xd9 && head <= 0xdb:
		n = r.number(1 << (head - 0xd9))
	case head&0xe0 != 0xa0:
		r.fail(errors.New("a text is missing"))
	}
	return string(r.take(n))
}

// key reads the key that must stand here.
func (r *unpacker) key(name string) {
	if s := r.text(); r.err == nil && s != name {
		r.fail(Errorf(Invalid, "", "%q stands where %q must", s, name))
	}
}

// null reads a nil, if one stands here.
func (r *unpacker) null() bool {
	if len(r.b) == 0 || r.b[0] != packNil {
		return false
	}
	r.b = r.b[1:]
	return true
}

// bin reads binary data, if such stands here.
func (r *unpacker) bin() ([]byte, bool) {
	if len(r.b) == 0 || r.b[0] < packBin8 || r.b[0] > packBin32 {
		return nil, false
	}
	head := r.byte()
	data := r.take(r.number(1 << (head - packBin8)))
	return data, r.err == nil
}

// bytes reads the binary data that must stand here.
func (r *unpacker) bytes() []byte {
	data, ok := r.bin()
	if !ok {
		r.fail(errors.New("binary data are missing"))
	}
	return data
}

func (r *unpacker) floats(n int) []float64 {
	data := r.bytes()
	if r.err == nil && len(data) != 8*n {
		r.fail(errors.New("not a value a row"))
	}
	if r.err != nil {
		return nil
	}
	values := make([]float64, n)
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
	}
	return values
}
