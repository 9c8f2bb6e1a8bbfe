package collect

import (
	"context"
	"iter"
	"maps"
	"slices"

	"github.com/foldstream/foldstream"
)

// RecorderCollector gathers frames of the recorders of an experiment (Qlib: workflow/task/collect.py:RecorderCollector). It goes
// through the recorders one at a time and loads one frame at a time: what is held is what the first of its processors holds.
type RecorderCollector struct {
	Recorders  Recorders
	Experiment string
	Status     []foldstream.Status          // only recorders of these; nil is Done alone, see AnyStatus
	Keep       func(Recorder) (bool, error) // only these; nil keeps all
	Label      func(Recorder) (Label, error)
	Frames     map[string]string // the name of each frame to load by the artifact it is collected as; nil is "pred" as "pred"
	Only       []string          // of the artifacts in Frames; nil is all
	// MustExist makes it an error that a recorder has no such frame. Else the recorder is left out and Absent, where it is set, is told.
	MustExist bool
	Absent    func(r Recorder, frame string)
	Then      Chain[foldstream.Frame]
}

var _ Collector[foldstream.Frame] = RecorderCollector{}

// Entry is one frame of a recorder.
type Entry struct {
	Artifact string // as what it is collected
	Label    Label
	Recorder Recorder
	Frame    foldstream.Frame
}

// Select tells the recorders that are collected, without loading anything of them. The sequence ends with its first error.
func (c RecorderCollector) Select(ctx context.Context) iter.Seq2[Recorder, error] {
	return func(yield func(Recorder, error) bool) {
		for r, err := range c.Recorders.List(ctx, c.Experiment) {
			keep := err == nil && c.hasStatus(r.Status)
			if keep && c.Keep != nil {
				keep, err = c.Keep(r)
			}
			if (keep || err != nil) && !yield(r, err) || err != nil {
				return
			}
		}
	}
}

func (c RecorderCollector) hasStatus(s foldstream.Status) bool {
	if c.Status == nil {
		return s == foldstream.Done
	}
	return slices.Contains(c.Status, s)
}

// Entries tells the frames of the recorders that Select tells, each loaded when it is asked for. The sequence ends with its first
// error. Errors: Invalid (an artifact in Only that Frames does not have), NotFound (a frame that must exist), those of Label and
// of the recorders.
func (c RecorderCollector) Entries(ctx context.Context) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		artifacts, frames, err := c.artifacts()
		if err != nil {
			yield(Entry{}, err)
			return
		}
		for r, err := range c.Select(ctx) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			for _, artifact := range artifacts {
				e, there, err := c.load(ctx, r, artifact, frames[artifact])
				if (there || err != nil) && !yield(e, err) || err != nil {
					return
				}
			}
		}
	}
}

// artifacts returns what to collect, in order, and the names of the frames.
func (c RecorderCollector) artifacts() ([]string, map[string]string, error) {
	frames := c.Frames
	if frames == nil {
		frames = map[string]string{"pred": "pred"}
	}
	for _, only := range c.Only {
		if _, known := frames[only]; !known {
			return nil, nil, foldstream.Errorf(foldstream.Invalid, "collect", "there is no artifact %q to collect; there are %q", only, slices.Sorted(maps.Keys(frames)))
		}
	}
	all := slices.Sorted(maps.Keys(frames))
	if c.Only != nil {
		all = slices.DeleteFunc(all, func(name string) bool { return !slices.Contains(c.Only, name) })
	}
	return all, frames, nil
}

// load loads a frame; there is false where the recorder has none and need not.
func (c RecorderCollector) load(ctx context.Context, r Recorder, artifact, name string) (e Entry, there bool, err error) {
	label := c.Label
	if label == nil {
		label = ByID
	}
	e = Entry{Artifact: artifact, Recorder: r}
	if e.Label, err = label(r); err != nil {
		return e, false, err
	}
	e.Frame, err = c.Recorders.Frame(ctx, r, name)
	if foldstream.Is(err, foldstream.NotFound) && !c.MustExist {
		if c.Absent != nil {
			c.Absent(r, name)
		}
		return e, false, nil
	}
	if err != nil {
		err = foldstream.Errorf(foldstream.KindOf(err), "collect", "recorder %s, frame %q: %w", r.ID, name, err)
	}
	return e, err == nil, err
}

// Collect returns a branch for each artifact that a recorder has, processed. A recorder that is told twice is collected once.
// Errors: those of Entries and the processors, Conflict (two recorders have the same label).
func (c RecorderCollector) Collect(ctx context.Context) (Tree[foldstream.Frame], error) {
	var out Tree[foldstream.Frame]
	if err := c.Then.Check(); err != nil {
		return out, err
	}
	all := map[string]*gathering{}
	for e, err := range c.Entries(ctx) {
		if err != nil {
			return out, err
		}
		if all[e.Artifact] == nil {
			all[e.Artifact] = &gathering{c.Then.Begin(), map[Label]string{}}
		}
		if err := all[e.Artifact].add(e); err != nil {
			return out, err
		}
	}
	for artifact, g := range all {
		t, err := g.Value()
		if err == nil {
			err = out.Add(Text(artifact), t)
		}
		if err != nil {
			return Tree[foldstream.Frame]{}, foldstream.E(foldstream.KindOf(err), "collect "+artifact, err)
		}
	}
	return out, nil
}

// gathering is what there is of one artifact so far.
type gathering struct {
	Reduction[foldstream.Frame]
	from map[Label]string // the recorder of each label
}

func (g *gathering) add(e Entry) error {
	switch other, taken := g.from[e.Label]; {
	case taken && other == e.Recorder.ID:
		return nil
	case taken:
		return foldstream.Errorf(foldstream.Conflict, "collect", "the recorders %s and %s both have the label %s", other, e.Recorder.ID, e.Label)
	}
	g.from[e.Label] = e.Recorder.ID
	if err := g.Add(e.Label, Leaf(e.Frame)); err != nil {
		return foldstream.Errorf(foldstream.KindOf(err), "collect", "recorder %s: %w", e.Recorder.ID, err)
	}
	return nil
}
