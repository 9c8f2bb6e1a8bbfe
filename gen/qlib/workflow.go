package qlib

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/foldstream/foldstream"
	"go.yaml.in/yaml/v3"
)

// drop is the mark by which a workflow file deletes a key of its base file.
const drop = "__DROP__"

// maxBases is how many files may stand on one another.
const maxBases = 8

// Opener opens a file that another file names, by a path with slashes. It is called one file at a time.
type Opener func(name string) (io.ReadCloser, error)

// Workflow is a file that Qlib's runner qrun reads (cli/run.py), as a source of a template.
type Workflow struct {
	Source     string
	Experiment string              // its experiment_name; "" where it has none
	Provider   string              // its qlib_init.provider_uri, the folder of Qlib's data and so of the calendar; "" where it has none
	Template   foldstream.Template // its task, with placeholders such as <MODEL> as they stand
	Config     map[string]any      // the whole of it, its base under it: what qrun keeps as the artifact "config"
	Init       map[string]any      // its qlib_init without exp_manager: the arguments of qlib.init, for a worker that runs Qlib
	Paths      []string            // what qrun adds to Python's import path, from sys.path and sys.rel_path, in that order
	Notes      []string            // in words: variables that were filled in, and what it asks for and does not get here
}

// ReadWorkflow reads Qlib's workflow YAML: qlib_init, task, and any other keys, whose anchors may be used in both. A base
// file that BASE_CONFIG_PATH names is opened with open and laid under it, as are bases of bases; a nil open refuses them. It is
// looked for beside the file, then from the working directory; where there are two different ones, of which qrun would take the
// latter, the file must say which. Template marks, {{ NAME }} and the few that render knows, are filled in from env, in
// bases too; a variable that is not set is an error, not nothing. A nil env has none.
//
// What is not handed on: qlib_init.exp_manager, as recorders are kept in the store that the tasks are in, and the import path,
// which is the worker's to set; both are told in Notes. Errors: Invalid, as Read.
func ReadWorkflow(name string, r io.Reader, open Opener, env Environment) (*Workflow, error) {
	b := baseReader{open: open, env: env}
	root, err := b.read(name, r, 0)
	if err != nil {
		return nil, err
	}
	v := value{doc: &document{}, node: root}
	w := &Workflow{Source: name, Experiment: v.get("experiment_name").text(), Notes: b.notes(name)}
	v.fields()
	w.readInit(v.must("qlib_init"))
	w.readPaths(v.get("sys"))
	if task := v.must("task"); task.there() {
		w.Template = readTemplate(task)
	}
	if err := v.doc.err(); err != nil {
		return nil, err
	}
	w.Config, _ = v.plain().(map[string]any)
	return w, nil
}

// Name returns what qrun calls the experiment: what the file says beats what was given on the command line; "workflow" where
// both say nothing.
func (w *Workflow) Name(given string) string { return cmp.Or(w.Experiment, given, "workflow") }

func (w *Workflow) readInit(init value) {
	if init.fields(); init.get("provider_uri").is(yaml.ScalarNode) { // a map has a folder for each frequency
		w.Provider = init.get("provider_uri").text()
	}
	w.Init, _ = init.plain().(map[string]any)
	if m := init.get("exp_manager"); m.there() {
		delete(w.Init, "exp_manager")
		w.Notes = append(w.Notes, m.at()+": not used: runs are kept in the store that the tasks are in")
	}
}

// readPaths reads the section sys: paths as they are, and paths from the folder of the file.
func (w *Workflow) readPaths(sys value) {
	sys.fields()
	for _, p := range sys.get("path").oneOrMore() {
		w.Paths = append(w.Paths, p.text())
	}
	for _, p := range sys.get("rel_path").oneOrMore() {
		if s := p.text(); path.IsAbs(s) {
			w.Paths = append(w.Paths, s)
		} else {
			w.Paths = append(w.Paths, path.Dir(w.Source)+"/"+s)
		}
	}
	if len(w.Paths) > 0 {
		w.Notes = append(w.Notes, fmt.Sprintf("%s: the worker must have %s on Python's import path", sys.at(), strings.Join(w.Paths, ", ")))
	}
}

// baseReader reads a file and the files that it stands on.
type baseReader struct {
	open Opener
	env  Environment
	used []string // variables
}

func (b *baseReader) notes(name string) []string {
	if len(b.used) == 0 {
		return nil
	}
	return []string{name + ": filled in from the environment: " + strings.Join(b.used, ", ")}
}

func (b *baseReader) read(name string, r io.Reader, depth int) (*node, error) {
	text, err := readText(name, r)
	if err != nil {
		return nil, err
	}
	text, used, err := render(name, text, b.env)
	if err != nil {
		return nil, err
	}
	for _, u := range used {
		if !slices.Contains(b.used, u) {
			b.used = append(b.used, u)
		}
	}
	over, err := parseText(name, text)
	if err != nil {
		return nil, err
	}
	v := value{doc: &document{}, node: over}
	base := v.get("BASE_CONFIG_PATH")
	if !base.there() {
		return over, nil
	}
	file := base.text()
	switch {
	case depth == maxBases:
		base.faultf("more than %d files stand on one another here, or one stands on itself", maxBases)
	case b.open == nil:
		base.faultf("a base file cannot be read from here (%s)", base.show())
	}
	if err := v.doc.err(); err != nil {
		return nil, err
	}
	found, under, err := b.find(base, file)
	if err != nil {
		return nil, err
	}
	defer under.Close()
	n, err := b.read(found, under, depth+1)
	if err != nil {
		return nil, err
	}
	return lay(n, over), nil
}

// find opens a base file, beside the file that names it or from the working directory.
func (b *baseReader) find(v value, file string) (name string, r io.ReadCloser, err error) {
	near, here := beside(v.node.file, file), path.Clean(file)
	r, err = openNamed(v, file, near, b.open)
	if near == here {
		return near, r, err
	}
	other, err2 := b.open(here)
	switch {
	case errors.Is(err2, fs.ErrNotExist):
		return near, r, err
	case err == nil:
		r.Close()
		if err2 == nil {
			other.Close()
		}
		return "", nil, foldstream.Errorf(foldstream.Invalid, "", "%s: there are two, %s and %s, of which qrun would take the latter: write a path that is one of them alone",
			v.at(), near, here)
	case err2 != nil:
		return "", nil, foldstream.Errorf(foldstream.Invalid, "", "%s: %w", v.at(), err2)
	}
	return here, other, nil
}

// openBeside opens a file that v names.
func openBeside(v value, file string, open Opener) (io.ReadCloser, error) {
	return openNamed(v, file, beside(v.node.file, file), open)
}

// openNamed opens what v names as file, under a name.
func openNamed(v value, file, name string, open Opener) (io.ReadCloser, error) {
	r, err := open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "%s: there is no such file (%q)", v.at(), file)
	}
	if err != nil {
		return nil, foldstream.Errorf(foldstream.Invalid, "", "%s: %w", v.at(), err)
	}
	return r, nil
}

// beside returns the path of a file that the file name mentions.
func beside(name, file string) string {
	if path.IsAbs(file) {
		return file
	}
	return path.Join(path.Dir(name), file)
}

// lay lays one value over another: maps key by key, anything else replaces, the drop mark deletes (Qlib's update_config,
// utils/__init__.py). A drop mark where there is nothing to delete vanishes, also inside a new map. An anchor of the base
// keeps its value: changing the anchored key in the file over it does not reach the places that used it.
func lay(base, over *node) *node {
	if over.kind != yaml.MappingNode {
		return over
	}
	n := *over
	n.fields = nil
	if base != nil && base.kind == yaml.MappingNode {
		n.fields = slices.Clone(base.fields)
	}
	at := make(map[string]int, len(n.fields))
	for i, f := range n.fields {
		at[f.key] = i
	}
	for _, f := range over.fields {
		i, there := at[f.key]
		switch {
		case f.value.scalar == drop && there:
			n.fields[i].value = nil
		case f.value.scalar == drop:
		case there:
			f.value = lay(n.fields[i].value, f.value)
			n.fields[i] = f
		default:
			f.value = lay(nil, f.value)
			n.fields = append(n.fields, f)
		}
	}
	n.fields = slices.DeleteFunc(n.fields, func(f field) bool { return f.value == nil })
	return &n
}
