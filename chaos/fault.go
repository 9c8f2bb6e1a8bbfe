package chaos

import (
	"context"
	"math/rand/v2"
	"time"
)

// fault is one way to do harm. It returns when the harm is done and, where that is in its hands, mended; false where there was nothing to
// harm.
type fault struct {
	name   string
	weight int
	do     func(ctx context.Context, s *Stage) (bool, error)
}

// faults are those that need no server of its own.
var faults = []fault{
	{"consumer killed", 4, func(_ context.Context, s *Stage) (bool, error) { return true, again(pick(s, s.consumers), 0) }},
	{"consumer frozen", 4, func(_ context.Context, s *Stage) (bool, error) {
		return true, pick(s, s.consumers).freeze(s.between(1200, 3000))
	}},
	{"aggregator killed", 2, func(_ context.Context, s *Stage) (bool, error) { return true, again(pick(s, s.aggregators), 0) }},
	{"aggregator frozen", 1, func(_ context.Context, s *Stage) (bool, error) {
		return true, pick(s, s.aggregators).freeze(s.between(500, 2000))
	}},
	{"producer killed", 2, func(ctx context.Context, s *Stage) (bool, error) { return true, s.submit(ctx, s.between(0, 400)) }},
	{"ticket deleted", 2, func(ctx context.Context, s *Stage) (bool, error) {
		lost, err := s.pool.LoseTicket(ctx, s.lot.Float64())
		return lost && err == nil, ctx.Err() // a server that is away has nothing deleted
	}},
}

// faultsOfServers are those of any server and of the network before it.
var faultsOfServers = []fault{
	{"server killed", 2, func(_ context.Context, s *Stage) (bool, error) {
		return true, again(pick(s, s.servers).actor, s.between(0, 1000))
	}},
	{"server frozen", 1, func(_ context.Context, s *Stage) (bool, error) {
		return true, pick(s, s.servers).freeze(s.between(300, 1500))
	}},
	{"server full", 1, func(_ context.Context, s *Stage) (bool, error) {
		return true, pick(s, s.servers).fill(s.between(500, 2500))
	}},
	{"connections cut", 2, func(_ context.Context, s *Stage) (bool, error) { pick(s, s.servers).proxy.cut(); return true, nil }},
	{"connections stalled", 2, func(_ context.Context, s *Stage) (bool, error) {
		d := s.between(500, 3000)
		pick(s, s.servers).proxy.stall(d)
		<-time.After(d)
		return true, nil
	}},
	{"connections slow", 1, func(_ context.Context, s *Stage) (bool, error) {
		p, d := pick(s, s.servers).proxy, s.between(500, 2000)
		p.slow(20 * time.Millisecond)
		<-time.After(d)
		p.slow(0)
		return true, nil
	}},
}

// faultsOfCluster are those of servers that replicate.
var faultsOfCluster = []fault{
	{"leader killed", 3, func(ctx context.Context, s *Stage) (bool, error) {
		leader, down := s.leader(ctx), s.between(0, 2000)
		return leader != nil, again(leader, down)
	}},
	{"all servers killed", 1, func(_ context.Context, s *Stage) (bool, error) {
		for _, v := range s.servers {
			v.kill()
		}
		for _, v := range s.servers {
			if err := v.start(); err != nil {
				return true, err
			}
		}
		return true, nil
	}},
}

// possible returns the faults that can be done on this stage.
func (s *Stage) possible() []fault {
	all := append([]fault{}, faults...)
	if s.Hangs {
		all = append(all, faultsOfCommands...)
	}
	if len(s.servers) > 0 {
		all = append(append(all, faultsOfServers...), faultsOfDisks...)
	}
	if len(s.servers) > 1 {
		all = append(all, faultsOfCluster...)
	}
	return all
}

// again kills a process and, after a while, starts the next one of its role; nil is nobody.
func again(a *actor, after time.Duration) error {
	if a == nil {
		return nil
	}
	a.kill()
	<-time.After(after)
	return a.start()
}

// pick draws one of them.
func pick[T any](s *Stage, all []T) T { return all[s.lot.IntN(len(all))] }

// between draws a time from so many milliseconds up to so many.
func (s *Stage) between(from, to int) time.Duration {
	return time.Duration(from+s.lot.IntN(to-from)) * time.Millisecond
}

// lotOf is where a run with a seed draws its n-th fault from, whatever came of those before.
func lotOf(seed, n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n)) }

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
