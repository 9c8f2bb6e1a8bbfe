package foldstream_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/foldstream/foldstream"
)

// TestDataDigest has the digest of one list recomputed by hand: printf '\0\0\0\1a\0\0\0\2d1' | sha256sum.
func TestDataDigest(t *testing.T) {
	a, b := foldstream.Data{Name: "a", Digest: "d1", Path: "/here", Size: 1}, foldstream.Data{Name: "ad", Digest: "1"}
	if got := foldstream.DataDigest([]foldstream.Data{a}); got != "f708091ac5c67a46c7e647b419853d7ceb10267388a6a6692c9ce9c2f84fec6b" {
		t.Errorf("the digest of one is %s", got)
	}
	moved := a
	moved.Path, moved.Upload = "/there", true
	if foldstream.DataDigest([]foldstream.Data{a}) != foldstream.DataDigest([]foldstream.Data{moved}) {
		t.Error("where data lie makes a difference")
	}
	seen := map[foldstream.Digest]bool{}
	for _, list := range [][]foldstream.Data{nil, {a}, {b}, {a, b}, {b, a}} {
		d := foldstream.DataDigest(list)
		if d == "" || seen[d] {
			t.Errorf("the digest of %v is another list's: %s", list, d)
		}
		seen[d] = true
	}
}

func TestResultKey(t *testing.T) {
	key := foldstream.Result{Code: "v1", Data: "d", Environment: "linux"}.Key()
	for _, c := range []struct {
		other            foldstream.ResultKey
		differs, unknown []string
	}{
		{key, nil, nil},
		{foldstream.ResultKey{Code: "v2", Data: "d", Environment: "linux"}, []string{"code"}, nil},
		{foldstream.ResultKey{Code: "v2", Data: "e", Environment: "mac"}, []string{"code", "data", "environment"}, nil},
		{foldstream.ResultKey{Data: "e"}, []string{"data"}, []string{"code", "environment"}},
	} {
		if diff := cmp.Diff(c.differs, key.Differs(c.other)); diff != "" {
			t.Errorf("%+v differs (- want, + got):\n%s", c.other, diff)
		}
		if diff := cmp.Diff(c.unknown, c.other.Unknown(key)); diff != "" {
			t.Errorf("%+v is unknown (- want, + got):\n%s", c.other, diff)
		}
		if c.other.Whole() != (c.unknown == nil) {
			t.Errorf("%+v is whole: %v", c.other, c.other.Whole())
		}
	}
}
