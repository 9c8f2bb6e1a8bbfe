package collect

import (
	"slices"

	"github.com/foldstream/foldstream"
)

// Ensemble makes one frame of the frames of a tree. It is the fold of the same name for trees: any order gives the same bytes.
type Ensemble struct {
	begin func() Reduction[foldstream.Frame]
}

var _ Reducer[foldstream.Frame] = Ensemble{}

// RollingEnsemble merges the frames of windows as Rolling does; of two that start at the same time, that of the later label wins.
func RollingEnsemble() Ensemble {
	return Ensemble{func() Reduction[foldstream.Frame] { return &rollingTree{} }}
}

// Overlaps names the sessions of which two frames of a tree have rows, as segments: those where RollingEnsemble has to choose. Errors:
// Invalid, as RollingEnsemble.
func Overlaps(t Tree[foldstream.Frame]) ([]foldstream.Segment, error) {
	r := &rollingTree{}
	merged, err := reduce(r, t)
	if err != nil {
		return nil, err
	}
	f, _ := merged.Leaf()
	return r.overlaps(distinctTimes(f.Times)), nil
}

// AverageEnsemble averages a column of the frames as NewAverage does, those below other branches included; all weigh the same.
// The column "" is the one that a frame has; frames with several are then refused.
func AverageEnsemble(score string) Ensemble {
	return Ensemble{func() Reduction[foldstream.Frame] { return newBlendTree(score, zScores, nil) }}
}

// WeightedEnsemble averages as AverageEnsemble does, with a weight for each frame, as NewWeighted. weight is called with the labels
// that Tree.Leaves gives.
func WeightedEnsemble(score string, weight func(Label) float64) Ensemble {
	return Ensemble{func() Reduction[foldstream.Frame] { return newBlendTree(score, zScores, weight) }}
}

// RankEnsemble averages ranks as NewRank does, else as AverageEnsemble.
func RankEnsemble(score string) Ensemble {
	return Ensemble{func() Reduction[foldstream.Frame] { return newBlendTree(score, rankScores, nil) }}
}

// Begin begins a reduction.
func (e Ensemble) Begin() Reduction[foldstream.Frame] { return e.begin() }

// Process makes one frame of the tree's. Errors: Invalid (no frames, one that the ensemble cannot use).
func (e Ensemble) Process(t Tree[foldstream.Frame]) (Tree[foldstream.Frame], error) {
	return reduce(e.begin(), t)
}

// empty is the error of an ensemble of nothing: there is no frame that it could be.
func empty() error {
	return foldstream.Errorf(foldstream.Invalid, "ensemble", "there are no frames to make one of")
}

// rollingTree is a RollingEnsemble at work.
type rollingTree struct {
	labels map[Label]bool
	series
}

func (r *rollingTree) Add(l Label, t Tree[foldstream.Frame]) error {
	f, ok := t.Leaf()
	switch {
	case !ok:
		return foldstream.Errorf(foldstream.Invalid, "ensemble", "%s is no frame of a window, but branches", l)
	case r.labels[l]:
		return foldstream.Errorf(foldstream.Conflict, "ensemble", "two frames have the label %s", l)
	}
	if err := f.Validate(); err != nil {
		return foldstream.E(foldstream.Invalid, l.String(), err)
	}
	if r.labels == nil {
		r.labels = map[Label]bool{}
	}
	r.labels[l] = true
	r.add(&window{Frame: unique(f), label: l})
	return nil
}

func (r *rollingTree) Value() (Tree[foldstream.Frame], error) {
	if len(r.labels) == 0 {
		return Tree[foldstream.Frame]{}, empty()
	}
	f, err := r.merged()
	return Leaf(f), err
}

// blendTree is an ensemble by means at work.
type blendTree struct {
	labels []Label // beside the members, in order
	weight func(Label) float64
	single bool // the one column of a frame is averaged, whatever its name
	blend
}

func newBlendTree(score string, scale func(foldstream.Frame, []float64) []float64, weight func(Label) float64) *blendTree {
	b := &blendTree{weight: weight, single: score == "", blend: blend{score: score, scale: scale}}
	if b.single {
		b.score = "score"
	}
	return b
}

func (b *blendTree) Add(l Label, t Tree[foldstream.Frame]) error {
	var all Tree[foldstream.Frame]
	if err := all.Add(l, t); err != nil {
		return err
	}
	for label, f := range all.Leaves() {
		if err := b.one(label, f); err != nil {
			return err
		}
	}
	return nil
}

func (b *blendTree) one(l Label, f foldstream.Frame) error {
	if b.single && f.Len() > 0 {
		if len(f.Columns) != 1 {
			return foldstream.Errorf(foldstream.Invalid, "ensemble", "%s has the columns %q; name the one to average", l, columnNames(f))
		}
		f.Columns = []foldstream.Column{{Name: b.score, Values: f.Columns[0].Values}}
	}
	at, found := slices.BinarySearchFunc(b.labels, l, Label.Compare)
	if found {
		return foldstream.Errorf(foldstream.Conflict, "ensemble", "two frames have the label %s", l)
	}
	f, err := b.check(l.String(), f)
	if err != nil {
		return err
	}
	weight := 1.0
	if b.weight != nil {
		weight = b.weight(l)
	}
	b.labels = slices.Insert(b.labels, at, l)
	b.members = slices.Insert(b.members, at, blended{weight: weight})
	b.take(at, f)
	return nil
}

func (b *blendTree) Value() (Tree[foldstream.Frame], error) {
	if len(b.labels) == 0 {
		return Tree[foldstream.Frame]{}, empty()
	}
	f, err := b.value()
	return Leaf(f), err
}
