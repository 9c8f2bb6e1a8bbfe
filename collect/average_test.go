package collect_test

import (
	"math"
	"strings"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/collect"
)

func series(name string, scores, returns []float64) foldstream.Member {
	f := foldstream.Frame{Columns: []foldstream.Column{{Name: "score", Values: scores}}}
	for i := range scores {
		f.Times, f.Instruments = append(f.Times, day(0)), append(f.Instruments, string(rune('A'+i)))
	}
	if returns != nil {
		f.Columns = append(f.Columns, foldstream.Column{Name: "return", Values: returns})
	}
	return foldstream.Member{Expectation: foldstream.Expectation{Key: foldstream.Key{{Name: "n", Value: name}}}, Frame: f}
}

func average(members ...foldstream.Member) (foldstream.Frame, error) {
	var expected []foldstream.Expectation
	for _, m := range members {
		expected = append(expected, m.Expectation)
	}
	a := collect.NewAverage(expected, "score", "return")
	for _, m := range members {
		if err := a.Add(m); err != nil {
			return foldstream.Frame{}, err
		}
	}
	f, _, err := a.Value()
	return f, err
}

// The mean of 0.1 three times is not 0.1 in floating point; a session of equal scores has no z-score all the same.
func TestAverageOfEqualScores(t *testing.T) {
	f, err := average(series("a", []float64{0.1, 0.1, 0.1}, nil))
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range f.Column("score") {
		if !math.IsNaN(v) {
			t.Errorf("score %v", v)
		}
	}
}

func TestAverageSame(t *testing.T) {
	nan := math.NaN()
	f, err := average(
		series("a", []float64{1, 2}, []float64{0.5, nan}),
		series("b", []float64{2, 1}, []float64{nan, 0.25}),
		series("c", []float64{2, 1}, nil),
	)
	if got := f.Column("return"); err != nil || len(got) != 2 || got[0] != 0.5 || got[1] != 0.25 {
		t.Errorf("returns %v, %v", got, err)
	}
	_, err = average(series("a", []float64{1, 2}, []float64{0.5, 0}), series("b", []float64{2, 1}, []float64{0.5, 0.25}))
	if !foldstream.Is(err, foldstream.Differs) || !strings.Contains(err.Error(), `"return" at 2020-01-01 B: 0 and 0.25`) {
		t.Errorf("series that disagree: %v", err)
	}
}
