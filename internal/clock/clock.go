// Package clock measures how long things take on this machine. It knows no date: what decides about tasks goes by the server's time, so that
// a machine whose clock is hours off, or is set while it works, does what all others do. The linter keeps time.Now out of the rooms that decide.
package clock

import "time"

// start is when the process began to measure; its reading of the monotonic clock is all that counts of it.
var start = time.Now()

// Tick returns the moment of now: two moments of one process have a distance, and no setting of the clock changes it. As a date it is of
// January 1970, so that whoever takes it for one finds out.
func Tick() time.Time { return time.Unix(3600, 0).UTC().Add(time.Since(start)) }

// Since returns how long it is since a moment.
func Since(t time.Time) time.Duration { return Tick().Sub(t) }

// Until returns how long it is to a moment.
func Until(t time.Time) time.Duration { return t.Sub(Tick()) }
