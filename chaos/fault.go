package chaos

import (
	"context"
	"math/rand/v2"
	"time"
)

// fault is one way to do harm. It returns when the harm is done and, where that is in its hands, mended.
type fault struct {
	name   string
	weight int
	do     func(ctx context.Context, s *Stage) error
}

// faults are those that need no server of its own.
var faults = []fault{
	{"consumer killed", 4, func(_ context.Context, s *Stage) error { return again(pick(s, s.consumers)) }},
	{"consumer frozen", 4, func(_ context.Context, s *Stage) error { return pick(s, s.consumers).freeze(s.between(1200, 3000)) }},
	{"aggregator killed", 2, func(_ context.Context, s *Stage) error { return again(pick(s, s.aggregators)) }},
	{"aggregator frozen", 1, func(_ context.Context, s *Stage) error { return pick(s, s.aggregators).freeze(s.between(500, 2000)) }},
	{"producer killed", 2, func(ctx context.Context, s *Stage) error { return s.submit(ctx, s.between(0, 400)) }},
}

// faultsOfServer are those of the server and of the network before it.
var faultsOfServer = []fault{
	{"server killed", 2, func(_ context.Context, s *Stage) error { return again(s.server) }},
	{"server frozen", 1, func(_ context.Context, s *Stage) error { return s.server.freeze(s.between(300, 1500)) }},
	{"connections cut", 2, func(_ context.Context, s *Stage) error { s.proxy.cut(); return nil }},
	{"connections stalled", 2, func(_ context.Context, s *Stage) error { return s.hold(s.between(500, 3000), s.proxy.stall) }},
	{"connections slow", 1, func(_ context.Context, s *Stage) error {
		s.proxy.slow(20 * time.Millisecond)
		defer s.proxy.slow(0)
		return s.hold(s.between(500, 2000), func(time.Duration) {})
	}},
}

// again kills a process and starts the next one of its role.
func again(a *actor) error {
	a.kill()
	return a.start()
}

// pick draws one of the actors.
func pick(s *Stage, all []*actor) *actor { return all[s.lot.IntN(len(all))] }

// between draws a time from so many milliseconds up to so many.
func (s *Stage) between(from, to int) time.Duration {
	return time.Duration(from+s.lot.IntN(to-from)) * time.Millisecond
}

// hold does something that lasts, and waits for its end.
func (s *Stage) hold(d time.Duration, do func(time.Duration)) error {
	do(d)
	<-time.After(d)
	return nil
}

// draw draws a fault by its weight.
func draw(lot *rand.Rand, all []fault) fault {
	sum := 0
	for _, f := range all {
		sum += f.weight
	}
	at := lot.IntN(sum)
	for _, f := range all {
		if at -= f.weight; at < 0 {
			return f
		}
	}
	return all[0] // it is never reached: the weights sum up
}
