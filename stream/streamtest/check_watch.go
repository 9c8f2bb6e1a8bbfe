package streamtest

import (
	"context"
	"fmt"

	"github.com/foldstream/foldstream"
)

var watchChecks = []Check{
	{"value/watch", valueWatch},
	{"value/watch an empty bucket", valueWatchEmpty},
}

// watching reads a prefix in the background until stop; ended has the watch's error, or nil.
func watching(ctx context.Context, b foldstream.Values, prefix string) (seen <-chan foldstream.Value, ended <-chan error, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	values, end := make(chan foldstream.Value, 64), make(chan error, 1)
	go func() {
		for v, err := range b.Watch(ctx, prefix) {
			if err != nil {
				end <- err
				return
			}
			values <- v
		}
		end <- nil
	}()
	return values, end, cancel
}

func valueWatch(ctx context.Context, h Harness) error {
	b := bucketOf(h.Store)
	if _, err := b.Put(ctx, foldstream.Value{Key: "a.1", Data: []byte("1"), Mark: 5}); err != nil {
		return err
	}
	if _, err := b.Put(ctx, foldstream.Value{Key: "b.1"}); err != nil {
		return err
	}
	seen, ended, stop := watching(ctx, bucketOf(h.Second), "a.")
	defer stop()
	var got []string
	until := func(last string) error {
		return receive(ctx, seen, func(v foldstream.Value) bool {
			got = append(got, fmt.Sprintf("%s=%s %d %v", v.Key, v.Data, v.Mark, v.Deleted))
			return got[len(got)-1] == last
		}, last)
	}
	if err := until("= 0 false"); err != nil {
		return err
	}
	rev, err := b.Put(ctx, foldstream.Value{Key: "a.2", Data: []byte("2"), Mark: 6})
	if err != nil {
		return err
	}
	if err := until("a.2=2 6 false"); err != nil {
		return err
	}
	if err := b.Delete(ctx, "a.2", rev); err != nil {
		return err
	}
	if err := until("a.2= 0 true"); err != nil {
		return err
	}
	stop()
	if err := receive(ctx, ended, func(err error) bool { return err == nil }, "an end of the watch without an error"); err != nil {
		return err
	}
	return same("what the watch gave", got, []string{"a.1=1 5 false", "= 0 false", "a.2=2 6 false", "a.2= 0 true"})
}

func valueWatchEmpty(ctx context.Context, h Harness) error {
	seen, _, stop := watching(ctx, bucketOf(h.Store), "")
	defer stop()
	err := receive(ctx, seen, func(v foldstream.Value) bool { return v.Key == "" }, "the end of the start")
	if err != nil {
		return err
	}
	if err := eventuallyPut(ctx, h); err != nil {
		return err
	}
	return receive(ctx, seen, func(v foldstream.Value) bool { return v.Key == "first" }, "the first value")
}

func eventuallyPut(ctx context.Context, h Harness) error {
	_, err := bucketOf(h.Second).Put(ctx, foldstream.Value{Key: "first", Data: []byte("x")})
	return err
}
