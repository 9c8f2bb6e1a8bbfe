package mem

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"

	"github.com/foldstream/foldstream"
)

type artifacts struct{ s *Store }

var _ foldstream.Artifacts = artifacts{}

// Put reads r to its end and keeps the bytes. An error of r is returned as it is, and nothing is kept.
func (a artifacts) Put(ctx context.Context, r io.Reader) (foldstream.Digest, int64, error) {
	data, err := io.ReadAll(untilDone(ctx, r))
	if err != nil {
		return "", 0, err
	}
	d := digestOf(data)
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.s.blobs[d] = data
	a.s.keep(d)
	return d, int64(len(data)), nil
}

// Open returns the bytes. A blob that is not what its digest says fails with Differs when it was read to its end.
func (a artifacts) Open(ctx context.Context, d foldstream.Digest) (io.ReadCloser, error) {
	data, err := a.get(ctx, "open", d)
	if err != nil {
		return nil, err
	}
	last := io.EOF
	if got := digestOf(data); got != d {
		last = foldstream.Errorf(foldstream.Differs, "open", "artifact %s has become %s", d, got)
	}
	return io.NopCloser(io.MultiReader(bytes.NewReader(data), endsWith(last))), nil
}

// Stat returns the size.
func (a artifacts) Stat(ctx context.Context, d foldstream.Digest) (int64, error) {
	data, err := a.get(ctx, "stat", d)
	return int64(len(data)), err
}

// Delete forgets the bytes.
func (a artifacts) Delete(ctx context.Context, d foldstream.Digest) error {
	if err := alive(ctx, "delete"); err != nil {
		return err
	}
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	delete(a.s.blobs, d)
	delete(a.s.keeps, d)
	return nil
}

// Corrupt flips a bit of a blob, as a fault of a store would. The blob must have a byte. Errors: NotFound.
func (s *Store) Corrupt(d foldstream.Digest) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.blobs[d]) == 0 {
		return foldstream.Errorf(foldstream.NotFound, "corrupt", "no byte of artifact %s", d)
	}
	data := bytes.Clone(s.blobs[d])
	data[len(data)/2] ^= 1
	s.blobs[d] = data
	return nil
}

func (a artifacts) get(ctx context.Context, op string, d foldstream.Digest) ([]byte, error) {
	if err := alive(ctx, op); err != nil {
		return nil, err
	}
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	data, ok := a.s.blobs[d]
	if !ok {
		return nil, foldstream.Errorf(foldstream.NotFound, op, "no artifact %s", d)
	}
	return data, nil
}

func digestOf(data []byte) foldstream.Digest {
	sum := sha256.Sum256(data)
	return foldstream.Digest(hex.EncodeToString(sum[:]))
}

// readerFunc makes a function a reader.
type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// untilDone reads r until the context ends.
func untilDone(ctx context.Context, r io.Reader) io.Reader {
	return readerFunc(func(p []byte) (int, error) {
		if err := alive(ctx, "put"); err != nil {
			return 0, err
		}
		return r.Read(p)
	})
}

// endsWith is a reader of nothing that ends with err.
func endsWith(err error) io.Reader {
	return readerFunc(func([]byte) (int, error) { return 0, err })
}
