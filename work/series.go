package work

import (
	"context"
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/series"
)

// keepSeries puts the points of an attempt into its result: all of them, in the order in which they were told. Where there are many they
// become an artifact. Errors: Permanent (an artifact of its name is another thing; many and no store for artifacts), those of the
// store and of the log.
func (p *process) keepSeries(fetching context.Context, t foldstream.Task, r foldstream.Result, points *series.Log) (foldstream.Result, error) {
	if points.Len() == 0 {
		return r, nil
	}
	var many *foldstream.Artifact
	err := p.insist(fetching, t, func(ctx context.Context) (err error) {
		r.Series, many, err = points.Keep(ctx, p.Artifacts)
		return err
	})
	switch {
	case foldstream.Is(err, foldstream.TooLarge):
		return r, foldstream.Permanent(err)
	case err != nil || many == nil:
		return r, err
	case slices.ContainsFunc(r.Artifacts, func(a foldstream.Artifact) bool { return a.Name == many.Name }):
		return r, foldstream.Permanent(foldstream.Errorf(foldstream.Invalid, "", "the metrics with steps are stored as the artifact %q, and there is another of that name", many.Name))
	}
	r.Artifacts = append(slices.Clone(r.Artifacts), *many)
	return r, nil
}
