package collect_test

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

func drawSeries(t *rapid.T) (expected []foldstream.Expectation, members []foldstream.Member) {
	for i := range rapid.IntRange(1, 4).Draw(t, "series") {
		e := foldstream.Expectation{
			Key:  foldstream.Key{{Name: "h", Value: fmt.Sprint(i)}},
			Task: foldstream.TaskID(fmt.Sprint("task", i)),
		}
		expected = append(expected, e)
		members = append(members, foldstream.Member{Expectation: e, Frame: withoutDuplicates(drawFrame(t, "score"))})
	}
	return expected, members
}

func withoutDuplicates(f foldstream.Frame) foldstream.Frame {
	seen := map[row]bool{}
	var keep []int
	for i := range f.Len() {
		if r := (row{f.Times[i], f.Instruments[i]}); !seen[r] {
			seen[r] = true
			keep = append(keep, i)
		}
	}
	return f.Rows(keep)
}

// dumbAverage follows the definition: by series and day, mean and sample deviation over what is there; then by row.
func dumbAverage(members []foldstream.Member) map[row]float64 {
	z := map[row][]float64{}
	for _, m := range members {
		scores := map[row]float64{}
		for i, at := range m.Frame.Times {
			scores[row{at, m.Frame.Instruments[i]}] = m.Frame.Column("score")[i]
		}
		for r, v := range scores {
			var n, sum, squares float64
			same := true
			for s, w := range scores {
				if s.at == r.at && !math.IsNaN(w) {
					n, sum = n+1, sum+w
					same = same && (w == v || math.IsNaN(v))
				}
			}
			for s, w := range scores {
				if s.at == r.at && !math.IsNaN(w) {
					squares += (w - sum/n) * (w - sum/n)
				}
			}
			score := math.NaN()
			if n > 1 && !same {
				score = (v - sum/n) / math.Sqrt(squares/(n-1))
			}
			z[r] = append(z[r], score)
		}
	}
	out := map[row]float64{}
	for r, scores := range z {
		n, sum := 0.0, 0.0
		for _, s := range scores {
			if !math.IsNaN(s) {
				n, sum = n+1, sum+s
			}
		}
		out[r] = sum / n
	}
	return out
}

func TestAverageTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		expected, members := drawSeries(t)
		frame, cover := addAll(t, collect.NewAverage(expected, "score"), members, false)
		want := dumbAverage(members)
		if frame.Len() != len(want) || cover.Present != len(members) {
			t.Fatalf("%d rows, want %d; %+v", frame.Len(), len(want), cover)
		}
		for i, got := range frame.Column("score") {
			w := want[row{frame.Times[i], frame.Instruments[i]}]
			if math.IsNaN(got) != math.IsNaN(w) || math.Abs(got-w) > 1e-9 {
				t.Fatalf("%s %s: %v, want %v", frame.Times[i], frame.Instruments[i], got, w)
			}
		}
	})
}

func TestAverageAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		expected, members := drawSeries(t)
		a, _ := addAll(t, collect.NewAverage(expected, "score"), members, false)
		other := rapid.Permutation(expected).Draw(t, "expected")
		b, _ := addAll(t, collect.NewAverage(other, "score"), shuffled(t, members), true)
		if !bytes.Equal(bytesOf(t, a), bytesOf(t, b)) {
			t.Fatalf("other bytes:\n%v\n%v", a, b)
		}
	})
}
