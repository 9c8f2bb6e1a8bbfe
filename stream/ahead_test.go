package stream_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/foldstream/foldstream/stream"
)

var errBroken = errors.New("broken")

// numbers gives 0 to n−1, then the error.
func numbers(n int, last error) func(context.Context) iter.Seq2[int, error] {
	return func(context.Context) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			for i := range n {
				if !yield(i, nil) {
					return
				}
			}
			if last != nil {
				yield(0, last)
			}
		}
	}
}

func TestAhead(t *testing.T) {
	for _, c := range []struct {
		n    int
		last error
		want []int // lengths of the pieces
	}{
		{0, nil, nil}, {3, nil, []int{3}}, {4, nil, []int{4}}, {9, nil, []int{4, 4, 1}}, {0, errBroken, nil}, {4, errBroken, []int{4}}, {6, errBroken, []int{4, 2}},
	} {
		var got []int
		var lengths []int
		var failed error
		for piece, err := range stream.Ahead(t.Context(), 4, numbers(c.n, c.last)) {
			if failed != nil {
				t.Fatalf("%d numbers: a piece behind the error", c.n)
			}
			if failed = err; err == nil {
				got, lengths = append(got, piece...), append(lengths, len(piece))
			}
		}
		if !slices.Equal(lengths, c.want) || !errors.Is(failed, c.last) || !slices.IsSorted(got) || len(got) != c.n {
			t.Errorf("%d numbers, then %v: got %v in pieces of %v, then %v", c.n, c.last, got, lengths, failed)
		}
	}
}

// TestAheadLeaves has a bubble that ends with an error should the reader live on behind its consumer.
func TestAheadLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended := false
		endless := func(ctx context.Context) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				for i := 0; ctx.Err() == nil && yield(i, nil); i++ {
				}
				ended = true
			}
		}
		for _, err := range stream.Ahead(t.Context(), 4, endless) {
			if err != nil {
				t.Error(err)
			}
			break
		}
		if !ended {
			t.Error("the sequence is not at its end when its consumer is")
		}
	})
}
