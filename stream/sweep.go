package stream

import (
	"context"
	"encoding/json"
	"iter"

	"github.com/foldstream/foldstream"
)

var _ foldstream.Sweeper = (*Store)(nil)

// Stored lists uploads before objects: one that is completed in between is an object.
func (s *Store) Stored(ctx context.Context) iter.Seq2[foldstream.Stored, error] {
	return func(yield func(foldstream.Stored, error) bool) {
		err := s.stored(ctx, func(b foldstream.Stored) bool { return yield(b, nil) })
		if err == nil {
			err = stopped(ctx, "stored")
		}
		if err != nil {
			yield(foldstream.Stored{}, s.door(ctx, "stored", err))
		}
	}
}

// stored gives what there is, until it is told that this is enough.
func (s *Store) stored(ctx context.Context, give func(foldstream.Stored) bool) error {
	uploads, err := s.subjects(ctx, s.lay.objects(), s.lay.chunks("*"))
	if err != nil {
		return err
	}
	for m, err := range s.scan(ctx, query{stream: s.lay.objects(), filters: []string{s.lay.anyObject()}, last: true}) {
		if err != nil {
			return err
		}
		o := object{seq: m.seq}
		if err := json.Unmarshal(m.data, &o.ObjectInfo); err != nil {
			s.log.Warn("passing over what is said of a blob, which this program cannot read", "subject", m.subject, "seq", m.seq, "err", err)
			continue
		}
		if o.Deleted {
			continue // chunks that are left of it are an upload
		}
		delete(uploads, s.lay.chunks(o.NUID))
		if !give(foldstream.Stored{Digest: foldstream.Digest(o.Name), Upload: o.NUID, Size: int64(o.Size), At: m.at, Revision: m.seq}) {
			return nil
		}
	}
	for subject, chunks := range uploads {
		m, err := s.newest(ctx, s.lay.objects(), subject)
		if err != nil {
			return err
		}
		if m == nil {
			continue
		}
		if !give(foldstream.Stored{Upload: lastToken(subject), Size: int64(chunks) * chunkSize, At: m.at, Revision: m.seq}) {
			return nil
		}
	}
	return nil
}

// Sweep says of a blob that it is deleted, then deletes its chunks. What dies in between leaves an upload that nothing names.
func (s *Store) Sweep(ctx context.Context, b foldstream.Stored) (bool, error) {
	if err := stopped(ctx, "sweep"); err != nil {
		return false, err
	}
	swept, err := s.sweep(ctx, b)
	return swept, s.door(ctx, "sweep", err)
}

func (s *Store) sweep(ctx context.Context, b foldstream.Stored) (bool, error) {
	if b.Digest != "" {
		o, err := s.objectNow(ctx, b.Digest)
		if err != nil || o.seq != b.Revision || o.Deleted {
			return false, err
		}
		switch err := s.sayDeleted(ctx, b.Digest, o); {
		case err != nil && verdictOf(err) == refused:
			return false, nil
		case err != nil:
			return false, err
		}
	}
	if err := s.point("sweep: unnamed"); err != nil {
		return false, err
	}
	return true, s.purge(ctx, s.lay.objects(), purgeRequest{Filter: s.lay.chunks(b.Upload)})
}
