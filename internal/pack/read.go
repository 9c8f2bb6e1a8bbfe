package pack

import (
	"errors"
	"fmt"
	"math"
)

// Reader reads values one after another. After its first error it reads zeros. A nil is read as the zero of what stands there.
type Reader struct {
	B   []byte // what is still to be read
	Err error  // the first error

	all string // the data, where texts are parts of it
}

// ErrShort is of data that end before a value does.
var ErrShort = errors.New("it ends too early")

// ShareTexts has the texts that are read be parts of one copy of the data, which lives as long as any of them.
func (r *Reader) ShareTexts() { r.all = string(r.B) }

// Fail ends the reading.
func (r *Reader) Fail(err error) {
	if r.Err == nil {
		r.Err = err
	}
	r.B = nil
}

func (r *Reader) missing(what string) {
	if len(r.B) == 0 {
		r.Fail(ErrShort)
	}
	r.Fail(fmt.Errorf("%s is missing", what))
}

// Byte returns the next byte.
func (r *Reader) Byte() byte {
	if len(r.B) == 0 {
		r.Fail(ErrShort)
		return 0
	}
	v := r.B[0]
	r.B = r.B[1:]
	return v
}

// Take returns the next n bytes, which are the data's own.
func (r *Reader) Take(n uint64) []byte {
	if n > uint64(len(r.B)) {
		r.Fail(ErrShort)
		return nil
	}
	v := r.B[:n:n]
	r.B = r.B[n:]
	return v
}

// bigEndian reads a number of 1, 2, 4 or 8 bytes.
func (r *Reader) bigEndian(bytes uint64) (n uint64) {
	for _, v := range r.Take(bytes) {
		n = n<<8 | uint64(v)
	}
	return n
}

// peek is the first byte of the next value: one that begins none where there is none.
func (r *Reader) peek() byte {
	if len(r.B) == 0 {
		return 0xc1
	}
	return r.B[0]
}

// Nil reads a nil, if one stands here.
func (r *Reader) Nil() bool {
	if r.peek() != codeNil {
		return false
	}
	r.B = r.B[1:]
	return true
}

// Bool reads a truth.
func (r *Reader) Bool() bool {
	switch {
	case r.Nil():
		return false
	case r.peek() != codeFalse && r.peek() != codeTrue:
		r.missing("a truth")
		return false
	}
	return r.Byte() == codeTrue
}

// Int reads a whole number in any form of up to 64 bits.
func (r *Reader) Int() int64 {
	if r.Nil() {
		return 0
	}
	switch head := r.peek(); {
	case head < fixMap || head >= 0xe0:
		return int64(int8(r.Byte()))
	case head >= codeUint && head < codeInt:
		r.Byte()
		n := r.bigEndian(1 << (head - codeUint))
		if n > math.MaxInt64 {
			r.Fail(errors.New("a number is too large"))
			return 0
		}
		return int64(n)
	case head >= codeInt && head < codeInt+4:
		r.Byte()
		unused := 64 - 8<<(head-codeInt)
		return int64(r.bigEndian(1<<(head-codeInt))) << unused >> unused
	}
	r.missing("a number")
	return 0
}

// Float reads a number of 32 or 64 bits.
func (r *Reader) Float() float64 {
	if r.Nil() {
		return 0
	}
	switch r.peek() {
	case codeFloat32:
		r.Byte()
		return float64(math.Float32frombits(uint32(r.bigEndian(4))))
	case codeFloat64:
		r.Byte()
		return math.Float64frombits(r.bigEndian(8))
	}
	r.missing("a number with a fraction")
	return 0
}

// Text reads a text.
func (r *Reader) Text() string {
	data := r.raw()
	if r.all == "" {
		return string(data)
	}
	end := len(r.all) - len(r.B)
	return r.all[end-len(data) : end]
}

// Name reads a text for the caller to look at and not to keep: it is the data's own.
func (r *Reader) Name() []byte { return r.raw() }

func (r *Reader) raw() []byte {
	if r.Nil() {
		return nil
	}
	switch head := r.peek(); {
	case head&0xe0 == fixText:
		return r.Take(uint64(r.Byte() & 0x1f))
	case head >= codeText && head < codeText+3:
		r.Byte()
		return r.Take(r.bigEndian(1 << (head - codeText)))
	}
	r.missing("a text")
	return nil
}

// Bin reads bytes, if such stand here: they are the data's own.
func (r *Reader) Bin() ([]byte, bool) {
	head := r.peek()
	if head < codeBin || head >= codeBin+3 {
		return nil, false
	}
	r.Byte()
	data := r.Take(r.bigEndian(1 << (head - codeBin)))
	return data, r.Err == nil
}

// Array reads the number of elements that follow. Each takes a byte at least, so that no wrong number makes a large allocation.
func (r *Reader) Array() int { return r.values("a list", fixArray, codeArray, 1) }

// Map reads the number of pairs that follow, as Array.
func (r *Reader) Map() int { return r.values("a map", fixMap, codeMap, 2) }

func (r *Reader) values(what string, few, many byte, each uint64) int {
	if r.Nil() {
		return 0
	}
	var n uint64
	switch head := r.peek(); {
	case head&0xf0 == few:
		n = uint64(r.Byte() & 0x0f)
	case head == many || head == many+1:
		r.Byte()
		n = r.bigEndian(2 << (head - many))
	default:
		r.missing(what)
	}
	if n*each > uint64(len(r.B)) {
		r.Fail(ErrShort)
	}
	if r.Err != nil {
		return 0
	}
	return int(n)
}

// Value returns the bytes of the next value, whatever it is: they are the data's own.
func (r *Reader) Value() []byte {
	all := r.B
	for left := 1; left > 0 && r.Err == nil; left-- {
		size, values, ok := Head(r.B)
		if !ok {
			r.missing("a value")
			break
		}
		r.Take(uint64(size))
		left += values
	}
	return all[:len(all)-len(r.B)]
}
