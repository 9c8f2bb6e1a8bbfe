package cli

import (
	"context"

	"github.com/foldstream/foldstream"
)

// Selection is the flags by which a command that changes tasks is told which.
type Selection struct {
	IDs   []foldstream.TaskID `arg:"" optional:"" name:"id" help:"Tasks."`
	Where string              `group:"Tasks" placeholder:"EXPR" help:"The tasks for which this is true: status == \"failed\" and attempt > 2."`
	All   bool                `group:"Tasks" help:"All tasks of the pool."`
}

// Change is the flags of every command that changes something.
type Change struct {
	DryRun bool `group:"Change" help:"Show what would be changed; change nothing."`
	Force  bool `short:"f" group:"Change" help:"Do not ask."`
}

// choose returns the tasks that are meant and to which the change applies, in order of creation or of the arguments, and how
// many were meant in all. Errors: Invalid, NotFound (a task that was named).
func (s Selection) choose(ctx context.Context, a administered, pool string, applies func(foldstream.TaskState) bool) (fit []foldstream.TaskState, meant int, err error) {
	if err := s.one(); err != nil {
		return nil, 0, err
	}
	if len(s.IDs) > 0 {
		return s.named(ctx, a, pool, applies)
	}
	filter, err := compileWhere(s.Where)
	if err != nil {
		return nil, 0, err
	}
	for t, err := range a.Tasks(ctx, pool) {
		if err != nil {
			return nil, 0, err
		}
		yes, err := filter(pool, t)
		if err != nil {
			return nil, 0, err
		}
		if yes {
			meant++
		}
		if yes && applies(t) {
			fit = append(fit, told(t))
		}
	}
	return fit, meant, nil
}

// one reports whether there is exactly one way by which tasks are chosen.
func (s Selection) one() error {
	ways := 0
	for _, given := range []bool{len(s.IDs) > 0, s.Where != "", s.All} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return foldstream.Errorf(foldstream.Invalid, "", "say which tasks in one way: by their ids, or by --where EXPR, or by --all")
	}
	return nil
}

func (s Selection) named(ctx context.Context, a administered, pool string, applies func(foldstream.TaskState) bool) (fit []foldstream.TaskState, meant int, err error) {
	seen := map[foldstream.TaskID]bool{}
	for _, id := range s.IDs {
		if seen[id] {
			continue
		}
		seen[id] = true
		t, err := a.Task(ctx, pool, id)
		if err != nil {
			return nil, 0, err
		}
		meant++
		if applies(t) {
			fit = append(fit, told(t))
		}
	}
	return fit, meant, nil
}

// told is a task without what no list of chosen tasks tells: a million of them are held at once.
func told(t foldstream.TaskState) foldstream.TaskState {
	return foldstream.TaskState{
		Task:   foldstream.Task{ID: t.ID, Template: foldstream.Template{Key: t.Key, Window: t.Window}},
		Status: t.Status,
	}
}

func ids(tasks []foldstream.TaskState) []foldstream.TaskID {
	out := make([]foldstream.TaskID, len(tasks))
	for i, t := range tasks {
		out[i] = t.ID
	}
	return out
}
