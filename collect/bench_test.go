package collect

import (
	"fmt"
	"math"
	"testing"

	"github.com/foldstream/foldstream"
)

// A configuration of 20 windows of 63 sessions and 30 instruments: what the aggregator folds again while results arrive.
func BenchmarkGroupFold(b *testing.B) {
	spec := defaults(foldstream.CollectionSpec{Portfolio: foldstream.PortfolioSpec{TopK: 5, Cost: 0.001}})
	g := &group{}
	for w := range 20 {
		f := foldstream.Frame{Columns: []foldstream.Column{{Name: "score"}, {Name: "label"}, {Name: "return"}}}
		for d := range 63 {
			for i := range 30 {
				f.Times, f.Instruments = append(f.Times, day(63*w+d)), append(f.Instruments, fmt.Sprintf("S%02d", i))
				for j := range f.Columns {
					f.Columns[j].Values = append(f.Columns[j].Values, math.Sin(float64(w*d+i*j)))
				}
			}
		}
		g.slots = append(g.slots, slot{
			Expectation: foldstream.Expectation{Window: foldstream.Window{Index: w}, Test: foldstream.Segment{Start: day(63 * w), End: day(63*w + 62)}},
			status:      foldstream.Done, frame: f,
		})
	}
	for b.Loop() {
		if value, _ := g.fold(spec, nil); len(value.Faults) > 0 {
			b.Fatal(value.Faults)
		}
	}
}
