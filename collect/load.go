package collect

import (
	"context"
	"errors"
	"iter"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/frame"
	"github.com/foldstream/foldstream/internal/wire"
)

// Load reads the collection of an experiment as it stands now. Of a group that nothing was folded of yet it has the key and
// the counts alone. Errors: NotFound (no such collection, or none yet).
func Load(ctx context.Context, store foldstream.Store, name string) (Collection, error) {
	s, err := LoadSummary(ctx, store, name)
	if err != nil {
		return Collection{}, err
	}
	c := Collection{Experiment: name, Spec: s.Spec, Certified: s.Certified, Settled: s.Settled, Groups: make([]Group, len(s.Groups))}
	for i, g := range s.Groups {
		c.Groups[i], err = loadGroup(ctx, store, groupKey(name, g.Key))
		if foldstream.Is(err, foldstream.NotFound) {
			c.Groups[i] = Group{Key: g.Key, Coverage: foldstream.Coverage{Expected: g.Expected}}
		} else if err != nil {
			return Collection{}, err
		}
		c.Coverage = addCoverage(c.Coverage, c.Groups[i].Coverage)
	}
	if s.Ensemble {
		e, err := loadGroup(ctx, store, ensembleKey(name))
		if err != nil {
			return Collection{}, err
		}
		c.Ensemble = &e
	}
	return c, nil
}

func loadGroup(ctx context.Context, store foldstream.Store, key string) (Group, error) {
	v, err := store.Values(foldstream.Collections).Get(ctx, key)
	if err != nil {
		return Group{}, err
	}
	data, err := whole(ctx, store, v.Data)
	if err != nil {
		return Group{}, err
	}
	g, _, daily, err := decodeGroup(key, data)
	if err == nil {
		g.Daily, err = loadBlob(ctx, store, daily)
	}
	return g, err
}

// LoadFrame reads the merged series of a group or the ensemble: a row a session and instrument, sorted. Errors: Incomplete (the
// group is not folded to its end yet), NotFound (its artifact is gone), Invalid (it cannot be read).
func LoadFrame(ctx context.Context, store foldstream.Store, g Group) (foldstream.Frame, error) {
	if g.Frame.IsEmpty() {
		return foldstream.Frame{}, foldstream.Errorf(foldstream.Incomplete, "collection",
			"the series of %q is not there yet: %d of %d windows are", g.Key, g.Coverage.Present, g.Coverage.Expected)
	}
	return loadBlob(ctx, store, g.Frame)
}

func loadBlob(ctx context.Context, store foldstream.Store, b Blob) (foldstream.Frame, error) {
	data := b.Inline
	if b.Digest != "" {
		var err error
		if data, err = wire.ReadArtifact(ctx, store.Artifacts(), b.Digest); err != nil {
			return foldstream.Frame{}, err
		}
	}
	return frame.Decode(data)
}

// Watch tells the summary of an experiment's collection as it stands, then every change, until the context ends (no error). It
// waits for a collection that is not there yet, and passes over what is none: the aggregator writes over that. It ends with its first
// error.
func Watch(ctx context.Context, store foldstream.Store, name string) iter.Seq2[Summary, error] {
	return func(yield func(Summary, error) bool) {
		if err := foldstream.ValidName("experiment", name); err != nil {
			yield(Summary{}, err)
			return
		}
		for v, err := range store.Values(foldstream.Collections).Watch(ctx, name) {
			if err == nil && (v.Key != name || v.Deleted) {
				continue
			}
			var s Summary
			if err == nil {
				s, err = decodeSummary("collection "+name, v.Data)
				if _, isNewer := errors.AsType[wire.Newer](err); err != nil && !isNewer {
					continue
				}
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// LoadSummary reads the counts of an experiment's collection as it stands now. Errors: NotFound (no such collection, or none yet).
func LoadSummary(ctx context.Context, store foldstream.Store, name string) (Summary, error) {
	if err := foldstream.ValidName("experiment", name); err != nil {
		return Summary{}, err
	}
	v, err := store.Values(foldstream.Collections).Get(ctx, name)
	if foldstream.Is(err, foldstream.NotFound) {
		err = foldstream.Errorf(foldstream.NotFound, "collection", "there is no collection of an experiment %q in this store", name)
	}
	if err != nil {
		return Summary{}, err
	}
	return decodeSummary("collection "+name, v.Data)
}
