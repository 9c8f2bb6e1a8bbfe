package collect_test

import (
	"fmt"
	"regexp"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

func TestCompareKeysByNumber(t *testing.T) {
	var keys []foldstream.Key
	for _, v := range []string{"ridge", "10", "9", "1e3", "0.1", "gbdt", "-1"} {
		keys = append(keys, foldstream.Key{{Name: "a", Value: v}})
	}
	slices.SortFunc(keys, collect.CompareKeys)
	if got, want := fmt.Sprint(keys), "[a=-1 a=0.1 a=9 a=10 a=1e3 a=gbdt a=ridge]"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func drawKey(t *rapid.T) foldstream.Key {
	choice := rapid.Custom(func(t *rapid.T) foldstream.Choice {
		return foldstream.Choice{
			Name:  rapid.SampledFrom([]string{"a", "b", ""}).Draw(t, "name"),
			Value: rapid.OneOf(rapid.SampledFrom([]string{"1", "1.0", "01", "NaN", "nan", "inf", "x", "-0", "0", ".", "a,b=c", `\`}), rapid.String()).Draw(t, "value"),
		}
	})
	return rapid.SliceOfN(choice, 0, 3).Draw(t, "key")
}

// The order is total: it is antisymmetric and transitive, and only equal keys compare equal.
func TestCompareKeysOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := drawKey(t), drawKey(t), drawKey(t)
		ab, bc, ac := collect.CompareKeys(a, b), collect.CompareKeys(b, c), collect.CompareKeys(a, c)
		if ab != -collect.CompareKeys(b, a) || (ab == 0) != slices.Equal(a, b) {
			t.Fatalf("%q and %q: %d", a, b, ab)
		}
		if ab <= 0 && bc <= 0 && ac > 0 {
			t.Fatalf("%q ≤ %q ≤ %q, but not the first ≤ the last", a, b, c)
		}
	})
}

var slugForm = regexp.MustCompile(`^[-/_=a-zA-Z0-9]+$`)

// A slug is a key of a bucket, and two keys share none.
func TestSlug(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawKey(t), drawKey(t)
		if s := collect.Slug(a); !slugForm.MatchString(s) || len(s) > 80 {
			t.Fatalf("%q has the slug %q", a, s)
		}
		if (collect.Slug(a) == collect.Slug(b)) != slices.Equal(a, b) {
			t.Fatalf("%q and %q: %q and %q", a, b, collect.Slug(a), collect.Slug(b))
		}
	})
}
