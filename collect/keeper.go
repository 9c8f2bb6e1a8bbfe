package collect

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/frame"
	"github.com/foldstream/foldstream/internal/clock"
	"github.com/foldstream/foldstream/record"
)

// maxInline is the most bytes of frames that are stored in a value; larger ones go to the artifacts.
const maxInline = 512 << 10

// keeper keeps one experiment's collection: the fold and what is stored of it.
type keeper struct {
	*leader
	log     *slog.Logger
	fold    *fold
	shelf   *shelf
	ready   bool // every event there was has been seen: what is folded now is no piece of history
	dirty   bool // changed since the summary was stored
	settled bool // the stored summary says so
	cleared bool // nothing is stored any more that is of another round
	pause   pause
}

// openKeeper reads the members of an experiment and what is stored of its collection. Groups that are stored whole stay closed.
func openKeeper(ctx context.Context, l *leader, e foldstream.Experiment) (*keeper, error) {
	members, sessions, err := record.Members(ctx, l.Store, e)
	if err != nil {
		return nil, err
	}
	k := &keeper{leader: l, log: l.log.With("experiment", e.Name, "pool", e.Pool), dirty: true}
	if k.fold, err = newFold(e, members, sessions); err != nil {
		return nil, err
	}
	stored := map[string][]byte{}
	k.shelf, err = openShelf(ctx, l, e.Name, func(v foldstream.Value) { stored[v.Key] = v.Data })
	if err != nil {
		return nil, err
	}
	for _, g := range k.fold.groups {
		data, err := whole(ctx, k.Store, stored[groupKey(e.Name, g.key)])
		switch foldstream.KindOf(err) {
		case foldstream.NotFound, foldstream.Differs, foldstream.Invalid: // it is folded again
		default:
			if err != nil {
				return nil, err
			}
			k.fold.restore(g, data)
		}
	}
	if k.fold.closed() && k.ensembled() {
		data, err := k.fold.summary(true, k.fold.spec.Ensemble != "").encode()
		if err != nil {
			return nil, err
		}
		k.settled = bytes.Equal(data, stored[e.Name])
		k.dirty = !k.settled
	}
	return k, nil
}

// ensembled reports whether the ensemble that is stored is of the groups as they are stored, or none is asked for.
func (k *keeper) ensembled() bool {
	return k.fold.spec.Ensemble == "" || k.shelf.basis(k.fold) == k.shelf.ensemble
}

// finished reports whether the collection is complete and stored: nothing will change it.
func (k *keeper) finished() bool { return k.settled && !k.dirty && k.fold.closed() }

// take applies an event.
func (k *keeper) take(ctx context.Context, ev foldstream.Event) {
	var frame foldstream.Frame
	var fault string
	if ev.Kind == foldstream.EventResult && ev.Result != nil && k.fold.wants(ev) {
		frame, fault = k.frameOf(ctx, ev)
	}
	if ctx.Err() == nil && k.fold.apply(ev, frame, fault) {
		k.dirty = true
	}
}

// frameOf returns the frame of a result to fold, inline or from the artifact of its name, or why there is none. It
// waits for a store that does not answer.
func (k *keeper) frameOf(ctx context.Context, ev foldstream.Event) (foldstream.Frame, string) {
	name := k.fold.spec.Frame
	if f, ok := ev.Result.Frames[name]; ok {
		return f, check(f, k.fold.spec)
	}
	for _, a := range ev.Result.Artifacts {
		if a.Name == name {
			return k.fetch(ctx, ev, a.Digest)
		}
	}
	return foldstream.Frame{}, "the result has no frame " + name
}

func (k *keeper) fetch(ctx context.Context, ev foldstream.Event, d foldstream.Digest) (foldstream.Frame, string) {
	for pause := backoff(0); ; {
		f, err := loadBlob(ctx, k.Store, Blob{Digest: d})
		if err == nil {
			return f, check(f, k.fold.spec)
		}
		switch foldstream.KindOf(err) {
		case foldstream.NotFound, foldstream.Invalid, foldstream.TooLarge:
			return foldstream.Frame{}, "the artifact of the frame " + k.fold.spec.Frame + " is missing or cannot be read"
		}
		k.failed(ctx, k.log, "cannot read an artifact; trying again", err, "task", ev.Task)
		if !sleep(ctx, pause.next()) {
			return foldstream.Frame{}, ""
		}
	}
}

// store brings the stored collection up to date: the groups that changed, the ensemble once all are final, the summary last,
// so that a summary never promises what is not there. Groups that are not final are folded only where partial allows
// it; spent is the time that took.
func (k *keeper) store(ctx context.Context, partial bool) (spent time.Duration, err error) {
	if !k.ready || !k.dirty {
		return 0, nil
	}
	for _, g := range k.fold.groups {
		final := g.final()
		if !g.dirty || !final && !partial {
			continue
		}
		start := clock.Tick()
		if err := k.storeGroup(ctx, g, final); err != nil {
			return spent, err
		}
		if !final {
			spent += clock.Since(start)
		}
	}
	settled := k.fold.settled()
	ensemble := settled && k.fold.spec.Ensemble != ""
	if ensemble {
		if err := k.storeEnsemble(ctx); err != nil {
			return spent, err
		}
	}
	data, err := k.fold.summary(settled, ensemble).encode()
	if err == nil {
		err = k.shelf.put(ctx, k.fold.experiment.Name, data, k.fold.seen)
	}
	if err == nil && !k.cleared {
		err = k.clearOthers(ctx)
	}
	if err == nil {
		k.cleared = true
		k.settled = settled
		k.dirty = !k.fold.stored()
	}
	return spent, err
}

// clearOthers deletes what is stored of configurations that the experiment had before it was revised, and an ensemble that it has no more.
func (k *keeper) clearOthers(ctx context.Context) error {
	name := k.fold.experiment.Name
	others := maps.Clone(k.shelf.there)
	delete(others, name)
	for _, g := range k.fold.groups {
		delete(others, groupKey(name, g.key))
	}
	if k.fold.spec.Ensemble != "" {
		delete(others, ensembleKey(name))
	}
	return k.shelf.drop(ctx, others)
}

func (k *keeper) storeGroup(ctx context.Context, g *group, final bool) error {
	value, merged := k.fold.value(g)
	if !final {
		merged = foldstream.Frame{}
	}
	value, err := k.put(ctx, groupKey(k.fold.experiment.Name, g.key), value, merged, final, g.basis)
	if err != nil {
		return err
	}
	g.stored(value.Coverage)
	return nil
}

// storeEnsemble averages the groups as they are stored, unless what is stored is of the same groups.
func (k *keeper) storeEnsemble(ctx context.Context) error {
	name := k.fold.experiment.Name
	if k.ensembled() {
		return nil
	}
	basis := k.shelf.basis(k.fold)
	var cover foldstream.Coverage
	value, merged, err := k.fold.ensemble(func(g *group) (foldstream.Frame, error) {
		v, err := k.shelf.values.Get(ctx, groupKey(name, g.key))
		if err != nil {
			return foldstream.Frame{}, err
		}
		data, err := whole(ctx, k.Store, v.Data)
		if err != nil {
			return foldstream.Frame{}, err
		}
		there, _, _, err := decodeGroup(v.Key, data)
		if err != nil {
			return foldstream.Frame{}, err
		}
		cover = addCoverage(cover, there.Coverage)
		return loadBlob(ctx, k.Store, there.Frame)
	})
	if err != nil {
		return err
	}
	value.Coverage = cover
	_, err = k.put(ctx, ensembleKey(name), value, merged, true, basis)
	if err == nil {
		k.shelf.ensemble = basis
	}
	return err
}

// put stores a group's value, with its merged series where that is final.
func (k *keeper) put(ctx context.Context, key string, g Group, merged foldstream.Frame, final bool, basis foldstream.Digest) (Group, error) {
	daily, err := k.blob(ctx, g.Daily, maxInline/2)
	if err != nil {
		return g, err
	}
	if final {
		if g.Frame, err = k.blob(ctx, merged, maxInline/2); err != nil {
			return g, err
		}
	}
	data, err := k.fitted(ctx, g, final, basis, daily)
	if err != nil {
		return g, err
	}
	return g, k.shelf.put(ctx, key, data, k.fold.seen)
}

// blob encodes a frame and stores it as an artifact, a Parquet file, where it is over the limit.
func (k *keeper) blob(ctx context.Context, f foldstream.Frame, limit int) (Blob, error) {
	data, err := f.MarshalBinary()
	if err != nil || len(data) <= limit {
		return Blob{Inline: data}, err
	}
	if data, err = frame.Encode(f); err != nil {
		return Blob{}, err
	}
	d, _, err := k.Store.Artifacts().Put(ctx, bytes.NewReader(data))
	return Blob{Digest: d}, err
}
