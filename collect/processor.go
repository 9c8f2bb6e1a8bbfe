package collect

import (
	"github.com/foldstream/foldstream"
)

// Processor makes one tree of another. It is pure, and changes no tree that it was given.
type Processor[V any] interface {
	Process(t Tree[V]) (Tree[V], error)
}

// Reducer is a Processor that can take the branches of its tree one at a time, in any order, so that they need not be held
// together before. Process is the same as adding them all.
type Reducer[V any] interface {
	Processor[V]
	Begin() Reduction[V]
}

// Reduction is the state of a Reducer. It is used by one goroutine.
type Reduction[V any] interface {
	// Add takes a branch. Errors: Conflict (one of that label was added before), Invalid (a tree that it cannot use).
	Add(l Label, t Tree[V]) error
	// Value returns the tree of the branches so far; more may follow. Errors: Invalid.
	Value() (Tree[V], error)
}

// Chain is processors that follow one another. The empty Chain leaves a tree as it is. It is a Reducer as far as its first
// processor is one.
type Chain[V any] []Processor[V]

var _ Reducer[int] = Chain[int]{}

// Check reports a processor that is nil. Errors: Invalid.
func (c Chain[V]) Check() error {
	for i, p := range c {
		if p == nil {
			return foldstream.Errorf(foldstream.Invalid, "collect", "processor %d of %d is nil", i+1, len(c))
		}
	}
	return nil
}

// Process puts a tree through the processors.
func (c Chain[V]) Process(t Tree[V]) (Tree[V], error) {
	err := c.Check()
	for i := 0; i < len(c) && err == nil; i++ {
		t, err = c[i].Process(t)
	}
	return t, err
}

// ProcessEach puts every branch through the processors on its own: a collection's artifacts (Qlib:
// workflow/task/collect.py:Collector.process_collect). It checks the processors also where there is nothing to process.
func (c Chain[V]) ProcessEach(t Tree[V]) (Tree[V], error) {
	if err := c.Check(); err != nil {
		return Tree[V]{}, err
	}
	var out Tree[V]
	for l, u := range t.All() {
		processed, err := c.Process(u)
		if err == nil {
			err = out.Add(l, processed)
		}
		if err != nil {
			return Tree[V]{}, foldstream.E(foldstream.KindOf(err), "collect "+l.String(), err)
		}
	}
	return out, nil
}

// Begin begins a reduction by the first processor; the others follow when its value is asked for. The chain must pass Check.
func (c Chain[V]) Begin() Reduction[V] {
	if len(c) > 0 {
		if first, ok := c[0].(Reducer[V]); ok {
			return &chained[V]{first.Begin(), c[1:]}
		}
	}
	return &chained[V]{&kept[V]{}, c}
}

// chained is a reduction whose value goes through more processors.
type chained[V any] struct {
	Reduction[V]
	rest Chain[V]
}

func (c *chained[V]) Value() (Tree[V], error) {
	t, err := c.Reduction.Value()
	if err != nil {
		return t, err
	}
	return c.rest.Process(t)
}

// kept is the reduction that keeps its branches.
type kept[V any] struct{ Tree[V] }

func (h *kept[V]) Value() (Tree[V], error) { return h.Tree, nil }

// reduce adds all branches of a tree to a reduction.
func reduce[V any](r Reduction[V], t Tree[V]) (Tree[V], error) {
	if _, leaf := t.Leaf(); leaf {
		return Tree[V]{}, foldstream.Errorf(foldstream.Invalid, "collect", "a single value has no branches to process")
	}
	for l, u := range t.All() {
		if err := r.Add(l, u); err != nil {
			return Tree[V]{}, err
		}
	}
	return r.Value()
}
