package frame

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"

	"github.com/foldstream/foldstream"
)

// budget is how many bytes of memory reading may still take.
type budget int64

// take spends n bytes. Errors: TooLarge.
func (b *budget) take(n int64) error {
	if n > int64(*b) {
		return foldstream.Errorf(foldstream.TooLarge, "parquet", "the file says it is of more bytes than one of its size is read with")
	}
	*b -= budget(n)
	return nil
}

// The ways of compression that are read here.
const (
	codecNone   = 0
	codecSnappy = 1
	codecGzip   = 2
	codecZstd   = 6
)

// decompress returns the size bytes that are in data, and spends them.
func (b *budget) decompress(codec int64, data []byte, size int64) (out []byte, err error) {
	if codec != codecNone {
		if err := b.take(size); err != nil || size == 0 && len(data) == 0 {
			return nil, err
		}
	}
	switch codec {
	case codecNone:
		out = data
	case codecSnappy:
		if n, err := snappy.DecodedLen(data); err != nil || int64(n) != size {
			return nil, errors.New("a page's size is not what its head says")
		}
		out, err = snappy.Decode(nil, data)
	case codecGzip:
		out, err = gunzip(data, size)
	case codecZstd:
		out, err = unzstd(data, size)
	default:
		return nil, fmt.Errorf("the compression %d is not read here; none, snappy, zstd and gzip are", codec)
	}
	if err == nil && int64(len(out)) != size {
		err = errors.New("a page's size is not what its head says")
	}
	return out, err
}

func gunzip(data []byte, size int64) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, size+1))
}

func unzstd(data []byte, size int64) ([]byte, error) {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(max(uint64(size), zstd.MinWindowSize)))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.DecodeAll(data, make([]byte, 0, size))
}
