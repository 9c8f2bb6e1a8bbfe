package collect

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
)

// scratch is a bucket of values in memory that one keeper writes: what a rebuild folds before it is compared. It is used by one goroutine.
type scratch struct {
	values map[string]foldstream.Value
}

var _ foldstream.Values = (*scratch)(nil)

// Get returns a value. Errors: NotFound.
func (s *scratch) Get(_ context.Context, key string) (foldstream.Value, error) {
	v, ok := s.values[key]
	if !ok {
		return v, foldstream.Errorf(foldstream.NotFound, "scratch", "there is no %s", key)
	}
	return v, nil
}

// Put stores a value. Errors: Conflict (another revision).
func (s *scratch) Put(_ context.Context, v foldstream.Value) (uint64, error) {
	if s.values[v.Key].Revision != v.Revision {
		return 0, foldstream.Errorf(foldstream.Conflict, "scratch", "%s has another revision", v.Key)
	}
	v.Revision++
	s.values[v.Key] = v
	return v.Revision, nil
}

// Delete removes a value. Errors: Conflict.
func (s *scratch) Delete(_ context.Context, key string, revision uint64) error {
	if v, ok := s.values[key]; !ok || v.Revision != revision {
		return foldstream.Errorf(foldstream.Conflict, "scratch", "%s has another revision", key)
	}
	delete(s.values, key)
	return nil
}

// List reads the values in order of their keys.
func (s *scratch) List(_ context.Context, prefix string) iter.Seq2[foldstream.Value, error] {
	return func(yield func(foldstream.Value, error) bool) {
		for _, key := range slices.Sorted(maps.Keys(s.values)) {
			if strings.HasPrefix(key, prefix) && !yield(s.values[key], nil) {
				return
			}
		}
	}
}

// Watch reads the values there are, and their end: nobody else writes.
func (s *scratch) Watch(ctx context.Context, prefix string) iter.Seq2[foldstream.Value, error] {
	return func(yield func(foldstream.Value, error) bool) {
		for v, err := range s.List(ctx, prefix) {
			if !yield(v, err) {
				return
			}
		}
		yield(foldstream.Value{}, nil)
	}
}
