package foldstream

import (
	"errors"
	"math"

	"github.com/foldstream/foldstream/internal/pack"
)

// What a frame's document says of itself first.
const (
	frameVersion = 2
	frameKeys    = 7 // of the map
)

// MarshalBinary encodes the frame as one msgpack document that any language reads: a map of "frame" (the version), "rows",
// "times" (the distinct canonical texts), "time" (a code a row into them), "instruments" and "instrument" (the same; nil
// where rows are keyed by time alone) and "columns" (pairs of a name and its values). Codes and values are binary and
// little-endian: unsigned integers of 1, 2 or 4 bytes, and float64. Equal frames give equal bytes. Errors: Invalid (as
// Validate; a time outside the years 0 to 9999).
func (f Frame) MarshalBinary() ([]byte, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	b := make([]byte, 0, 128+f.Len()*(3+8*len(f.Columns)))
	b = pack.AppendMap(b, frameKeys)
	b = packUint(pack.AppendText(b, "frame"), frameVersion)
	b = packUint(pack.AppendText(b, "rows"), f.Len())
	b, err := packCodes(b, "times", "time", f.Times, timeText)
	if err != nil {
		return nil, err
	}
	if b, err = packInstruments(b, f.Instruments); err != nil {
		return nil, err
	}
	b = pack.AppendArray(pack.AppendText(b, "columns"), len(f.Columns))
	for _, c := range f.Columns {
		b = pack.AppendText(pack.AppendArray(b, 2), c.Name)
		b = packFloats(b, c.Values)
	}
	return b, nil
}

// MarshalMsgpack is MarshalBinary: inside a msgpack document a frame is a map like any other.
func (f Frame) MarshalMsgpack() ([]byte, error) { return f.MarshalBinary() }

// UnmarshalMsgpack reads what MarshalMsgpack wrote, and binary data of the version before.
func (f *Frame) UnmarshalMsgpack(data []byte) error {
	r := unpacker{pack.Reader{B: data}}
	if inner, ok := r.Bin(); ok {
		data = inner
	}
	return f.UnmarshalBinary(data)
}

// UnmarshalBinary decodes what MarshalBinary wrote, this version or the one before. It takes no more memory than 32 bytes
// for a byte of data. Errors: Invalid.
func (f *Frame) UnmarshalBinary(data []byte) error {
	r := unpacker{pack.Reader{B: data}}
	read := r.frame
	if len(data) > 0 && data[0] == frameVersion1 {
		read = reader1{&r}.frame
	}
	out := read()
	if r.Err == nil && len(r.B) > 0 {
		r.Err = errors.New("bytes after the end")
	}
	if r.Err == nil {
		r.Err = out.Validate()
	}
	if r.Err != nil {
		return Errorf(Invalid, "frame", "cannot be read: %w", r.Err)
	}
	*f = out
	return nil
}

// frame reads a document.
func (r *unpacker) frame() (f Frame) {
	if r.Byte() != pack.AppendMap(nil, frameKeys)[0] {
		r.Fail(errors.New("it is no frame"))
	}
	r.key("frame")
	if v := r.uint(); r.Err == nil && v != frameVersion {
		r.Fail(Errorf(Invalid, "", "version %d is not known here; this program reads version %d", v, frameVersion))
	}
	r.key("rows")
	n := r.uint()
	f.Times = readCodes(r, n, "times", "time", textTime)
	f.Instruments = readCodes(r, n, "instruments", "instrument", func(s string) (string, error) { return s, nil })
	r.key("columns")
	for range r.Array() {
		if pair := r.Array(); pair != 2 {
			r.Fail(errors.New("a column is no pair"))
		}
		c := Column{Name: r.Text()}
		if c.Values = r.floats(n); r.Err != nil {
			break
		}
		f.Columns = append(f.Columns, c)
	}
	return f
}

func packInstruments(b []byte, instruments []string) ([]byte, error) {
	if instruments == nil {
		b = pack.AppendNil(pack.AppendText(b, "instruments"))
		return pack.AppendNil(pack.AppendText(b, "instrument")), nil
	}
	return packCodes(b, "instruments", "instrument", instruments, func(s string) (string, error) { return s, nil })
}

// packCodes writes the distinct values in order of appearance under one key, and the place of each row's value among them under another.
func packCodes[T comparable](b []byte, all, each string, values []T, text func(T) (string, error)) ([]byte, error) {
	codes := map[T]uint32{}
	var distinct []T
	for i, v := range values {
		if i > 0 && v == values[i-1] {
			continue
		}
		if _, ok := codes[v]; !ok {
			codes[v] = uint32(len(distinct))
			distinct = append(distinct, v)
		}
	}
	b = pack.AppendArray(pack.AppendText(b, all), len(distinct))
	for _, v := range distinct {
		s, err := text(v)
		if err != nil {
			return nil, err
		}
		b = pack.AppendText(b, s)
	}
	width := codeWidth(len(distinct))
	b = pack.AppendBin(pack.AppendText(b, each), width*len(values))
	code := uint32(0)
	for i, v := range values {
		if i == 0 || v != values[i-1] {
			code = codes[v]
		}
		for k := range width {
			b = append(b, byte(code>>(8*k)))
		}
	}
	return b, nil
}

// codeWidth is how many bytes a code into so many values takes.
func codeWidth(n int) int {
	switch {
	case n <= 1<<8:
		return 1
	case n <= 1<<16:
		return 2
	}
	return 4
}

// readCodes reads what packCodes wrote; nil where nil stands in its place.
func readCodes[T any](r *unpacker, n int, all, each string, value func(string) (T, error)) []T {
	r.key(all)
	if r.Nil() {
		if r.key(each); !r.Nil() {
			r.Fail(errors.New("codes without what they stand for"))
		}
		return nil
	}
	distinct := make([]T, r.Array())
	for i := range distinct {
		var err error
		if distinct[i], err = value(r.Text()); err != nil {
			r.Fail(err)
			return nil
		}
	}
	r.key(each)
	codes, width := r.bytes(), codeWidth(len(distinct))
	if r.Err == nil && (n > len(codes) || len(codes) != n*width) {
		r.Fail(errors.New("not a code a row"))
	}
	if r.Err != nil {
		return nil
	}
	values := make([]T, n)
	for i := range values {
		code := 0
		for k := range width {
			code |= int(codes[i*width+k]) << (8 * k)
		}
		if code >= len(distinct) {
			r.Fail(errors.New("a code outside its dictionary"))
			return nil
		}
		values[i] = distinct[code]
	}
	return values
}

func timeText(t Time) (string, error) {
	if y := t.t.Year(); y < 0 || y > 9999 {
		return "", Errorf(Invalid, "frame", "the time %s is outside the years 0 to 9999", t)
	}
	return t.String(), nil
}

func textTime(s string) (t Time, err error) {
	err = t.UnmarshalText([]byte(s))
	return t, err
}

// oneNaN gives every NaN the same bits, so that equal frames give equal bytes.
func oneNaN(v float64) float64 {
	if math.IsNaN(v) {
		return math.NaN()
	}
	return v
}
