package collect

import (
	"bytes"
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
)

func day(n int) foldstream.Time { return foldstream.DateOf(2020, 1, 1+n) }

// story is what happens to one task: its events in order, of which the last decides.
type story struct {
	task   foldstream.TaskID
	events []foldstream.Event
}

func drawFrame(t *rapid.T) foldstream.Frame {
	f := foldstream.Frame{Instruments: make([]string, 0), Columns: []foldstream.Column{{Name: "score"}, {Name: "label"}, {Name: "return"}}}
	for range rapid.IntRange(0, 8).Draw(t, "rows") {
		at, name := rapid.IntRange(0, 9).Draw(t, "day"), rapid.IntRange(0, 3).Draw(t, "instrument")
		f.Times = append(f.Times, day(at))
		f.Instruments = append(f.Instruments, string(rune('A'+name)))
		came := math.Sin(float64(at*5 + name)) // a fact: the same in every frame
		for i, v := range []float64{rapid.Float64Range(-1, 1).Draw(t, "score"), came * 2, came} {
			f.Columns[i].Values = append(f.Columns[i].Values, v)
		}
	}
	return f
}

// drawExperiment draws members in a few groups, some of which share a task, and the story of every task.
func drawExperiment(t *rapid.T) ([]foldstream.Expectation, []story) {
	var members []foldstream.Expectation
	tasks := map[foldstream.TaskID]bool{}
	for g := range rapid.IntRange(1, 3).Draw(t, "groups") {
		for w := range rapid.IntRange(1, 4).Draw(t, "windows") {
			id := foldstream.TaskID(fmt.Sprintf("t%d%d", g, w))
			if rapid.IntRange(0, 3).Draw(t, "shared") == 0 {
				id = foldstream.TaskID(fmt.Sprintf("t%d%d", 0, w))
			}
			tasks[id] = true
			members = append(members, foldstream.Expectation{
				Key: foldstream.Key{{Name: "g", Value: fmt.Sprint(g)}}, Window: foldstream.Window{Index: w},
				Test: foldstream.Segment{Start: day(w), End: day(w + 2)}, Task: id,
			})
		}
	}
	var stories []story
	for _, id := range slices.Sorted(mapKeys(tasks)) {
		stories = append(stories, drawStory(t, id))
	}
	return members, stories
}

func mapKeys(m map[foldstream.TaskID]bool) func(func(foldstream.TaskID) bool) {
	return func(yield func(foldstream.TaskID) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func drawStory(t *rapid.T, id foldstream.TaskID) story {
	s := story{task: id}
	add := func(kind foldstream.EventKind, status foldstream.Status, r *foldstream.Result) {
		s.events = append(s.events, foldstream.Event{Task: id, Kind: kind, Status: status, Result: r})
	}
	for range rapid.IntRange(0, 2).Draw(t, "attempts") {
		add(foldstream.EventClaim, foldstream.Running, nil)
		add(foldstream.EventEnd, rapid.SampledFrom([]foldstream.Status{foldstream.Waiting, foldstream.Dead, foldstream.Withdrawn}).Draw(t, "end"), nil)
	}
	if rapid.IntRange(0, 3).Draw(t, "done") > 0 {
		add(foldstream.EventClaim, foldstream.Running, nil)
		add(foldstream.EventResult, foldstream.Done, &foldstream.Result{
			Metrics: map[string]float64{"a": rapid.Float64().Draw(t, "metric"), "b": math.NaN()},
			Frames:  map[string]foldstream.Frame{"pred": drawFrame(t)},
			Code:    rapid.SampledFrom([]string{"", "v1", "v2"}).Draw(t, "code"),
		})
	}
	return s
}

// tell applies the stories, interleaved at random, and folds and closes groups on the way where look says so. It returns the
// bytes of every group and the summary.
func tell(t *rapid.T, members []foldstream.Expectation, stories []story, look bool) [][]byte {
	e := foldstream.Experiment{Collection: foldstream.CollectionSpec{Ensemble: "average", Portfolio: foldstream.PortfolioSpec{TopK: 2}}}
	f, err := newFold(e, members, []foldstream.Time{day(0), day(1), day(2), day(3), day(4), day(5)})
	if err != nil {
		t.Fatal(err)
	}
	values := make([][]byte, len(f.groups))
	frames, covers := make([]foldstream.Frame, len(f.groups)), make([]foldstream.Coverage, len(f.groups))
	store := func() {
		for i, g := range f.groups {
			if g.dirty {
				value, merged := f.value(g)
				values[i], frames[i], covers[i] = mustEncode(t, value, g.basis), merged, value.Coverage
				g.stored(value.Coverage)
			}
		}
	}
	var order []int
	for i, s := range stories {
		order = append(order, slices.Repeat([]int{i}, len(s.events))...)
	}
	next := make([]int, len(stories))
	var old []foldstream.Event
	for seq, i := range rapid.Permutation(order).Draw(t, "order") {
		ev := stories[i].events[next[i]]
		next[i]++
		ev.Seq = foldstream.Cursor(seq + 1)
		var frame foldstream.Frame
		if ev.Result != nil {
			frame = ev.Result.Frames["pred"]
		}
		f.apply(ev, frame, "")
		if old = append(old, ev); look { // a reader that starts again repeats what was read
			again := rapid.SampledFrom(old).Draw(t, "again")
			if again.Result != nil {
				frame = again.Result.Frames["pred"]
			}
			if f.apply(again, frame, "") {
				t.Fatalf("event %d, after %d, changed something", again.Seq, ev.Seq)
			}
		}
		if look && rapid.Bool().Draw(t, "look") {
			store()
		}
	}
	store()
	cover := foldstream.Coverage{}
	for _, c := range covers {
		cover = addCoverage(cover, c)
	}
	ensemble, _, err := f.ensemble(func(g *group) (foldstream.Frame, error) { return frames[slices.Index(f.groups, g)], nil })
	if err != nil {
		t.Fatal(err)
	}
	ensemble.Coverage = cover
	summary, err := f.summary(f.settled(), true).encode()
	if err != nil {
		t.Fatal(err)
	}
	return append(values, mustEncode(t, ensemble, ""), summary)
}

func mustEncode(t *rapid.T, g Group, basis foldstream.Digest) []byte {
	daily, err := g.Daily.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	data, err := g.encode(basis, Blob{Inline: daily})
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A collection is a function of the set of winning results: any interleaving of the tasks' events, any looks in between,
// any redelivery, and any order of the list of members give the same bytes.
func TestFoldIsAView(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, stories := drawExperiment(t)
		want := tell(t, members, stories, false)
		got := tell(t, rapid.Permutation(members).Draw(t, "members"), stories, true)
		if !slices.EqualFunc(want, got, bytes.Equal) {
			t.Fatalf("other bytes:\n%q\n%q", want, got)
		}
	})
}

// The counts of a fold agree with the stories.
func TestFoldCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members, stories := drawExperiment(t)
		all := tell(t, members, stories, true)
		s, err := decodeSummary("summary", all[len(all)-1])
		if err != nil {
			t.Fatal(err)
		}
		present, failed, codes := 0, 0, Codes{}
		for _, m := range members {
			at := slices.IndexFunc(stories, func(s story) bool { return s.task == m.Task })
			events := stories[at].events
			switch {
			case len(events) == 0:
			case events[len(events)-1].Status == foldstream.Done:
				present++
				codes[events[len(events)-1].Result.Code]++
			case events[len(events)-1].Status.Final():
				failed++
			}
		}
		if s.Expected != len(members) || s.Present != present || s.Failed != failed || s.Settled != (present+failed == len(members)) || !maps.Equal(s.Codes, codes) {
			t.Fatalf("%+v, want %d present, by %v, and %d failed of %d", s, present, codes, failed, len(members))
		}
	})
}

// The ensemble is the one that the spec names.
func TestFoldEnsembleOfSpec(t *testing.T) {
	var members []foldstream.Expectation
	var frames []foldstream.Frame
	for _, name := range []string{"1", "2"} {
		members = append(members, foldstream.Expectation{Key: foldstream.Key{{Name: "g", Value: name}}, Task: foldstream.TaskID(name)})
		f := foldstream.Frame{Instruments: []string{"A", "B", "C"}, Columns: []foldstream.Column{{Name: "score", Values: []float64{1, 2, 9}}}}
		for range f.Instruments {
			f.Times = append(f.Times, day(0))
		}
		frames = append(frames, f)
	}
	frames[1].Columns[0].Values = []float64{9, 2, 1}
	one := foldstream.Weight{Key: members[0].Key, Weight: 0}
	for _, c := range []struct {
		spec foldstream.CollectionSpec
		want []float64
	}{
		{foldstream.CollectionSpec{Ensemble: "average"}, []float64{zOf(1, 1, 2, 9)/2 + zOf(9, 1, 2, 9)/2, zOf(2, 1, 2, 9), zOf(1, 1, 2, 9)/2 + zOf(9, 1, 2, 9)/2}},
		{foldstream.CollectionSpec{Ensemble: "rank"}, []float64{2. / 3, 2. / 3, 2. / 3}},
		{foldstream.CollectionSpec{Ensemble: "weighted", Weights: []foldstream.Weight{one}}, []float64{zOf(9, 1, 2, 9), zOf(2, 1, 2, 9), zOf(1, 1, 2, 9)}},
	} {
		f, err := newFold(foldstream.Experiment{Collection: c.spec}, members, nil)
		if err != nil {
			t.Fatal(err)
		}
		group, merged, err := f.ensemble(func(g *group) (foldstream.Frame, error) { return frames[slices.Index(f.groups, g)], nil })
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range c.want {
			if got := merged.Column("score")[i]; len(group.Faults) > 0 || math.Abs(got-want) > 1e-12 {
				t.Errorf("%s: row %d is %v, want %v; %v", c.spec.Ensemble, i, got, want, group.Faults)
			}
		}
	}
}

// zOf is the z-score of v among values.
func zOf(v float64, values ...float64) float64 {
	mean, squares := 0.0, 0.0
	for _, w := range values {
		mean += w / float64(len(values))
	}
	for _, w := range values {
		squares += (w - mean) * (w - mean) / float64(len(values)-1)
	}
	return (v - mean) / math.Sqrt(squares)
}
