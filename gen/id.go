package gen

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/foldstream/foldstream"
	"github.com/gowebpki/jcs"
)

// maxInt is the largest integer that JSON numbers hold exactly (RFC 8785).
const maxInt = 1<<53 - 1

var lower = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// content is what a task's identity is made of. Every key is always there.
type content struct {
	V        int                 `json:"v"`
	Template map[string]any      `json:"template"`
	Segments foldstream.Segments `json:"segments"`
	Horizon  int                 `json:"horizon"`
	Seed     *int64              `json:"seed"`
	Stages   []string            `json:"stages"`
	Worker   string              `json:"worker"`
	Calendar string              `json:"calendar"`
}

// ID computes the identity of t's content: lower-case unpadded base32 of the first 16 bytes of SHA-256 over the RFC 8785
// JSON of {v: 1, template, segments, horizon, seed, stages, worker, calendar}. A seed that is not set is null, no segments
// are {} and no stages []. Numbers equal as reals give one id (1 = 1.0); the handler's times count as times, all other text
// as written. Key, Window, Reach and Leak are outside.
//
// Errors: Invalid, naming the path: integers beyond ±(2^53−1), NaN, infinities, values that JSON does not have, text that is
// not UTF-8, segments inside the task dict, reversed segments.
func ID(t foldstream.Template) (foldstream.TaskID, error) {
	text, err := canonical(t)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(text)
	return foldstream.TaskID(lower.EncodeToString(sum[:16])), nil
}

// canonical returns the RFC 8785 JSON that ID hashes.
func canonical(t foldstream.Template) ([]byte, error) {
	plain, err := foldstream.TemplateOf(t.Task)
	if err != nil {
		return nil, err
	}
	if err := fit(t, plain); err != nil {
		return nil, err
	}
	c := content{1, plain.Task, t.Segments, t.Horizon, t.Seed, t.Stages, t.Worker, t.Calendar}
	if c.Segments == nil {
		c.Segments = foldstream.Segments{}
	}
	if c.Stages == nil {
		c.Stages = []string{}
	}
	text, err := json.Marshal(c)
	if err != nil {
		return nil, foldstream.E(foldstream.Invalid, "id", err)
	}
	text, err = jcs.Transform(text)
	return text, foldstream.E(foldstream.Invalid, "id", err)
}

// fit refuses what would make two different templates look alike as JSON. plain is t's task dict as TemplateOf read it.
func fit(t, plain foldstream.Template) error {
	switch {
	case plain.Segments != nil:
		return foldstream.Errorf(foldstream.Invalid, "id", "dataset.kwargs.segments stands in the task dict: segments belong in Segments (TemplateOf takes them out)")
	case t.Seed != nil && (*t.Seed > maxInt || *t.Seed < -maxInt):
		return foldstream.Errorf(foldstream.Invalid, "id", "seed %d is beyond ±(2^53−1)", *t.Seed)
	}
	for _, name := range t.Segments.Names() {
		if s := t.Segments[name]; s.Reversed() {
			return foldstream.Errorf(foldstream.Invalid, "id", "segment %s starts at %s, after its end %s", name, s.Start, s.End)
		}
	}
	texts := strings.Join(t.Segments.Names(), "") + strings.Join(t.Stages, "") + t.Worker + t.Calendar
	if !utf8.ValidString(texts) {
		return foldstream.Errorf(foldstream.Invalid, "id", "the name of a segment, a stage, the worker or the calendar is not UTF-8")
	}
	return utf8Only("task", plain.Task)
}

// utf8Only refuses text that is not UTF-8: JSON would replace the bad bytes and give different texts one id.
func utf8Only(path string, v any) error {
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) {
			return foldstream.Errorf(foldstream.Invalid, "id", "%s: the text %q is not UTF-8", path, v)
		}
	case []any:
		for i, e := range v {
			if err := utf8Only(fmt.Sprintf("%s[%d]", path, i), e); err != nil {
				return err
			}
		}
	case map[string]any:
		for k, e := range v {
			if !utf8.ValidString(k) {
				return foldstream.Errorf(foldstream.Invalid, "id", "%s: the key %q is not UTF-8", path, k)
			}
			if err := utf8Only(path+"."+k, e); err != nil {
				return err
			}
		}
	}
	return nil
}

// Tasks fixes the id of each template: one task for each, in order, repetitions included; equal content has equal ids. The
// tasks share nothing with the templates. Errors: as ID, naming the template by its place, from 1.
func Tasks(templates []foldstream.Template) ([]foldstream.Task, error) {
	tasks := make([]foldstream.Task, len(templates))
	for i, t := range templates {
		id, err := ID(t)
		if err != nil {
			return nil, foldstream.E(foldstream.KindOf(err), "tasks", fmt.Errorf("template %d: %w", i+1, err))
		}
		tasks[i] = foldstream.Task{ID: id, Template: t.Clone()}
	}
	return tasks, nil
}
