package work

import (
	"context"
	"time"

	"github.com/foldstream/foldstream"
)

// slot is one goroutine that fetches, as the limits see it. Each enter that reported true is followed by one leave.
type slot struct {
	*limiter      // nil limits nothing
	refused  bool // its last task found no place
	scout    bool // it tries for all that were refused
}

// enter waits until a fetch may bring a task that there is a place for, and reports whether to fetch: not once ctx has ended. Of
// the slots whose tasks found no place one at a time tries again, after longer and longer pauses or when a place is freed.
func (s *slot) enter(ctx context.Context) bool {
	l := s.limiter
	if l == nil {
		return ctx.Err() == nil
	}
	select {
	case <-l.known:
	case <-ctx.Done():
		return false
	}
	for s.refused && !s.scout && ctx.Err() == nil {
		if s.scout = l.lead(); !s.scout {
			l.wait(ctx, &l.behind, lastCrowded)
		} else if d := l.hesitation(); d > 0 {
			l.wait(ctx, &l.ahead, d)
		}
	}
	for ctx.Err() == nil {
		if l.admit() {
			return true
		}
		l.wait(ctx, &l.outside, jitter(lastCrowded))
	}
	return false
}

// leave ends what enter began: the slot has fetched nothing, or its task has its places or, crowded, none.
func (s *slot) leave(crowded bool) {
	l := s.limiter
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fetching--
	if l.settings.Limit > 0 {
		l.outside.wake(1)
	}
	switch {
	case crowded:
		l.refusals++
	case s.scout: // there is work to be had; the next one may try
		l.refusals = 0
		l.behind.wake(1)
	}
	if s.scout {
		l.scouting = false
	}
	s.refused, s.scout = crowded, false
}

// lead makes the caller the one who tries, if nobody else does.
func (l *limiter) lead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.scouting
	l.scouting = true
	return !was
}

// hesitation is how long the one who tries waits first.
func (l *limiter) hesitation() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refusals == 0 {
		return 0
	}
	return jitter(min(firstCrowded<<min(l.refusals-1, 10), lastCrowded))
}

// admit counts a slot among those that fetch, if the pool seems to have a place for what they bring.
func (l *limiter) admit() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if limit := l.settings.Limit; limit > 0 && l.taken(wholePool)+l.fetching >= limit {
		return false
	}
	l.fetching++
	return true
}

// takeFunc takes the places that a task needs, as limiter.take.
type takeFunc = func(ctx context.Context, t foldstream.Task) (*permit, error)

// take takes the places of the slot's task, and leaves.
func (s *slot) take(ctx context.Context, t foldstream.Task) (held *permit, err error) {
	err = errStopped
	if ctx.Err() == nil { // else the stop and the lease crossed
		held, err = s.limiter.take(ctx, t)
	}
	s.leave(isCrowded(err))
	return held, err
}
