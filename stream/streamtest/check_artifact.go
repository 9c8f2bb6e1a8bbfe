package streamtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"testing/iotest"

	"github.com/foldstream/foldstream"
)

var artifactChecks = []Check{
	{"artifact/put and open", artifactPut},
	{"artifact/the same twice", artifactTwice},
	{"artifact/not there", artifactMissing},
	{"artifact/delete", artifactDelete},
	{"artifact/corrupt", artifactCorrupt},
	{"artifact/source fails", artifactSource},
}

// blob returns n bytes that do not compress, and their digest.
func blob(n int) ([]byte, foldstream.Digest) {
	data := make([]byte, n)
	random := rand.NewChaCha8([32]byte{1})
	_, _ = random.Read(data) // it never fails
	sum := sha256.Sum256(data)
	return data, foldstream.Digest(hex.EncodeToString(sum[:]))
}

// putBlob stores the bytes and fails when the answer is not theirs.
func putBlob(ctx context.Context, s foldstream.Store, data []byte, want foldstream.Digest) error {
	d, size, err := s.Artifacts().Put(ctx, iotest.OneByteReader(bytes.NewReader(data)))
	if err != nil {
		return err
	}
	if d != want || size != int64(len(data)) {
		return fmt.Errorf("put gave %s, %d bytes; want %s, %d", d, size, want, len(data))
	}
	return nil
}

// readBlob waits for a blob to be there and reads it to its end.
func readBlob(ctx context.Context, s foldstream.Store, d foldstream.Digest) ([]byte, error) {
	var r io.ReadCloser
	err := Eventually(ctx, func() (err error) {
		r, err = s.Artifacts().Open(ctx, d)
		return err
	})
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	if closing := r.Close(); err == nil {
		err = closing
	}
	return data, err
}

func artifactPut(ctx context.Context, h Harness) error {
	for _, n := range []int{0, 1, 300_000} {
		data, d := blob(n)
		if err := putBlob(ctx, h.Store, data, d); err != nil {
			return fmt.Errorf("%d bytes: %w", n, err)
		}
		got, err := readBlob(ctx, h.Second, d)
		if err != nil || !bytes.Equal(got, data) {
			return off(err, "%d bytes came back as %d", n, len(got))
		}
		if size, err := h.Second.Artifacts().Stat(ctx, d); err != nil || size != int64(n) {
			return off(err, "stat of %d bytes says %d", n, size)
		}
	}
	return nil
}

func artifactTwice(ctx context.Context, h Harness) error {
	data, d := blob(5000)
	for _, s := range []foldstream.Store{h.Store, h.Second, h.Store} {
		if err := putBlob(ctx, s, data, d); err != nil {
			return err
		}
	}
	got, err := readBlob(ctx, h.Store, d)
	if err != nil || !bytes.Equal(got, data) {
		return off(err, "stored three times, the blob came back as %d bytes", len(got))
	}
	if err := h.Store.Artifacts().Delete(ctx, d); err != nil {
		return err
	}
	return missing(ctx, h.Second, d)
}

func artifactMissing(ctx context.Context, h Harness) error {
	_, d := blob(10)
	if err := missing(ctx, h.Store, d); err != nil {
		return err
	}
	return h.Store.Artifacts().Delete(ctx, d)
}

func artifactDelete(ctx context.Context, h Harness) error {
	data, d := blob(5000)
	if err := putBlob(ctx, h.Store, data, d); err != nil {
		return err
	}
	if err := h.Store.Artifacts().Delete(ctx, d); err != nil {
		return err
	}
	if err := missing(ctx, h.Store, d); err != nil {
		return err
	}
	if err := putBlob(ctx, h.Store, data, d); err != nil {
		return fmt.Errorf("again after its deletion: %w", err)
	}
	_, err := readBlob(ctx, h.Second, d)
	return err
}

// missing waits until the blob is not there.
func missing(ctx context.Context, s foldstream.Store, d foldstream.Digest) error {
	return Eventually(ctx, func() error {
		_, err := s.Artifacts().Stat(ctx, d)
		if err := want(err, foldstream.NotFound, "stat of a blob that is not there"); err != nil {
			return err
		}
		r, err := s.Artifacts().Open(ctx, d)
		if err == nil {
			err = r.Close()
		}
		return want(err, foldstream.NotFound, "open of a blob that is not there")
	})
}

func artifactCorrupt(ctx context.Context, h Harness) error {
	data, d := blob(200_000)
	if err := putBlob(ctx, h.Store, data, d); err != nil {
		return err
	}
	if err := h.Corrupt(ctx, d); err != nil {
		return err
	}
	return Eventually(ctx, func() error {
		if _, err := readBlob(ctx, h.Second, d); err == nil {
			return errors.New("a changed blob was read to its end without an error")
		}
		return nil
	})
}

// artifactSource breaks off in the middle of a Put: nothing is kept.
func artifactSource(ctx context.Context, h Harness) error {
	data, _ := blob(100_000)
	broken := errors.New("the disk is gone")
	_, _, err := h.Store.Artifacts().Put(ctx, io.MultiReader(bytes.NewReader(data), iotest.ErrReader(broken)))
	if !errors.Is(err, broken) {
		return errors.Join(err, errors.New("put from a broken source did not fail with its error"))
	}
	sum := sha256.Sum256(data)
	return missing(ctx, h.Store, foldstream.Digest(hex.EncodeToString(sum[:])))
}
