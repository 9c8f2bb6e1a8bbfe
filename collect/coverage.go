package collect

import (
	"slices"

	"github.com/foldstream/foldstream"
)

// addCoverage returns the coverage of two groups together.
func addCoverage(a, b foldstream.Coverage) foldstream.Coverage {
	return foldstream.Coverage{
		Expected: a.Expected + b.Expected,
		Present:  a.Present + b.Present,
		Failed:   slices.Concat(a.Failed, b.Failed),
		Missing:  slices.Concat(a.Missing, b.Missing),
		Gaps:     slices.Concat(a.Gaps, b.Gaps),
		Overlaps: slices.Concat(a.Overlaps, b.Overlaps),

		Duplicates: slices.Concat(a.Duplicates, b.Duplicates),
	}
}
