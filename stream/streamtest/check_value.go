package streamtest

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/foldstream/foldstream"
)

var valueChecks = []Check{
	{"value/put, get and mark", valuePut},
	{"value/compare and set", valueCAS},
	{"value/one of many writers", valueRace},
	{"value/delete", valueDelete},
	{"value/list", valueList},
	{"value/refused", valueRefused},
}

// bucketOf returns the bucket that the checks use.
func bucketOf(s foldstream.Store) foldstream.Values { return s.Values(foldstream.Collections) }

func valuePut(ctx context.Context, h Harness) error {
	b := bucketOf(h.Store)
	_, err := b.Get(ctx, "a/b.c=d")
	if err := want(err, foldstream.NotFound, "get of a key never written"); err != nil {
		return err
	}
	rev, err := b.Put(ctx, foldstream.Value{Key: "a/b.c=d", Data: []byte("one"), Mark: 42})
	if err != nil || rev == 0 {
		return off(err, "put gave revision %d", rev)
	}
	return Eventually(ctx, func() error {
		v, err := bucketOf(h.Second).Get(ctx, "a/b.c=d")
		if err != nil {
			return err
		}
		if v.At.IsZero() || v.Deleted {
			return fmt.Errorf("the value came as %+v", v)
		}
		v.At = v.At.Truncate(0)
		return same("the value", v, foldstream.Value{Key: "a/b.c=d", Data: []byte("one"), Mark: 42, Revision: rev, At: v.At})
	})
}

func valueCAS(ctx context.Context, h Harness) error {
	b := bucketOf(h.Store)
	first, err := b.Put(ctx, foldstream.Value{Key: "k", Data: []byte("1")})
	if err != nil {
		return err
	}
	_, err = b.Put(ctx, foldstream.Value{Key: "k", Data: []byte("x")})
	if err := want(err, foldstream.Conflict, "put of an existing key as a new one"); err != nil {
		return err
	}
	second, err := b.Put(ctx, foldstream.Value{Key: "k", Data: []byte("2"), Revision: first})
	if err != nil {
		return err
	}
	for _, revision := range []uint64{first, second + 1} {
		_, err = b.Put(ctx, foldstream.Value{Key: "k", Data: []byte("x"), Revision: revision})
		if err := want(err, foldstream.Conflict, "put at a wrong revision"); err != nil {
			return err
		}
		if err := want(b.Delete(ctx, "k", revision), foldstream.Conflict, "delete at a wrong revision"); err != nil {
			return err
		}
	}
	_, err = b.Put(ctx, foldstream.Value{Key: "other", Data: []byte("x"), Revision: second})
	if err := want(err, foldstream.Conflict, "put of a new key at a revision"); err != nil {
		return err
	}
	return reads(ctx, b, "k", "2")
}

// reads waits until the key has the text.
func reads(ctx context.Context, b foldstream.Values, key, text string) error {
	return Eventually(ctx, func() error {
		v, err := b.Get(ctx, key)
		if err == nil && string(v.Data) != text {
			err = fmt.Errorf("key %q is %q, want %q", key, v.Data, text)
		}
		return err
	})
}

// valueRace adds in many writers at once: no addition is lost.
func valueRace(ctx context.Context, h Harness) error {
	const writers, times = 4, 10
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	for i := range writers {
		b := bucketOf([]foldstream.Store{h.Store, h.Second}[i%2])
		wg.Go(func() {
			for range times {
				if err := add(ctx, b, "sum"); err != nil {
					failed.Store(&err)
					return
				}
			}
		})
	}
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	v, err := bucketOf(h.Store).Get(ctx, "sum")
	if err == nil && len(v.Data) != writers*times {
		err = fmt.Errorf("%d additions of %d are there", len(v.Data), writers*times)
	}
	return err
}

// add makes the key's data one byte longer by compare-and-set.
func add(ctx context.Context, b foldstream.Values, key string) error {
	for {
		v, err := b.Get(ctx, key)
		if err != nil && !foldstream.Is(err, foldstream.NotFound) {
			return err
		}
		_, err = b.Put(ctx, foldstream.Value{Key: key, Data: append(v.Data, 'x'), Revision: v.Revision})
		if err == nil || !foldstream.Is(err, foldstream.Conflict) {
			return err
		}
	}
}

func valueDelete(ctx context.Context, h Harness) error {
	b := bucketOf(h.Store)
	rev, err := b.Put(ctx, foldstream.Value{Key: "k", Data: []byte("1")})
	if err != nil {
		return err
	}
	if err := b.Delete(ctx, "k", rev); err != nil {
		return err
	}
	err = Eventually(ctx, func() error {
		_, err := b.Get(ctx, "k")
		return want(err, foldstream.NotFound, "get of a deleted key")
	})
	if err != nil {
		return err
	}
	_, err = b.Put(ctx, foldstream.Value{Key: "k", Data: []byte("2"), Revision: rev})
	if err := want(err, foldstream.Conflict, "put at the revision of before the deletion"); err != nil {
		return err
	}
	if _, err := b.Put(ctx, foldstream.Value{Key: "k", Data: []byte("3")}); err != nil {
		return fmt.Errorf("put of a deleted key as a new one: %w", err)
	}
	return reads(ctx, b, "k", "3")
}

func valueList(ctx context.Context, h Harness) error {
	b := bucketOf(h.Store)
	for _, key := range []string{"b.2", "a.1", "b.10", "b", "c", "b.gone"} {
		rev, err := b.Put(ctx, foldstream.Value{Key: key, Data: []byte(key)})
		if err == nil && key == "b.gone" {
			err = b.Delete(ctx, key, rev)
		}
		if err != nil {
			return err
		}
	}
	for prefix, want := range map[string][]string{"": {"a.1", "b", "b.10", "b.2", "c"}, "b.": {"b.10", "b.2"}, "b.1": {"b.10"}, "x": nil} {
		err := Eventually(ctx, func() error {
			values, err := collect(bucketOf(h.Second).List(ctx, prefix))
			var keys []string
			for _, v := range values {
				keys = append(keys, v.Key)
			}
			if err == nil {
				err = same(fmt.Sprintf("the keys under %q", prefix), keys, want)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func valueRefused(ctx context.Context, h Harness) error {
	b := bucketOf(h.Store)
	for _, key := range []string{"", ".a", "a.", "a b", "a*", ">", "ä"} {
		_, err := b.Put(ctx, foldstream.Value{Key: key, Data: []byte("x")})
		if err := want(err, foldstream.Invalid, fmt.Sprintf("put of key %q", key)); err != nil {
			return err
		}
	}
	_, err := b.Put(ctx, foldstream.Value{Key: "k", Data: bytes.Repeat([]byte("x"), 2*h.MaxPayload)})
	if err := want(err, foldstream.TooLarge, "put of a value over the limit"); err != nil {
		return err
	}
	nowhere := h.Store.Values("NOWHERE")
	_, err = nowhere.Get(ctx, "k")
	if err := want(err, foldstream.NotFound, "get from an unknown bucket"); err != nil {
		return err
	}
	_, err = nowhere.Put(ctx, foldstream.Value{Key: "k"})
	if err := want(err, foldstream.NotFound, "put into an unknown bucket"); err != nil {
		return err
	}
	values, err := collect(b.List(ctx, ""))
	if err != nil || len(values) != 0 {
		return off(err, "refused puts left %d values", len(values))
	}
	return nil
}
