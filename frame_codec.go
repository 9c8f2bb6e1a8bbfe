package foldstream

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// frameVersion is the first byte of an encoded frame.
const frameVersion = 1

// MarshalBinary encodes the frame in columns: times and instruments as dictionaries with a code a row, values as raw
// little-endian float64. Equal frames give equal bytes. Errors: Invalid, as Validate.
func (f Frame) MarshalBinary() ([]byte, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	b := make([]byte, 0, 16+f.Len()*(3+8*len(f.Columns)))
	b = append(b, frameVersion)
	b = binary.AppendUvarint(b, uint64(f.Len()))
	b = appendCodes(b, f.Times, func(b []byte, t Time) []byte {
		b = binary.AppendVarint(b, t.t.Unix())
		return binary.AppendUvarint(b, uint64(t.t.Nanosecond()))
	})
	if f.Instruments == nil {
		b = append(b, 0)
	} else {
		b = appendCodes(append(b, 1), f.Instruments, appendText)
	}
	b = binary.AppendUvarint(b, uint64(len(f.Columns)))
	for _, c := range f.Columns {
		b = appendText(b, c.Name)
		for _, v := range c.Values {
			if math.IsNaN(v) {
				v = math.NaN() // one NaN of the many, so that equal frames give equal bytes
			}
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		}
	}
	return b, nil
}

// UnmarshalBinary decodes what MarshalBinary wrote. Errors: Invalid.
func (f *Frame) UnmarshalBinary(data []byte) error {
	r := frameReader{b: data}
	if v := r.byte(); r.err == nil && v != frameVersion {
		return Errorf(Invalid, "frame", "version %d is not known here; this program reads version %d", v, frameVersion)
	}
	n := r.count()
	var out Frame
	out.Times = readCodes(&r, n, func(r *frameReader) Time {
		sec, nsec := r.varint(), r.uvarint()
		return Time{time.Unix(sec, int64(nsec)).UTC()}
	})
	if r.byte() == 1 {
		out.Instruments = readCodes(&r, n, (*frameReader).text)
	}
	columns := r.count()
	for range columns {
		c := Column{Name: r.text()}
		if c.Values = r.floats(n); r.err != nil {
			break
		}
		out.Columns = append(out.Columns, c)
	}
	if r.err == nil && len(r.b) > 0 {
		r.err = errors.New("bytes after the end")
	}
	if r.err == nil {
		r.err = out.Validate()
	}
	if r.err != nil {
		return Errorf(Invalid, "frame", "cannot be read: %w", r.err)
	}
	*f = out
	return nil
}

// appendCodes writes the distinct values in order of appearance, then the place of each row's value among them.
func appendCodes[T comparable](b []byte, values []T, one func([]byte, T) []byte) []byte {
	codes := map[T]uint64{}
	var distinct []T
	for _, v := range values {
		if _, ok := codes[v]; !ok {
			codes[v] = uint64(len(distinct))
			distinct = append(distinct, v)
		}
	}
	b = binary.AppendUvarint(b, uint64(len(distinct)))
	for _, v := range distinct {
		b = one(b, v)
	}
	for _, v := range values {
		b = binary.AppendUvarint(b, codes[v])
	}
	return b
}

func readCodes[T any](r *frameReader, n int, one func(*frameReader) T) []T {
	distinct := make([]T, r.count())
	for i := range distinct {
		distinct[i] = one(r)
	}
	values := make([]T, n)
	for i := range values {
		code := r.uvarint()
		if r.err == nil && code >= uint64(len(distinct)) {
			r.err = errors.New("a code outside its dictionary")
		}
		if r.err != nil {
			return nil
		}
		values[i] = distinct[code]
	}
	return values
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// frameReader reads an encoded frame; after its first error it reads zeros.
type frameReader struct {
	b   []byte
	err error
}

var errShort = errors.New("it ends too early")

func (r *frameReader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.b = nil
}

func (r *frameReader) byte() byte {
	if len(r.b) == 0 {
		r.fail(errShort)
		return 0
	}
	v := r.b[0]
	r.b = r.b[1:]
	return v
}

func (r *frameReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail(errShort)
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *frameReader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail(errShort)
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads a number of things that take at least a byte each, so that no wrong count makes a large allocation.
func (r *frameReader) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail(errShort)
		return 0
	}
	return int(n)
}

func (r *frameReader) text() string {
	n := r.count()
	s := string(r.b[:n])
	r.b = r.b[n:]
	return s
}

func (r *frameReader) floats(n int) []float64 {
	if n > len(r.b)/8 {
		r.fail(errShort)
		return nil
	}
	values := make([]float64, n)
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(r.b[8*i:]))
	}
	r.b = r.b[8*n:]
	return values
}
