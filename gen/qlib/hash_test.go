package qlib_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/gen/qlib"
)

// The digests are Python's:
//
//	hashlib.md5(json.dumps(args, sort_keys=True).encode()).hexdigest()
func TestHashArgs(t *testing.T) {
	for want, args := range map[string][]any{
		"d751713988987e9331980363e24189ce": nil,
		"5a4543a8ef2226e909f7f905ae7b77ab": {"\x7f\b\f\t\r/ü𝄞"},
		"433a1a3d3cf65caf2827cf4c422166af": {0.0001, 0.00001, 9999999999999998.0, 1e16, -0.5, int64(-3), json.Number("-0"), json.Number("1E2")},
	} {
		got, err := qlib.HashArgs(args...)
		if err != nil || got != want {
			t.Errorf("%q: got %s, %v; want %s", args, got, err, want)
		}
	}
}

func TestHashArgsErr(t *testing.T) {
	for name, arg := range map[string]any{"NaN": math.NaN(), "inside": []any{map[string]any{"a": math.Inf(1)}}, "type": make(chan int), "number": json.Number("x")} {
		if _, err := qlib.HashArgs(arg); !foldstream.Is(err, foldstream.Invalid) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
