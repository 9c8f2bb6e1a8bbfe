package stream

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

// artifacts are the objects of one object store, named by their digest.
type artifacts struct{ s *Store }

var _ foldstream.Artifacts = artifacts{}

// Artifacts returns the blobs.
func (s *Store) Artifacts() foldstream.Artifacts { return artifacts{s} }

// openArtifacts makes the object store, if it is not there.
func (s *Store) openArtifacts(ctx context.Context) (err error) {
	cfg := jetstream.ObjectStoreConfig{Bucket: s.lay.artifacts(), Replicas: s.cfg.Replicas, Storage: jetstream.FileStorage}
	s.objects, err = s.js.CreateObjectStore(ctx, cfg)
	if errors.Is(err, jetstream.ErrBucketExists) {
		s.objects, err = s.js.ObjectStore(ctx, cfg.Bucket)
	}
	if err != nil {
		err = fmt.Errorf("bucket %s: %w", cfg.Bucket, err)
	}
	return s.door(ctx, "open", err)
}

// Put publishes the blob in chunks, and when all are stored the object that names them by their digest, so that nobody ever sees
// half of one. Two who put the same at once both store chunks; the compare on the object lets one of them count, and the other takes
// its own away. What a killed writer leaves are chunks that nothing names; one who is stopped before the server said whether the object is
// named leaves them, too, for it may be.
func (a artifacts) Put(ctx context.Context, r io.Reader) (foldstream.Digest, int64, error) {
	if err := stopped(ctx, "put"); err != nil {
		return "", 0, err
	}
	u := &upload{s: a.s, sum: &counter{hash: sha256.New()}, id: nonce()}
	err := u.chunks(ctx, r)
	if err == nil {
		var stored bool
		if stored, err = u.name(ctx); stored {
			return u.digest(), u.sum.n, nil
		}
	}
	if !u.unsettled {
		u.discard(context.WithoutCancel(ctx))
	}
	if err != nil {
		return "", 0, a.s.door(ctx, "put", err)
	}
	return u.digest(), u.sum.n, nil
}

// patient gives a context without a deadline a long one: the client's own default is for small requests.
func (a artifacts) patient(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, 24*time.Hour)
}

// Open reads a blob; the last Read tells whether it was whole.
func (a artifacts) Open(ctx context.Context, d foldstream.Digest) (io.ReadCloser, error) {
	ctx, cancel := a.patient(ctx)
	info, err := a.info(ctx, "open", d)
	if err != nil {
		cancel()
		return nil, err
	}
	r, err := a.s.objects.Get(ctx, string(d))
	if err != nil {
		cancel()
		return nil, a.s.door(ctx, "open", err)
	}
	return &blob{r: r, sum: &counter{hash: sha256.New()}, digest: d, size: int64(info.Size), end: cancel}, nil
}

// Stat returns a blob's size.
func (a artifacts) Stat(ctx context.Context, d foldstream.Digest) (int64, error) {
	info, err := a.info(ctx, "stat", d)
	if err != nil {
		return 0, err
	}
	return int64(info.Size), nil
}

// info looks a blob up. Errors: NotFound, Differs (the store holds another digest under this name).
func (a artifacts) info(ctx context.Context, op string, d foldstream.Digest) (*jetstream.ObjectInfo, error) {
	if err := stopped(ctx, op); err != nil {
		return nil, err
	}
	var info *jetstream.ObjectInfo
	err := a.s.retry(ctx, func(ctx context.Context) (err error) {
		info, err = a.s.objects.GetInfo(ctx, string(d))
		return err
	})
	if errors.Is(err, jetstream.ErrObjectNotFound) || d == "" {
		return nil, foldstream.Errorf(foldstream.NotFound, op, "no artifact %q", d)
	}
	if err != nil {
		return nil, a.s.door(ctx, op, err)
	}
	if want, err := objectDigest(d); err != nil || info.Digest != want {
		return nil, foldstream.Errorf(foldstream.Differs, op, "artifact %s: the store says its digest is %s", d, info.Digest)
	}
	return info, nil
}

// Delete removes a blob.
func (a artifacts) Delete(ctx context.Context, d foldstream.Digest) error {
	if err := stopped(ctx, "delete"); err != nil {
		return err
	}
	err := a.s.retry(ctx, func(ctx context.Context) error { return a.s.objects.Delete(ctx, string(d)) })
	if errors.Is(err, jetstream.ErrObjectNotFound) || d == "" {
		return nil
	}
	return a.s.door(ctx, "delete", err)
}

// counter hashes and counts what is written to it.
type counter struct {
	hash hash.Hash
	n    int64
}

func (c *counter) Write(b []byte) (int, error) {
	c.n += int64(len(b))
	return c.hash.Write(b)
}

// blob is an artifact that is read.
type blob struct {
	r      io.ReadCloser
	sum    *counter
	digest foldstream.Digest
	size   int64
	end    context.CancelFunc
}

func (b *blob) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	_, _ = b.sum.Write(p[:n])
	switch {
	case errors.Is(err, jetstream.ErrDigestMismatch), err == io.EOF && b.sum.n != b.size:
		return n, b.differs()
	case err == io.EOF && hex.EncodeToString(b.sum.hash.Sum(nil)) != string(b.digest):
		return n, b.differs()
	}
	return n, err
}

func (b *blob) differs() error {
	return foldstream.Errorf(foldstream.Differs, "open", "artifact %s: its %d bytes have another digest; the blob is damaged", b.digest, b.sum.n)
}

func (b *blob) Close() error {
	b.end()
	return b.r.Close()
}
