package mem

import (
	"context"
	"maps"

	"github.com/foldstream/foldstream"
)

// settings are those of one pool, with how often they were changed.
type settings struct {
	foldstream.PoolSettings
	revision int
}

// Settings returns what the workers of a pool obey.
func (s *Store) Settings(ctx context.Context, pool string) (foldstream.PoolSettings, error) {
	if err := usable(ctx, "settings", pool); err != nil {
		return foldstream.PoolSettings{}, err
	}
	return s.settled(pool).PoolSettings, nil
}

// Change stores what change makes of the settings. Errors: Invalid (a limit below 0, another lease once the pool has tasks).
func (s *Store) Change(ctx context.Context, pool string, change func(*foldstream.PoolSettings)) (foldstream.PoolSettings, error) {
	if err := usable(ctx, "change settings", pool); err != nil {
		return foldstream.PoolSettings{}, err
	}
	for {
		old := s.settled(pool)
		next := settings{old.PoolSettings, old.revision + 1}
		next.Limits = maps.Clone(old.Limits)
		change(&next.PoolSettings)
		if ok, err := s.settle(pool, old, next); ok || err != nil {
			return s.settled(pool).PoolSettings, err
		}
	}
}

// settled returns the settings of a pool, with a map of their own.
func (s *Store) settled(pool string) settings {
	s.mu.Lock()
	defer s.mu.Unlock()
	kept := s.settings[pool]
	kept.Limits = maps.Clone(kept.Limits)
	return kept
}

// settle stores settings unless somebody else was first.
func (s *Store) settle(pool string, old, next settings) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := checkSettings(next.PoolSettings); err != nil {
		return false, foldstream.Errorf(foldstream.Invalid, "change settings", "pool %s: %w", pool, err)
	}
	if next.Lease != old.Lease && s.queues[pool] != nil {
		return false, foldstream.Errorf(foldstream.Invalid, "change settings", "pool %s: its lease is %v since it was made", pool, old.Lease)
	}
	if s.settings[pool].revision != old.revision {
		return false, nil
	}
	next.Limits = maps.Clone(next.Limits)
	s.settings[pool] = next
	s.notify()
	return true, nil
}

func checkSettings(p foldstream.PoolSettings) error {
	if p.Lease < 0 {
		return foldstream.Errorf(foldstream.Invalid, "", "a lease of %v is below 0", p.Lease)
	}
	if p.Limit < 0 {
		return foldstream.Errorf(foldstream.Invalid, "", "a limit of %d is below 0", p.Limit)
	}
	if len(p.Code) > foldstream.MaxCode {
		return foldstream.Errorf(foldstream.Invalid, "", "a version of code of %d bytes is longer than %d", len(p.Code), foldstream.MaxCode)
	}
	for key, limit := range p.Limits {
		if limit < 0 {
			return foldstream.Errorf(foldstream.Invalid, "", "a limit of %d for key %q is below 0", limit, key)
		}
	}
	return nil
}
