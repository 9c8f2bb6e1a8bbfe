package collect

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/foldstream/foldstream"
)

// windowOf is a window of so many sessions from a session on, and of 30 instruments, with three columns.
func windowOf(from, sessions int) foldstream.Frame {
	f := foldstream.Frame{Columns: []foldstream.Column{{Name: "score"}, {Name: "label"}, {Name: "return"}}}
	for d := from; d < from+sessions; d++ {
		for i := range 30 {
			f.Times, f.Instruments = append(f.Times, day(d)), append(f.Instruments, fmt.Sprintf("S%02d", i))
			for j := range f.Columns {
				f.Columns[j].Values = append(f.Columns[j].Values, math.Sin(float64(d*i+j)))
			}
		}
	}
	return f
}

// windowsOf are so many windows, each a step after the one before, in the order in which they come: any.
func windowsOf(n, step, sessions int) (expected []foldstream.Expectation, members []foldstream.Member) {
	for w := range n {
		e := foldstream.Expectation{Window: foldstream.Window{Index: w, Of: n}, Test: foldstream.Segment{Start: day(w * step), End: day(w*step + sessions - 1)}}
		expected = append(expected, e)
		members = append(members, foldstream.Member{Expectation: e, Frame: windowOf(w*step, sessions)})
	}
	rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, j int) { members[i], members[j] = members[j], members[i] })
	return expected, members
}

func addTo(b *testing.B, f foldstream.Fold, members []foldstream.Member) {
	for _, m := range members {
		if err := f.Add(m); err != nil {
			b.Fatal(err)
		}
	}
}

func valueOf(b *testing.B, f foldstream.Fold) foldstream.Frame {
	v, _, err := f.Value()
	if err != nil {
		b.Fatal(err)
	}
	return v
}

// 3,000 windows of 5 sessions and 30 instruments: apart, and each over four of the ones before.
func BenchmarkRolling(b *testing.B) {
	for name, step := range map[string]int{"apart": 5, "overlapping": 1} {
		expected, members := windowsOf(3000, step, 5)
		b.Run(name+"/all", func(b *testing.B) {
			for b.Loop() {
				f := NewRolling(expected, nil)
				addTo(b, f, members)
				b.ReportMetric(float64(valueOf(b, f).Len()), "rows")
			}
		})
		b.Run(name+"/one-more", func(b *testing.B) { // what it takes to add the last of them
			for b.Loop() {
				b.StopTimer()
				f := NewRolling(expected, nil)
				addTo(b, f, members[1:])
				b.StartTimer()
				addTo(b, f, members[:1])
			}
		})
		b.Run(name+"/value", func(b *testing.B) {
			f := NewRolling(expected, nil)
			addTo(b, f, members)
			for b.Loop() {
				valueOf(b, f)
			}
		})
	}
}

// 24 series of 1,260 sessions and 30 instruments: the ensemble of the demo.
func BenchmarkAverage(b *testing.B) {
	var expected []foldstream.Expectation
	var members []foldstream.Member
	for i := range 24 {
		e := foldstream.Expectation{Key: foldstream.Key{{Name: "n", Value: fmt.Sprint(i)}}}
		expected = append(expected, e)
		members = append(members, foldstream.Member{Expectation: e, Frame: windowOf(0, 1260)})
	}
	for name, fold := range map[string]func() *Average{
		"z-scores": func() *Average { return NewAverage(expected, "score", "return") },
		"ranks":    func() *Average { return NewRank(expected, "score", "return") },
	} {
		b.Run(name+"/all", func(b *testing.B) {
			for b.Loop() {
				f := fold()
				addTo(b, f, members)
				valueOf(b, f)
			}
		})
		b.Run(name+"/one-more", func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				f := fold()
				addTo(b, f, members[1:])
				b.StartTimer()
				addTo(b, f, members[:1])
				valueOf(b, f)
			}
		})
	}
}

// A configuration of 20 windows of 63 sessions and 30 instruments: what the aggregator folds again while results arrive.
func BenchmarkGroupFold(b *testing.B) {
	expected, members := windowsOf(20, 63, 63)
	for i := range expected {
		expected[i].Task = foldstream.TaskID(fmt.Sprint(i))
	}
	e := foldstream.Experiment{Collection: foldstream.CollectionSpec{Portfolio: foldstream.PortfolioSpec{TopK: 5, Cost: 0.001}}}
	f, err := newFold(e, expected, nil)
	if err != nil {
		b.Fatal(err)
	}
	for i, m := range members {
		task := foldstream.TaskID(fmt.Sprint(m.Window.Index))
		f.apply(foldstream.Event{Seq: foldstream.Cursor(i + 1), Task: task, Kind: foldstream.EventResult, Result: &foldstream.Result{}}, m.Frame, "")
	}
	for b.Loop() {
		if value, _ := f.value(f.groups[0]); len(value.Faults) > 0 || value.Coverage.Present < 20 {
			b.Fatal(value.Faults, value.Coverage)
		}
	}
}
