package streamtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/foldstream/foldstream"
)

var leaseChecks = []Check{
	{"lease/lives while its worker does", leaseLives},
	{"lease/ends once", leaseEnds},
	{"lease/keeps the result", leaseResult},
	{"lease/too large a result", leaseTooLarge},
	{"lease/return with an error and a pause", leaseReturn},
	{"lease/return uses no attempt", leaseSnooze},
	{"lease/fail", leaseFail},
}

// leaseLives holds a task for several leases without a call: nobody else may get it.
func leaseLives(ctx context.Context, h Harness) error {
	l, err := startOne(ctx, h.Store, Task(1))
	if err != nil {
		return err
	}
	if err := nothing(ctx, h.Second, 4*h.Lease); err != nil {
		return err
	}
	if err := l.Extend(ctx, foldstream.Progress{Percent: 40, Step: 2, Message: "fit"}); err != nil {
		return err
	}
	if err := l.Commit(ctx, by("patient")); err != nil {
		return err
	}
	return done(ctx, h, 1)
}

func leaseEnds(ctx context.Context, h Harness) error {
	end := map[string]func(foldstream.Lease) error{
		"commit": func(l foldstream.Lease) error { return l.Commit(ctx, by("me")) },
		"return": func(l foldstream.Lease) error { return l.Return(ctx, errors.New("later"), time.Hour) },
		"fail":   func(l foldstream.Lease) error { return l.Fail(ctx, errors.New("never")) },
	}
	n := 0
	for what, f := range end {
		n++
		l, err := startOne(ctx, h.Store, Task(n))
		if err != nil {
			return err
		}
		if err := f(l); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		if err := refused(ctx, l); err != nil {
			return fmt.Errorf("after %s: %w", what, err)
		}
	}
	if err := nothing(ctx, h.Store, 2*h.Lease); err != nil {
		return err
	}
	return counts(ctx, h.Store, foldstream.Counts{foldstream.Done: 1, foldstream.Dead: 1, foldstream.Waiting: 1})
}

func leaseResult(ctx context.Context, h Harness) error {
	l, err := startOne(ctx, h.Store, Task(1))
	if err != nil {
		return err
	}
	r := foldstream.Result{
		Metrics: map[string]float64{"ic": 0.1, "undefined": math.NaN()},
		Params:  map[string]string{"by": "me"},
		Tags:    map[string]string{"k": "v"},
		Frames: map[string]foldstream.Frame{"pred": {
			Times:       []foldstream.Time{foldstream.DateOf(2020, 1, 2), foldstream.DateOf(2020, 1, 3)},
			Instruments: []string{"A", "B"},
			Columns:     []foldstream.Column{{Name: "score", Values: []float64{1.5, math.NaN()}}},
		}},
		Artifacts: []foldstream.Artifact{{Name: "log", Digest: foldstream.Digest(strings.Repeat("0", 64)), Size: 3, Type: "text/plain"}},
		Series:    pointsOf("a", 0, 3).Series,
		Code:      "v1", Worker: "w", Duration: 3 * time.Second,
	}
	if err := l.Commit(ctx, r); err != nil {
		return err
	}
	if err := resultBy(ctx, h.Second, Task(1).ID, "me"); err != nil {
		return err
	}
	events, err := history(ctx, h.Second, Task(1).ID)
	if err != nil {
		return err
	}
	return same("the result as it is read", *events[len(events)-1].Result, r)
}

// leaseTooLarge tries a result that no message holds: the lease goes on and takes a smaller one.
func leaseTooLarge(ctx context.Context, h Harness) error {
	l, err := startOne(ctx, h.Store, Task(1))
	if err != nil {
		return err
	}
	err = l.Commit(ctx, by(strings.Repeat("x", 2*h.MaxPayload)))
	if err := want(err, foldstream.TooLarge, "commit over the limit"); err != nil {
		return err
	}
	if err := nothing(ctx, h.Second, 2*h.Lease); err != nil {
		return err
	}
	if err := l.Commit(ctx, by("small")); err != nil {
		return err
	}
	if err := resultBy(ctx, h.Store, Task(1).ID, "small"); err != nil {
		return err
	}
	return done(ctx, h, 1)
}

func leaseReturn(ctx context.Context, h Harness) error {
	l, err := startOne(ctx, h.Store, Task(1))
	if err != nil {
		return err
	}
	pause, since := 2*h.Lease, time.Now()
	if err := l.Return(ctx, errors.New("out of memory"), pause); err != nil {
		return err
	}
	if err := counts(ctx, h.Store, foldstream.Counts{foldstream.Waiting: 1}); err != nil {
		return err
	}
	l, err = fetch(ctx, h.Second)
	if err != nil {
		return err
	}
	if took := time.Since(since); took < pause*95/100 || took > pause+patience/3 {
		return fmt.Errorf("a task returned for %v came back after %v", pause, took)
	}
	if got := l.Task().Attempt; got != 2 {
		return fmt.Errorf("after one failed attempt the task came with attempt %d", got)
	}
	if err := l.Commit(ctx, by("second")); err != nil {
		return err
	}
	if err := told(ctx, h, foldstream.Waiting, "out of memory"); err != nil {
		return err
	}
	return done(ctx, h, 1)
}

func leaseSnooze(ctx context.Context, h Harness) error {
	l, err := startOne(ctx, h.Store, Task(1))
	for range 3 {
		if err != nil {
			return err
		}
		if got := l.Task().Attempt; got != 1 {
			return fmt.Errorf("returned without an error, the task came with attempt %d", got)
		}
		if err := l.Return(ctx, nil, 0); err != nil {
			return err
		}
		l, err = fetch(ctx, h.Second)
	}
	if err != nil {
		return err
	}
	if err := l.Commit(ctx, by("last")); err != nil {
		return err
	}
	return done(ctx, h, 1)
}

func leaseFail(ctx context.Context, h Harness) error {
	l, err := startOne(ctx, h.Store, Task(1))
	if err != nil {
		return err
	}
	if err := l.Fail(ctx, errors.New("singular matrix")); err != nil {
		return err
	}
	if err := counts(ctx, h.Store, foldstream.Counts{foldstream.Dead: 1}); err != nil {
		return err
	}
	if err := nothing(ctx, h.Second, 2*h.Lease); err != nil {
		return err
	}
	if err := told(ctx, h, foldstream.Dead, "singular matrix"); err != nil {
		return err
	}
	return Conserved(ctx, h.Store, pool)
}

// told waits for an end of Task(1) with this status whose error has these words.
func told(ctx context.Context, h Harness, status foldstream.Status, words string) error {
	return toldOf(ctx, h, Task(1).ID, status, words)
}
