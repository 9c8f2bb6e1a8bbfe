package chaos

import (
	"slices"
	"testing"
	"time"
)

// The n-th fault of a seed is the same whatever the ones before it drew.
func TestFaultsOfASeed(t *testing.T) {
	first, second := &Stage{Config: Config{Seed: 7}}, &Stage{Config: Config{Seed: 7}}
	var names []string
	for n := range uint64(50) {
		first.lot, second.lot = lotOf(first.Seed, n), lotOf(second.Seed, n)
		f, g := draw(first.lot, faults), draw(second.lot, faults)
		if f.name != g.name || first.between(0, 1000) != second.between(0, 1000) {
			t.Fatalf("fault %d is %s, and %s", n, f.name, g.name)
		}
		for range n % 5 { // what a fault does draws more
			first.between(0, 10)
		}
		names = append(names, f.name)
	}
	for _, f := range faults {
		if !slices.Contains(names, f.name) {
			t.Errorf("%s was never drawn", f.name)
		}
	}
}

func TestReportCounts(t *testing.T) {
	var r Report
	r.count([]blow{{"cut", 3 * time.Second}, {"kill", 0}, {"cut", 0}, {"cut", time.Second}, {"cut", 9 * time.Second}})
	if got, want := r.Faults["cut"], (Figure{Count: 4, Measured: 3, Median: 3, Max: 9}); got != want {
		t.Errorf("cut: %+v, want %+v", got, want)
	}
	if got, want := r.Faults["kill"], (Figure{Count: 1}); got != want {
		t.Errorf("kill: %+v, want %+v", got, want)
	}
	if got, want := r.All, (Figure{Count: 5, Measured: 3, Median: 3, Max: 9}); got != want {
		t.Errorf("all: %+v, want %+v", got, want)
	}
}
