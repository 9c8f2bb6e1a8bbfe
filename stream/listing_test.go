package stream_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/stream"
	"github.com/foldstream/foldstream/stream/streamtest"
)

// TestTasks_ManyPagesWithoutAnIndex lists a pool of more pages than are looked up by their tasks, where nobody keeps an index: states are those of
// every page, in the order of creation, and nothing stands twice.
func TestTasks_ManyPagesWithoutAnIndex(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	s := open(t, streamtest.Server(t).URL(), stream.Config{})
	tasks := streamtest.Tasks(0, 1800)
	if _, err := s.Pool("p").Create(ctx, tasks...); err != nil {
		t.Fatal(err)
	}
	want := map[foldstream.TaskID]foldstream.Status{}
	for i := 0; i < len(tasks); i += 150 {
		if _, err := s.Cancel(ctx, "p", "", tasks[i].ID); err != nil {
			t.Fatal(err)
		}
		want[tasks[i].ID] = foldstream.Withdrawn
	}
	var got []string
	for state, err := range s.Page(ctx, "p", foldstream.TaskQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(state.ID, state.Status))
	}
	all := make([]string, len(tasks))
	for i, task := range tasks {
		status, ended := want[task.ID]
		if !ended {
			status = foldstream.Waiting
		}
		all[i] = fmt.Sprint(task.ID, status)
	}
	if !slices.Equal(got, all) {
		t.Errorf("%d tasks are listed otherwise than %d were made", len(got), len(all))
	}
}
