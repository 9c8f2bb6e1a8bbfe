package cli

import (
	"context"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
)

// noPool is the error of a pool that is not there, with the one that may be meant.
func noPool(ctx context.Context, pools foldstream.Reconciler, name string) error {
	known, err := pools.Pools(ctx)
	if err != nil {
		known = nil // the name is unknown all the same
	}
	return foldstream.Errorf(foldstream.NotFound, "", "there is no pool %q: no task was ever created in it%s", name, hint(name, known))
}

// experimentNamed reads an experiment. Errors: NotFound, with the one that may be meant.
func experimentNamed(ctx context.Context, store foldstream.Store, name string) (foldstream.Experiment, error) {
	e, err := record.ReadExperiment(ctx, store, name)
	if !foldstream.Is(err, foldstream.NotFound) {
		return e, err
	}
	var known []string
	for other, listErr := range record.Experiments(ctx, store) {
		if listErr == nil {
			known = append(known, other.Name)
		}
	}
	return e, foldstream.Errorf(foldstream.NotFound, "", "there is no experiment %q in this store%s", name, hint(name, known))
}
