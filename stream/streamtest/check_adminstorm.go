package streamtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
)

var adminStormChecks = []Check{
	{"admin/storm", adminStorm},
}

// adminStorm has workers who die, freeze and give back, and an operator who does anything to any task, at the same time. When
// the operator has put everything back to work, each task is done by one worker whose commit was accepted.
func adminStorm(ctx context.Context, h Harness) error {
	const n, workers = 40, 6
	tasks := Tasks(0, n)
	for i := range tasks {
		if i%4 == 0 {
			tasks[i] = withStages(tasks[i], "fit", "predict")
		}
	}
	if err := create(ctx, h.Store, tasks...); err != nil {
		return err
	}
	st := &storm{
		h: h, rnd: rand.New(rand.NewPCG(7, 8)), tolerant: true,
		won: map[foldstream.TaskID][]string{}, ill: map[foldstream.TaskID]int{},
	}
	working, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	for i := range workers {
		s := []foldstream.Store{h.Store, h.Second}[i%2]
		wg.Go(func() { st.work(working, s, fmt.Sprint("worker-", i)) })
	}
	o := operator{a: admin(h), tasks: tasks, rnd: rand.New(rand.NewPCG(9, 10)), pause: h.Lease / 20}
	err := errors.Join(o.meddle(ctx, 100), o.restore(ctx))
	if err == nil {
		err = counts(ctx, h.Store, foldstream.Counts{foldstream.Done: n})
	}
	stop()
	wg.Wait()
	st.wg.Wait()
	if err := errors.Join(err, st.bad, spares(ctx, h)); err != nil {
		return err
	}
	if err := stand(ctx, h, foldstream.Counts{foldstream.Done: n}); err != nil {
		return err
	}
	return st.accepted(ctx, tasks)
}

// accepted wants the results in each task's history to be those whose commits were accepted.
func (st *storm) accepted(ctx context.Context, tasks []foldstream.Task) error {
	for _, t := range tasks {
		events, err := history(ctx, st.h.Store, t.ID)
		if err != nil {
			return err
		}
		var makers []string
		for _, e := range events {
			if e.Kind == foldstream.EventResult && e.Result != nil {
				makers = append(makers, e.Result.Params["by"])
			}
		}
		won := st.won[t.ID]
		slices.Sort(makers)
		slices.Sort(won) // two lives may be noted in another order than they ended
		if err := same(fmt.Sprintf("the results of task %s and the commits that were accepted", t.ID), makers, won); err != nil {
			return err
		}
	}
	return nil
}

// operator does things to tasks at random.
type operator struct {
	a     Administered
	tasks []foldstream.Task
	rnd   *rand.Rand
	pause time.Duration
}

// meddle does n things, a pause apart.
func (o operator) meddle(ctx context.Context, n int) error {
	for range n {
		if err := o.act(ctx, o.tasks[o.rnd.IntN(len(o.tasks))]); err != nil {
			return err
		}
		if err := after(ctx, time.Now().Add(o.pause)); err != nil {
			return err
		}
	}
	return nil
}

func (o operator) act(ctx context.Context, t foldstream.Task) (err error) {
	switch o.rnd.IntN(9) {
	case 0:
		_, err = o.a.Cancel(ctx, pool, "meddling", t.ID)
	case 1:
		_, err = o.a.Remove(ctx, pool, "meddling", t.ID)
	case 2:
		_, err = o.a.Retry(ctx, pool, "meddling", t.ID)
	case 3, 4:
		_, err = o.a.Reset(ctx, pool, o.rnd.IntN(2) == 0, t.ID)
	case 5:
		_, err = o.a.Prioritize(ctx, pool, priority(o.rnd.IntN(19)-9), t.ID)
	case 6:
		_, err = o.a.Pool(pool).Create(ctx, t)
	case 7:
		_, err = o.a.Change(ctx, pool, func(p *foldstream.PoolSettings) { p.Paused = !p.Paused })
	case 8:
		_, err = o.a.Replace(ctx, pool, "meddling", t.ID, o.tasks[o.rnd.IntN(len(o.tasks))])
		if foldstream.Is(err, foldstream.Invalid) || foldstream.Is(err, foldstream.Conflict) || foldstream.Is(err, foldstream.NotFound) {
			err = nil // itself, or what is removed
		}
	}
	return err
}

// restore puts everything back to work.
func (o operator) restore(ctx context.Context) error {
	_, resume := o.a.Change(ctx, pool, func(p *foldstream.PoolSettings) { p.Paused = false })
	_, retry := o.a.Retry(ctx, pool, "back to work", idsOf(o.tasks)...)
	_, create := o.a.Pool(pool).Create(ctx, o.tasks...)
	return errors.Join(resume, retry, create)
}
