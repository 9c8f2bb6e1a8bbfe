package work

import (
	"math/rand/v2"
	"time"
)

// jitter returns a time from half of d to d, so that what failed together does not come back together.
func jitter(d time.Duration) time.Duration {
	return d/2 + rand.N(d/2+1)
}
