package wire_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/vmihailenco/msgpack/v5"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// nested returns a list inside n−1 lists.
func nested(n int) []byte { return append(bytes.Repeat([]byte{0x91}, n-1), 0x90) }

func TestCheck(t *testing.T) {
	var every []any
	for _, n := range []int{0, 1, 15, 16, 31, 32, 255, 256, 65535, 65536} {
		m := map[string]int{}
		for i := range min(n, 300) {
			m[strings.Repeat("k", i)] = i * i * i
		}
		every = append(every, strings.Repeat("x", n), make([]byte, n), make([]bool, n), m, int64(n), uint8(n), -int64(n), float32(n), float64(n))
	}
	good, err := msgpack.Marshal(append(every, nil, true, false, map[string]any{"a": []any{map[string]any{}}}))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"every kind": good, "deepest": nested(wire.MaxDepth + 1), "extensions": {0x95, 0xd4, 0, 0, 0xd5, 0, 0, 0, 0xd6, 0, 0, 0, 0, 0, 0xc7, 1, 0, 0, 0xc7, 0, 0},
	} {
		if err := wire.Check(data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, cut := range []int{0, 1, len(data) / 2, len(data) - 1} {
			if err := wire.Check(data[:cut]); !foldstream.Is(err, foldstream.Invalid) {
				t.Errorf("%s: cut to %d: %v", name, cut, err)
			}
		}
		if err := wire.Check(append(slices.Clone(data), 0xc0)); err == nil || !strings.Contains(err.Error(), "1 bytes after the end") {
			t.Errorf("%s: with more: %v", name, err)
		}
	}
}

func TestCheck_Hostile(t *testing.T) {
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"deep":         {nested(wire.MaxDepth + 2), "nested more than 128 deep"},
		"very deep":    {nested(10 << 20), "nested more than 128 deep"},
		"a large list": {[]byte{0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0}, "too early"},
		"large maps":   {bytes.Repeat([]byte{0xdf, 0, 0x0f, 0, 0, 0xa1, 'x'}, 2000), "too early"},
		"a large text": {[]byte{0xdb, 0x7f, 0xff, 0xff, 0xff, 'x'}, "too early"},
		"no msgpack":   {[]byte{0xc1}, "no msgpack"},
	} {
		if err := wire.Check(c.data); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

func TestCheck_TakesNoMemory(t *testing.T) {
	deep := nested(1 << 20)
	if n := testing.AllocsPerRun(10, func() { _ = wire.Check(deep[:100]) }); n > 8 { // those of the error
		t.Errorf("%v allocations", n)
	}
}

// FuzzCheck compares with the decoder's own walk: what Check takes is one value for it, and what it refuses is none, or too deep.
func FuzzCheck(f *testing.F) {
	for _, seed := range [][]byte{nil, nested(3), {0xdc, 0, 1, 0xa1, 'x'}, {0x81, 0xa1, 'k', 0xcb, 0, 0, 0, 0, 0, 0, 0, 0}, {0xc8, 0, 1, 5, 0}, {0xd9, 2, 'a', 'b'}} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		err := wire.Check(data)
		if err != nil && strings.Contains(err.Error(), "deep") {
			return
		}
		r := bytes.NewReader(data)
		skipped := msgpack.NewDecoder(r).Skip()
		if _, more := r.ReadByte(); skipped == nil && !errors.Is(more, io.EOF) {
			skipped = errors.New("more behind it")
		}
		if (err == nil) != (skipped == nil) {
			t.Errorf("check: %v; the decoder: %v", err, skipped)
		}
	})
}
