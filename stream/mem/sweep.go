package mem

import (
	"context"
	"iter"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/foldstream/foldstream"
)

// keeping is when a blob was stored or renewed last: by the clock, and among all others.
type keeping struct {
	at  time.Time
	seq uint64
}

// keep notes that a blob is stored now. The caller holds mu.
func (s *Store) keep(d foldstream.Digest) {
	s.kept++
	s.keeps[d] = keeping{s.opts.Now(), s.kept}
}

// Renew counts the blob as stored now.
func (a artifacts) Renew(ctx context.Context, d foldstream.Digest) (int64, error) {
	data, err := a.get(ctx, "renew", d)
	if err != nil {
		return 0, err
	}
	a.s.mu.Lock()
	defer a.s.mu.Unlock()
	a.s.keep(d)
	return int64(len(data)), nil
}

// Stored lists the blobs; there are no uploads.
func (s *Store) Stored(ctx context.Context) iter.Seq2[foldstream.Stored, error] {
	return func(yield func(foldstream.Stored, error) bool) {
		if err := alive(ctx, "stored"); err != nil {
			yield(foldstream.Stored{}, err)
			return
		}
		for _, b := range s.stored() {
			if !yield(b, nil) {
				return
			}
		}
	}
}

func (s *Store) stored() []foldstream.Stored {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []foldstream.Stored
	for d, data := range s.blobs {
		all = append(all, foldstream.Stored{Digest: d, Size: int64(len(data)), At: s.keeps[d].at, Revision: s.keeps[d].seq})
	}
	return all
}

// Sweep forgets a blob that was not renewed.
func (s *Store) Sweep(ctx context.Context, b foldstream.Stored) (bool, error) {
	if err := alive(ctx, "sweep"); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keeps[b.Digest].seq != b.Revision {
		return false, nil
	}
	delete(s.blobs, b.Digest)
	delete(s.keeps, b.Digest)
	return true, nil
}

// Referred encodes all there is and looks for digests in it.
func (s *Store) Referred(ctx context.Context) iter.Seq2[foldstream.Reference, error] {
	return func(yield func(foldstream.Reference, error) bool) {
		if err := alive(ctx, "referred"); err != nil {
			yield(foldstream.Reference{}, err)
			return
		}
		for _, r := range s.references() {
			if !yield(r, nil) {
				return
			}
		}
	}
}

var aDigest = regexp.MustCompile("[0-9a-f]{64}")

func (s *Store) references() (all []foldstream.Reference) {
	s.mu.Lock()
	defer s.mu.Unlock()
	find := func(from, key string, data []byte) {
		for _, d := range aDigest.FindAll(data, -1) {
			all = append(all, foldstream.Reference{Digest: foldstream.Digest(d), From: from, Key: key})
		}
	}
	encoded := func(v any) []byte {
		data, _ := msgpack.Marshal(v) // it was encoded before
		return data
	}
	for _, q := range s.queues {
		for _, t := range q.tasks {
			find(foldstream.FromDefinitions, string(t.def.ID), encoded(t.def))
		}
	}
	for _, e := range s.events {
		find(foldstream.FromEvents, string(e.Task), encoded(e))
	}
	for name, sch := range s.schedules {
		find(foldstream.FromSchedules, name, sch.Order)
	}
	for _, bucket := range []string{foldstream.Experiments, foldstream.Collections, foldstream.Pools} {
		for _, key := range slices.Sorted(maps.Keys(s.buckets[bucket].newest)) {
			if v := s.buckets[bucket].newest[key]; !v.Deleted {
				find(bucket, key, v.Data)
			}
		}
	}
	return all
}
