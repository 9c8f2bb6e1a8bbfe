package mem

import (
	"bytes"
	"context"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
)

// bucket is the state of one bucket of values.
type bucket struct {
	newest map[string]foldstream.Value // by key; a deleted one stays as Deleted
	log    []foldstream.Value          // every change; its length is the newest revision
}

type values struct {
	s    *Store
	name string
}

var _ foldstream.Values = (*values)(nil)

// Get returns the newest value of the key.
func (v *values) Get(ctx context.Context, key string) (foldstream.Value, error) {
	b, unlock, err := v.open(ctx, "get")
	if err != nil {
		return foldstream.Value{}, err
	}
	defer unlock()
	got, ok := b.newest[key]
	if !ok || got.Deleted {
		return foldstream.Value{}, foldstream.Errorf(foldstream.NotFound, "get", "no key %q in bucket %s", key, v.name)
	}
	return shown(got), nil
}

// Put stores a value by compare-and-set.
func (v *values) Put(ctx context.Context, val foldstream.Value) (uint64, error) {
	if !validKey(val.Key) {
		return 0, foldstream.Errorf(foldstream.Invalid, "put", "key %q: a key is letters, digits and -_=./ and does not start or end with a dot", val.Key)
	}
	if limit := v.s.opts.MaxPayload; len(val.Data) > limit {
		return 0, foldstream.Errorf(foldstream.TooLarge, "put", "key %q: %d bytes are over the limit of %d", val.Key, len(val.Data), limit)
	}
	val.Data, val.Deleted = bytes.Clone(val.Data), false
	return v.write(ctx, "put", val)
}

// Delete removes a key by compare-and-set.
func (v *values) Delete(ctx context.Context, key string, revision uint64) error {
	_, err := v.write(ctx, "delete", foldstream.Value{Key: key, Revision: revision, Deleted: true})
	return err
}

// List reads the values there were when it was called.
func (v *values) List(ctx context.Context, prefix string) iter.Seq2[foldstream.Value, error] {
	return func(yield func(foldstream.Value, error) bool) {
		found, _, err := v.list(ctx, prefix)
		if err != nil {
			yield(foldstream.Value{}, err)
			return
		}
		for _, val := range found {
			if !yield(shown(val), nil) {
				return
			}
		}
	}
}

// Watch reads the values there are, a Value without a key, then every change.
func (v *values) Watch(ctx context.Context, prefix string) iter.Seq2[foldstream.Value, error] {
	return func(yield func(foldstream.Value, error) bool) {
		found, seen, err := v.list(ctx, prefix)
		if err != nil {
			if ctx.Err() == nil {
				yield(foldstream.Value{}, err)
			}
			return
		}
		for _, val := range append(found, foldstream.Value{}) {
			if !yield(shown(val), nil) {
				return
			}
		}
		for {
			changes, changed := v.since(seen)
			seen += len(changes)
			for _, val := range changes {
				if strings.HasPrefix(val.Key, prefix) && !yield(shown(val), nil) {
					return
				}
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	}
}

// write is the one place where a bucket changes.
func (v *values) write(ctx context.Context, op string, val foldstream.Value) (uint64, error) {
	b, unlock, err := v.open(ctx, op)
	if err != nil {
		return 0, err
	}
	defer unlock()
	old, there := b.newest[val.Key]
	there = there && !old.Deleted
	if there && old.Revision != val.Revision || !there && (val.Revision != 0 || val.Deleted) {
		return 0, foldstream.Errorf(foldstream.Conflict, op, "key %q of bucket %s is not at revision %d", val.Key, v.name, val.Revision)
	}
	val.Revision, val.At = uint64(len(b.log)+1), v.s.opts.Now()
	b.newest[val.Key] = val
	b.log = append(b.log, val)
	v.s.notify()
	return val.Revision, nil
}

// list returns the values under the prefix in order of their keys, and how many changes they include.
func (v *values) list(ctx context.Context, prefix string) ([]foldstream.Value, int, error) {
	b, unlock, err := v.open(ctx, "list")
	if err != nil {
		return nil, 0, err
	}
	defer unlock()
	var found []foldstream.Value
	for _, key := range slices.Sorted(maps.Keys(b.newest)) {
		if val := b.newest[key]; !val.Deleted && strings.HasPrefix(key, prefix) {
			found = append(found, val)
		}
	}
	return found, len(b.log), nil
}

// since returns the changes after the first n, and a channel closed at the next one.
func (v *values) since(n int) ([]foldstream.Value, <-chan struct{}) {
	v.s.mu.Lock()
	defer v.s.mu.Unlock()
	return v.s.buckets[v.name].log[n:], v.s.changed
}

// open locks the store and returns the bucket. Errors: Cancelled, NotFound.
func (v *values) open(ctx context.Context, op string) (*bucket, func(), error) {
	if err := alive(ctx, op); err != nil {
		return nil, nil, err
	}
	v.s.mu.Lock()
	b := v.s.buckets[v.name]
	if b == nil {
		v.s.mu.Unlock()
		return nil, nil, foldstream.Errorf(foldstream.NotFound, op, "no bucket %q", v.name)
	}
	return b, v.s.mu.Unlock, nil
}

// shown returns v as a reader may have it: with bytes of its own.
func shown(v foldstream.Value) foldstream.Value {
	v.Data = bytes.Clone(v.Data)
	return v
}

func validKey(key string) bool {
	for _, r := range key {
		letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		if !letter && !strings.ContainsRune("-_=./", r) {
			return false
		}
	}
	return key != "" && key[0] != '.' && key[len(key)-1] != '.'
}
