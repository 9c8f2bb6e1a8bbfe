package streamtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
)

var settingChecks = []Check{
	{"setting/kept", settingKept},
	{"setting/changed by many at once", settingRace},
	{"setting/paused and resumed", settingPause},
	{"setting/code that is required", settingCode},
}

// obeyed is how long all workers may take to follow a change.
const obeyed = time.Second

func settingKept(ctx context.Context, h Harness) error {
	a := h.Store.(Administered)
	got, err := a.Settings(ctx, pool)
	if err := errors.Join(err, same("the settings of a pool without tasks", got, foldstream.PoolSettings{})); err != nil {
		return err
	}
	if err := create(ctx, h.Store, Task(1)); err != nil {
		return err
	}
	want := foldstream.PoolSettings{Lease: h.Lease, Limit: 7, Limits: map[string]int{"a licence": 2, "prices": 1}, Code: "v2"}
	got, err = a.Change(ctx, pool, func(p *foldstream.PoolSettings) { p.Limit, p.Limits, p.Code = want.Limit, want.Limits, want.Code })
	if err := errors.Join(err, same("what change returns", got, want)); err != nil {
		return err
	}
	return Eventually(ctx, func() error {
		got, err := admin(h).Settings(ctx, pool)
		return errors.Join(err, same("the settings", got, want))
	})
}

func settingRace(ctx context.Context, h Harness) error {
	const writers, each = 4, 5
	if err := create(ctx, h.Store, Task(1)); err != nil {
		return err
	}
	var wg sync.WaitGroup
	faults := make([]error, writers)
	for i := range writers {
		a := []foldstream.Store{h.Store, h.Second}[i%2].(Administered)
		wg.Go(func() {
			for range each {
				_, err := a.Change(ctx, pool, func(p *foldstream.PoolSettings) { p.Limit++ })
				faults[i] = errors.Join(faults[i], err)
			}
		})
	}
	wg.Wait()
	got, err := overtakenChange(ctx, h)
	if err := errors.Join(append(faults, err)...); err != nil {
		return err
	}
	if got.Limit != writers*each+2 {
		return fmt.Errorf("%d changes that add one made a limit of %d", writers*each+2, got.Limit)
	}
	return nil
}

// overtakenChange adds one while another adds one, between its reading and its writing.
func overtakenChange(ctx context.Context, h Harness) (foldstream.PoolSettings, error) {
	var other error
	overtaken := false
	got, err := h.Store.(Administered).Change(ctx, pool, func(p *foldstream.PoolSettings) {
		if p.Limit++; !overtaken {
			overtaken = true
			_, other = admin(h).Change(ctx, pool, func(p *foldstream.PoolSettings) { p.Limit++ })
		}
	})
	return got, errors.Join(err, other)
}

// settingPause pauses a pool under a worker who works and one who waits: the one goes on, the other gets nothing until it is resumed.
func settingPause(ctx context.Context, h Harness) error {
	l, err := running(ctx, h, Task(1))
	if err != nil {
		return err
	}
	got := make(chan foldstream.Lease, 1)
	fault := make(chan error, 1)
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		l, err := fetch(waiting, h.Store)
		got <- l
		fault <- err
	}()
	if err := pauseOrResume(ctx, h, true); err != nil {
		return err
	}
	if err := after(ctx, time.Now().Add(obeyed+slack)); err != nil {
		return err
	}
	if err := create(ctx, h.Store, Task(2)); err != nil {
		return err
	}
	if err := nothing(ctx, h.Second, 2*h.Lease); err != nil {
		return fmt.Errorf("while the pool is paused: %w", err)
	}
	if len(got) > 0 {
		return fmt.Errorf("a fetch that waited got a task of a paused pool: %w", off(<-fault, "task %s", Task(2).ID))
	}
	if err := l.Commit(ctx, by("me")); err != nil {
		return fmt.Errorf("what runs goes on: %w", err)
	}
	if err := pauseOrResume(ctx, h, false); err != nil {
		return err
	}
	resumed := time.Now()
	next := <-got
	if err := <-fault; err != nil {
		return fmt.Errorf("a fetch that waits when the pool is resumed: %w", err)
	}
	if took := time.Since(resumed); took > obeyed+slack {
		return fmt.Errorf("a resumed pool gave its first task after %v, want it within %v", took, obeyed)
	}
	if err := next.Commit(ctx, by("me")); err != nil {
		return err
	}
	return stand(ctx, h, foldstream.Counts{foldstream.Done: 2})
}

// settingCode requires code of a pool that has no task yet: no other code ever gets one of its tasks. A change reaches fetches that wait.
func settingCode(ctx context.Context, h Harness) error {
	a := h.Store.(Administered)
	require := func(code string) error {
		_, err := a.Change(ctx, pool, func(p *foldstream.PoolSettings) { p.Code = code })
		return err
	}
	if err := errors.Join(require("v2"), create(ctx, h.Store, Task(1), Task(2))); err != nil {
		return err
	}
	for _, code := range []string{"", "v1"} {
		l, err := h.Second.Pool(pool).Fetch(ctx, foldstream.Filter{Wait: h.Lease, Code: code})
		if l != nil {
			return fmt.Errorf("code %q got a task of a pool that requires v2", code)
		}
		if !foldstream.Is(err, foldstream.Conflict) && !foldstream.Is(err, foldstream.NotFound) {
			return fmt.Errorf("a fetch of code %q: %w", code, err)
		}
	}
	l, err := h.Second.Pool(pool).Fetch(ctx, foldstream.Filter{Wait: h.Lease * 10, Code: "v2"})
	if err != nil {
		return fmt.Errorf("a fetch of the code that is required: %w", err)
	}
	if err := errors.Join(l.Commit(ctx, by("me")), drainCode(ctx, h)); err != nil {
		return err
	}
	left := make(chan error, 1)
	go func() {
		_, err := h.Second.Pool(pool).Fetch(ctx, foldstream.Filter{Wait: limit, Code: "v2"})
		left <- err
	}()
	if err := require("v3"); err != nil {
		return err
	}
	if err := <-left; !foldstream.Is(err, foldstream.NotFound) && !foldstream.Is(err, foldstream.Conflict) {
		return fmt.Errorf("a fetch that waits when other code is required: %w", off(err, "nothing"))
	}
	return Eventually(ctx, func() error {
		_, err := h.Second.Pool(pool).Fetch(ctx, foldstream.Filter{Code: "v2"})
		if !foldstream.Is(err, foldstream.Conflict) {
			return fmt.Errorf("a fetch of code v2 of a pool that requires v3: %w", off(err, "a conflict"))
		}
		return nil
	})
}

// drainCode works the one task that is left.
func drainCode(ctx context.Context, h Harness) error {
	l, err := h.Store.Pool(pool).Fetch(ctx, foldstream.Filter{Wait: h.Lease * 10, Code: "v2"})
	if err != nil {
		return err
	}
	return l.Commit(ctx, by("me"))
}

// slack is what a busy machine may add to a time that is promised.
const slack = time.Second

func pauseOrResume(ctx context.Context, h Harness, paused bool) error {
	got, err := admin(h).Change(ctx, pool, func(p *foldstream.PoolSettings) { p.Paused = paused })
	if err == nil && got.Paused != paused {
		err = fmt.Errorf("change made paused %v, want %v", got.Paused, paused)
	}
	return err
}

// after waits until then.
func after(ctx context.Context, then time.Time) error {
	select {
	case <-time.After(time.Until(then)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
