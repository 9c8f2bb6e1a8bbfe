package streamtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/foldstream/foldstream"
)

var stormChecks = []Check{
	{"storm", stormAll},
}

// storm is many workers who die, freeze and give back at random; a fixed seed decides who does what, not when.
type storm struct {
	h   Harness
	mu  sync.Mutex
	rnd *rand.Rand
	won map[foldstream.TaskID][]string // by the last stage: whose commit was accepted
	ill map[foldstream.TaskID]int      // how often a worker died or froze at it
	bad error
	wg  sync.WaitGroup // the frozen, who wake up again

	tolerant bool // leases may be lost without a fault of their workers
}

// stormAll works all tasks in a storm: each has one result, the one whose commit was accepted.
func stormAll(ctx context.Context, h Harness) error {
	const n, workers = 60, 8
	tasks := Tasks(0, n)
	for i := range tasks {
		if tasks[i] = withPriority(tasks[i], i%5); i%4 == 0 {
			tasks[i] = withStages(tasks[i], "fit", "predict")
		}
	}
	if err := create(ctx, h.Store, tasks...); err != nil {
		return err
	}
	st := &storm{h: h, rnd: rand.New(rand.NewPCG(3, 4)), won: map[foldstream.TaskID][]string{}, ill: map[foldstream.TaskID]int{}}
	working, stop := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for i := range workers {
		s := []foldstream.Store{h.Store, h.Second}[i%2]
		wg.Go(func() { st.work(working, s, fmt.Sprint("worker-", i)) })
	}
	err := counts(ctx, h.Store, foldstream.Counts{foldstream.Done: n})
	stop()
	wg.Wait()
	st.wg.Wait()
	if err := errors.Join(err, st.bad, done(ctx, h, n)); err != nil {
		return err
	}
	for _, t := range tasks {
		if got := st.won[t.ID]; len(got) != 1 {
			return fmt.Errorf("commits by %q were accepted for task %s, want one", got, t.ID)
		}
		if err := resultBy(ctx, h.Second, t.ID, st.won[t.ID][0]); err != nil {
			return err
		}
	}
	return nil
}

// work fetches and does something until the context ends.
func (st *storm) work(ctx context.Context, s foldstream.Store, name string) {
	for i := 0; ctx.Err() == nil; i++ {
		l, err := s.Pool(pool).Fetch(ctx, foldstream.Filter{Wait: st.h.Lease})
		switch {
		case foldstream.Is(err, foldstream.NotFound) || ctx.Err() != nil:
		case err != nil:
			st.fault(err)
			return
		default:
			st.act(ctx, l, fmt.Sprint(name, "/", i))
		}
	}
}

func (st *storm) act(ctx context.Context, l foldstream.Lease, nonce string) {
	switch st.choose(l.Task().ID) {
	case "die":
		st.h.Abandon(l)
	case "freeze":
		st.h.Abandon(l)
		st.wg.Go(func() {
			wakes := time.After(2 * st.h.Lease)
			<-wakes
			st.commit(context.WithoutCancel(ctx), l, nonce, foldstream.Conflict)
		})
	case "return":
		err := l.Return(ctx, errors.New("try again"), 10*time.Millisecond)
		if err != nil && ctx.Err() == nil && (!st.tolerant || !foldstream.Is(err, foldstream.Conflict)) {
			st.fault(err)
		}
	default:
		excused := foldstream.Internal
		if st.tolerant {
			excused = foldstream.Conflict
		}
		st.commit(context.WithoutCancel(ctx), l, nonce, excused)
	}
}

// choose picks what happens. A task loses at most two workers, so that none fails of crashes.
func (st *storm) choose(id foldstream.TaskID) string {
	st.mu.Lock()
	defer st.mu.Unlock()
	what := []string{"die", "freeze", "freeze", "return", "commit", "commit", "commit", "commit"}[st.rnd.IntN(8)]
	if what == "die" || what == "freeze" {
		if st.ill[id]++; st.ill[id] > 2 {
			return "commit"
		}
	}
	return what
}

// commit commits and notes who won; only the excused kind of error is allowed.
func (st *storm) commit(ctx context.Context, l foldstream.Lease, nonce string, excused foldstream.Kind) {
	err := l.Commit(ctx, by(nonce))
	st.mu.Lock()
	defer st.mu.Unlock()
	switch {
	case err == nil && l.Task().LastStage():
		st.won[l.Task().ID] = append(st.won[l.Task().ID], nonce)
	case err != nil && (excused == foldstream.Internal || !foldstream.Is(err, excused)):
		st.bad = errors.Join(st.bad, err)
	}
}

func (st *storm) fault(err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.bad = errors.Join(st.bad, err)
}
