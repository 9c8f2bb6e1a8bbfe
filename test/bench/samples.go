package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"time"
)

// sample is what a process has at a moment.
type sample struct {
	Goroutines int
	Files      int
	Resident   int64 // bytes
	Heap       int64 // bytes that were live after the last collection of garbage
	Done       int   // tasks
}

// take measures this process.
func take(done int) (s sample, err error) {
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return s, err
	}
	s = sample{Goroutines: runtime.NumGoroutine(), Files: len(files), Heap: live(), Done: done}
	s.Resident, err = status("self", "VmRSS:")
	return s, err
}

// sampling prints a sample now and then, and a last one when ctx ends.
func sampling(ctx context.Context, done func() int) error {
	tick := time.NewTicker(sampleTime)
	defer tick.Stop()
	enc := json.NewEncoder(os.Stdout)
	for {
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
		s, err := take(done())
		if err == nil {
			err = enc.Encode(s)
		}
		if err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// role is one process of a soak with what it said.
type role struct {
	name string
	*process
	samples []sample
	left    chan struct{} // closed when it says no more
}

func (r *role) read() {
	defer close(r.left)
	dec := json.NewDecoder(r.out)
	for {
		var s sample
		if err := dec.Decode(&s); err != nil {
			return // the process left
		}
		r.samples = append(r.samples, s)
	}
}

// settledAfter is the share of a soak that is left out of the slopes: caches fill and the first experiments come.
const settledAfter = 0.2

func (r *role) row() string {
	if len(r.samples) == 0 {
		return "| " + r.name + " | 0 |"
	}
	last := len(r.samples) - 1 // of a process that leaves
	settled := r.samples[int(float64(last)*settledAfter):last]
	grows := func(of func(sample) float64) (least, most, slope float64) {
		values := make([]float64, len(settled))
		for i, s := range settled {
			values[i] = of(s)
			if i == 0 {
				least, most = values[0], values[0]
			}
			least, most = min(least, values[i]), max(most, values[i])
		}
		return least, most, slopeOf(values) * float64(time.Hour/sampleTime)
	}
	line := fmt.Sprintf("| %s | %d | %s |", r.name, len(settled), thousands(r.samples[last].Done))
	for _, of := range []func(sample) float64{
		func(s sample) float64 { return float64(s.Goroutines) },
		func(s sample) float64 { return float64(s.Files) },
		func(s sample) float64 { return float64(s.Heap) / (1 << 20) },
		func(s sample) float64 { return float64(s.Resident) / (1 << 20) },
	} {
		least, most, slope := grows(of)
		line += fmt.Sprintf(" %.0f to %.0f | %+.1f |", least, most, slope)
	}
	return line
}

// slopeOf is the slope of the line that fits evenly spaced values best, by step.
func slopeOf(values []float64) float64 {
	n := float64(len(values))
	if n < 2 {
		return 0
	}
	var sumX, sumY, sumXX, sumXY float64
	for i, y := range values {
		x := float64(i)
		sumX, sumY, sumXX, sumXY = sumX+x, sumY+y, sumXX+x*x, sumXY+x*y
	}
	return (n*sumXY - sumX*sumY) / (n*sumXX - sumX*sumX)
}
