package stream

import (
	"context"
	"sync"
	"time"

	"github.com/foldstream/foldstream/internal/clock"
)

// learnEvery is how often the server is asked for its time.
const learnEvery = time.Minute

// serverClock tells the server's time: what the server said last, carried on by this machine's monotonic clock. This machine's date has no
// part in it.
type serverClock struct {
	mu   sync.Mutex
	at   time.Time     // what the server's clock showed; zero is not known yet
	when time.Time     // at this moment here
	off  time.Duration // give or take
}

// hear takes an answer that shows the server's time, and that was asked for at a moment. One that took so long that what is known is more
// precise is passed over.
func (c *serverClock) hear(at, asked time.Time) {
	now := clock.Tick()
	off := now.Sub(asked) / 2
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at.IsZero() || off <= c.off+now.Sub(c.when)/1000 {
		c.at, c.when, c.off = at, now.Add(-off), off
	}
}

// least takes the time of something that the server did: it is not earlier. A machine that slept falls behind otherwise.
func (c *serverClock) least(at time.Time) {
	now := clock.Tick()
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.IsZero() && at.After(c.at.Add(now.Sub(c.when))) {
		c.at, c.when = at, now
	}
}

// now returns the server's time, and whether it is known.
func (c *serverClock) now() (time.Time, bool) {
	now := clock.Tick()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at.Add(now.Sub(c.when)), !c.at.IsZero()
}

// now returns the server's time, by which all is decided that more than one process has to do with: leases, pauses, schedules, expiry. Only a
// store that looks at a server which has never told its time goes by this machine's.
func (s *Store) now() time.Time {
	if now, known := s.clock.now(); known {
		return now
	}
	return s.wall()
}

// Now returns the server's time.
func (s *Store) Now() time.Time { return s.now() }

// until returns how long it is to a time of the server's.
func (s *Store) until(t time.Time) time.Duration { return t.Sub(s.now()) }

// learnTime asks the server for its time.
func (s *Store) learnTime(ctx context.Context) error {
	asked := clock.Tick()
	st, err := s.js.Stream(ctx, s.lay.events())
	if err == nil {
		s.clock.hear(st.CachedInfo().TimeStamp, asked)
	}
	return err
}
