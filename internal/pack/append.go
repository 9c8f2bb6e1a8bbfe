package pack

import (
	"encoding/binary"
	"math"
)

// The first bytes of the forms. Behind those with a number or a length comes it, in 1, 2, 4 or 8 bytes (lists and maps: 2 or 4), each with the next code.
const (
	fixMap      = 0x80 // and the number of pairs, up to 15
	fixArray    = 0x90 // and the number of elements, up to 15
	fixText     = 0xa0 // and the length, up to 31
	codeNil     = 0xc0
	codeFalse   = 0xc2
	codeTrue    = 0xc3
	codeBin     = 0xc4
	codeFloat32 = 0xca
	codeFloat64 = 0xcb
	codeUint    = 0xcc
	codeInt     = 0xd0
	codeText    = 0xd9
	codeArray   = 0xdc
	codeMap     = 0xde
)

// AppendNil writes a nil.
func AppendNil(b []byte) []byte { return append(b, codeNil) }

// AppendBool writes a truth.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, codeTrue)
	}
	return append(b, codeFalse)
}

// AppendInt writes a number in as few bytes as it takes.
func AppendInt(b []byte, n int64) []byte {
	switch {
	case n >= -32 && n < 1<<7:
		return append(b, byte(n))
	case n >= 0 && n < 1<<8:
		return append(b, codeUint, byte(n))
	case n >= 0 && n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, codeUint+1), uint16(n))
	case n >= 0 && n < 1<<32:
		return binary.BigEndian.AppendUint32(append(b, codeUint+2), uint32(n))
	case n >= 0:
		return binary.BigEndian.AppendUint64(append(b, codeUint+3), uint64(n))
	case n >= math.MinInt8:
		return append(b, codeInt, byte(n))
	case n >= math.MinInt16:
		return binary.BigEndian.AppendUint16(append(b, codeInt+1), uint16(n))
	case n >= math.MinInt32:
		return binary.BigEndian.AppendUint32(append(b, codeInt+2), uint32(n))
	}
	return AppendInt64(b, n)
}

// AppendInt64 writes a number in nine bytes, whatever it is.
func AppendInt64(b []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(append(b, codeInt+3), uint64(n))
}

// AppendUint64 writes a number in nine bytes, whatever it is.
func AppendUint64(b []byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, codeUint+3), n)
}

// AppendFloat writes a number of 64 bits as it is.
func AppendFloat(b []byte, v float64) []byte {
	return binary.BigEndian.AppendUint64(append(b, codeFloat64), math.Float64bits(v))
}

// AppendText writes a text.
func AppendText(b []byte, s string) []byte {
	if len(s) < 32 {
		return append(append(b, fixText|byte(len(s))), s...)
	}
	return append(appendHead(b, codeText, codeText+1, len(s)), s...)
}

// AppendBin writes the head of so many bytes, which the caller writes behind it.
func AppendBin(b []byte, n int) []byte { return appendHead(b, codeBin, codeBin+1, n) }

// AppendArray writes the head of so many elements, which the caller writes behind it.
func AppendArray(b []byte, n int) []byte {
	if n < 16 {
		return append(b, fixArray|byte(n))
	}
	return appendHead(b, 0, codeArray, n)
}

// AppendMap writes the head of so many pairs of a key and a value, which the caller writes behind it.
func AppendMap(b []byte, n int) []byte {
	if n < 16 {
		return append(b, fixMap|byte(n))
	}
	return appendHead(b, 0, codeMap, n)
}

// appendHead writes the first form that has room for n: of one byte, where there is such a form, of two, or of four.
func appendHead(b []byte, one, two byte, n int) []byte {
	switch {
	case one != 0 && n < 1<<8:
		return append(b, one, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, two), uint16(n))
	}
	return binary.BigEndian.AppendUint32(append(b, two+1), uint32(n))
}
