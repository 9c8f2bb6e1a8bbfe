package mem

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

// schedule is one schedule and the order it made last.
type schedule struct {
	foldstream.Schedule
	every time.Duration // 0 is once
	next  time.Time     // when it comes due; zero is never again

	due     time.Time // of the newest order, while it is not ended; zero is none
	seq     uint64    // of the newest order
	held    uint64    // of the order that somebody executes; 0 is none
	token   uint64    // of who executes it
	expires time.Time // when that runs out; zero while its process beats
	after   time.Time // an order that was given back: not before
	last    foldstream.Firing
}

// Schedule keeps a schedule. Errors: Invalid also for a cron: this store has no calendar of them.
func (s *Store) Schedule(ctx context.Context, sch foldstream.Schedule, replace bool) error {
	if err := alive(ctx, "schedule"); err != nil {
		return err
	}
	next := &schedule{Schedule: sch}
	if err := next.plan(s.opts.Now()); err != nil {
		return foldstream.E(foldstream.Invalid, "schedule", err)
	}
	if size := len(sch.Order); size > s.opts.MaxPayload {
		return foldstream.Errorf(foldstream.TooLarge, "schedule", "%s: an order of %d bytes is over the limit of %d", sch.Name, size, s.opts.MaxPayload)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.schedules[sch.Name]
	switch {
	case old == nil:
		s.schedules[sch.Name] = next
	case !old.next.IsZero() && old.same(sch):
		return nil
	case !old.next.IsZero() && !replace:
		return foldstream.Errorf(foldstream.Conflict, "schedule", "there is another schedule %s, %s", sch.Name, old.When)
	default:
		old.Schedule, old.every, old.next = next.Schedule, next.every, next.next
	}
	s.notify()
	return nil
}

// plan sets when a schedule comes due first. Errors: Invalid.
func (c *schedule) plan(now time.Time) error {
	if err := c.Validate(); err != nil {
		return err
	}
	at, once := strings.CutPrefix(c.When, "@at ")
	every, repeated := strings.CutPrefix(c.When, "@every ")
	switch {
	case once:
		c.next, _ = time.Parse(time.RFC3339Nano, at) // Validate did
	case repeated:
		c.every, _ = time.ParseDuration(every) // the same
		c.next = now.Add(c.every)
	default:
		return foldstream.Errorf(foldstream.Invalid, "", "%s: when: %q: a store in memory keeps no cron", c.Name, c.When)
	}
	c.Order = slices.Clone(c.Order)
	return nil
}

func (c *schedule) same(d foldstream.Schedule) bool {
	return c.When == d.When && c.Zone == d.Zone && c.Kind == d.Kind && string(c.Order) == string(d.Order)
}

// Unschedule forgets a schedule.
func (s *Store) Unschedule(ctx context.Context, name string) error {
	return s.onSchedule(ctx, "unschedule", name, func(*schedule) { delete(s.schedules, name) })
}

// OrderNow makes an order due.
func (s *Store) OrderNow(ctx context.Context, name string) error {
	return s.onSchedule(ctx, "order", name, func(c *schedule) { c.order(s.opts.Now()) })
}

func (s *Store) onSchedule(ctx context.Context, op, name string, do func(*schedule)) error {
	if err := alive(ctx, op); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.schedules[name]
	if c == nil {
		return foldstream.Errorf(foldstream.NotFound, op, "there is no schedule %q", name)
	}
	do(c)
	s.notify()
	return nil
}

// order makes an order due, in the place of one that nobody ended.
func (c *schedule) order(at time.Time) {
	c.seq++
	c.due, c.after = at, time.Time{}
}

// advance makes due what came due up to now: of several times the last.
func (c *schedule) advance(now time.Time) {
	if c.next.IsZero() || c.next.After(now) {
		return
	}
	if c.every == 0 {
		c.order(c.next)
		c.next = time.Time{}
		return
	}
	c.next = c.next.Add(now.Sub(c.next) / c.every * c.every)
	c.order(c.next)
	c.next = c.next.Add(c.every)
}

// Schedules reads the schedules there were when it was called.
func (s *Store) Schedules(ctx context.Context) iter.Seq2[foldstream.ScheduleState, error] {
	return func(yield func(foldstream.ScheduleState, error) bool) {
		if err := alive(ctx, "schedules"); err != nil {
			yield(foldstream.ScheduleState{}, err)
			return
		}
		for _, state := range s.scheduled() {
			if !yield(state, nil) {
				return
			}
		}
	}
}

func (s *Store) scheduled() (states []foldstream.ScheduleState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range slices.Sorted(maps.Keys(s.schedules)) {
		c := s.schedules[name]
		c.advance(s.opts.Now())
		state := foldstream.ScheduleState{Schedule: c.Schedule, Active: !c.next.IsZero(), Next: c.next, Due: c.due, Last: c.last}
		state.Order = slices.Clone(c.Order)
		states = append(states, state)
	}
	return states
}
