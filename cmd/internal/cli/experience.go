package cli

import (
	"context"
	"slices"
	"time"

	"github.com/foldstream/foldstream"
)

// experience is how long the stages of tasks took; "" is the stage of tasks that have none.
type experience map[string]*stageExperience

// stageExperience is that of one stage: of each configuration by the length of its training, and of all.
type stageExperience struct {
	history
	all []time.Duration
}

// leastResults is how many results tell how long a task takes whose configuration has none.
const leastResults = 3

// experienceOf reads how long the newest stages of a pool's tasks took, and of those of the experiment that it replays. Of a task it knows the
// stage that ended last: how long one took that another followed is forgotten when that one begins.
func experienceOf(ctx context.Context, a remembering, pool string) (experience, error) {
	tasks, pools, err := remembered(ctx, a, pool)
	if err != nil {
		return nil, err
	}
	known := make(map[foldstream.TaskID]foldstream.Task, len(tasks))
	for _, t := range tasks {
		known[t.ID] = t
	}
	x := experience{}
	for _, pool := range pools {
		for e, err := range a.Newest(ctx, pool) {
			if err != nil {
				return nil, err
			}
			if t, ok := known[e.Task]; ok && e.Result != nil && e.Result.Duration > 0 {
				x.add(e.Stage, t, e.Result.Duration)
			}
		}
	}
	for _, s := range x {
		slices.Sort(s.all)
	}
	return x, nil
}

func (x experience) add(stage string, t foldstream.Task, took time.Duration) {
	s := x[stage]
	if s == nil {
		s = &stageExperience{history: history{of: map[string]durations{}}}
		x[stage] = s
	}
	s.add(t.Key.String(), t, took)
	s.all = append(s.all, took)
}

// expect is how long a task's stage takes its like: its configuration, with the training nearest to its own; the median of all where there is
// none of it. 0 is no experience.
func (x experience) expect(t foldstream.Task) time.Duration {
	s := x[t.Stage]
	switch {
	case s == nil:
		return 0
	case s.of[t.Key.String()] != nil:
		return s.expect(t)
	case len(s.all) < leastResults:
		return 0
	}
	return s.all[len(s.all)/2]
}
