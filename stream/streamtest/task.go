package streamtest

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"github.com/foldstream/foldstream"
)

// Task returns the n-th of an endless row of different tasks: the same one for the same n, with an id of the right form that
// stands for no content.
func Task(n int) foldstream.Task {
	sum := sha256.Sum256(fmt.Appendf(nil, "streamtest %d", n))
	id := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:16]))
	return foldstream.Task{
		ID: foldstream.TaskID(id),
		Template: foldstream.Template{
			Task:     map[string]any{"model": map[string]any{"class": "None", "kwargs": map[string]any{"n": int64(n), "rate": 0.5}}},
			Segments: foldstream.Segments{"test": {Start: foldstream.DateOf(2020, 1, 1), End: foldstream.DateOf(2020, 3, 31)}},
			Worker:   "none",
		},
		Tags: map[string]string{"n": fmt.Sprint(n)},
	}
}

// Tasks returns Task(from) to Task(from+n−1).
func Tasks(from, n int) []foldstream.Task {
	tasks := make([]foldstream.Task, n)
	for i := range tasks {
		tasks[i] = Task(from + i)
	}
	return tasks
}

// withPriority returns t with a priority.
func withPriority(t foldstream.Task, p int) foldstream.Task {
	t.Priority = &p
	return t
}

// withStages returns t with stages.
func withStages(t foldstream.Task, stages ...string) foldstream.Task {
	t.Stages = stages
	return t
}

// by returns a result that tells who made it.
func by(who string) foldstream.Result {
	return foldstream.Result{Params: map[string]string{"by": who}, Metrics: map[string]float64{"ic": 0.25}}
}
