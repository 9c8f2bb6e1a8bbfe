package foldstream

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/foldstream/foldstream/internal/pack"
)

// packUint writes a number in one byte or in nine.
func packUint(b []byte, n int) []byte {
	if n < 1<<7 {
		return append(b, byte(n))
	}
	return pack.AppendUint64(b, uint64(n))
}

func packFloats(b []byte, values []float64) []byte {
	b = pack.AppendBin(b, 8*len(values))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(oneNaN(v)))
	}
	return b
}

// unpacker reads a frame's document.
type unpacker struct{ pack.Reader }

// uint reads a number from 0 to 2^31 − 1.
func (r *unpacker) uint() int {
	n := r.Int()
	if n < 0 || n > math.MaxInt32 {
		r.Fail(errors.New("a number is negative or too large"))
		return 0
	}
	return int(n)
}

// key reads the key that must stand here.
func (r *unpacker) key(name string) {
	if s := r.Name(); r.Err == nil && string(s) != name {
		r.Fail(Errorf(Invalid, "", "%q stands where %q must", s, name))
	}
}

// bytes reads the binary data that must stand here.
func (r *unpacker) bytes() []byte {
	data, ok := r.Bin()
	if !ok {
		r.Fail(errors.New("binary data are missing"))
	}
	return data
}

func (r *unpacker) floats(n int) []float64 {
	data := r.bytes()
	if r.Err == nil && len(data) != 8*n {
		r.Fail(errors.New("not a value a row"))
	}
	if r.Err != nil {
		return nil
	}
	values := make([]float64, n)
	for i := range values {
		values[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
	}
	return values
}
