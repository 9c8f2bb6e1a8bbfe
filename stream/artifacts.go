package stream

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"iter"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/foldstream/foldstream"
)

// artifacts are the objects of one object store, named by their digest.
type artifacts struct{ s *Store }

var _ foldstream.Artifacts = artifacts{}

// Artifacts returns the blobs.
func (s *Store) Artifacts() foldstream.Artifacts { return artifacts{s} }

// openArtifacts makes the object store, if it is not there. What is read of it is read as everything that decides: from the leader, or up
// to what the leader has. A client's object store takes a replica that is behind for one that lacks the object or a piece of it.
func (s *Store) openArtifacts(ctx context.Context) error {
	err := s.ensureBucket(ctx, s.lay.objects(), func(ctx context.Context) error {
		_, err := s.js.CreateObjectStore(ctx, jetstream.ObjectStoreConfig{
			Bucket: s.lay.artifacts(), Replicas: s.cfg.Replicas, Storage: jetstream.FileStorage,
		})
		return err
	})
	if err != nil {
		return s.door(ctx, "open", fmt.Errorf("bucket %s: %w", s.lay.artifacts(), err))
	}
	return nil
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

// Open reads a blob; the last Read tells whether it was whole.
func (a artifacts) Open(ctx context.Context, d foldstream.Digest) (io.ReadCloser, error) {
	o, err := a.object(ctx, "open", d)
	if err != nil {
		return nil, err
	}
	chunks := query{stream: a.s.lay.objects(), filters: []string{a.s.lay.chunks(o.NUID)}, batch: chunksInFlight}
	b := &blob{sum: &counter{hash: sha256.New()}, digest: d, size: int64(o.Size)}
	b.fault = func(err error) error { return or(a.s.door(ctx, "open", err), stopped(ctx, "open")) }
	b.next, b.stop = iter.Pull2(a.s.scan(ctx, chunks))
	return b, nil
}

// Stat returns a blob's size.
func (a artifacts) Stat(ctx context.Context, d foldstream.Digest) (int64, error) {
	o, err := a.object(ctx, "stat", d)
	return int64(o.Size), err
}

// object is what the store says of a blob, and the sequence at which it does.
type object struct {
	jetstream.ObjectInfo
	seq uint64
}

// object looks a blob up. Errors: NotFound, Differs (the store holds another digest under this name).
func (a artifacts) object(ctx context.Context, op string, d foldstream.Digest) (object, error) {
	if err := stopped(ctx, op); err != nil {
		return object{}, err
	}
	o, err := a.s.objectNow(ctx, d)
	if err != nil {
		return object{}, a.s.door(ctx, op, err)
	}
	if d == "" || o.seq == 0 || o.Deleted {
		return object{}, foldstream.Errorf(foldstream.NotFound, op, "no artifact %q", d)
	}
	if want, err := objectDigest(d); err != nil || o.Digest != want {
		return object{}, foldstream.Errorf(foldstream.Differs, op, "artifact %s: the store says its digest is %s", d, o.Digest)
	}
	return o, nil
}

// objectNow reads what the store says of a blob; the zero object where it never had one.
func (s *Store) objectNow(ctx context.Context, d foldstream.Digest) (o object, err error) {
	m, err := s.newest(ctx, s.lay.objects(), s.lay.object(d))
	if err != nil || m == nil {
		return o, err
	}
	o.seq = m.seq
	return o, json.Unmarshal(m.data, &o.ObjectInfo)
}

// Delete says of a blob that it is deleted, then deletes its chunks.
func (a artifacts) Delete(ctx context.Context, d foldstream.Digest) error {
	if err := stopped(ctx, "delete"); err != nil {
		return err
	}
	return a.s.door(ctx, "delete", a.s.deleteObject(ctx, d))
}

func (s *Store) deleteObject(ctx context.Context, d foldstream.Digest) error {
	for t := s.trial(); ; {
		o, err := s.objectNow(ctx, d)
		if err != nil || o.seq == 0 {
			return err
		}
		if !o.Deleted {
			if err := s.sayDeleted(ctx, d, o); err != nil {
				if verdictOf(err) == broken || !t.again(ctx) {
					return err
				}
				continue
			}
		}
		return s.purge(ctx, s.lay.objects(), purgeRequest{Filter: s.lay.chunks(o.NUID)})
	}
}

// sayDeleted says of a blob that it is deleted, if nothing else was said of it since.
func (s *Store) sayDeleted(ctx context.Context, d foldstream.Digest, o object) error {
	gone := o
	gone.Deleted, gone.Size, gone.Chunks, gone.Digest = true, 0, 0, ""
	return s.say(ctx, d, gone)
}

// say takes the place of what was said of a blob at o's sequence.
func (s *Store) say(ctx context.Context, d foldstream.Digest, o object) error {
	m, err := s.objectMessage(d, o.ObjectInfo)
	if err != nil {
		return err
	}
	expect(m, o.seq)
	_, err = s.publish(ctx, m)
	return err
}

// Renew says of a blob again what is said of it.
func (a artifacts) Renew(ctx context.Context, d foldstream.Digest) (int64, error) {
	o, err := a.object(ctx, "renew", d)
	if err == nil {
		err = a.s.renew(ctx, d, o)
	}
	return int64(o.Size), a.s.door(ctx, "renew", err)
}

// renew makes what is said of a blob new, or finds that somebody else has. Errors: NotFound (somebody deleted it).
func (s *Store) renew(ctx context.Context, d foldstream.Digest, o object) error {
	for t := s.trial(); ; {
		err := s.say(ctx, d, o)
		if err == nil || verdictOf(err) == broken {
			return err
		}
		now, failed := s.objectNow(ctx, d)
		switch {
		case failed != nil:
			return failed
		case now.seq == 0 || now.Deleted:
			return foldstream.Errorf(foldstream.NotFound, "renew", "no artifact %q", d)
		case now.seq > o.seq:
			return nil
		case !t.again(ctx):
			return err
		}
	}
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
	next   func() (*stored, error, bool)
	stop   func()
	fault  func(err error) error // what is wrong, also that the context of Open has ended
	rest   []byte                // of the chunk that is read
	sum    *counter
	digest foldstream.Digest
	size   int64
}

func (b *blob) Read(p []byte) (int, error) {
	for len(b.rest) == 0 {
		m, err, more := b.next()
		err = b.fault(err)
		switch {
		case err != nil:
			return 0, err
		case !more && b.whole():
			return 0, io.EOF
		case !more:
			return 0, foldstream.Errorf(foldstream.Differs, "open", "artifact %s: its %d bytes have another digest; the blob is damaged", b.digest, b.sum.n)
		}
		b.rest = m.data
	}
	n := copy(p, b.rest)
	b.rest = b.rest[n:]
	_, _ = b.sum.Write(p[:n])
	return n, nil
}

func (b *blob) whole() bool {
	return b.sum.n == b.size && hex.EncodeToString(b.sum.hash.Sum(nil)) == string(b.digest)
}

func (b *blob) Close() error {
	b.stop()
	return nil
}
