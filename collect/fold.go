package collect

import (
	"bytes"
	"cmp"
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
	slots      []slot   // of all groups, one after the other
	byTask     []uint32 // places in slots in order of their tasks: a task may be in several groups
	made       []int    // members that are present by the code that made them, beside codes
	seen       foldstream.Cursor
	asked      foldstream.TaskID // the task that was looked for last, and where it is
	found      []uint32
	roster
}

// newFold returns the fold of nothing yet. Errors: Invalid (a window beyond all reason).
func newFold(e foldstream.Experiment, members []foldstream.Expectation, sessions []foldstream.Time) (*fold, error) {
	f := &fold{
		experiment: e, spec: defaults(e.Collection), sessions: sessions, slots: make([]slot, 0, len(members)), made: []int{0},
		roster: roster{codes: []string{""}, place: map[foldstream.Time]uint32{}, odd: map[taskKey]foldstream.TaskID{}},
	}
	for _, some := range ByKey(members) {
		from := len(f.slots)
		for _, m := range some {
			s, err := f.slot(m, len(f.groups))
			if err != nil {
				return nil, err
			}
			f.byTask, f.slots = append(f.byTask, uint32(len(f.slots))), append(f.slots, s)
		}
		basis, err := basisOf(f.spec, some, sessions, e.Round())
		if err != nil {
			return nil, err
		}
		f.groups = append(f.groups, &group{key: some[0].Key, basis: basis, slots: f.slots[from:len(f.slots):len(f.slots)], dirty: true})
	}
	slices.SortFunc(f.byTask, func(a, b uint32) int {
		return cmp.Or(bytes.Compare(f.slots[a].task[:], f.slots[b].task[:]), cmp.Compare(a, b))
	})
	f.place, f.times = nil, slices.Clip(f.times)
	return f, nil
}

// places returns where a task is a member: places in slots.
func (f *fold) places(id foldstream.TaskID) []uint32 {
	if id == f.asked && id != "" {
		return f.found
	}
	key, _ := keyOf(id)
	from, _ := slices.BinarySearchFunc(f.byTask, key, func(at uint32, key taskKey) int { return bytes.Compare(f.slots[at].task[:], key[:]) })
	to := from
	for to < len(f.byTask) && f.slots[f.byTask[to]].task == key {
		to++
	}
	f.asked, f.found = id, f.byTask[from:to]
	return f.found
}

// ByKey splits members into those of one key each, in key order, then by window. It shares them where they are in that order already, as
// those of a stored experiment are.
func ByKey(members []foldstream.Expectation) [][]foldstream.Expectation {
	sorted := members
	if !slices.IsSortedFunc(members, foldstream.CompareMembers) {
		sorted = slices.SortedStableFunc(slices.Values(members), foldstream.CompareMembers)
	}
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
	return ev.Seq > f.seen && slices.ContainsFunc(f.places(ev.Task), func(at uint32) bool { return !f.groups[f.slots[at].group].closed })
}

// apply takes an event in, once: events up to the last one applied are old. frame and fault are those of a result. It reports
// whether that changed anything that is stored.
func (f *fold) apply(ev foldstream.Event, frame foldstream.Frame, fault string) (changed bool) {
	if ev.Seq <= f.seen {
		return false
	}
	f.seen = ev.Seq
	var r *result
	code := uint16(0)
	for _, at := range f.places(ev.Task) {
		s := &f.slots[at]
		g := f.groups[s.group]
		if g.closed {
			continue
		}
		if r == nil && ev.Kind == foldstream.EventResult && ev.Result != nil {
			r, code = &result{metrics: cloneMetrics(ev.Result.Metrics), frame: frame, fault: fault}, f.code(ev.Result.Code)
		}
		f.count(g, s, -1)
		if s.take(ev, r, code) {
			g.dirty, changed = true, true
		}
		f.count(g, s, 1)
	}
	return changed
}

// count adds a slot to the counts, or with n = −1 takes it out of them.
func (f *fold) count(g *group, s *slot, n int) {
	g.count(s, n)
	if s.present() {
		if grow := len(f.codes) - len(f.made); grow > 0 {
			f.made = append(f.made, make([]int, grow)...)
		}
		f.made[s.code] += n
	}
}

// restore closes a group where its stored value has every member and was folded from the same.
func (f *fold) restore(g *group, data []byte) {
	value, basis, _, err := decodeGroup("group", data)
	if err != nil || basis != g.basis || value.Coverage.Present < len(g.slots) || len(value.Windows) < len(g.slots) || value.Frame.IsEmpty() {
		return
	}
	for i := range g.slots {
		g.slots[i].status, g.slots[i].code = done, f.code(value.Windows[i].Code)
		f.count(g, &g.slots[i], 1)
	}
	g.stored(value.Coverage)
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
		Members: f.experiment.Members, Round: f.experiment.Round(), Spec: f.spec, Certified: f.experiment.Policy != foldstream.Warn,
		Settled: settled, Ensemble: ensemble, Groups: make([]GroupSummary, len(f.groups)), Codes: Codes{},
	}
	for i, g := range f.groups {
		s.Groups[i] = GroupSummary{Key: g.key, Expected: len(g.slots), Present: g.present, Failed: g.failed}
		s.Expected += len(g.slots)
		s.Present += g.present
		s.Failed += g.failed
		s.Gaps += g.gaps
		s.Overlaps += g.overlaps
		s.Duplicates += g.duplicates
	}
	for i, n := range f.made {
		if n > 0 {
			s.Codes[f.codes[i]] = n
		}
	}
	return s
}

// ensemble folds the groups' series as the spec says; series gives that of each, which is held no longer than it takes to add it. It fails
// as Average does, and as series does.
func (f *fold) ensemble(series func(*group) (foldstream.Frame, error)) (Group, foldstream.Frame, error) {
	var out Group
	expected := wire.Each(f.groups, func(g *group) foldstream.Expectation { return foldstream.Expectation{Key: g.key} })
	avg := NewEnsemble(f.spec, expected)
	for i, e := range expected {
		frame, err := series(f.groups[i])
		if err != nil {
			return out, frame, err
		}
		if err := avg.Add(foldstream.Member{Expectation: e, Frame: frame}); err != nil {
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
	return out, merged, nil
}

// NewEnsemble returns the fold of the series of several configurations that a spec asks for; of a spec that names none, NewAverage.
func NewEnsemble(spec foldstream.CollectionSpec, expected []foldstream.Expectation) foldstream.Fold {
	spec = defaults(spec)
	switch spec.Ensemble {
	case foldstream.EnsembleWeighted:
		return NewWeighted(expected, spec.WeightOf, spec.Score, spec.Return)
	case foldstream.EnsembleRank:
		return NewRank(expected, spec.Score, spec.Return)
	}
	return NewAverage(expected, spec.Score, spec.Return)
}
