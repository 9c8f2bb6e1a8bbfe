package collect

import (
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/wire"
)

// Two of four are held and the two others lead each day: with a limit of one, one of them is bought and not two.
func TestAssessDrops(t *testing.T) {
	var f foldstream.Frame
	scores, returns := foldstream.Column{Name: "score"}, foldstream.Column{Name: "return"}
	for d := range 4 {
		for i, name := range []string{"A", "B", "C", "D"} {
			f.Times, f.Instruments = append(f.Times, day(d)), append(f.Instruments, name)
			scores.Values = append(scores.Values, float64((i+2*d)%4))
			returns.Values = append(returns.Values, 0.01)
		}
	}
	f.Columns = []foldstream.Column{scores, returns}
	for drop, want := range map[int]float64{0: (1 + 2 + 2 + 2) / 4., 1: 1} {
		var g Group
		g.assess(f, defaults(foldstream.CollectionSpec{Portfolio: foldstream.PortfolioSpec{TopK: 2, NDrop: drop, Cost: 0.001}}))
		if got := g.Metrics[MetricTurnover]; got != want || len(g.Faults) > 0 {
			t.Errorf("n_drop %d: turnover %v, want %v; %v", drop, got, want, g.Faults)
		}
	}
}

// A spec without a limit has the bytes that it had before there was one.
func TestSpecWithoutDrop(t *testing.T) {
	data, err := encode(wire.SpecOf(foldstream.CollectionSpec{Portfolio: foldstream.PortfolioSpec{TopK: 2}}))
	if err != nil {
		t.Fatal(err)
	}
	var spec map[string]any
	if err := decode("spec", data, &spec); err != nil {
		t.Fatal(err)
	}
	if _, there := spec["n_drop"]; there || len(spec) != 7 {
		t.Errorf("stored as %v", spec)
	}
}
