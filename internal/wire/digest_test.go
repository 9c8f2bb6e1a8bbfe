package wire_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

func TestDigests(t *testing.T) {
	a, b := strings.Repeat("0a", 32), strings.Repeat("f9", 32)
	for text, want := range map[string][]string{
		"":                              nil,
		a:                               {a},
		"sha256:" + a + " and " + b:     {a, b},
		a[1:]:                           nil,
		strings.ToUpper(a):              nil,
		a[:32] + "\n" + a[32:]:          nil,
		"x" + a + "7":                   {a, a[1:] + "7"}, // a number of msgpack may look like a letter
		"\xd9\x40" + a + "\xd9\x40" + b: {a, b},
	} {
		for _, at := range []int{1, 3, 1000} { // in writes of so many bytes
			var got []string
			find := &wire.Digests{Found: func(d foldstream.Digest) { got = append(got, string(d)) }}
			for part := range slices.Chunk([]byte(text), at) {
				if n, err := find.Write(part); n != len(part) || err != nil {
					t.Fatal(n, err)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q in writes of %d: %q, want %q", text, at, got, want)
			}
		}
	}
	var got int
	find := &wire.Digests{Found: func(foldstream.Digest) { got++ }}
	_, _ = find.Write([]byte(a[:40]))
	find.End()
	_, _ = find.Write([]byte(a[40:]))
	if got != 0 {
		t.Error("what ends is gone on with")
	}
}
