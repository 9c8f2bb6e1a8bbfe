package stream_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

const clockLease = 500 * time.Millisecond

// walls are clocks of machines that nobody set by NTP.
func walls() map[string]func() time.Time {
	var jumps atomic.Int64
	return map[string]func() time.Time{
		"ahead":  func() time.Time { return time.Now().Add(5 * time.Hour) },
		"behind": func() time.Time { return time.Now().Add(-5 * time.Hour) },
		"jumping": func() time.Time {
			return time.Now().Add(time.Duration(jumps.Add(1)%2*2-1) * 7 * time.Hour)
		},
	}
}

// TestClocks has two workers whose machines show any time: leases, pauses and starts are the server's all the same. With a planted fault,
// a store that believes its machine, each of the clocks does harm.
func TestClocks(t *testing.T) {
	for name, wall := range walls() {
		for _, believes := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/believed=%v", name, believes), func(t *testing.T) {
				t.Parallel()
				url := streamtest.Server(t).URL()
				first, second := open(t, url, stream.Config{Lease: clockLease, Worker: "first"}), open(t, url, stream.Config{Lease: clockLease, Worker: "second"})
				for _, s := range []*stream.Store{first, second} {
					s.SetWall(wall)
				}
				p := pair{first, second, 10 * time.Second}
				if believes {
					first.BelieveWall()
					p.slack = 2 * time.Second
				}
				var err error
				for _, scene := range []func(context.Context) error{p.paused, p.started, p.takenOver, p.seen} {
					if err = scene(t.Context()); err != nil {
						break
					}
				}
				if (err != nil) != believes {
					t.Errorf("it came to: %v", err)
				}
			})
		}
	}
}

// pair is two workers, and how long may pass on a busy machine that should not.
type pair struct {
	first, second *stream.Store
	slack         time.Duration
}

// comes waits for the task and reports it where it does not come between two times after a moment.
func comes(ctx context.Context, what string, s *stream.Store, since time.Time, least, most time.Duration) (foldstream.Lease, error) {
	l, err := s.Pool("p").Fetch(ctx, foldstream.Filter{Wait: most - time.Since(since)})
	if took := time.Since(since); err != nil || took < least {
		return l, fmt.Errorf("%s: after %v: %w", what, took, errors.Join(err, errors.ErrUnsupported))
	}
	return l, nil
}

// paused is a task that one gives back for a while, and another gets after that, whether its ticket or a schedule waits for it.
func (p pair) paused(ctx context.Context) error {
	var all error
	for n, long := range []time.Duration{time.Hour, 0} {
		p.first.SetLongDelay(long)
		if _, err := p.first.Pool("p").Create(ctx, streamtest.Task(n+1)); err != nil {
			return err
		}
		l, err := p.first.Pool("p").Fetch(ctx, foldstream.Filter{Wait: p.slack})
		if err != nil {
			return err
		}
		const pause = 900 * time.Millisecond
		since := time.Now()
		if err := l.Return(ctx, errors.New("once more"), pause); err != nil {
			return err
		}
		l, err = comes(ctx, "given back", p.second, since, pause-50*time.Millisecond, pause+p.slack)
		if l != nil {
			all = errors.Join(all, l.Commit(ctx, foldstream.Result{}))
		}
		if all = errors.Join(all, err); err != nil {
			return all
		}
	}
	return all
}

// started is a task that may begin at a time: a real one.
func (p pair) started(ctx context.Context) error {
	task := streamtest.Task(3)
	since := time.Now()
	task.NotBefore = since.Add(900 * time.Millisecond)
	if _, err := p.first.Pool("p").Create(ctx, task); err != nil {
		return err
	}
	l, err := comes(ctx, "delayed", p.second, since, 850*time.Millisecond, p.slack)
	if l != nil {
		err = errors.Join(err, l.Commit(ctx, foldstream.Result{}))
	}
	return err
}

// takenOver is a task whose worker dies: another gets it when its lease is over, and not before.
func (p pair) takenOver(ctx context.Context) error {
	if _, err := p.first.Pool("p").Create(ctx, streamtest.Task(4)); err != nil {
		return err
	}
	l, err := p.first.Pool("p").Fetch(ctx, foldstream.Filter{Wait: p.slack})
	if err != nil {
		return err
	}
	since := time.Now()
	stream.Abandon(l)
	next, err := comes(ctx, "abandoned", p.second, since, clockLease/2, p.slack)
	if next != nil {
		err = errors.Join(err, next.Commit(ctx, foldstream.Result{}))
	}
	return err
}

// seen is who lives, for who looks from another machine.
func (p pair) seen(ctx context.Context) error {
	if _, err := p.first.Pool("p").Create(ctx, streamtest.Task(5)); err != nil {
		return err
	}
	l, err := p.first.Pool("p").Fetch(ctx, foldstream.Filter{Wait: p.slack})
	if err != nil {
		return err
	}
	err = streamtest.Eventually(ctx, func() error {
		for who, err := range p.second.Workers(ctx) {
			if err != nil {
				return err
			}
			if who.Worker == "first" && len(who.Tasks) == 1 && time.Since(who.Tasks[0].Since).Abs() < time.Hour && time.Until(who.Expires).Abs() < time.Hour {
				return nil
			}
		}
		return errors.New("the first worker is not seen")
	})
	return errors.Join(err, l.Commit(ctx, foldstream.Result{}))
}
