package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/calendar"
	"github.com/foldstream/foldstream/gen"
)

// Draft is the flags by which a command is told what single tasks to make.
type Draft struct {
	File string            `arg:"" optional:"" help:"Experiment file whose tasks to take; - is stdin."`
	From foldstream.TaskID `group:"Content" placeholder:"ID" help:"Task of the pool to start from."`
	Overrides
	Priority *Priority         `group:"Content" placeholder:"N" help:"From -9 to 9, or none; default: that of the task to start from."`
	Tag      map[string]string `group:"Content" placeholder:"NAME=TEXT" help:"Tag, beside those of the task to start from."`
}

// draft is tasks made ready: checked, certified and identified, nothing published.
type draft struct {
	tasks    []foldstream.Task
	calendar *calendar.Calendar
	data     []foldstream.Data // to upload; nil where the store has it all
}

// prepare makes the tasks ready, by the overrides' values. Errors: Invalid, Leak (by the policy of what it starts from), NotFound.
func (d Draft) prepare(ctx context.Context, env *Env, a administered, pool string) (*draft, error) {
	overrides, err := d.parse()
	if err != nil {
		return nil, err
	}
	if (d.File == "") == (d.From == "") {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "say what to start from in one way: by a FILE, or by --from ID")
	}
	var out *draft
	var policy foldstream.Policy
	if d.File != "" {
		out, policy, err = fromFile(env, d.File)
	} else {
		out, policy, err = fromTask(ctx, a, pool, d.From)
	}
	if err != nil {
		return nil, err
	}
	bases := out.tasks
	out.tasks = nil
	for _, base := range bases {
		made, err := d.vary(base, overrides, out.calendar, policy)
		if err != nil {
			return nil, err
		}
		out.tasks = append(out.tasks, made...)
	}
	return out, nil
}

// fromFile takes the tasks of an experiment file.
func fromFile(env *Env, path string) (*draft, foldstream.Policy, error) {
	open := func(name string) (io.ReadCloser, error) { return os.Open(name) }
	if path == "-" {
		path = stdinName
		open = func(name string) (io.ReadCloser, error) {
			if name == stdinName {
				return io.NopCloser(env.Stdin), nil
			}
			return os.Open(name)
		}
	}
	p, err := loadBy(path, open)
	if err != nil {
		return nil, "", err
	}
	return &draft{p.Tasks, p.calendar, p.data}, p.Experiment.Policy, nil
}

// stdinName is how the standard input is called in errors.
const stdinName = "stdin"

// fromTask takes a task of the pool without its place in life.
func fromTask(ctx context.Context, a administered, pool string, id foldstream.TaskID) (*draft, foldstream.Policy, error) {
	state, err := a.Task(ctx, pool, id)
	if err != nil {
		return nil, "", err
	}
	t := state.Task
	cal, err := (&calendars{artifacts: a.Artifacts()}).get(ctx, t.Calendar)
	if err != nil {
		return nil, "", err
	}
	t.Stage, t.Attempt, t.Part, t.Replaces = "", 0, nil, ""
	return &draft{[]foldstream.Task{t}, cal, nil}, t.Leak.Policy, nil
}

// vary makes tasks of one, as the overrides and flags say.
func (d Draft) vary(base foldstream.Task, overrides []override, cal *calendar.Calendar, policy foldstream.Policy) ([]foldstream.Task, error) {
	templates, err := vary(base.Template, overrides)
	if err != nil {
		return nil, err
	}
	for i, t := range templates {
		if templates[i], err = gen.Certify(t, cal, policy); err != nil {
			return nil, foldstream.Errorf(foldstream.KindOf(err), "", "%s: %w", placeOf(foldstream.Task{Template: t}), err)
		}
	}
	made, err := gen.Tasks(templates)
	if err != nil {
		return nil, err
	}
	for i, m := range made {
		t := base.Clone()
		t.ID, t.Template = m.ID, m.Template
		if d.Priority != nil {
			t.Priority = d.Priority.level
		}
		for name, text := range d.Tag {
			if t.Tags == nil {
				t.Tags = map[string]string{}
			}
			t.Tags[name] = text
		}
		made[i] = t
	}
	return made, nil
}

// supply stores what the tasks need, before they are published.
func (d *draft) supply(ctx context.Context, store foldstream.Store) error {
	if d.data == nil {
		return nil
	}
	if _, _, err := store.Artifacts().Put(ctx, bytes.NewReader(d.calendar.Text())); err != nil {
		return err
	}
	for _, one := range d.data {
		if err := upload(ctx, store, one); err != nil {
			return err
		}
	}
	return nil
}

// drafted is a task that was made, or would be, for machines.
type drafted struct {
	ID       foldstream.TaskID   `json:"id"`
	Key      map[string]string   `json:"key"`
	Segments foldstream.Segments `json:"segments"`
	Leak     leakJSON            `json:"leak"`
	Status   foldstream.Status   `json:"status"`
	New      bool                `json:"new"`
	name     string
}

func draftedOf(t foldstream.Task, c foldstream.Created) drafted {
	return drafted{t.ID, keyMap(t.Key), t.Segments, leakOf(t), c.Status, c.New, t.Key.String()}
}

// known tells of each task what creating it would answer.
func (d *draft) known(ctx context.Context, a administered, pool string) ([]drafted, error) {
	out := make([]drafted, len(d.tasks))
	for i, t := range d.tasks {
		c := foldstream.Created{ID: t.ID, Status: foldstream.Waiting, New: true}
		state, err := a.Task(ctx, pool, t.ID)
		switch {
		case foldstream.Is(err, foldstream.NotFound):
		case err != nil:
			return nil, err
		case state.Status != foldstream.Removed:
			c.Status, c.New = state.Status, false
		}
		out[i] = draftedOf(t, c)
	}
	return out, nil
}

func printDrafts(env *Env, all []drafted) {
	t := newTable(env.Stdout, "task", "configuration", "train", "valid", "test", "leak gap", "status")
	for _, d := range all {
		status := foldstream.Status(doNew)
		if !d.New {
			status = d.Status
		}
		t.AppendRow([]any{d.ID, d.name, span(d.Segments, "train"), span(d.Segments, "valid"), span(d.Segments, "test"), d.Leak.Gap, status})
	}
	t.SuppressEmptyColumns()
	t.Render()
}

// newAndKnown counts: "2 new, 1 known".
func newAndKnown(all []drafted) string {
	fresh := 0
	for _, d := range all {
		if d.New {
			fresh++
		}
	}
	return fmt.Sprintf("%d new, %d known", fresh, len(all)-fresh)
}
