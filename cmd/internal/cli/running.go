package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/foldstream/foldstream"
)

// runningTask is a task that a live worker works.
type runningTask struct {
	foldstream.InHand
	name string
}

// settled is for how long a task must run before it is shown: what is over in a moment only flickers.
const settled = 2 * time.Second

// line writes a running task: its name, how far it is, what it does, how long it took and will take.
func (t runningTask) line(now time.Time) string {
	elapsed := now.Sub(t.Since)
	left := "?"
	if p := t.Progress.Percent; p > 0 && p <= 100 {
		left = clock(time.Duration(float64(elapsed) * (100 - p) / p))
	}
	text := fmt.Sprintf("  %-40s %3.0f%% [%s<%s", cut(t.name, 40), t.Progress.Percent, clock(elapsed), left)
	if t.Progress.Step > 0 {
		text += fmt.Sprintf(", step %d", t.Progress.Step)
	}
	if t.Attempt > 1 {
		text += fmt.Sprintf(", attempt %d", t.Attempt)
	}
	if t.Second {
		text += ", second copy"
	}
	text += "]"
	if line, _, _ := strings.Cut(t.Progress.Message, "\n"); line != "" {
		text += " " + line
	}
	return text
}

// cut returns a text that is no wider than so many letters.
func cut(text string, width int) string {
	if width < 1 || utf8.RuneCountInString(text) <= width {
		return text
	}
	return string([]rune(text)[:width-1]) + "…"
}

// observer tells a progress, again and again, what runs in a pool.
type observer struct {
	index foldstream.Index
	pool  string
	names map[foldstream.TaskID]string
}

// observe tells p what the tasks of a pool are expected to take, and what runs in it, until stop is called, which waits. A store that cannot tell, and one that is away, tells nothing.
func observe(ctx context.Context, store foldstream.Store, pool string, p progress) (stop func()) {
	index, ok := store.(foldstream.Index)
	if !ok {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	o := observer{index: index, pool: pool, names: map[foldstream.TaskID]string{}}
	var watching sync.WaitGroup
	watching.Go(func() {
		if ahead, err := forecastOf(ctx, store, pool); err == nil {
			p.expect(ahead)
		}
		tick := time.NewTicker(p.tick())
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if tasks, err := o.tasks(ctx); err == nil {
					p.running(tasks)
				}
			case <-ctx.Done():
				return
			}
		}
	})
	return func() {
		cancel()
		watching.Wait()
	}
}

// tasks returns what runs, the oldest first, with names for those that are shown.
func (o observer) tasks(ctx context.Context) ([]runningTask, error) {
	var tasks []runningTask
	for w, err := range o.index.Workers(ctx) {
		if err != nil {
			return nil, err
		}
		for _, t := range w.Tasks {
			if t.Pool == o.pool {
				tasks = append(tasks, runningTask{InHand: t})
			}
		}
	}
	slices.SortFunc(tasks, func(a, b runningTask) int {
		return cmp.Or(a.Since.Compare(b.Since), strings.Compare(string(a.Task), string(b.Task)))
	})
	now := time.Now()
	for i := range tasks[:min(len(tasks), shownTasks)] {
		if now.Sub(tasks[i].Since) >= settled {
			tasks[i].name = o.name(ctx, tasks[i].Task)
		}
	}
	return tasks, nil
}

// name returns a task's configuration and window; its id where that is not known.
func (o observer) name(ctx context.Context, id foldstream.TaskID) string {
	if name, ok := o.names[id]; ok {
		return name
	}
	name := string(id)
	if state, err := o.index.Task(ctx, o.pool, id); err == nil {
		name = cmp.Or(strings.TrimSpace(placeOf(state.Task)), name)
	}
	o.names[id] = name
	return name
}
