package collect_test

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

func day(n int) foldstream.Time { return foldstream.DateOf(2020, 1, 1+n) }

func span(from, to int) foldstream.Segment {
	return foldstream.Segment{Start: day(from), End: day(to)}
}

// drawFrame draws rows of a few days and instruments, in any order and with duplicates.
func drawFrame(t *rapid.T, columns ...string) foldstream.Frame {
	value := rapid.Custom(func(t *rapid.T) float64 {
		if rapid.IntRange(0, 5).Draw(t, "missing") == 0 {
			return math.NaN()
		}
		return float64(rapid.IntRange(-3, 3).Draw(t, "value")) / 7
	})
	n := rapid.IntRange(0, 12).Draw(t, "rows")
	f := foldstream.Frame{Instruments: make([]string, 0)}
	for range n {
		f.Times = append(f.Times, day(rapid.IntRange(0, 9).Draw(t, "day")))
		f.Instruments = append(f.Instruments, rapid.SampledFrom([]string{"AA", "BB", "CC"}).Draw(t, "instrument"))
	}
	for _, name := range columns {
		f.Columns = append(f.Columns, foldstream.Column{Name: name, Values: rapid.SliceOfN(value, n, n).Draw(t, name)})
	}
	return f
}

func drawWindows(t *rapid.T) (expected []foldstream.Expectation, members []foldstream.Member) {
	n := rapid.IntRange(1, 5).Draw(t, "windows")
	for i := range n {
		from := rapid.IntRange(0, 9).Draw(t, "from")
		e := foldstream.Expectation{
			Key:    foldstream.Key{{Name: "h", Value: "1"}},
			Window: foldstream.Window{Index: i, Of: n},
			Test:   span(from, rapid.IntRange(from, 9).Draw(t, "to")),
			Task:   foldstream.TaskID(fmt.Sprint("task", i)),
		}
		expected = append(expected, e)
		if rapid.IntRange(0, 4).Draw(t, "absent") > 0 {
			columns := rapid.Permutation([]string{"score", "label"}).Draw(t, "columns")
			members = append(members, foldstream.Member{Expectation: e, Frame: drawFrame(t, columns...)})
		}
	}
	return expected, members
}

// shuffled returns the members in any order, some of them more than once.
func shuffled(t *rapid.T, members []foldstream.Member) []foldstream.Member {
	again := slices.Clone(members)
	for _, m := range members {
		if rapid.Bool().Draw(t, "again") {
			again = append(again, m)
		}
	}
	return rapid.Permutation(again).Draw(t, "order")
}

func addAll(t *rapid.T, f foldstream.Fold, members []foldstream.Member, peek bool) (foldstream.Frame, foldstream.Coverage) {
	for _, m := range members {
		if err := f.Add(m); err != nil {
			t.Fatal(err)
		}
		if peek {
			if _, _, err := f.Value(); err != nil {
				t.Fatal(err)
			}
		}
	}
	frame, cover, err := f.Value()
	if err != nil {
		t.Fatal(err)
	}
	return frame, cover
}

func bytesOf(t interface{ Fatal(...any) }, f foldstream.Frame) []byte {
	b, err := f.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// row is one row of a frame as a twin holds it.
type row struct {
	at         foldstream.Time
	instrument string
}

func compareRows(a, b row) int {
	return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.instrument, b.instrument))
}

// dumbRolling writes window after window into a map, in order of their first day, so that later ones win.
func dumbRolling(members []foldstream.Member) (map[row][]float64, map[foldstream.Time]int) {
	first := func(m foldstream.Member) foldstream.Time {
		if m.Frame.Len() == 0 {
			return foldstream.Time{}
		}
		return slices.MinFunc(m.Frame.Times, foldstream.Time.Compare)
	}
	members = slices.Clone(members)
	slices.SortFunc(members, func(a, b foldstream.Member) int {
		return cmp.Or(first(a).Compare(first(b)), cmp.Compare(a.Window.Index, b.Window.Index))
	})
	rows, seen := map[row][]float64{}, map[foldstream.Time]int{}
	for _, m := range members {
		days := map[foldstream.Time]bool{}
		for i, at := range m.Frame.Times {
			var values []float64
			for _, name := range []string{"label", "score"} {
				values = append(values, m.Frame.Column(name)[i])
			}
			rows[row{at, m.Frame.Instruments[i]}] = values
			days[at] = true
		}
		for at := range days {
			seen[at]++
		}
	}
	return rows, seen
}

func TestRollingTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		expected, members := drawWindows(t)
		var sessions []foldstream.Time
		for i := range 10 {
			sessions = append(sessions, day(i))
		}
		frame, cover := addAll(t, collect.NewRolling(expected, sessions), members, false)
		rows, seen := dumbRolling(members)
		if frame.Len() != len(rows) {
			t.Fatalf("%d rows, want %d", frame.Len(), len(rows))
		}
		for i := range frame.Len() {
			r := row{frame.Times[i], frame.Instruments[i]}
			got := []float64{frame.Column("label")[i], frame.Column("score")[i]}
			if !gocmp.Equal(got, rows[r], nanEqual) {
				t.Fatalf("%v %s: %v, want %v", r.at, r.instrument, got, rows[r])
			}
			if i > 0 && compareRows(row{frame.Times[i-1], frame.Instruments[i-1]}, r) >= 0 {
				t.Fatalf("row %d is out of order", i)
			}
		}
		for _, s := range sessions {
			wanted := slices.ContainsFunc(expected, func(e foldstream.Expectation) bool { return inside(e.Test, s) })
			if got, want := covered(cover.Gaps, s), wanted && seen[s] == 0; got != want {
				t.Fatalf("%s is a gap: %t, want %t", s, got, want)
			}
			if got, want := covered(cover.Overlaps, s), seen[s] > 1; got != want {
				t.Fatalf("%s is an overlap: %t, want %t", s, got, want)
			}
			if got, want := covered(cover.Duplicates, s), repeats(members, s); got != want {
				t.Fatalf("%s is a duplicate: %t, want %t", s, got, want)
			}
		}
		if cover.Present != len(members) || cover.Present+len(cover.Missing) != len(expected) {
			t.Fatalf("coverage %+v of %d members", cover, len(members))
		}
	})
}

// repeats reports whether a member has a row of a day and instrument twice.
func repeats(members []foldstream.Member, at foldstream.Time) bool {
	for _, m := range members {
		seen := map[string]bool{}
		for i, name := range m.Frame.Instruments {
			if m.Frame.Times[i] == at && seen[name] {
				return true
			}
			seen[name] = seen[name] || m.Frame.Times[i] == at
		}
	}
	return false
}

var nanEqual = gocmp.Comparer(func(a, b float64) bool { return a == b || math.IsNaN(a) && math.IsNaN(b) })

func inside(s foldstream.Segment, t foldstream.Time) bool {
	return !t.Before(s.Start) && !t.After(s.End)
}

func covered(segments []foldstream.Segment, t foldstream.Time) bool {
	return slices.ContainsFunc(segments, func(s foldstream.Segment) bool { return inside(s, t) })
}

// Any order of arrival, any split by looks in between, and duplicates give the same bytes.
func TestRollingAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		expected, members := drawWindows(t)
		a, coverA := addAll(t, collect.NewRolling(expected, nil), members, false)
		other := rapid.Permutation(expected).Draw(t, "expected")
		b, coverB := addAll(t, collect.NewRolling(other, nil), shuffled(t, members), true)
		if !bytes.Equal(bytesOf(t, a), bytesOf(t, b)) {
			t.Fatalf("other bytes:\n%v\n%v", a, b)
		}
		if d := gocmp.Diff(coverA, coverB, gocmp.Comparer(func(a, b foldstream.Time) bool { return a == b })); d != "" {
			t.Fatal(d)
		}
	})
}
