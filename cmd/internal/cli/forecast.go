package cli

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
)

// forecast is how much work is left by experience: its n-th is the work of the n tasks of a pool that come last. nil is no experience.
type forecast []time.Duration

// forecastOf reads how long the pool's results took, and those of the experiment that it replays, and forecasts all tasks of the pool.
func forecastOf(ctx context.Context, store foldstream.Store, pool string) (forecast, error) {
	a, ok := store.(remembering)
	if !ok {
		return nil, nil
	}
	tasks, pools, err := remembered(ctx, a, pool)
	if err != nil {
		return nil, err
	}
	h, err := historyOf(ctx, a, tasks, pools...)
	if err != nil {
		return nil, err
	}
	return h.forecast(tasks), nil
}

// remembering is a store that can tell how long work took.
type remembering interface {
	foldstream.Store
	foldstream.Archive
	foldstream.Newest
}

// remembered reads all tasks of a pool in brief, and tells in which pools there is experience with them: it, and that of the experiment that it
// replays.
func remembered(ctx context.Context, a remembering, pool string) (tasks []foldstream.Task, pools []string, err error) {
	for t, err := range a.Definitions(ctx, pool) {
		if err != nil {
			return nil, nil, err
		}
		brief := foldstream.Task{ID: t.ID, Template: foldstream.Template{Key: t.Key, Segments: t.Segments}, Priority: t.Priority} // what counts, and no more
		tasks = append(tasks, brief)
	}
	pools = []string{pool}
	if e, err := record.ReadExperiment(ctx, a, pool); err == nil && e.Replay.Of != "" {
		if of, err := record.ReadExperiment(ctx, a, e.Replay.Of); err == nil {
			pools = append(pools, of.Pool)
		}
	}
	return tasks, pools, nil
}

// forecast sums up what tasks are expected to take, in the order in which they are fetched.
func (h *history) forecast(tasks []foldstream.Task) forecast {
	if h.results == 0 {
		return nil
	}
	slices.SortStableFunc(tasks, func(a, b foldstream.Task) int {
		one, _ := a.Band() // they were checked when they were created
		other, _ := b.Band()
		return cmp.Compare(other, one)
	})
	f := make(forecast, len(tasks)+1)
	for n := range tasks {
		f[n+1] = f[n] + h.expect(tasks[len(tasks)-1-n])
	}
	return f
}

// eta is how long the last tasks will take so many workers; false where nobody knows.
func (f forecast) eta(left, running int) (time.Duration, bool) {
	if left < 0 || left >= len(f) || running < 1 {
		return 0, false
	}
	return f[left] / time.Duration(min(running, max(left, 1))), true
}
