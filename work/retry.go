package work

import (
	"math/rand/v2"
	"time"

	"github.com/foldstream/foldstream"
)

// attempts returns how often a task is tried.
func attempts(r foldstream.Retry) int {
	if r.Attempts > 0 {
		return r.Attempts
	}
	return 3
}

// backoff returns the longest pause after the given attempt, from 1: it doubles after each, up to the ceiling.
func backoff(r foldstream.Retry, attempt int) time.Duration {
	d, ceiling := r.Backoff, r.Ceiling
	if d <= 0 {
		d = time.Second
	}
	if ceiling <= 0 {
		ceiling = 5 * time.Minute
	}
	for range attempt - 1 {
		if d >= ceiling {
			break
		}
		d *= 2
	}
	return min(d, ceiling)
}

// jitter returns a time from half of d to d, so that what failed together does not come back together.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1)
}
