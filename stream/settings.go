package stream

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/foldstream/foldstream"
)

// settings is a pool's entry in the bucket Pools.
type settings = foldstream.PoolSettings

var _ foldstream.PoolAdmin = (*Store)(nil)

// Settings reads what the workers of a pool obey.
func (s *Store) Settings(ctx context.Context, pool string) (foldstream.PoolSettings, error) {
	p := s.pool(pool)
	if err := p.usable(ctx, "settings"); err != nil {
		return foldstream.PoolSettings{}, err
	}
	v, err := p.stored(ctx)
	if err != nil {
		return foldstream.PoolSettings{}, err
	}
	return s.readSettings(v)
}

// Change stores what change makes of the settings. Errors: Invalid (a limit below 0, a lease under 100ms, another lease once the pool
// has tasks).
func (s *Store) Change(ctx context.Context, pool string, change func(*foldstream.PoolSettings)) (foldstream.PoolSettings, error) {
	p := s.pool(pool)
	if err := p.usable(ctx, "change settings"); err != nil {
		return foldstream.PoolSettings{}, err
	}
	for {
		v, err := p.stored(ctx)
		if err != nil {
			return foldstream.PoolSettings{}, err
		}
		old, err := s.readSettings(v)
		if err != nil {
			return foldstream.PoolSettings{}, err
		}
		next := old
		next.Limits = maps.Clone(old.Limits)
		change(&next)
		if err := p.checkSettings(ctx, old, next); err != nil {
			return old, err
		}
		ok, err := p.store(ctx, v, next)
		if err != nil || ok {
			return next, err
		}
	}
}

// stored reads the pool's entry; the zero Value where there is none.
func (p *Pool) stored(ctx context.Context) (foldstream.Value, error) {
	v, err := p.s.Values(foldstream.Pools).Get(ctx, p.name)
	if foldstream.Is(err, foldstream.NotFound) {
		return foldstream.Value{Key: p.name}, nil
	}
	return v, err
}

// readSettings reads an entry. One that is no settings counts as none, and makes room for the next change. Errors: of a newer version.
func (s *Store) readSettings(v foldstream.Value) (set settings, err error) {
	if v.Revision == 0 {
		return set, nil
	}
	if err = decode(v.Data, &set); err == nil {
		err = validSettings(set)
	}
	switch {
	case isNewer(err):
		return settings{}, foldstream.Errorf(foldstream.Unavailable, "settings", "pool %s: %w", v.Key, err)
	case err != nil:
		s.met.tell(s.log, v, err)
		return settings{}, nil
	}
	return set, nil
}

// store puts settings in the place of the entry that was read, and takes them over; false when somebody else was first.
func (p *Pool) store(ctx context.Context, old foldstream.Value, set settings) (bool, error) {
	data, err := encode(&set)
	if err != nil {
		return false, err
	}
	revision, err := p.s.Values(foldstream.Pools).Put(ctx, foldstream.Value{Key: p.name, Data: data, Revision: old.Revision})
	if foldstream.Is(err, foldstream.Conflict) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	p.obey(set, revision)
	return true, nil
}

func (p *Pool) checkSettings(ctx context.Context, old, next settings) error {
	if err := validSettings(next); err != nil {
		return foldstream.Errorf(foldstream.Invalid, "change settings", "pool %s: %w", p.name, err)
	}
	if next.Lease == old.Lease {
		return nil
	}
	made, err := p.made(ctx)
	if err == nil && made {
		err = foldstream.Errorf(foldstream.Invalid, "change settings", "pool %s: its lease is %v since it was made", p.name, old.Lease)
	}
	return err
}

func validSettings(set settings) error {
	if set.Lease != 0 && (set.Lease < minLease || set.Lease > maxLease) {
		return fmt.Errorf("a lease of %v is not between %v and %v", set.Lease, minLease, maxLease)
	}
	if set.Limit < 0 {
		return fmt.Errorf("a limit of %d is below 0", set.Limit)
	}
	if len(set.Code) > foldstream.MaxCode {
		return fmt.Errorf("a version of code of %d bytes is longer than %d", len(set.Code), foldstream.MaxCode)
	}
	for key, limit := range set.Limits {
		if limit < 0 {
			return fmt.Errorf("a limit of %d for key %q is below 0", limit, key)
		}
	}
	return nil
}

// made reports whether the pool ever had a task: it has a lane then.
func (p *Pool) made(ctx context.Context) (bool, error) {
	for _, err := range p.s.Values(foldstream.Pools).List(ctx, p.name+".") {
		return err == nil, err
	}
	return false, nil
}

// obey takes settings over, unless it knows younger ones, and lets those who wait see it.
func (p *Pool) obey(set settings, revision uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if revision <= p.revision {
		return
	}
	p.revision = revision
	p.paused = set.Paused
	if p.code != set.Code {
		p.code = set.Code
		p.sendAway()
	}
	if set.Lease > 0 {
		p.known, p.lease = true, set.Lease
		if p.watched { // somebody fetches
			p.startBeat()
		}
	}
	p.pump()
}

// ensure sees to it that the pool's settings have its lease.
func (p *Pool) ensure(ctx context.Context) error {
	for {
		p.mu.Lock()
		known := p.known
		p.mu.Unlock()
		if known {
			return nil
		}
		v, err := p.stored(ctx)
		if err != nil {
			return err
		}
		set, err := p.s.readSettings(v)
		switch {
		case err != nil:
			return err
		case set.Lease > 0:
			p.obey(set, v.Revision)
		default:
			set.Lease = p.s.cfg.Lease
			if _, err := p.store(ctx, v, set); err != nil {
				return err
			}
		}
	}
}

// minLease is the shortest lease: a worker must have the time to beat. maxLease is the longest: so long a lost worker holds its task.
const (
	minLease = 100 * time.Millisecond
	maxLease = 24 * time.Hour
)
