package foldstream

import (
	"encoding/binary"
	"errors"
	"math"
	"time"

	"github.com/foldstream/foldstream/internal/pack"
)

// frameVersion1 is the first byte of a frame as this program wrote it before: stored results still have such. It is read, not written.
const frameVersion1 = 1

// reader1 reads a frame of version 1.
type reader1 struct{ *unpacker }

// frame reads what is behind the version.
func (r reader1) frame() (f Frame) {
	r.Byte() // the version
	n := r.count()
	f.Times = codes1(r, n, reader1.time)
	if r.Byte() == 1 {
		f.Instruments = codes1(r, n, reader1.text)
	}
	for range r.count() {
		c := Column{Name: r.text()}
		if c.Values = r.floats(n); r.Err != nil {
			break
		}
		f.Columns = append(f.Columns, c)
	}
	return f
}

// time reads a time that has a text in the versions after.
func (r reader1) time() Time {
	sec, nsec := r.varint(), r.uvarint()
	t := Time{time.Unix(sec, int64(nsec)).UTC()}
	if _, err := timeText(t); err != nil {
		r.Fail(err)
	}
	return t
}

func codes1[T any](r reader1, n int, one func(reader1) T) []T {
	distinct := make([]T, r.count())
	for i := range distinct {
		distinct[i] = one(r)
	}
	values := make([]T, n)
	for i := range values {
		code := r.uvarint()
		if r.Err == nil && code >= uint64(len(distinct)) {
			r.Fail(errors.New("a code outside its dictionary"))
		}
		if r.Err != nil {
			return nil
		}
		values[i] = distinct[code]
	}
	return values
}

func (r reader1) uvarint() uint64 {
	v, n := binary.Uvarint(r.B)
	if n <= 0 {
		r.Fail(pack.ErrShort)
		return 0
	}
	r.B = r.B[n:]
	return v
}

func (r reader1) varint() int64 {
	v, n := binary.Varint(r.B)
	if n <= 0 {
		r.Fail(pack.ErrShort)
		return 0
	}
	r.B = r.B[n:]
	return v
}

// count reads a number of things that take at least a byte each, so that no wrong count makes a large allocation.
func (r reader1) count() int {
	n := r.uvarint()
	if n > uint64(len(r.B)) {
		r.Fail(pack.ErrShort)
		return 0
	}
	return int(n)
}

func (r reader1) text() string { return string(r.Take(uint64(r.count()))) }

func (r reader1) floats(n int) []float64 {
	data := r.Take(8 * uint64(n))
	if data == nil {
		return nil
	}
	values := make([]float64, n)
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
	}
	return values
}
