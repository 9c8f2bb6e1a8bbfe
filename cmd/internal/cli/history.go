package cli

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/foldstream/foldstream"
)

// history is how long work took: of each configuration, by how long its training period is, and of all.
type history struct {
	of      map[string]durations // by key; "" is all
	results int
}

// durations are the sums of durations by the length of the training period, in days.
type durations map[int]*spent

type spent struct {
	sum time.Duration
	n   int
}

// historyOf reads how long the winning results of some pools took; tasks are those that are known by their definitions. Results without a duration
// are left out.
func historyOf(ctx context.Context, store foldstream.Newest, tasks []foldstream.Task, pools ...string) (*history, error) {
	h := &history{of: map[string]durations{}}
	return h, newestOf(ctx, store, tasks, pools, h.learn)
}

// newestOf calls each for the newest event of each of these tasks in some pools, where it has a result with a duration.
func newestOf(ctx context.Context, store foldstream.Newest, tasks []foldstream.Task, pools []string, each func(foldstream.Task, foldstream.Event)) error {
	known := make(map[foldstream.TaskID]foldstream.Task, len(tasks))
	for _, t := range tasks {
		known[t.ID] = t
	}
	for _, pool := range pools {
		for e, err := range store.Newest(ctx, pool) {
			if err != nil {
				return err
			}
			if t, ok := known[e.Task]; ok && e.Result != nil && e.Result.Duration > 0 {
				each(t, e)
			}
		}
	}
	return nil
}

// learn adds a task's result; a part is none.
func (h *history) learn(t foldstream.Task, e foldstream.Event) {
	if e.Kind != foldstream.EventResult {
		return
	}
	h.results++
	h.add(t.Key.String(), t, e.Result.Duration)
	if len(t.Key) > 0 {
		h.add("", t, e.Result.Duration)
	}
}

func (h *history) add(key string, t foldstream.Task, d time.Duration) {
	if h.of[key] == nil {
		h.of[key] = durations{}
	}
	days := trained(t)
	if h.of[key][days] == nil {
		h.of[key][days] = &spent{}
	}
	h.of[key][days].sum += d
	h.of[key][days].n++
}

// trained is the length of a task's training period in days; 0 where it is open.
func trained(t foldstream.Task) int {
	s := t.Segments["train"]
	if s.Start.IsOpen() || s.End.IsOpen() {
		return 0
	}
	return int(s.End.Std().Sub(s.Start.Std()) / (24 * time.Hour))
}

// expect is how long a task will take: the mean of the results of its configuration whose training period is nearest to its own; of all
// configurations where there are none of it.
func (h *history) expect(t foldstream.Task) time.Duration {
	some := h.of[t.Key.String()]
	if some == nil {
		some = h.of[""]
	}
	days := trained(t)
	var best *spent
	var distance, length int
	for l, s := range some {
		d := max(l-days, days-l)
		if best == nil || cmp.Or(cmp.Compare(d, distance), cmp.Compare(l, length)) < 0 { // of two as near the shorter
			best, distance, length = s, d, l
		}
	}
	if best == nil {
		return 0
	}
	return best.sum / time.Duration(best.n)
}

// cost is how much work tasks will be, by experience.
type cost struct {
	Work    time.Duration // of one worker
	Results int           // that the experience is of; 0 is none
}

func (h *history) cost(tasks []foldstream.Task) cost {
	c := cost{Results: h.results}
	for _, t := range tasks {
		c.Work += h.expect(t)
	}
	return c
}

// String writes the cost: "about 2m10s of work, by 480 results".
func (c cost) String() string {
	unit := time.Second
	if c.Work < 10*time.Second {
		unit = time.Millisecond
	}
	return fmt.Sprintf("about %v of work, by %d results", c.Work.Round(unit), c.Results)
}
