package online

import (
	"bytes"
	"cmp"
	"context"
	"iter"
	"strings"

	"github.com/foldstream/foldstream"
)

// prefix is before the keys of strategies in the bucket Experiments: no experiment and no recorder has a slash.
const prefix = "online/"

// Read returns where a strategy stands, and the revision by which it can be changed. Errors: NotFound, Invalid.
func Read(ctx context.Context, store foldstream.Store, name string) (State, uint64, error) {
	if err := foldstream.ValidName("strategy", name); err != nil {
		return State{}, 0, err
	}
	v, err := store.Values(foldstream.Experiments).Get(ctx, prefix+name)
	if foldstream.Is(err, foldstream.NotFound) {
		return State{}, 0, foldstream.Errorf(foldstream.NotFound, "", "there is no strategy %q: no models are online", name)
	}
	if err != nil {
		return State{}, 0, err
	}
	s, err := decode("strategy "+name, v.Data)
	return s, v.Revision, err
}

// Names lists the strategies in order.
func Names(ctx context.Context, store foldstream.Store) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for v, err := range store.Values(foldstream.Experiments).List(ctx, prefix) {
			if !yield(strings.TrimPrefix(v.Key, prefix), err) || err != nil {
				return
			}
		}
	}
}

// Begin makes a strategy known, with nothing trained. Beginning the same twice is beginning it once. Errors: Conflict (it began at
// another session, in another pool, or for other signals), Invalid.
func Begin(ctx context.Context, store foldstream.Store, name string, s State) (State, error) {
	if err := foldstream.ValidName("strategy", name); err != nil {
		return s, err
	}
	s = State{Pool: s.Pool, Begin: s.Begin, Spec: s.Spec}
	s.Spec.Frame, s.Spec.Score = cmp.Or(s.Spec.Frame, "pred"), cmp.Or(s.Spec.Score, scoreColumn)
	err := write(ctx, store, name, s, 0)
	if !foldstream.Is(err, foldstream.Conflict) {
		return s, err
	}
	there, _, err := Read(ctx, store, name)
	if err != nil {
		return s, err
	}
	if err := same(there, s); err != nil {
		return s, foldstream.Errorf(foldstream.Conflict, "", "the strategy %s is there already: %w", name, err)
	}
	return there, nil
}

// same reports how a strategy that is there is not the one that begins.
func same(there, s State) error {
	a, _ := State{Spec: there.Spec}.encode()
	b, _ := State{Spec: s.Spec}.encode()
	switch {
	case there.Begin != s.Begin:
		return foldstream.Errorf(foldstream.Conflict, "", "it began at %s, not at %s", there.Begin, s.Begin)
	case there.Pool != s.Pool:
		return foldstream.Errorf(foldstream.Conflict, "", "its pool is %s, not %s", there.Pool, s.Pool)
	case !bytes.Equal(a, b):
		return foldstream.Errorf(foldstream.Conflict, "", "it makes its signals by another collection")
	}
	return nil
}

// write stores a state in the place of the one of that revision. Errors: Conflict.
func write(ctx context.Context, store foldstream.Store, name string, s State, revision uint64) error {
	data, err := s.encode()
	if err != nil {
		return err
	}
	_, err = store.Values(foldstream.Experiments).Put(ctx, foldstream.Value{Key: prefix + name, Data: data, Revision: revision})
	return err
}

// Forget deletes a strategy: its set, its history and what names its signals. Its tasks, their results and the artifacts stay. Errors: NotFound,
// Conflict (a routine has changed it meanwhile).
func Forget(ctx context.Context, store foldstream.Store, name string) error {
	_, revision, err := Read(ctx, store, name)
	if revision == 0 { // one that cannot be read can be forgotten
		return err
	}
	return store.Values(foldstream.Experiments).Delete(ctx, prefix+name, revision)
}
