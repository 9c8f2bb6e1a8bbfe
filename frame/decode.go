package frame

import (
	"bytes"

	"github.com/foldstream/foldstream"
)

// Encode returns a frame as the bytes of a Parquet file. Equal frames give equal bytes, with one version of this program.
// Errors: Invalid.
func Encode(f foldstream.Frame) ([]byte, error) {
	if err := f.Validate(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err := WriteParquet(&b, Of(f))
	return b.Bytes(), err
}

// Decode reads a frame: a Parquet file, or what Frame.MarshalBinary wrote, of any version. Errors: Invalid, TooLarge.
func Decode(data []byte) (f foldstream.Frame, err error) {
	if !bytes.HasPrefix(data, []byte(magic)) {
		err = f.UnmarshalBinary(data)
		return f, err
	}
	t, err := ReadParquet(data)
	if err != nil {
		return f, err
	}
	return t.Frame()
}
