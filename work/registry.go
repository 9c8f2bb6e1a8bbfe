package work

import (
	"maps"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
	"github.com/foldstream/foldstream/work/exec"
	"github.com/foldstream/foldstream/work/ridge"
)

// Registry holds workers by the name that tasks call them. A nil Registry knows none.
type Registry map[string]foldstream.Worker

// Builtin returns a new Registry of the workers that come with Foldstream: "exec" and "ridge".
func Builtin() Registry {
	return Registry{"exec": &exec.Worker{}, "ridge": &ridge.Worker{}}
}

// Lookup returns the worker of that name. Errors: NotFound, naming those there are.
func (r Registry) Lookup(name string) (foldstream.Worker, error) {
	if w := r[name]; w != nil {
		return w, nil
	}
	known := strings.Join(slices.Sorted(maps.Keys(r)), ", ")
	if known == "" {
		known = "none"
	}
	return nil, foldstream.Errorf(foldstream.NotFound, "", "worker %q is not known here; known: %s", name, known)
}
