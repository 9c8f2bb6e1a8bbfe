package streamtest

import (
	"fmt"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/foldstream/foldstream"
)

// same fails with the difference of two values. An empty map or slice equals a nil one, and NaN equals itself.
func same(what string, got, want any) error {
	opts := cmp.Options{
		cmpopts.EquateEmpty(), cmpopts.EquateNaNs(),
		cmp.Comparer(func(a, b foldstream.Time) bool { return a == b }),
	}
	if diff := cmp.Diff(want, got, opts); diff != "" {
		return fmt.Errorf("%s (- want, + got):\n%s", what, diff)
	}
	return nil
}
