package collect

import (
	"slices"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// fold is the state of one experiment's collection: a view of its tasks' events. It is pure, and used by one goroutine.
type fold struct {
	experiment foldstream.Experiment
	spec       foldstream.CollectionSpec // with its defaults
	sessions   []foldstream.Time
	groups     []*group // in key order
	places     map[foldstream.TaskID][]place
	seen       foldstream.Cursor // the last event that was applied
}

// place is where a task is a member: a task may be in several groups.
type place struct{ group, slot int }

func newFold(e foldstream.Experiment, members []foldstream.Expectation, sessions []foldstream.Time) (*fold, error) {
	f := &fold{experiment: e, spec: defaults(e.Collection), sessions: sessions, places: map[foldstream.TaskID][]place{}}
	for _, some := range ByKey(members) {
		g, err := newGroup(f.spec, some, sessions)
		if err != nil {
			return nil, err
		}
		for i, m := range some {
			f.places[m.Task] = append(f.places[m.Task], place{len(f.groups), i})
		}
		f.groups = append(f.groups, g)
	}
	return f, nil
}

// ByKey splits members into those of one key each, in key order, then by window.
func ByKey(members []foldstream.Expectation) [][]foldstream.Expectation {
	sorted := slices.SortedStableFunc(slices.Values(members), foldstream.CompareMembers)
	var groups [][]foldstream.Expectation
	from := 0
	for i := 1; i <= len(sorted); i++ {
		if i == len(sorted) || CompareKeys(sorted[i].Key, sorted[from].Key) != 0 {
			groups = append(groups, sorted[from:i])
			from = i
		}
	}
	return groups
}

// wants reports whether an event is news to a group that is still open.
func (f *fold) wants(ev foldstream.Event) bool {
	return ev.Seq > f.seen && slices.ContainsFunc(f.places[ev.Task], func(p place) bool { return !f.groups[p.group].closed })
}

// apply takes an event in, once: events up to the last one applied are old. frame and fault are those of a result. It reports
// whether that changed anything that is stored.
func (f *fold) apply(ev foldstream.Event, frame foldstream.Frame, fault string) (changed bool) {
	if ev.Seq <= f.seen {
		return false
	}
	f.seen = ev.Seq
	for _, p := range f.places[ev.Task] {
		g := f.groups[p.group]
		if !g.closed && g.slots[p.slot].take(ev, frame, fault) {
			g.dirty, changed = true, true
		}
	}
	return changed
}

// settled reports whether every member of every group is present or given up.
func (f *fold) settled() bool {
	return !slices.ContainsFunc(f.groups, func(g *group) bool { return !g.final() })
}

// stored reports whether every group's value is.
func (f *fold) stored() bool {
	return !slices.ContainsFunc(f.groups, func(g *group) bool { return g.dirty })
}

// closed reports whether every group is: nothing can change the collection any more.
func (f *fold) closed() bool {
	return !slices.ContainsFunc(f.groups, func(g *group) bool { return !g.closed })
}

// summary returns the counts as of now. settled and ensemble say what is stored already.
func (f *fold) summary(settled, ensemble bool) Summary {
	s := Summary{
		Members: f.experiment.Members, Spec: f.spec, Certified: f.experiment.Policy != foldstream.Warn,
		Settled: settled, Ensemble: ensemble, Groups: make([]GroupSummary, len(f.groups)), Codes: Codes{},
	}
	for i, g := range f.groups {
		present, failed := g.count()
		s.Groups[i] = GroupSummary{Key: g.key, Expected: len(g.slots), Present: present, Failed: failed}
		s.Expected += len(g.slots)
		s.Present += present
		s.Failed += failed
		s.Gaps += len(g.cover.Gaps)
		s.Overlaps += len(g.cover.Overlaps)
		s.Duplicates += len(g.cover.Duplicates)
		s.Codes.add(g.codes())
	}
	return s
}

// ensemble folds the groups' series as the spec says; frames has one a group in their order. It fails as Average does.
func (f *fold) ensemble(frames []foldstream.Frame, cover foldstream.Coverage) (Group, foldstream.Frame) {
	out := Group{Coverage: cover}
	expected := wire.Each(f.groups, func(g *group) foldstream.Expectation { return foldstream.Expectation{Key: g.key} })
	avg := newEnsemble(f.spec, expected)
	for i, e := range expected {
		if err := avg.Add(foldstream.Member{Expectation: e, Frame: frames[i]}); err != nil {
			out.Faults = append(out.Faults, err.Error())
		}
	}
	merged, _, err := avg.Value()
	if err != nil {
		out.Faults = append(out.Faults, err.Error())
	}
	if came := merged.Column(f.spec.Return); came != nil && f.spec.Label != f.spec.Return {
		merged.Columns = slices.Insert(merged.Columns, 1, foldstream.Column{Name: f.spec.Label, Values: came})
	}
	out.assess(merged, f.spec)
	return out, merged
}

// newEnsemble returns the fold of the spec's ensemble.
func newEnsemble(spec foldstream.CollectionSpec, expected []foldstream.Expectation) foldstream.Fold {
	switch spec.Ensemble {
	case foldstream.EnsembleWeighted:
		return NewWeighted(expected, spec.WeightOf, spec.Score, spec.Return)
	case foldstream.EnsembleRank:
		return NewRank(expected, spec.Score, spec.Return)
	}
	return NewAverage(expected, spec.Score, spec.Return)
}
