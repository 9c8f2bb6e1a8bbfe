package collect

import (
	"github.com/foldstream/foldstream"
)

// GroupBy splits the branches of a tree into groups and processes each on its own (Qlib: model/ens/group.py:Group). Its value has a
// branch a group. A branch that is added has its group alone processed again.
type GroupBy[V any] struct {
	// Split says to which group the branch of a label belongs, and its label there. Errors: Invalid (the label is none to split).
	Split func(l Label) (group, member Label, err error)
	// Each processes a group. To leave it as it is, it is an empty Chain.
	Each Processor[V]
}

var _ Reducer[int] = GroupBy[int]{}

// RollingGroup groups the branches that differ in the last part of their labels, which are tuples: the windows of one
// configuration. The group's label is the tuple of the other parts (Qlib: model/ens/group.py:RollingGroup).
func RollingGroup[V any](each Processor[V]) GroupBy[V] { return GroupBy[V]{SplitLast, each} }

// SplitLast is the split of RollingGroup. Errors: Invalid (the label is no tuple, or one without parts).
func SplitLast(l Label) (group, member Label, err error) {
	parts, ok := l.Parts()
	if !ok || len(parts) == 0 {
		return Label{}, Label{}, foldstream.Errorf(foldstream.Invalid, "group", "the label %s is no tuple whose last part tells the window", l)
	}
	last := len(parts) - 1
	return Tuple(parts[:last]...), parts[last], nil
}

// Process groups the branches of a tree. Errors: Invalid (no split, nothing to process the groups, a tree that is a leaf), those
// of both, Conflict (two branches have the same place).
func (g GroupBy[V]) Process(t Tree[V]) (Tree[V], error) { return reduce(g.Begin(), t) }

// Begin begins a reduction.
func (g GroupBy[V]) Begin() Reduction[V] {
	return &grouping[V]{GroupBy: g, groups: map[Label]*grouped[V]{}}
}

// grouping is a GroupBy at work.
type grouping[V any] struct {
	GroupBy[V]
	groups map[Label]*grouped[V]
}

type grouped[V any] struct {
	Reduction[V]
	value Tree[V]
	fresh bool // value is of all that was added
}

func (g *grouping[V]) check() error {
	switch {
	case g.Split == nil:
		return foldstream.Errorf(foldstream.Invalid, "group", "nothing says how to split")
	case g.Each == nil:
		return foldstream.Errorf(foldstream.Invalid, "group", "nothing says what becomes of a group")
	}
	return nil
}

func (g *grouping[V]) Add(l Label, t Tree[V]) error {
	if err := g.check(); err != nil {
		return err
	}
	label, member, err := g.Split(l)
	if err != nil {
		return err
	}
	group := g.groups[label]
	if group == nil {
		group = &grouped[V]{Reduction: Chain[V]{g.Each}.Begin()}
		g.groups[label] = group
	}
	group.fresh = false
	return group.Add(member, t)
}

func (g *grouping[V]) Value() (out Tree[V], err error) {
	if err := g.check(); err != nil {
		return out, err
	}
	for label, group := range g.groups {
		if !group.fresh {
			if group.value, err = group.Value(); err != nil {
				return Tree[V]{}, foldstream.E(foldstream.KindOf(err), "group "+label.String(), err)
			}
			group.fresh = true
		}
		if err := out.Add(label, group.value); err != nil {
			return Tree[V]{}, err
		}
	}
	return out, nil
}

// SingleKey replaces every tree of a single branch by that branch, the innermost first (Qlib: model/ens/ensemble.py:SingleKeyEnsemble).
type SingleKey[V any] struct {
	Outermost bool // only the tree itself is looked at, not those below it
}

var _ Processor[int] = SingleKey[int]{}

// Process replaces what has a single branch.
func (s SingleKey[V]) Process(t Tree[V]) (Tree[V], error) {
	if _, leaf := t.Leaf(); leaf {
		return t, nil
	}
	var out Tree[V]
	for l, u := range t.All() {
		var err error
		if !s.Outermost {
			u, err = s.Process(u)
		}
		if err == nil {
			err = out.Add(l, u)
		}
		if err != nil {
			return Tree[V]{}, err
		}
	}
	if out.Len() == 1 {
		return out.branches[0].tree, nil
	}
	return out, nil
}
