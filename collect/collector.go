package collect

import (
	"context"
	"maps"
	"slices"

	"github.com/foldstream/foldstream"
)

// Collector gathers trees by artifact, "pred" or "label", and processes each (Qlib: workflow/task/collect.py:Collector).
type Collector[V any] interface {
	// Collect returns a branch for each artifact of which there is something. Errors: those of where it gathers and of its processors.
	Collect(ctx context.Context) (Tree[V], error)
}

// Collected is a Collector of what is at hand.
type Collected[V any] struct {
	Tree Tree[V] // by artifact
	Then Chain[V]
}

var _ Collector[int] = Collected[int]{}

// Collect processes what is at hand.
func (c Collected[V]) Collect(context.Context) (Tree[V], error) { return c.Then.ProcessEach(c.Tree) }

// MergeCollector brings together what several collectors gather (Qlib: workflow/task/collect.py:MergeCollector). Where two of them
// have the same label in the end, that is an error: nothing is overwritten.
type MergeCollector[V any] struct {
	Collectors map[string]Collector[V] // by name; each runs its own processors
	// Label returns the label of a collector's artifact; nil is the tuple of both.
	Label func(collector string, artifact Label) (Label, error)
	Then  Chain[V] // what becomes of each artifact after that
}

var _ Collector[int] = MergeCollector[int]{}

// Collect asks the collectors in order of their names. Errors: theirs, naming the collector, Conflict (two artifacts have the same
// label).
func (m MergeCollector[V]) Collect(ctx context.Context) (Tree[V], error) {
	if err := m.Then.Check(); err != nil {
		return Tree[V]{}, err
	}
	var all Tree[V]
	for _, name := range slices.Sorted(maps.Keys(m.Collectors)) {
		t, err := m.Collectors[name].Collect(ctx)
		if err == nil {
			err = m.merge(&all, name, t)
		}
		if err != nil {
			return Tree[V]{}, foldstream.E(foldstream.KindOf(err), "collector "+name, err)
		}
	}
	return m.Then.ProcessEach(all)
}

func (m MergeCollector[V]) merge(all *Tree[V], name string, t Tree[V]) error {
	for artifact, u := range t.All() {
		label, err := Tuple(Text(name), artifact), error(nil)
		if m.Label != nil {
			label, err = m.Label(name, artifact)
		}
		if err == nil {
			err = all.Add(label, u)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
