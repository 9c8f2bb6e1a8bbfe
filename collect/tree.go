package collect

import (
	"iter"
	"slices"

	"github.com/foldstream/foldstream"
)

// Tree is what collectors gather and processors change: a leaf, or branches by label, in the order of labels, whatever the
// order they were added in. The zero Tree has no branches.
type Tree[V any] struct {
	leaf     *V
	branches []branch[V] // in order, labels differ
}

type branch[V any] struct {
	label Label
	tree  Tree[V]
}

// Leaf returns the tree that is one value.
func Leaf[V any](v V) Tree[V] { return Tree[V]{leaf: &v} }

// Leaf returns the value of a leaf; ok is false where the tree is none.
func (t Tree[V]) Leaf() (v V, ok bool) {
	if t.leaf == nil {
		return v, false
	}
	return *t.leaf, true
}

// Len returns the number of branches.
func (t Tree[V]) Len() int { return len(t.branches) }

// All returns the branches in order.
func (t Tree[V]) All() iter.Seq2[Label, Tree[V]] {
	return func(yield func(Label, Tree[V]) bool) {
		for _, b := range t.branches {
			if !yield(b.label, b.tree) {
				return
			}
		}
	}
}

// Leaves returns the leaves in order. The label of one below another branch is the tuple of the labels that lead to it; that of
// a tree which is itself a leaf is nothing.
func (t Tree[V]) Leaves() iter.Seq2[Label, V] {
	return func(yield func(Label, V) bool) { t.leaves(nil, yield) }
}

func (t Tree[V]) leaves(path []Label, yield func(Label, V) bool) bool {
	if v, ok := t.Leaf(); ok {
		at := Tuple(path...)
		switch len(path) {
		case 0:
			at = Label{}
		case 1:
			at = path[0]
		}
		return yield(at, v)
	}
	for _, b := range t.branches {
		if !b.tree.leaves(append(slices.Clip(path), b.label), yield) {
			return false
		}
	}
	return true
}

// Get returns the branch of a label.
func (t Tree[V]) Get(l Label) (Tree[V], bool) {
	i, found := t.search(l)
	if !found {
		return Tree[V]{}, false
	}
	return t.branches[i].tree, true
}

// Add adds a branch. It does not change trees that t was copied to or from. Errors: Conflict (there is a branch of that label),
// Invalid (t is a leaf).
func (t *Tree[V]) Add(l Label, u Tree[V]) error {
	i, found := t.search(l)
	switch {
	case t.leaf != nil:
		return foldstream.Errorf(foldstream.Invalid, "collect", "a leaf has no branch %s", l)
	case found:
		return foldstream.Errorf(foldstream.Conflict, "collect", "two branches have the label %s", l)
	}
	t.branches = slices.Insert(slices.Clip(t.branches), i, branch[V]{l, u})
	return nil
}

func (t Tree[V]) search(l Label) (int, bool) {
	return slices.BinarySearchFunc(t.branches, l, func(b branch[V], l Label) int { return b.label.Compare(l) })
}
