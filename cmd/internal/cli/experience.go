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
	x := experience{}
	err = newestOf(ctx, a, tasks, pools, x.learn)
	for _, s := range x {
		slices.Sort(s.all)
	}
	return x, err
}

// learn adds what a task's stage took.
func (x experience) learn(t foldstream.Task, e foldstream.Event) {
	s := x[e.Stage]
	if s == nil {
		s = &stageExperience{history: history{of: map[string]durations{}}}
		x[e.Stage] = s
	}
	s.add(t.Key.String(), t, e.Result.Duration)
	s.all = append(s.all, e.Result.Duration)
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
