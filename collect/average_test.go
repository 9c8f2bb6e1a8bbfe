package collect_test

import (
	"math"
	"slices"
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

// Checked against pandas: series.rank(pct=True) of a session, then the mean over the series.
func TestRankAsPandas(t *testing.T) {
	nan := math.NaN()
	a := series("a", []float64{0.3, nan, 0.1, 0.1, 2}, nil)
	b := series("b", []float64{-1, 5, nan, 7, 1e300}, nil)
	fold := collect.NewRank([]foldstream.Expectation{a.Expectation, b.Expectation}, "score")
	for _, m := range []foldstream.Member{b, a} {
		if err := fold.Add(m); err != nil {
			t.Fatal(err)
		}
	}
	f, _, err := fold.Value()
	if err != nil {
		t.Fatal(err)
	}
	if want := []float64{0.5, 0.5, 0.375, 0.5625, 1}; !slices.Equal(f.Column("score"), want) {
		t.Errorf("%v, want %v", f.Column("score"), want)
	}
}

// A member that comes again with other numbers, which a store does not do, changes nothing: the first stands, whatever was looked at.
func TestAddingAgainChangesNothing(t *testing.T) {
	m := series("a", []float64{1, 2, 4}, nil)
	other := m
	other.Frame.Columns = []foldstream.Column{{Name: "score", Values: []float64{4, 2, 1}}}
	expected := []foldstream.Expectation{m.Expectation}
	for name, fold := range map[string]foldstream.Fold{"rolling": collect.NewRolling(expected, nil), "average": collect.NewAverage(expected, "score")} {
		if err := fold.Add(m); err != nil {
			t.Fatal(err)
		}
		want, _, _ := fold.Value()
		if err := fold.Add(other); err != nil {
			t.Fatal(err)
		}
		if got, _, err := fold.Value(); err != nil || !slices.Equal(got.Column("score"), want.Column("score")) {
			t.Errorf("%s: %v, want %v; %v", name, got.Column("score"), want.Column("score"), err)
		}
	}
}
