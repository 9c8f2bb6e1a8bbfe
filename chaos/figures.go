package chaos

import (
	"slices"
	"time"
)

// Report is what was done to the processes, and how they took it.
type Report struct {
	Seed    uint64            `json:"seed"`
	Servers int               `json:"servers"` // of its own
	Faults  map[string]Figure `json:"faults"`  // by kind
	All     Figure            `json:"all"`     // faults of any kind
	Starts  int               `json:"starts"`  // of processes
	Ended   int               `json:"ended"`   // processes that ended by themselves, which none should
	Refused int               `json:"refused"` // results that came from a worker that had lost its lease, and were dropped
}

// Figure is what faults did: how many there were, and how long after one began the next result was stored, in seconds. That was measured where
// no other fault came in between, the server could be asked, and a result was still missing.
type Figure struct {
	Count    int     `json:"count"`
	Measured int     `json:"measured"`
	Median   float64 `json:"recovery_median_seconds"`
	Max      float64 `json:"recovery_max_seconds"`
}

// blow is a fault that struck.
type blow struct {
	kind string
	took time.Duration // until the next result; 0 was not measured
}

// count sums the blows up.
func (r *Report) count(blows []blow) {
	byKind := map[string][]blow{}
	for _, b := range blows {
		byKind[b.kind] = append(byKind[b.kind], b)
	}
	r.Faults = map[string]Figure{}
	for kind, some := range byKind {
		r.Faults[kind] = figureOf(some)
	}
	r.All = figureOf(blows)
}

func figureOf(blows []blow) Figure {
	var took []time.Duration
	for _, b := range blows {
		if b.took > 0 {
			took = append(took, b.took)
		}
	}
	f := Figure{Count: len(blows), Measured: len(took)}
	if slices.Sort(took); len(took) > 0 {
		f.Median, f.Max = took[len(took)/2].Seconds(), took[len(took)-1].Seconds()
	}
	return f
}
