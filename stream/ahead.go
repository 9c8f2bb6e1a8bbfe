package stream

import (
	"context"
	"iter"
)

// ahead hands on what a sequence gives, so many at once, and reads the next ones meanwhile, no further than one piece. It ends with the
// sequence's first error, which comes behind what was read before it. The sequence is at its end when ahead is.
func ahead[T any](ctx context.Context, atOnce int, read func(ctx context.Context) iter.Seq2[T, error]) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		pieces, enough := make(chan piece[T], 1), make(chan struct{})
		go func() {
			defer close(pieces)
			fill(pieces, enough, atOnce, read(ctx))
		}()
		defer func() {
			stop()
			close(enough)
			for range pieces { // until the reader has left
			}
		}()
		for p := range pieces {
			if len(p.values) > 0 && !yield(p.values, nil) {
				return
			}
			if p.err != nil {
				yield(nil, p.err)
				return
			}
		}
	}
}

// piece is what was read, and the error that came behind it.
type piece[T any] struct {
	values []T
	err    error
}

func fill[T any](pieces chan<- piece[T], enough <-chan struct{}, atOnce int, seq iter.Seq2[T, error]) {
	var p piece[T]
	send := func() bool {
		select {
		case pieces <- p:
			p = piece[T]{}
			return true
		case <-enough:
			return false
		}
	}
	for v, err := range seq {
		if p.err = err; err == nil {
			p.values = append(p.values, v)
		}
		if err != nil || len(p.values) == atOnce {
			if !send() || err != nil {
				return
			}
		}
	}
	if len(p.values) > 0 {
		send()
	}
}
