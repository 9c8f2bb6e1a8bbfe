package collect

import (
	"bytes"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// Rebuilt is what became of one collection that was folded anew.
type Rebuilt struct {
	Experiment string
	Settled    bool     // every expected member is present or given up
	Values     int      // how many values the collection is made of: a summary, one a group, an ensemble
	Differ     []string // the keys, in order, of those that were stored with other bytes, or not at all
}

// Rebuild folds the collections of some experiments of one pool from the start of the pool's events, as if nothing of them were stored, and
// compares the bytes with those that are. With replace it stores what differs. An aggregator may run meanwhile: Rebuild writes over
// nothing that it has not compared. The bytes are the same for one program on one architecture.
//
// Of a collection that still grows the stored values may be behind by a moment, and differ for that reason alone.
//
// Errors: Conflict (somebody else writes the values again and again), those of the store.
func Rebuild(ctx context.Context, store foldstream.Store, replace bool, experiments ...foldstream.Experiment) ([]Rebuilt, error) {
	for tries := 1; ; tries++ {
		out, err := rebuild(ctx, store, replace, experiments)
		if !foldstream.Is(err, foldstream.Conflict) || tries == rebuildTries {
			return out, err
		}
	}
}

// rebuildTries is how often a rebuild that meets another writer begins again.
const rebuildTries = 5

func rebuild(ctx context.Context, store foldstream.Store, replace bool, experiments []foldstream.Experiment) (out []Rebuilt, err error) {
	stored := make([]map[string]foldstream.Value, len(experiments))
	for i, e := range experiments { // before the events: what is stored by now is of events that are read below
		if stored[i], err = storedOf(ctx, store, e.Name); err != nil {
			return nil, err
		}
	}
	fresh, settled, err := foldAnew(ctx, store, experiments)
	if err != nil {
		return nil, err
	}
	for i, e := range experiments {
		r := Rebuilt{Experiment: e.Name, Settled: settled[i], Values: len(fresh[i])}
		for _, key := range slices.Sorted(maps.Keys(fresh[i])) {
			v, there := fresh[i][key], stored[i][key]
			if bytes.Equal(v.Data, there.Data) {
				continue
			}
			r.Differ = append(r.Differ, key)
			v.Revision = there.Revision
			if replace {
				if _, err := store.Values(foldstream.Collections).Put(ctx, v); err != nil {
					return nil, err
				}
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// storedOf reads the values of an experiment's collection.
func storedOf(ctx context.Context, store foldstream.Store, experiment string) (map[string]foldstream.Value, error) {
	values := map[string]foldstream.Value{}
	for v, err := range store.Values(foldstream.Collections).List(ctx, experiment) {
		if err != nil {
			return nil, err
		}
		if v.Key == experiment || strings.HasPrefix(v.Key, experiment+".") {
			values[v.Key] = v
		}
	}
	return values, nil
}

// foldAnew folds experiments of one pool and returns the values of each, and whether it is settled.
func foldAnew(ctx context.Context, store foldstream.Store, experiments []foldstream.Experiment) (values []map[string]foldstream.Value, settled []bool, err error) {
	var keepers []*keeper
	for _, e := range experiments {
		s := &scratch{values: map[string]foldstream.Value{}}
		l := (&Aggregator{Store: onScratch{store, s}}).leader()
		l.lock.until = clock.Tick().AddDate(1, 0, 0) // nobody else writes there
		k, err := openKeeper(ctx, l, e)
		if err != nil {
			return nil, nil, err
		}
		keepers, values = append(keepers, k), append(values, s.values)
	}
	if len(keepers) == 0 {
		return nil, nil, nil
	}
	for ev, err := range store.Events(ctx, foldstream.EventFilter{Pool: experiments[0].Pool}, 0) {
		if err != nil {
			return nil, nil, err
		}
		for _, k := range keepers {
			k.take(ctx, ev)
		}
	}
	for _, k := range keepers {
		k.ready = true
		if _, err := k.store(ctx, true); err != nil {
			return nil, nil, err
		}
		settled = append(settled, k.settled)
	}
	return values, settled, ctx.Err()
}

// onScratch is a store whose collections are a scratch's.
type onScratch struct {
	foldstream.Store
	collections *scratch
}

// Values returns the scratch, or a bucket of the store.
func (s onScratch) Values(bucket string) foldstream.Values {
	if bucket == foldstream.Collections {
		return s.collections
	}
	return s.Store.Values(bucket)
}
