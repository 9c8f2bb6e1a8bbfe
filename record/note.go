package record

import (
	"context"
	"maps"
	"slices"

	"github.com/foldstream/foldstream"
)

// What people may add to a recorder.
const (
	maxTag  = 4 << 10  // bytes of a tag's name and value
	maxNote = 64 << 10 // bytes of a note
)

// Tag sets tags of a recorder and takes others away, whoever set them: people, the task's definition or its result, which stay as they are.
// Errors: NotFound (the recorder), Invalid (a tag without a name), TooLarge.
func Tag(ctx context.Context, store Store, experiment, id string, set map[string]string, remove ...string) error {
	for _, name := range append(slices.Sorted(maps.Keys(set)), remove...) {
		switch {
		case name == "":
			return foldstream.Errorf(foldstream.Invalid, "recorder", "a tag needs a name")
		case len(name)+len(set[name]) > maxTag:
			return foldstream.Errorf(foldstream.TooLarge, "recorder", "tag %.40q: name and value have %d bytes together, at most %d are kept", name, len(name)+len(set[name]), maxTag)
		}
	}
	return add(ctx, store, experiment, id, func(d *document) {
		for _, name := range remove {
			d.untag(name)
		}
		for name, value := range set {
			d.tag(name, value)
		}
	})
}

// SetNote sets the note of a recorder; "" takes it away. Errors: NotFound, TooLarge.
func SetNote(ctx context.Context, store Store, experiment, id, note string) error {
	if len(note) > maxNote {
		return foldstream.Errorf(foldstream.TooLarge, "recorder", "a note of %d bytes; at most %d are kept", len(note), maxNote)
	}
	return add(ctx, store, experiment, id, func(d *document) { d.Note = note })
}

// add changes what people added to a recorder that is there.
func add(ctx context.Context, store Store, experiment, id string, change func(*document)) error {
	f, err := find(ctx, store, experiment, id)
	if err != nil {
		return err
	}
	return changeDocument(ctx, store, f.experiment, id, func(d *document) (*document, error) {
		switch {
		case d == nil && !f.Task:
			return nil, foldstream.Errorf(foldstream.NotFound, "recorder", "recorder %s of experiment %s was deleted", id, experiment)
		case d == nil:
			d = &document{}
		}
		change(d)
		return d, nil
	})
}
