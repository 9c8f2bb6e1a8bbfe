package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/record"
)

// RecorderTagCmd sets tags.
type RecorderTagCmd struct {
	Managed
	OneRecorder
	Tags   map[string]string `arg:"" optional:"" mapsep:"none" placeholder:"NAME=VALUE" help:"Tags to set."`
	Remove []string          `placeholder:"NAME" sep:"none" help:"Tags to take away, whoever set them."`
}

// Run sets and removes, and prints the tags there are. Errors: NotFound, Invalid.
func (c *RecorderTagCmd) Run(ctx context.Context, env *Env) error {
	return c.onRecorder(ctx, env, c.OneRecorder, func(a administered, experiment string, _ record.Recorder) error {
		if len(c.Tags)+len(c.Remove) == 0 {
			return foldstream.Errorf(foldstream.Invalid, "", "say which tags: NAME=VALUE to set one, --remove NAME to take one away")
		}
		if err := record.Tag(ctx, a, experiment, c.ID, c.Tags, c.Remove...); err != nil {
			return err
		}
		r, err := record.Get(ctx, a, experiment, c.ID)
		if err != nil {
			return err
		}
		if c.JSON {
			return printJSON(env.Stdout, map[string]any{"experiment": experiment, "id": c.ID, "tags": r.Tags})
		}
		for _, name := range slices.Sorted(maps.Keys(r.Tags)) {
			fmt.Fprintf(env.Stdout, "%s=%s\n", name, r.Tags[name])
		}
		return nil
	})
}

// RecorderNoteCmd sets or shows the note.
type RecorderNoteCmd struct {
	Managed
	OneRecorder
	Text  *string `arg:"" optional:"" help:"The note; - reads it from the standard input; without it the note is shown."`
	Clear bool    `help:"Take the note away."`
}

// Run sets the note, or prints it. Errors: NotFound (also where there is no note to show).
func (c *RecorderNoteCmd) Run(ctx context.Context, env *Env) error {
	return c.onRecorder(ctx, env, c.OneRecorder, func(a administered, experiment string, r record.Recorder) error {
		note, set, err := c.text(env)
		if err != nil {
			return err
		}
		if set {
			if err := record.SetNote(ctx, a, experiment, c.ID, note); err != nil {
				return err
			}
			r.Note = note
		} else if r.Note == "" {
			return foldstream.Errorf(foldstream.NotFound, "", "recorder %s has no note", c.ID)
		}
		if c.JSON {
			return printJSON(env.Stdout, map[string]any{"experiment": experiment, "id": c.ID, "note": r.Note})
		}
		if r.Note != "" {
			_, err = fmt.Fprintln(env.Stdout, r.Note)
		}
		return err
	})
}

// text returns the note to set; set is false where none is.
func (c *RecorderNoteCmd) text(env *Env) (note string, set bool, err error) {
	switch {
	case c.Clear && c.Text != nil:
		return "", false, foldstream.Errorf(foldstream.Invalid, "", "--clear and a note: say one of both")
	case c.Clear:
		return "", true, nil
	case c.Text == nil:
		return "", false, nil
	case *c.Text == "-":
		note, err = readNote(env)
		return note, true, err
	}
	return *c.Text, true, nil
}

// maxNoteInput is how much of the standard input is read for a note; more is refused.
const maxNoteInput = 1 << 20

func readNote(env *Env) (string, error) {
	data, err := io.ReadAll(io.LimitReader(env.Stdin, maxNoteInput))
	return strings.TrimRight(string(data), "\n"), err
}
