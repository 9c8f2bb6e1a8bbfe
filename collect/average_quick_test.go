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

// kinds are the ways to average, each with its definition: of one score among those of its series and day, and of a weight.
var kinds = map[string]struct {
	fold   func([]foldstream.Expectation) foldstream.Fold
	scale  func(score float64, day []float64) float64
	weight func(foldstream.Key) float64
}{
	"average":  {func(e []foldstream.Expectation) foldstream.Fold { return collect.NewAverage(e, "score") }, dumbZ, one},
	"weighted": {func(e []foldstream.Expectation) foldstream.Fold { return collect.NewWeighted(e, byName, "score") }, dumbZ, byName},
	"rank":     {func(e []foldstream.Expectation) foldstream.Fold { return collect.NewRank(e, "score") }, dumbRank, one},
}

func one(foldstream.Key) float64 { return 1 }

// byName is 0, 0.75, 1.5 and 2.25.
func byName(key foldstream.Key) float64 { return 0.75 * float64(key.Get("h")[0]-'0') }

// dumbZ is the mean and sample deviation of what is there.
func dumbZ(v float64, day []float64) float64 {
	n, sum, squares, same := 0.0, 0.0, 0.0, true
	for _, w := range day {
		n, sum, same = n+1, sum+w, same && w == v
	}
	for _, w := range day {
		squares += (w - sum/n) * (w - sum/n)
	}
	if n < 2 || same {
		return math.NaN()
	}
	return (v - sum/n) / math.Sqrt(squares/(n-1))
}

// dumbRank counts: what is lower is before it, and of what is equal, itself included, half.
func dumbRank(v float64, day []float64) float64 {
	lower, equal := 0.0, 0.0
	for _, w := range day {
		if w < v {
			lower++
		} else if w == v {
			equal++
		}
	}
	return (lower + (equal+1)/2) / float64(len(day))
}

// dumbAverage follows the definition: by series and day, over what is there; then by row.
func dumbAverage(members []foldstream.Member, scale func(float64, []float64) float64, weight func(foldstream.Key) float64) map[row]float64 {
	sums, weights := map[row]float64{}, map[row]float64{}
	for _, m := range members {
		days := map[foldstream.Time][]float64{}
		for i, at := range m.Frame.Times {
			if v := m.Frame.Column("score")[i]; !math.IsNaN(v) {
				days[at] = append(days[at], v)
			}
		}
		for i, at := range m.Frame.Times {
			r, v := row{at, m.Frame.Instruments[i]}, m.Frame.Column("score")[i]
			sums[r] += 0 // it is a row
			if scaled := scale(v, days[at]); !math.IsNaN(v) && !math.IsNaN(scaled) {
				sums[r] += weight(m.Key) * scaled
				weights[r] += weight(m.Key)
			}
		}
	}
	for r := range sums {
		sums[r] /= weights[r]
	}
	return sums
}

func TestAverageTwin(t *testing.T) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				expected, members := drawSeries(t)
				frame, cover := addAll(t, kind.fold(expected), members, false)
				want := dumbAverage(members, kind.scale, kind.weight)
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
		})
	}
}

// Any order of arrival, any split by looks in between, and duplicates give the same bytes.
func TestAverageAnyOrder(t *testing.T) {
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				expected, members := drawSeries(t)
				a, _ := addAll(t, kind.fold(expected), members, false)
				other := rapid.Permutation(expected).Draw(t, "expected")
				b, _ := addAll(t, kind.fold(other), shuffled(t, members), true)
				if !bytes.Equal(bytesOf(t, a), bytesOf(t, b)) {
					t.Fatalf("other bytes:\n%v\n%v", a, b)
				}
			})
		})
	}
}
