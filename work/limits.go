package work

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/internal/clock"
)

// How limits are followed.
const (
	settingsEvery = time.Second            // the settings are read this often
	defaultLease  = 10 * time.Second       // of a place, where the pool's settings name none
	firstCrowded  = 50 * time.Millisecond  // longest pause before the next fetch when there was no place; doubles each time
	lastCrowded   = time.Second            // the longest of those
	crowdedReturn = 500 * time.Millisecond // longest pause of the task that found none
)

// wholePool stands for the pool itself among the keys. No key of a task is written so.
const wholePool = "_pool"

// limiter keeps the limits of a pool. A nil limiter limits nothing. As long as the pool has no limits, it costs one reading
// of the settings a second and nothing a task.
type limiter struct {
	*places
	admin   foldstream.PoolAdmin
	seconds bool          // second copies are limited, whatever the settings say
	known   chan struct{} // closed once the settings were read

	mu       sync.Mutex
	settings foldstream.PoolSettings
	fetching int   // slots that may come back with a task
	outside  queue // slots that wait for the pool to have a place

	refusals int   // tasks in a row that found no place
	scouting bool  // somebody tries for those whose task found none
	ahead    queue // that one, as it waits
	behind   queue // the others
}

// newLimiter returns nil where the runner has nothing to limit by. Errors: Invalid (the pool's name, or it has to limit second copies).
func newLimiter(r *Runner, log *slog.Logger) (*limiter, error) {
	if r.Settings == nil || r.Locks == nil {
		if r.Second != nil {
			return nil, foldstream.Errorf(foldstream.Invalid, "run", "second copies need the pool's settings and locks")
		}
		return nil, nil
	}
	if err := foldstream.ValidName("pool", r.PoolName); err != nil {
		return nil, err
	}
	l := &limiter{admin: r.Settings, seconds: r.Second != nil, known: make(chan struct{})}
	l.places = &places{
		values: r.Locks, pool: r.PoolName, log: log.With("pool", r.PoolName), freed: l.freed, denied: make(chan error, 1),
		holder: r.Name, life: rand.Text(), lease: defaultLease, seen: map[string]map[int]*place{}, held: map[*permit]struct{}{},
	}
	return l, nil
}

// run follows the settings, and where they limit anything the places, until ctx ends. Errors: Invalid, of the settings; Denied.
func (l *limiter) run(ctx context.Context) error {
	if l == nil {
		return nil
	}
	var watch sync.WaitGroup
	defer watch.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	watching := false
	for {
		began := clock.Tick()
		err := l.follow(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case foldstream.Is(err, foldstream.Invalid) || foldstream.Is(err, foldstream.Denied):
			return err
		case err != nil || clock.Since(began) > settingsEvery:
			l.blinded() // for as long as nothing is heard of the store, an entry that does not change is no sign of a crash
		}
		if !watching && (l.seconds || l.limits()) {
			watching = true
			watch.Go(func() { l.watch(ctx) })
			watch.Go(func() { l.renew(ctx) })
		}
		select {
		case <-time.After(settingsEvery):
		case err := <-l.denied:
			return err
		case <-ctx.Done():
			return nil
		}
	}
}

// follow reads the settings.
func (l *limiter) follow(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	s, err := l.admin.Settings(ctx, l.pool)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.settings = s
	l.outside.wake(len(l.outside)) // the limits may be others now
	l.ahead.wake(len(l.ahead))
	select {
	case <-l.known:
	default:
		close(l.known)
	}
	l.mu.Unlock()
	if s.Lease > 0 {
		l.setLease(s.Lease)
	}
	return nil
}

// limits reports whether the settings limit anything.
func (l *limiter) limits() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.settings.Limits {
		if n > 0 {
			return true
		}
	}
	return l.settings.Limit > 0
}

// take takes a place under every limit that the task falls under and under those that are named besides, or none at all. It never waits for one, so that nobody who holds
// a place waits for another. The permit is nil where nothing limits the task. Errors: crowded; a Snooze where the store is away;
// errStopped where ctx ends.
func (l *limiter) take(ctx context.Context, t foldstream.Task, besides ...maximum) (*permit, error) {
	if l == nil {
		return nil, nil
	}
	limits := append(besides, l.limitsOf(t)...)
	if len(limits) == 0 {
		return nil, nil
	}
	for _, m := range limits { // first by what is known, so that nothing is taken and given back in vain
		if l.taken(m.key) >= m.most {
			return nil, noPlace(m)
		}
	}
	p := &permit{places: l.places, lost: make(chan struct{})}
	for _, m := range limits {
		err := l.occupy(ctx, p, m)
		if err == nil {
			continue
		}
		p.giveBack()
		switch {
		case ctx.Err() != nil:
			return nil, errStopped
		case isCrowded(err):
			return nil, err
		}
		l.failed("no place can be taken; the task is put off", err, "task", t.ID)
		return nil, foldstream.Snooze(putOff, err.Error())
	}
	l.keep(p)
	return p, nil
}

// maximum is how many tasks of a key may run.
type maximum struct {
	key  string
	most int
}

// limitsOf returns the limits that a task falls under, the pool's first, then by key.
func (l *limiter) limitsOf(t foldstream.Task) []maximum {
	l.mu.Lock()
	defer l.mu.Unlock()
	var all []maximum
	if n := l.settings.Limit; n > 0 {
		all = append(all, maximum{wholePool, n})
	}
	if len(l.settings.Limits) == 0 || len(t.Keys) == 0 {
		return all
	}
	for _, key := range slices.Compact(slices.Sorted(slices.Values(t.Keys))) {
		if n := l.settings.Limits[key]; n > 0 {
			all = append(all, maximum{keyName(key), n})
		}
	}
	return all
}

// queue are those who wait, the longest first.
type queue []chan struct{}

// wake wakes the first n.
func (q *queue) wake(n int) {
	for ; n > 0 && len(*q) > 0; n-- {
		close((*q)[0])
		*q = (*q)[1:]
	}
}

// wait waits until it is woken, but not longer than d.
func (l *limiter) wait(ctx context.Context, q *queue, d time.Duration) {
	woken := make(chan struct{})
	l.mu.Lock()
	*q = append(*q, woken)
	l.mu.Unlock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-woken:
		return
	case <-timer.C:
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(*q, woken); i >= 0 {
		*q = slices.Delete(*q, i, i+1)
	}
}

// freed lets those try again for whom a freed place may be.
func (l *limiter) freed() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.outside.wake(1)
	l.ahead.wake(1)
}

// crowded is the end of an attempt for which there was no place: a Snooze.
type crowded struct{ error }

func (c crowded) Unwrap() error { return c.error }

func isCrowded(err error) bool {
	_, ok := errors.AsType[crowded](err)
	return ok
}

func noPlace(m maximum) error {
	return crowded{foldstream.Snooze(jitter(crowdedReturn), fmt.Sprintf("all %d places of %s are taken", m.most, m.key))}
}
