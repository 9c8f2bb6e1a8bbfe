package chaos

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Play submits the experiment, has it worked, disturbs that, and returns when all tasks are over. What is told of it is told also
// where it ends with an error: a task that nobody works any more, say.
func (s *Stage) Play(ctx context.Context, pool Pool) (Report, error) {
	s.pool = pool
	blows := []blow{{kind: "producer killed"}}
	err := s.submit(ctx, s.between(0, 400))
	for _, a := range s.services() {
		err = errors.Join(err, a.start())
	}
	if err == nil {
		var more []blow
		more, err = s.disturb(ctx)
		blows = append(blows, more...)
	}
	if err == nil {
		err = s.finish(ctx)
	}
	r := Report{Seed: s.Seed, Servers: len(s.servers), Ended: s.ended}
	r.count(blows)
	for _, a := range s.actors() {
		r.Starts += a.starts
		r.Refused += a.said("the result is dropped")
	}
	return r, err
}

// disturb does one fault after the other until there are enough or the work is done.
func (s *Stage) disturb(ctx context.Context) (blows []blow, err error) {
	all := s.possible()
	for n := range s.Faults {
		s.lot = lotOf(s.Seed, uint64(n)+1)
		f, alone, pause := draw(s.lot, all), s.lot.IntN(4) > 0, s.between(0, int(max(2*s.Pause.Milliseconds(), 1)))
		over, open, err := s.pool.Done(ctx)
		if err == nil && open == 0 || ctx.Err() != nil {
			return blows, ctx.Err()
		}
		b, struck, err := s.strike(ctx, f, over, alone && err == nil)
		if struck {
			blows = append(blows, b)
		}
		if err != nil {
			return blows, fmt.Errorf("%s: %w", f.name, err)
		}
		if alone { // else the next comes at once
			wait(ctx, pause)
		}
	}
	return blows, nil
}

// strike does a fault. Where it is measured, it waits for the next result after those that were over before.
func (s *Stage) strike(ctx context.Context, f fault, over int, measured bool) (b blow, struck bool, err error) {
	s.Log.Info("fault", "what", f.name)
	b.kind = f.name
	since := time.Now()
	if struck, err = f.do(ctx, s); err != nil || !struck || !measured {
		return b, struck, err
	}
	err = s.until(ctx, calm, "the next result", func() bool {
		now, open, err := s.pool.Done(ctx)
		if err == nil && now > over {
			b.took = time.Since(since)
		}
		return err == nil && (b.took > 0 || open == 0)
	})
	return b, true, err
}

// finish lets all go on undisturbed until no task is open.
func (s *Stage) finish(ctx context.Context) error {
	last, since := -1, time.Now()
	for {
		s.revive()
		over, open, err := s.pool.Done(ctx)
		switch {
		case err == nil && open == 0:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && over > last:
			last, since = over, time.Now()
		case time.Since(since) > 2*calm:
			return fmt.Errorf("%d tasks are open and none was done for %v", open, 2*calm)
		}
		wait(ctx, 100*time.Millisecond)
	}
}

// submit has a producer killed after a while, and others submit the same until one comes to its end.
func (s *Stage) submit(ctx context.Context, after time.Duration) error {
	if err := s.producer.start(); err != nil {
		return err
	}
	select {
	case <-s.producer.ended:
	case <-time.After(after):
		s.producer.kill()
	}
	for end := time.Now().Add(2 * calm); ; {
		if err := s.producer.start(); err != nil {
			return err
		}
		select {
		case <-s.producer.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
		if s.producer.cmd.ProcessState.Success() {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("no producer comes to its end; see %s", s.producer.log)
		}
	}
}

// wait lets time pass.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
