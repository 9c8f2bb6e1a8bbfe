package collect

import (
	"context"
	"log/slog"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
)

// AsOf folds the collection of an experiment as it was at a time: from the events up to then, by the folds that the aggregator has. It stores
// nothing, and holds the frames of one collection. What an aggregator had stored at that time was this, or on its way to it. Of a task's
// attempts only as many are known as the store keeps, which the winning result is always among. Errors: NotFound (there was no such
// experiment then).
func AsOf(ctx context.Context, store foldstream.Store, name string, at time.Time) (Collection, error) {
	e, err := record.ReadExperiment(ctx, store, name)
	if err != nil {
		return Collection{}, err
	}
	if e.Created.After(at) {
		return Collection{}, foldstream.Errorf(foldstream.NotFound, "collection",
			"experiment %s was not there at %s: it was made at %s", name, at.UTC().Format(time.RFC3339), e.Created.UTC().Format(time.RFC3339))
	}
	e = e.At(at)
	members, sessions, err := record.Members(ctx, store, e)
	if err != nil {
		return Collection{}, err
	}
	p := &past{keeper: &keeper{leader: &leader{Aggregator: Aggregator{Store: store}}, log: slog.New(slog.DiscardHandler)}}
	if p.fold, err = newFold(e, members, sessions); err != nil {
		return Collection{}, err
	}
	p.values = make([]Group, len(p.fold.groups))
	began, before := time.Time{}, e.Round() > 0 // of the round that it was in: what was complete before was folded again then
	if before {
		began = e.Before[e.Round()-1].Until
	}
	for ev, err := range store.Events(ctx, foldstream.EventFilter{Pool: e.Pool}, 0) {
		if err != nil {
			return Collection{}, err
		}
		if ev.At.After(at) {
			continue // not the end: after a change of its leader a cluster's clock may step back
		}
		if before && ev.At.After(began) {
			before = false
			if err := p.closeAll(); err != nil {
				return Collection{}, err
			}
		}
		p.take(ctx, ev)
		if before {
			continue
		}
		if err := p.close(ev.Task); err != nil {
			return Collection{}, err
		}
	}
	if ctx.Err() != nil {
		return Collection{}, foldstream.E(foldstream.Cancelled, "collection", ctx.Err())
	}
	return p.collection()
}

// past is a collection as it was.
type past struct {
	*keeper
	values []Group // of the groups that are closed
}

// close folds the groups of a task that have every member now: nothing changes them any more.
func (p *past) close(id foldstream.TaskID) error {
	for _, at := range p.fold.places(id) {
		if err := p.closeGroup(int(p.fold.slots[at].group)); err != nil {
			return err
		}
	}
	return nil
}

// closeAll is close for every task.
func (p *past) closeAll() error {
	for at := range p.fold.groups {
		if err := p.closeGroup(at); err != nil {
			return err
		}
	}
	return nil
}

func (p *past) closeGroup(at int) error {
	g := p.fold.groups[at]
	if g.closed || g.present < len(g.slots) {
		return nil
	}
	value, err := p.value(g)
	if err != nil {
		return err
	}
	p.values[at] = value
	g.stored(value.Coverage)
	return nil
}

// value folds a group, with its series where that is final.
func (p *past) value(g *group) (Group, error) {
	value, merged := p.fold.value(g)
	if !g.final() {
		return value, nil
	}
	var err error
	value.Frame.Inline, err = merged.MarshalBinary()
	return value, err
}

// collection returns what was folded.
func (p *past) collection() (Collection, error) {
	sum := p.fold.summary(p.fold.settled(), false)
	c := Collection{Experiment: p.fold.experiment.Name, Spec: sum.Spec, Certified: sum.Certified, Settled: sum.Settled}
	for i, g := range p.fold.groups {
		if !g.closed {
			var err error
			if p.values[i], err = p.value(g); err != nil {
				return c, err
			}
		}
		c.Groups, c.Coverage = append(c.Groups, p.values[i]), addCoverage(c.Coverage, p.values[i].Coverage)
	}
	if !sum.Settled || p.fold.spec.Ensemble == "" {
		return c, nil
	}
	next := 0
	ensemble, merged, err := p.fold.ensemble(func(*group) (f foldstream.Frame, err error) {
		if blob := p.values[next].Frame; !blob.IsEmpty() {
			err = f.UnmarshalBinary(blob.Inline)
		}
		next++
		return f, err
	})
	if err != nil {
		return c, err
	}
	ensemble.Coverage = c.Coverage
	ensemble.Frame.Inline, err = merged.MarshalBinary()
	c.Ensemble = &ensemble
	return c, err
}
