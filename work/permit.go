package work

import (
	"context"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// permit is the places that one task holds.
type permit struct {
	*places
	seats []*seat
	once  sync.Once
	lost  chan struct{} // closed when one of them is another's
}

// seat is one place that is held.
type seat struct {
	key string
	i   int

	mu       sync.Mutex // one call of the store at a time
	revision uint64
	beat     uint64
	over     bool
}

// keep has the permit's places renewed from now on.
func (s *places) keep(p *permit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[p] = struct{}{}
}

// renewEvery is how often it is looked whether a place is due to be renewed: the lease may be changed to a shorter one.
const renewEvery = 300 * time.Millisecond

// renew renews the places that are held, thrice a lease, until ctx ends.
func (s *places) renew(ctx context.Context) {
	last := clock.Tick()
	for pause(ctx, min(renewEvery, s.leaseTime()/3)) {
		if clock.Since(last) < s.leaseTime()/3 {
			continue
		}
		last = clock.Tick()
		for _, p := range s.permits() {
			for _, one := range p.seats {
				err := s.again(ctx, one)
				switch {
				case foldstream.Is(err, foldstream.Conflict):
					p.once.Do(func() { close(p.lost) })
				case err != nil && ctx.Err() == nil:
					s.blinded()
					s.failed("a place could not be renewed; trying again", err)
				}
			}
		}
	}
}

// again renews a seat. A conflict with an entry of ours is a write whose answer was lost.
func (s *places) again(ctx context.Context, one *seat) error {
	err := s.write(ctx, one)
	if !foldstream.Is(err, foldstream.Conflict) {
		return err
	}
	v, getErr := s.values.Get(ctx, s.name(one.key, one.i))
	switch {
	case getErr != nil && !foldstream.Is(getErr, foldstream.NotFound):
		return getErr
	case getErr != nil || entryOf(v).Life != s.life:
		return err
	}
	one.mu.Lock()
	one.revision = v.Revision
	one.mu.Unlock()
	return s.write(ctx, one)
}

// failed tells of what will be tried again; what is forbidden it tells to who ends the run.
func (s *places) failed(what string, err error, about ...any) {
	if !foldstream.Is(err, foldstream.Denied) {
		s.log.Warn(what, append(about, "err", err)...)
		return
	}
	select {
	case s.denied <- err:
	default:
	}
}

func (s *places) permits() []*permit {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*permit, 0, len(s.held))
	for p := range s.held {
		all = append(all, p)
	}
	return all
}

// guard waits until one of the places is another's, which ends the work without using an attempt; nil when ctx ends.
func (p *permit) guard(ctx context.Context) error {
	select {
	case <-p.lost:
		return foldstream.Snooze(jitter(crowdedReturn), "the task's place under a limit was lost: it could not be renewed in time")
	case <-ctx.Done():
		return nil
	}
}

// releaseTime is how long the release of a place may take; one that is not released expires.
const releaseTime = 2 * time.Second

// release frees the places of a permit, which may be nil, and tells those who wait.
func (p *permit) release() {
	if p == nil {
		return
	}
	p.giveBack()
	for range p.seats {
		p.freed()
	}
}

// giveBack frees the places and tells nobody: they were taken in vain.
func (p *permit) giveBack() {
	p.mu.Lock()
	delete(p.held, p)
	p.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), releaseTime)
	defer cancel()
	for _, one := range p.seats {
		one.mu.Lock()
		one.over = true
		if err := p.values.Delete(ctx, p.name(one.key, one.i), one.revision); err != nil && !foldstream.Is(err, foldstream.Conflict) {
			p.log.Warn("a place could not be released; it will expire", "err", err)
		}
		one.mu.Unlock()
		p.forget(one)
	}
}
